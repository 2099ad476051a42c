"""Exports and deletions through worker processes that are killed, and what is tidied up."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.account.deletion import QUIET, count_all, request_deletion
from domain.account.documents import AccountDeletion, DataExport, WorkStatus
from domain.account.export import BUCKET, request_export
from domain.core.clock import now
from domain.core.dead_letters import DeadLetter
from domain.core.deps import Deps
from domain.core.failures import FailureCode
from domain.core.owned_files import OwnedFile, open_file, store_file
from domain.cv.documents import CV, CVStatus
from jobs.account import ACCOUNT_DELETION, DATA_EXPORT
from jobs.dead_letters import requeue
from jobs.delivery import deliver
from jobs.housekeeping import CHORES, Chore, tidy, tidy_for_ever
from jobs.worker import FUNCTIONS, WORKS
from tests.conftest import running_worker
from tests.domain.account.people import CALLER, newcomer, one_piece, person_with_everything
from tests.jobs.pieces import LEASE, NoQueue, quick, until

SMALL = {
    "LEASE_SECONDS": "1",
    "HEARTBEAT_SECONDS": "0.3",
    "SWEEP_SECONDS": "0.3",
    "SWEEP_AFTER_SECONDS": "0.3",
}


class WorkerProcess:
    """`careergraph worker` as a process of its own."""

    def __init__(self, deps: Deps) -> None:
        self._settings = deps.settings
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        settings = self._settings
        environment = {
            **os.environ,
            "MONGODB_URI": settings.mongodb_uri,
            "REDIS_URL": settings.redis_url,
            "CAREERGRAPH_MONGODB_DATABASE": settings.mongodb_database,
            "CAREERGRAPH_DATA_DIR": str(settings.data_dir),
            **{f"CAREERGRAPH_{name}": value for name, value in SMALL.items()},
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli.main", "worker",
            env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip

    async def kill(self) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()


@asynccontextmanager
async def worker_process(deps: Deps) -> AsyncIterator[WorkerProcess]:
    process = WorkerProcess(deps)
    await process.start()
    try:
        yield process
    finally:
        await process.kill()


@pytest.fixture
def quiet(deps: Deps) -> Deps:
    """Parts whose queue wakes nobody: workers find the work by themselves."""
    return replace(deps, queue=NoQueue())


async def with_files(deps: Deps, user_id: UUID, count: int, size: int) -> None:
    """CVs of a person, each with a file that does not compress."""

    async def one() -> None:
        cv = CV(
            user_id=user_id, filename="cv.md", content_type="text/markdown", size_bytes=size,
            status=CVStatus.FAILED,
        )  # fmt: skip
        cv.file_id = await store_file(
            deps.database, "cv_files", user_id, one_piece(os.urandom(size))
        )
        await cv.insert()

    for _ in range(0, count, 50):
        await asyncio.gather(*(one() for _ in range(min(count, 50))))


async def stored_export(id: UUID) -> DataExport:
    export = await DataExport.get(id)
    assert export is not None
    return export


async def stored_deletion(id: UUID) -> AccountDeletion:
    deletion = await AccountDeletion.get(id)
    assert deletion is not None
    return deletion


async def files_in(deps: Deps) -> set[UUID]:
    chunks = await deps.database[f"{BUCKET}.chunks"].distinct("files_id")
    return {*await deps.database[f"{BUCKET}.files"].distinct("_id"), *chunks}


async def test_an_export_survives_kill_9(quiet: Deps) -> None:
    user_id = (await newcomer(uuid4().hex)).id
    await with_files(quiet, user_id, 12, 4 * 1024 * 1024)
    export = await request_export(quiet, user_id, None, CALLER)

    async def has_begun() -> bool:
        return (await stored_export(export.id)).progress_percent >= 80

    async def is_final() -> bool:
        return (await stored_export(export.id)).status.is_final

    async with worker_process(quiet) as first:
        await until(has_begun)
        await first.kill()
    killed = await stored_export(export.id)
    assert killed.status is WorkStatus.PROCESSING
    async with worker_process(quiet):
        await until(is_final)

    done = await stored_export(export.id)
    assert (done.status, done.delivery.attempts) == (WorkStatus.COMPLETED, 2)
    assert done.file_id is not None
    assert (await open_file(quiet.database, BUCKET, done.file_id)).length == done.size_bytes
    assert await DeadLetter.find({"document_id": export.id}).count() == 0


async def test_a_deletion_survives_kill_9(quiet: Deps) -> None:
    person = await person_with_everything(quiet, "hildegard")
    await with_files(quiet, person.id, 2000, 1000)
    deletion = await request_deletion(quiet, person.id, "delete my account", CALLER)
    there = await count_all(person.id)
    at = {"quiet_since": now() - QUIET, "delivery.due_at": now() - timedelta(seconds=1)}
    await AccountDeletion.get_pymongo_collection().update_one({"_id": deletion.id}, {"$set": at})

    async def has_begun() -> bool:
        return 0 < await OwnedFile.find({"user_id": person.id}).count() < there["files"]

    async def is_final() -> bool:
        return (await stored_deletion(deletion.id)).status.is_final

    async with worker_process(quiet) as first:
        await until(has_begun)
        await first.kill()
    half = await count_all(person.id)
    assert 0 < half["files"] < there["files"]
    assert (half["cvs"], half["profile"]) == (there["cvs"], 1)
    async with worker_process(quiet):
        await until(is_final, patience=90)  # many files, on a machine that may be busy

    done = await stored_deletion(deletion.id)
    assert (done.status, done.delivery.attempts) == (WorkStatus.COMPLETED, 2)
    assert done.found == there
    assert not any((await count_all(person.id)).values())


async def test_a_worker_does_both_by_itself(deps: Deps) -> None:
    user_id = (await newcomer(uuid4().hex)).id
    async with running_worker(deps):
        export = await request_export(deps, user_id, None, CALLER)

        async def is_exported() -> bool:
            return (await stored_export(export.id)).status.is_final

        await until(is_exported, 5)
        deletion = await request_deletion(deps, user_id, "delete my account", CALLER)

        async def is_waiting() -> bool:
            return (await stored_deletion(deletion.id)).status is WorkStatus.PROCESSING

        await until(is_waiting, 5)

    assert (await stored_export(export.id)).status is WorkStatus.COMPLETED
    assert (await stored_deletion(deletion.id)).delivery.is_open


async def test_every_work_has_its_function() -> None:
    assert {work.document.work_name for work in WORKS} == {one.name for one in FUNCTIONS}


async def test_a_failed_export_leaves_a_letter_that_can_be_requeued(quiet: Deps) -> None:
    user_id = (await newcomer(uuid4().hex)).id
    export = await request_export(quiet, user_id, None, CALLER)
    for _ in range(quiet.settings.job_attempts):
        assert await DataExport.claim(export.id, timedelta(seconds=-1))  # its worker died
    await deliver(quiet, DATA_EXPORT, export.id)

    failed = await stored_export(export.id)
    [letter] = await DeadLetter.find({"document_id": export.id}).to_list()
    again = await requeue(quiet, WORKS, letter)
    await deliver(quiet, DATA_EXPORT, again)

    assert failed.status is WorkStatus.FAILED
    assert (letter.code, letter.user_id) == (FailureCode.INTERNAL_ERROR, user_id)
    assert (await stored_export(again)).status is WorkStatus.COMPLETED


async def test_work_of_a_person_who_is_leaving_is_not_requeued(quiet: Deps) -> None:
    user_id = (await newcomer(uuid4().hex)).id
    export = await request_export(quiet, user_id, None, CALLER)
    for _ in range(quiet.settings.job_attempts):
        assert await DataExport.claim(export.id, timedelta(seconds=-1))
    await deliver(quiet, DATA_EXPORT, export.id)
    [letter] = await DeadLetter.find({"document_id": export.id}).to_list()
    await request_deletion(quiet, user_id, "delete my account", CALLER)

    with pytest.raises(LookupError, match="is being deleted"):
        await requeue(quiet, WORKS, letter)


async def test_a_deletion_that_fails_is_an_alarm_and_goes_on_when_requeued(quiet: Deps) -> None:
    person = await person_with_everything(quiet, "ottokar")
    deletion = await request_deletion(quiet, person.id, "delete my account", CALLER)
    at = {"quiet_since": now() - QUIET}
    collection = AccountDeletion.get_pymongo_collection()
    await collection.update_one({"_id": deletion.id}, {"$set": at})
    for _ in range(quiet.settings.job_attempts):
        assert await AccountDeletion.claim(deletion.id, timedelta(seconds=-1))
    await deliver(quiet, ACCOUNT_DELETION, deletion.id)
    [letter] = await DeadLetter.find({"document_id": deletion.id}).to_list()

    again = await requeue(quiet, WORKS, letter)
    await deliver(quiet, ACCOUNT_DELETION, again)

    assert (await stored_deletion(deletion.id)).status is WorkStatus.FAILED
    assert (await stored_deletion(again)).status is WorkStatus.COMPLETED
    assert not any((await count_all(person.id)).values())
    assert await DeadLetter.get(letter.id) is None


async def test_a_chore_is_done_by_one_worker_and_once_in_its_time(deps: Deps) -> None:
    times = 0

    async def count(_deps: Deps) -> int:
        nonlocal times
        times += 1
        return times

    chore = Chore(f"test-{uuid4().hex}", timedelta(seconds=1), count)
    done = await asyncio.gather(*(tidy(deps, chore) for _ in range(10)))
    await asyncio.sleep(1.1)
    later = await tidy(deps, chore)

    assert (done.count(True), later, times) == (1, True, 2)


async def test_workers_tidy_up(deps: Deps) -> None:
    """Each chore comes to run in a worker that does nothing else."""
    user_id = (await newcomer(uuid4().hex)).id
    export = await request_export(replace(deps, queue=NoQueue()), user_id, None, CALLER)
    claim = await DataExport.claim(export.id, LEASE)
    assert claim is not None
    ended = now() - timedelta(seconds=1)
    await DataExport.close(claim, {"status": WorkStatus.FAILED, "expires_at": ended})
    await deps.database["leases"].delete_many({"_id": {"$regex": "^chore:"}})

    tidying = asyncio.create_task(tidy_for_ever(quick(deps, sweep_seconds=0.1)))

    async def is_gone() -> bool:
        held = await deps.database["leases"].count_documents({"_id": {"$regex": "^chore:"}})
        return held == len(CHORES) and await DataExport.get(export.id) is None

    await until(is_gone)
    tidying.cancel()
    await asyncio.wait({tidying})
