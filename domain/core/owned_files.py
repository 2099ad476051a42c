"""Files in GridFS, each with the person it belongs to.

GridFS' own chunks say nothing about whose they are, and they are there before their file is: a
process that dies while it stores one leaves chunks that nobody could name. So the owner is noted
before the first byte, and the note goes after the last one.

Writing and reading follow the GridFS specification
(https://github.com/mongodb/specifications/blob/master/source/gridfs/gridfs-spec.md) by ourselves:
the driver holds 32 MB of a file in memory at a time, and as much again encoded.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from beanie import Document
from bson.int64 import Int64
from gridfs.errors import CorruptGridFile, NoFile
from pydantic import Field
from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from domain.core.clock import now
from domain.core.ids import new_id

Database = AsyncDatabase[dict[str, Any]]

STORING_SECONDS = 300.0
"""How long a file may take to arrive."""
_SURELY_OVER = timedelta(seconds=STORING_SECONDS + 60)
"""After this nobody can be storing it still: the last write itself ends within the minute."""
_CHUNK_BYTES = 255 * 1024
"""As GridFS has it, so that a chunk's document stays under a power of two."""
_CHUNKS_AT_ONCE = 8
_DELETED_AT_ONCE = 50


class OwnedFile(Document):
    """Whose a file is, under the file's own id."""

    id: UUID = Field(default_factory=new_id)  # type: ignore[assignment]  # beanie's own way to another id type
    user_id: UUID
    bucket: str
    """The GridFS bucket that it lies in."""
    started_at: datetime = Field(default_factory=now)
    stored_at: datetime | None = None
    """None until it is whole."""

    class Settings:
        name = "owned_files"
        indexes = [
            IndexModel([("user_id", ASCENDING)], name="user"),
            IndexModel([("bucket", ASCENDING), ("started_at", ASCENDING)], name="bucket_started"),
            IndexModel([("stored_at", ASCENDING), ("started_at", ASCENDING)], name="stored"),
        ]

    @classmethod
    async def of_user_for_export(cls, user_id: UUID) -> list[dict[str, Any]]:
        """Which files are kept for a user, oldest first, ready for JSON."""
        rows = await cls.find({"user_id": user_id}).sort("_id").to_list()
        shown = {"id", "bucket", "started_at", "stored_at"}
        return [row.model_dump(mode="json", include=shown) for row in rows]

    @classmethod
    async def delete_of_user(cls, user_id: UUID) -> int:
        """Delete a person's files, but for those that are just arriving: they cannot be yet.

        Such a one is left to a later call; whoever stores it removes it too, when nothing refers
        to it any more.
        """
        return await cls._delete_where({"user_id": user_id})

    @classmethod
    async def delete_older(cls, bucket: str, than: datetime) -> int:
        """Delete what was begun before an instant in one bucket."""
        return await cls._delete_where({"bucket": bucket, "started_at": {"$lt": than}})

    @classmethod
    async def delete_abandoned(cls) -> int:
        """Delete what was begun and can never become whole, as its process is gone."""
        return await cls._delete_where({"stored_at": None})

    @classmethod
    async def _delete_where(cls, query: dict[str, Any]) -> int:
        over = {"started_at": {"$lt": now() - _SURELY_OVER}}
        at_rest = {"$and": [query, {"$or": [{"stored_at": {"$ne": None}}, over]}]}
        deleted = 0
        while found := await cls.find(at_rest).limit(_DELETED_AT_ONCE).to_list():
            by_bucket: dict[str, list[UUID]] = defaultdict(list)
            for file in found:
                by_bucket[file.bucket].append(file.id)
            for bucket, ids in by_bucket.items():
                await delete_files(cls.get_pymongo_collection().database, bucket, ids)
            deleted += len(found)
        return deleted


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file to read from. `length` is in bytes."""

    database: Database
    bucket: str
    id: UUID
    length: int

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file in pieces of at most 255 KiB. Raises gridfs.CorruptGridFile when one is gone."""
        found = self.database[f"{self.bucket}.chunks"].find({"files_id": self.id}).sort("n", 1)
        expected, size = 0, 0
        async for chunk in found.batch_size(_CHUNKS_AT_ONCE):
            if chunk["n"] != expected:
                break
            expected, size = expected + 1, size + len(chunk["data"])
            yield chunk["data"]
        if size != self.length:
            raise CorruptGridFile(f"{size} of {self.length} bytes are there of {self.id}")

    async def read(self) -> bytes:
        """All of it. Raises gridfs.CorruptGridFile."""
        return b"".join([chunk async for chunk in self.chunks()])


