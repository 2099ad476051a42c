"""Deletions that are cut off, given up, or come too early: each is brought to its end."""

from datetime import timedelta
from uuid import uuid4

import pytest

from domain.account.deletion import (
    count_all,
    fail,
    look_again,
    repeat,
    request_deletion,
    take_up_again,
)
from domain.account.documents import AccountDeletion, WorkStatus
from domain.account.personal_data import PERSONAL
from domain.core.clock import now
from domain.core.dead_letters import DeadLetter
from domain.core.deps import Deps
from domain.core.failures import FailureReason
from domain.cv.documents import CV, CVText
from jobs.account import ACCOUNT_DELETION
from jobs.delivery import deliver
from tests.domain.account.deletions import WORDS, deleted, moved_back, nothing_is_left, stored
from tests.domain.account.people import CALLER, newcomer, person_with_everything
from tests.jobs.pieces import LEASE, parsed_cv


@pytest.mark.parametrize("done_before", range(len(PERSONAL) + 1))
async def test_it_goes_on_where_it_was_cut_off(quiet: Deps, done_before: int) -> None:
    """A worker that dies after any part of the work leaves the rest to the next, and the receipt
    tells of all."""
    person = await person_with_everything(quiet, f"leopoldine{done_before}")
    deletion = await request_deletion(quiet, person.id, WORDS, CALLER)
    await moved_back(deletion)
    there = await count_all(person.id)
    dead = await AccountDeletion.claim(deletion.id, timedelta(seconds=-1))
    assert dead is not None
    await AccountDeletion.change(dead, {"found": there})
    for data in PERSONAL[:done_before]:
        await data.delete(person.id)

    await deliver(quiet, ACCOUNT_DELETION, deletion.id)

    done = await stored(deletion)
    assert (done.status, done.delivery.attempts) == (WorkStatus.COMPLETED, 2)
    assert done.found == there
    assert await nothing_is_left(person.id)


async def test_what_was_given_up_is_taken_up_again_and_the_letter_goes(quiet: Deps) -> None:
    person = await person_with_everything(quiet, "wilhelmine")
    deletion = await request_deletion(quiet, person.id, WORDS, CALLER)
    await moved_back(deletion)
    claim = await AccountDeletion.claim(deletion.id, LEASE)
    assert claim is not None
    assert await fail(quiet, claim, FailureReason.BUG)
    assert not await fail(quiet, claim, FailureReason.BUG)
    assert await take_up_again(quiet) == 0  # not at once
    await AccountDeletion.get_pymongo_collection().update_one(
        {"_id": deletion.id}, {"$set": {"failed_at": now() - timedelta(hours=2)}}
    )

    assert await take_up_again(quiet) == 1
    assert await take_up_again(quiet) == 0

    again = await AccountDeletion.newest_of_retries(deletion.id)
    assert again is not None
    assert again.id != deletion.id
    assert await repeat(quiet, deletion.id) == again.id
    assert again.requested_at == (await stored(deletion)).requested_at
    await moved_back(again)
    await deliver(quiet, ACCOUNT_DELETION, again.id)
    assert (await stored(again)).status is WorkStatus.COMPLETED
    assert (await stored(deletion)).expires_at == (await stored(again)).expires_at
    assert await nothing_is_left(person.id)
    with pytest.raises(LookupError):
        await repeat(quiet, again.id)


async def test_an_open_deletion_that_fails_leaves_a_letter_until_it_succeeds(quiet: Deps) -> None:
    user = await newcomer(uuid4().hex)
    deletion = await request_deletion(quiet, user.id, WORDS, CALLER)
    await moved_back(deletion, timedelta(hours=2))
    collection = AccountDeletion.get_pymongo_collection()
    long_ago = {"delivery.first_due_at": now() - timedelta(hours=2)}
    await collection.update_one({"_id": deletion.id}, {"$set": long_ago})

    await deliver(quiet, ACCOUNT_DELETION, deletion.id)

    assert (await stored(deletion)).status is WorkStatus.FAILED
    [letter] = await DeadLetter.find({"document_id": deletion.id}).to_list()
    assert letter.user_id == user.id
    again = await repeat(quiet, deletion.id)
    await deliver(quiet, ACCOUNT_DELETION, again)
    assert await DeadLetter.get(letter.id) is None


async def test_what_comes_to_light_later_is_deleted_and_told(quiet: Deps) -> None:
    """A web process that was killed between inserting a CV and looking for the mark."""
    user = await newcomer(uuid4().hex)
    done = await deleted(quiet, user.id)
    assert await look_again(quiet) == 0
    late = await parsed_cv(quiet, user.id)

    assert await look_again(quiet) == 2

    assert await CV.get(late.id) is None
    assert await CVText.get(late.id) is None
    found = (await stored(done)).found
    assert found is not None
    assert done.found is not None
    assert found["cvs"] == done.found["cvs"] + 1
    assert found["cv-texts"] == done.found["cv-texts"] + 1
