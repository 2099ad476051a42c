"""Making exports as background work: one at a time, five a day, gone after a day."""

import asyncio
import os
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from domain.account.documents import DataExport, WorkStatus
from domain.account.export import (
    BUCKET,
    KEPT_FOR,
    MOST_A_DAY,
    fail,
    remove_expired,
    repeat,
    request_export,
    run,
)
from domain.auth.audit import AuditEvent
from domain.auth.caller import UNKNOWN
from domain.core.clock import now
from domain.core.closed_accounts import ClosedAccount
from domain.core.deps import Deps
from domain.core.errors import AccountClosed, RateLimited
from domain.core.failures import FailureReason
from domain.core.language import Language
from domain.core.owned_files import OwnedFile, store_file
from jobs.account import DATA_EXPORT
from jobs.delivery import deliver
from tests.domain.account.exports import (
    cv_with_file,
    delivered,
    files_of,
    set_fields,
    someone,
    stored,
)
from tests.domain.account.people import CALLER, newcomer, one_piece
from tests.jobs.pieces import LEASE


async def test_one_at_a_time_however_often_it_is_asked_for(quiet: Deps) -> None:
    user_id = await someone()

    asked = await asyncio.gather(
        *(request_export(quiet, user_id, uuid4(), CALLER) for _ in range(20))
    )
    again = await request_export(quiet, user_id, None, CALLER)
    other = await request_export(quiet, await someone(), None, CALLER)

    assert {one.id for one in [*asked, again]} == {asked[0].id}
    assert other.id != again.id
    assert await DataExport.find({"user_id": user_id}).count() == 1
    events = await AuditEvent.find({"user_id": user_id}).to_list()
    assert [(event.action, event.address) for event in events] == [
        ("EXPORT_REQUESTED", CALLER.address)
    ]


async def test_a_key_gives_the_same_export_when_it_is_done_too(quiet: Deps) -> None:
    user_id, key = await someone(), uuid4()
    first = await request_export(quiet, user_id, key, CALLER)
    await delivered(quiet, first)

    assert (await request_export(quiet, user_id, key, CALLER)).id == first.id
    assert (await request_export(quiet, user_id, uuid4(), CALLER)).id != first.id


async def test_five_a_day(quiet: Deps) -> None:
    user_id = await someone()
    for _ in range(MOST_A_DAY):
        await delivered(quiet, await request_export(quiet, user_id, None, CALLER))

    with pytest.raises(RateLimited) as refused:
        await request_export(quiet, user_id, None, CALLER)
    await request_export(quiet, await someone(), None, CALLER)

    assert 24 * 3600 - 60 < refused.value.retry_after <= 24 * 3600
    oldest = await DataExport.find({"user_id": user_id}).sort("_id").first_or_none()
    assert oldest is not None
    await set_fields(oldest, created_at=now() - timedelta(hours=24, seconds=1))
    assert (await request_export(quiet, user_id, None, CALLER)).status is WorkStatus.PENDING


async def test_nothing_is_made_for_an_account_that_is_closed(quiet: Deps) -> None:
    user_id = await someone()
    await ClosedAccount.close(user_id)

    with pytest.raises(AccountClosed):
        await request_export(quiet, user_id, None, CALLER)

    assert await DataExport.find({"user_id": user_id}).count() == 0


async def test_a_claim_that_was_lost_leaves_no_file_behind(quiet: Deps) -> None:
    export = await request_export(quiet, await someone(), None, CALLER)
    before = await files_of(quiet)
    claim = await DataExport.claim(export.id, timedelta(seconds=-1))
    other = await DataExport.claim(export.id, LEASE)
    assert claim is not None
    assert other is not None

    await run(quiet, claim)
    assert (await stored(export.id)).status is WorkStatus.PENDING
    assert await files_of(quiet) == before
    await run(quiet, other)
    done = await stored(export.id)
    await run(quiet, other)
    await run(quiet, claim)

    assert done.status is WorkStatus.COMPLETED
    assert (await stored(export.id)).file_id == done.file_id
    assert await files_of(quiet) == before | {done.file_id}


async def test_a_claim_lost_while_it_is_stored_leaves_no_file_behind(quiet: Deps) -> None:
    """At whatever point another worker takes over, one archive is left."""
    user_id = await someone()
    for _ in range(3):
        await cv_with_file(quiet, user_id, os.urandom(500_000))
    for delay in (0.0, 0.01, 0.02, 0.04, 0.08):
        export = await request_export(quiet, user_id, None, CALLER)
        before = await files_of(quiet)
        first = await DataExport.claim(export.id, timedelta(seconds=-1))
        assert first is not None
        running = asyncio.create_task(run(quiet, first))
        await asyncio.sleep(delay)
        second = await DataExport.claim(export.id, LEASE)
        if second is not None:
            await run(quiet, second)
        await running

        done = await stored(export.id)
        assert done.status is WorkStatus.COMPLETED
        assert await files_of(quiet) == before | {done.file_id}


