"""Deletions in tests, carried through without the wait."""

from datetime import timedelta
from uuid import UUID

from domain.account.deletion import QUIET, count_all, request_deletion
from domain.account.documents import AccountDeletion, WorkStatus
from domain.core.clock import now
from domain.core.deps import Deps
from jobs.account import ACCOUNT_DELETION
from jobs.delivery import deliver
from tests.domain.account.people import CALLER

WORDS = "delete my account"


async def stored(deletion: AccountDeletion) -> AccountDeletion:
    found = await AccountDeletion.get(deletion.id)
    assert found is not None
    return found


async def moved_back(deletion: AccountDeletion, by: timedelta = QUIET) -> None:
    """As if the deletion had been asked for, and the last session ended, that much earlier."""
    fields = {"requested_at": now() - by, "quiet_since": now() - by, "delivery.due_at": now()}
    await AccountDeletion.get_pymongo_collection().update_one(
        {"_id": deletion.id}, {"$set": fields}
    )


async def deleted(deps: Deps, user_id: UUID) -> AccountDeletion:
    """The deletion of an account, carried through to its end."""
    deletion = await request_deletion(deps, user_id, WORDS, CALLER)
    await moved_back(deletion)
    await deliver(deps, ACCOUNT_DELETION, deletion.id)
    done = await stored(deletion)
    assert done.status is WorkStatus.COMPLETED, done
    return done


async def nothing_is_left(user_id: UUID) -> bool:
    return not any((await count_all(user_id)).values())
