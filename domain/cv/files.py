"""CV files in GridFS."""

from collections.abc import AsyncIterator
from uuid import UUID

from gridfs.asynchronous import AsyncGridFSBucket
from pymongo.asynchronous.database import AsyncDatabase

from domain.core.ids import new_id

BUCKET = "cv_files"
Database = AsyncDatabase[dict[str, object]]


async def store_file(
    database: Database, cv_id: UUID, content_type: str, chunks: AsyncIterator[bytes]
) -> UUID:
    """Store a file as it comes in and give its id. An error from `chunks` leaves nothing behind."""
    file_id = new_id()
    bucket = AsyncGridFSBucket(database, bucket_name=BUCKET)
    metadata = {"cv_id": cv_id, "content_type": content_type}
    stream = bucket.open_upload_stream_with_id(file_id, str(cv_id), metadata=metadata)
    try:
        async for chunk in chunks:
            await stream.write(chunk)
        await stream.close()
    except BaseException:
        await stream.abort()
        raise
    return file_id


async def read_file(database: Database, file_id: UUID) -> bytes:
    """The whole file. Raises gridfs.NoFile when it is gone."""
    bucket = AsyncGridFSBucket(database, bucket_name=BUCKET)
    stream = await bucket.open_download_stream(file_id)
    return await stream.read()


async def delete_file(database: Database, file_id: UUID) -> None:
    """Delete a file that no CV refers to."""
    await AsyncGridFSBucket(database, bucket_name=BUCKET).delete(file_id)