async def store_file(
    database: Database,
    bucket: str,
    user_id: UUID,
    pieces: AsyncIterator[bytes],
    metadata: dict[str, Any] | None = None,
) -> UUID:
    """Store a file as it comes in and give its id. An error from `pieces` leaves nothing behind.

    Raises TimeoutError when it has not arrived within `STORING_SECONDS`.
    """
    chunks, files = database[f"{bucket}.chunks"], database[f"{bucket}.files"]
    await chunks.create_index([("files_id", ASCENDING), ("n", ASCENDING)], unique=True)
    await files.create_index([("filename", ASCENDING), ("uploadDate", ASCENDING)])
    file = OwnedFile(user_id=user_id, bucket=bucket)
    await file.insert()
    try:
        length = 0
        async for batch in _batches(file.id, pieces):
            await chunks.insert_many(batch)
            length += sum(len(chunk["data"]) for chunk in batch)
        row = {
            "_id": file.id, "length": Int64(length), "chunkSize": _CHUNK_BYTES,
            "uploadDate": now(), "filename": str(file.id), "metadata": metadata,
        }  # fmt: skip
        await files.insert_one(row)
        await file.set({OwnedFile.stored_at: now()})
    except BaseException:
        await delete_file(database, bucket, file.id)
        raise
    return file.id


async def open_file(database: Database, bucket: str, file_id: UUID) -> StoredFile:
    """A file to read from. Raises gridfs.NoFile when it is gone."""
    row = await database[f"{bucket}.files"].find_one({"_id": file_id}, {"length": 1})
    if row is None:
        raise NoFile(f"no file {file_id} in {bucket}")
    return StoredFile(database, bucket, file_id, int(row["length"]))


async def delete_file(database: Database, bucket: str, file_id: UUID) -> None:
    """Delete a file, whole or not. Does nothing if it is gone."""
    await delete_files(database, bucket, [file_id])


async def delete_files(database: Database, bucket: str, ids: list[UUID]) -> None:
    """Delete files of a bucket, whole or not, and the notes of their owners last."""
    await database[f"{bucket}.files"].delete_many({"_id": {"$in": ids}})
    await database[f"{bucket}.chunks"].delete_many({"files_id": {"$in": ids}})
    await OwnedFile.get_pymongo_collection().delete_many({"_id": {"$in": ids}})


async def _batches(
    file_id: UUID, pieces: AsyncIterator[bytes]
) -> AsyncIterator[list[dict[str, Any]]]:
    """Documents of whole chunks, a few at a time; only the last chunk is shorter."""
    waiting, number = bytearray(), 0
    async for piece in _in_time(pieces):
        waiting += piece
        while len(waiting) >= _CHUNKS_AT_ONCE * _CHUNK_BYTES:
            batch = _documents(file_id, number, waiting[: _CHUNKS_AT_ONCE * _CHUNK_BYTES])
            del waiting[: _CHUNKS_AT_ONCE * _CHUNK_BYTES]
            number += len(batch)
            yield batch
    if waiting:
        yield _documents(file_id, number, waiting)


def _documents(file_id: UUID, number: int, data: bytearray) -> list[dict[str, Any]]:
    starts = range(0, len(data), _CHUNK_BYTES)
    return [
        {"files_id": file_id, "n": number + i, "data": bytes(data[start : start + _CHUNK_BYTES])}
        for i, start in enumerate(starts)
    ]


async def _in_time(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    # Around the source alone: on Python 3.11 an operation of the driver's must not be cut short.
    until = asyncio.get_running_loop().time() + STORING_SECONDS
    while True:
        async with asyncio.timeout_at(until):
            try:
                piece = await anext(pieces)
            except StopAsyncIteration:
                return
        yield piece
