"""Files in GridFS that are always somebody's."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from gridfs.asynchronous import AsyncGridFSBucket
from gridfs.errors import CorruptGridFile, NoFile

from domain.core.clock import now
from domain.core.deps import Deps
from domain.core.owned_files import (
    STORING_SECONDS,
    OwnedFile,
    delete_file,
    open_file,
    store_file,
)

BUCKET = "test_files"
CHUNK = 255 * 1024


async def pieces(data: bytes, size: int = 70_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def left_of(deps: Deps, id: UUID) -> tuple[int, int, int]:
    """How many files, chunks and notes there are of one id."""
    return (
        await deps.database[f"{BUCKET}.files"].count_documents({"_id": id}),
        await deps.database[f"{BUCKET}.chunks"].count_documents({"files_id": id}),
        await OwnedFile.find({"_id": id}).count(),
    )


async def begun_ago(id: UUID, seconds: float, **fields: Any) -> None:
    at = now() - timedelta(seconds=seconds)
    await OwnedFile.get_pymongo_collection().update_one(
        {"_id": id}, {"$set": {"started_at": at, **fields}}
    )


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 8 * CHUNK, 20 * CHUNK + 7])
async def test_a_file_comes_back_as_it_was_and_any_driver_reads_it(deps: Deps, size: int) -> None:
    data = os.urandom(size)

    id = await store_file(deps.database, BUCKET, uuid4(), pieces(data), {"kind": "test"})

    file = await open_file(deps.database, BUCKET, id)
    assert (file.length, await file.read()) == (size, data)
    driver = AsyncGridFSBucket(deps.database, bucket_name=BUCKET)
    stream = await driver.open_download_stream(id)
    assert await stream.read() == data
    assert (stream.chunk_size, stream.metadata) == (CHUNK, {"kind": "test"})


async def test_what_a_driver_stored_is_read(deps: Deps) -> None:
    data, id = os.urandom(3 * CHUNK + 5), uuid4()
    driver = AsyncGridFSBucket(deps.database, bucket_name=BUCKET)
    await driver.upload_from_stream_with_id(id, "old", data)

    assert await (await open_file(deps.database, BUCKET, id)).read() == data


async def test_a_file_that_is_gone_or_damaged_is_told_apart(deps: Deps) -> None:
    id = await store_file(deps.database, BUCKET, uuid4(), pieces(os.urandom(3 * CHUNK)))
    await deps.database[f"{BUCKET}.chunks"].delete_one({"files_id": id, "n": 1})

    with pytest.raises(CorruptGridFile):
        await (await open_file(deps.database, BUCKET, id)).read()
    with pytest.raises(NoFile):
        await open_file(deps.database, BUCKET, uuid4())


async def test_an_error_on_the_way_leaves_nothing_behind(deps: Deps) -> None:
    user_id = uuid4()

    async def broken() -> AsyncIterator[bytes]:
        yield os.urandom(10 * CHUNK)
        raise RuntimeError("the line went dead")

    with pytest.raises(RuntimeError, match="went dead"):
        await store_file(deps.database, BUCKET, user_id, broken())

    assert await OwnedFile.find({"user_id": user_id}).count() == 0
    known = await deps.database[f"{BUCKET}.files"].distinct("_id")
    stray = {"files_id": {"$nin": known}}
    assert await deps.database[f"{BUCKET}.chunks"].count_documents(stray) == 0


async def test_a_cancelled_arrival_leaves_nothing_behind(deps: Deps) -> None:
    user_id, begun = uuid4(), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield os.urandom(10 * CHUNK)
        begun.set()
        await asyncio.Event().wait()

    arriving = asyncio.create_task(store_file(deps.database, BUCKET, user_id, endless()))
    await begun.wait()
    [note] = await OwnedFile.find({"user_id": user_id}).to_list()
    assert note.stored_at is None
    arriving.cancel()
    await asyncio.wait({arriving})

    assert await left_of(deps, note.id) == (0, 0, 0)


async def test_a_persons_files_go_but_not_one_that_is_arriving(deps: Deps) -> None:
    user_id, other_id = uuid4(), uuid4()
    gate, begun = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield os.urandom(10 * CHUNK)
        begun.set()
        await gate.wait()
        yield b"end"

    stored = await store_file(deps.database, BUCKET, user_id, pieces(b"mine"))
    other = await store_file(deps.database, BUCKET, other_id, pieces(b"theirs"))
    arriving = asyncio.create_task(store_file(deps.database, BUCKET, user_id, slow()))
    await begun.wait()

    assert await OwnedFile.delete_of_user(user_id) == 1
    gate.set()
    arrived = await arriving

    assert await left_of(deps, stored) == (0, 0, 0)
    assert await left_of(deps, other) == (1, 1, 1)
    assert len(await (await open_file(deps.database, BUCKET, arrived)).read()) == 10 * CHUNK + 3
    assert await OwnedFile.delete_of_user(user_id) == 1
    assert await left_of(deps, arrived) == (0, 0, 0)


async def test_what_a_dead_process_left_is_found_by_its_owner_and_by_its_age(deps: Deps) -> None:
    """Chunks without a file, as kill -9 in the middle of an arrival leaves them."""
    user_id = uuid4()
    files = []
    for _ in range(2):
        id = await store_file(deps.database, BUCKET, user_id, pieces(os.urandom(2 * CHUNK)))
        await deps.database[f"{BUCKET}.files"].delete_one({"_id": id})
        await begun_ago(id, 1, stored_at=None)
        files.append(id)
    assert await OwnedFile.delete_of_user(user_id) == 0  # it may be arriving still
    await begun_ago(files[0], STORING_SECONDS + 61)

    await OwnedFile.delete_abandoned()
    assert await left_of(deps, files[0]) == (0, 0, 0)
    assert await left_of(deps, files[1]) == (0, 2, 1)
    await begun_ago(files[1], STORING_SECONDS + 61)
    assert await OwnedFile.delete_of_user(user_id) == 1
    assert await left_of(deps, files[1]) == (0, 0, 0)


async def test_deleting_twice_is_no_error(deps: Deps) -> None:
    id = await store_file(deps.database, BUCKET, uuid4(), pieces(b"x"))

    for _ in range(2):
        await delete_file(deps.database, BUCKET, id)

    assert await left_of(deps, id) == (0, 0, 0)