async def test_an_attempt_that_is_cancelled_leaves_nothing_and_is_done_by_the_next(
    quiet: Deps,
) -> None:
    user_id = await someone()
    for _ in range(3):
        await cv_with_file(quiet, user_id, os.urandom(500_000))
    export = await request_export(quiet, user_id, None, CALLER)
    before = await files_of(quiet)
    for delay in (0.005, 0.02, 0.04, 0.06):
        running = asyncio.create_task(deliver(quiet, DATA_EXPORT, export.id))
        await asyncio.sleep(delay)
        running.cancel()
        await asyncio.wait({running})
        if (await stored(export.id)).status.is_final:
            break
        assert await files_of(quiet) == before

    done = await delivered(quiet, export)

    assert done.status is WorkStatus.COMPLETED
    assert await files_of(quiet) == before | {done.file_id}


async def test_what_failed_says_so_in_its_persons_language_and_can_be_repeated(
    quiet: Deps,
) -> None:
    user = await newcomer(uuid4().hex)
    await user.change(user.id, {"language": Language.HE.value})
    export = await request_export(quiet, user.id, None, CALLER)
    claim = await DataExport.claim(export.id, LEASE)
    assert claim is not None

    assert await fail(quiet, claim, FailureReason.BUG)
    assert not await fail(quiet, claim, FailureReason.BUG)
    again = await repeat(quiet, export.id)

    failed = await stored(export.id)
    assert failed.failure is not None
    assert "משהו השתבש" in failed.failure.message
    assert failed.expires_at is not None
    assert (await repeat(quiet, export.id)) == again
    assert (await delivered(quiet, await stored(again))).status is WorkStatus.COMPLETED
    with pytest.raises(LookupError):
        await repeat(quiet, again)
    with pytest.raises(LookupError):
        await repeat(quiet, uuid4())


async def test_after_a_day_it_is_gone_file_and_all(quiet: Deps) -> None:
    user_id = await someone()
    old = await delivered(quiet, await request_export(quiet, user_id, None, CALLER))
    young = await delivered(quiet, await request_export(quiet, user_id, None, CALLER))
    assert old.completed_at is not None
    assert old.expires_at == old.completed_at + timedelta(hours=24)
    await set_fields(old, expires_at=now() - timedelta(seconds=1))

    assert await remove_expired(quiet) == 1

    assert await DataExport.get(old.id) is None
    assert await DataExport.get(young.id) is not None
    assert old.file_id not in await files_of(quiet)
    assert young.file_id in await files_of(quiet)
    assert await OwnedFile.get(old.file_id) is None


async def test_an_archive_that_no_export_came_to_own_goes_too(quiet: Deps) -> None:
    """As a worker leaves it that is killed between storing it and saying so."""
    user_id = await someone()
    orphan = await store_file(quiet.database, BUCKET, user_id, one_piece(b"PK"))
    fresh = await store_file(quiet.database, BUCKET, user_id, one_piece(b"PK"))
    cv = await cv_with_file(quiet, user_id, b"not an export")
    long_ago = now() - KEPT_FOR - timedelta(hours=2)
    for id in (orphan, cv.file_id):
        await OwnedFile.get_pymongo_collection().update_one(
            {"_id": id}, {"$set": {"started_at": long_ago, "stored_at": long_ago}}
        )

    await remove_expired(quiet)

    left = await files_of(quiet)
    assert orphan not in left
    assert fresh in left
    assert await OwnedFile.get(cv.file_id) is not None


async def test_progress_grows_and_ends_at_a_hundred(quiet: Deps) -> None:
    export = await request_export(quiet, await someone(), None, UNKNOWN)
    assert (export.progress_percent, export.message) == (0, "Waiting for a worker")
    seen: list[tuple[int, int]] = []

    async def watch() -> None:
        while not (now_it := await stored(export.id)).status.is_final:
            seen.append((now_it.version, now_it.progress_percent))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    done = await delivered(quiet, export)
    await watching

    assert (done.progress_percent, done.message) == (100, None)
    assert [percent for _, percent in seen] == sorted(percent for _, percent in seen)
    assert isinstance(done.completed_at, datetime)
