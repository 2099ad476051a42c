"""CV files in GridFS."""

from collections.abc import AsyncIterator
from uuid import UUID

from domain.core import owned_files
from domain.core.owned_files import Database, OwnedFile, StoredFile
from domain.cv.documents import CV

BUCKET = "cv_files"


async def store_file(
    database: Database,
    cv_id: UUID,
    user_id: UUID,
    content_type: str,
    chunks: AsyncIterator[bytes],
) -> UUID:
    """Store a file as it comes in and give its id. An error from `chunks` leaves nothing behind.

    Raises TimeoutError when it takes too long to arrive.
    """
    metadata = {"cv_id": cv_id, "content_type": content_type}
    return await owned_files.store_file(database, BUCKET, user_id, chunks, metadata)


async def read_file(database: Database, file_id: UUID) -> bytes:
    """The whole file. Raises gridfs.NoFile when it is gone."""
    return await (await open_cv_file(database, file_id)).read()


async def open_cv_file(database: Database, file_id: UUID) -> StoredFile:
    """The file, to be read piece by piece. Raises gridfs.NoFile when it is gone."""
    return await owned_files.open_file(database, BUCKET, file_id)


async def delete_file(database: Database, file_id: UUID) -> None:
    """Delete a file that no CV refers to."""
    await owned_files.delete_file(database, BUCKET, file_id)


async def delete_files_of_user(user_id: UUID) -> int:
    """Delete all files of a person, and those their CVs refer to that were stored before owners
    were noted; gives how many. To be called before the CVs go."""
    deleted = await OwnedFile.delete_of_user(user_id)
    database = OwnedFile.get_pymongo_collection().database
    for file_id in await CV.file_ids_of_user(user_id):
        if await OwnedFile.get(file_id) is None:
            await delete_file(database, file_id)
            deleted += 1
    return deleted
