"""Removing an account and everything that leads to its person.

The order is what makes it complete. The account is closed first, so that nothing new is made for
it; its sessions are ended, and nothing is deleted before the last request that was let in must be
over; then all is deleted, and counted again until there is nothing. Each step may be done twice.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import structlog
from pymongo.errors import DuplicateKeyError, PyMongoError

from domain.account.documents import AccountDeletion, WorkStatus
from domain.account.personal_data import PERSONAL, RECEIPT_KEPT
from domain.account.redis_traces import forget_in_redis
from domain.auth.audit import AuditAction, record
from domain.auth.caller import UNKNOWN, Caller
from domain.auth.sessions import revoke_all_sessions
from domain.core.clock import now
from domain.core.closed_accounts import ClosedAccount
from domain.core.delivery import Claim, NotYet, accepted
from domain.core.deps import Deps
from domain.core.errors import InputRule, InvalidInput
from domain.core.failures import FailureReason
from domain.core.text import clean_line
from domain.sign_in.documents import Identity
from domain.sign_in.voiding import revoke_tokens

log = structlog.get_logger()

CONFIRMATION = "delete my account"
CONFIRMATION_MAX = 100
QUIET = timedelta(seconds=40)
"""A revoked session is refused everywhere within 5 s, and an operation that was let in before that
ends within 30 s."""
_AGAIN_SECONDS = 5.0
_TURNS = 3
_TRIED_AGAIN_AFTER = timedelta(hours=1)
_WATCHED_FOR = timedelta(days=1)


async def request_deletion(
    deps: Deps, user_id: UUID, confirmation: str, caller: Caller
) -> AccountDeletion:
    """Accept the end of an account: from here on nobody is signed in to it, and it will be gone.

    Asking again gives the deletion that is under way. Raises InvalidInput without the words
    `delete my account`.
    """
    words = clean_line(confirmation[:CONFIRMATION_MAX]).casefold()
    if words != CONFIRMATION:
        raise InvalidInput(InputRule.NOT_CONFIRMED, ["input", "confirmation"])
    deletion = AccountDeletion(user_id=user_id, delivery=accepted(now()))
    try:
        await deletion.insert()
    except DuplicateKeyError:
        return await AccountDeletion.open_of_user(user_id) or deletion
    # Should this process end here, the worker does the same.
    await ClosedAccount.close(user_id)
    await record(AuditAction.DELETION_REQUESTED, caller, user_id, deletion_id=str(deletion.id))
    await revoke_all_sessions(deps, user_id, caller)
    await deps.queue.wake(AccountDeletion.work_name, deletion.id, "1")
    return deletion


async def run(deps: Deps, claim: Claim) -> None:
    """Carry a claimed deletion on. Raises NotYet while something may still write."""
    deletion = await AccountDeletion.get(claim.id)
    if deletion is None or not await _is_quiet(deps, claim, deletion):
        return
    user_id = deletion.user_id
    if deletion.found is None:
        found = await count_all(user_id)
        if not await AccountDeletion.change(claim, {"found": found}):
            return
    await _give_tokens_back(deps, user_id)
    for _ in range(_TURNS):
        await delete_all(deps, user_id)
        if not any((await count_all(user_id)).values()):
            await _complete(claim, deletion)
            return
    raise NotYet(_AGAIN_SECONDS)  # a file is still arriving; it ends, or is too late for good


async def fail(_deps: Deps, claim: Claim, reason: FailureReason) -> bool:
    """Give a claimed deletion up for now; `take_up_again` repeats it.

    False when the claim is no longer good.
    """
    log.error("an account is only partly deleted", deletion=str(claim.id), reason=reason)
    fields = {"status": WorkStatus.FAILED, "failed_at": now()}
    return await AccountDeletion.close(claim, fields)


async def repeat(deps: Deps, id: UUID) -> UUID:
    """Go on with a failed deletion, as a new one: a final state stays final.

    Gives the new deletion's id. Raises LookupError when there is nothing to repeat.
    """
    failed = await AccountDeletion.get(id)
    if failed is None or failed.status is not WorkStatus.FAILED:
        raise LookupError(f"no failed deletion has the id {id}")
    again = AccountDeletion(
        user_id=failed.user_id, requested_at=failed.requested_at, quiet_since=failed.quiet_since,
        found=failed.found, retry_of=id, delivery=accepted(now()),
    )  # fmt: skip
    try:
        await again.insert()
    except DuplicateKeyError:  # asked before, or twice at once
        repeated = await AccountDeletion.retry_of_document(id)
        other = repeated or await AccountDeletion.open_of_user(failed.user_id)
        return (other or again).id
    await deps.queue.wake(AccountDeletion.work_name, again.id, "1")
    return again.id


async def take_up_again(deps: Deps) -> int:
    """Repeat the deletions that were given up more than an hour ago; how many."""
    given_up = await AccountDeletion.given_up(now() - _TRIED_AGAIN_AFTER)
    for failed in given_up:
        await repeat(deps, failed.id)
    return len(given_up)


async def look_again(deps: Deps) -> int:
    """Delete what came to light for accounts that were deleted within a day; how much.

    Only a process that was killed at the wrong moment leaves such a thing: between a write and
    the look at whether the account is closed.
    """
    total = 0
    for deletion in await AccountDeletion.completed_since(now() - _WATCHED_FOR):
        late = {kind: n for kind, n in (await count_all(deletion.user_id)).items() if n}
        if late:
            log.warning("left behind by a deletion", deletion=str(deletion.id), **late)
            await delete_all(deps, deletion.user_id)
            await AccountDeletion.add_found(deletion.id, late)
            total += sum(late.values())
    return total


async def count_all(user_id: UUID) -> dict[str, int]:
    """How much there is of each kind of a person's data."""
    return {data.kind: await data.count(user_id) for data in PERSONAL}


async def delete_all(deps: Deps, user_id: UUID) -> None:
    """Delete each kind once. What is gone already is no error."""
    for data in PERSONAL:
        await data.delete(user_id)
    await forget_in_redis(deps.redis, user_id)


async def _is_quiet(deps: Deps, claim: Claim, deletion: AccountDeletion) -> bool:
    """True when no request that was let in can still run; False when the claim is lost.

    Raises NotYet until then.
    """
    await ClosedAccount.close(deletion.user_id)
    since = deletion.quiet_since
    if await revoke_all_sessions(deps, deletion.user_id, UNKNOWN):
        since = now()
    changed = {"status": WorkStatus.PROCESSING, "quiet_since": since}
    if not await AccountDeletion.change(claim, changed):
        return False
    left = (since + QUIET - now()).total_seconds()
    if left > 0:
        raise NotYet(left)
    return True


async def _give_tokens_back(deps: Deps, user_id: UUID) -> None:
    """Tell providers that what they let us do is over. They may not listen: it goes on."""
    for identity in await Identity.of_user(user_id):
        try:
            await revoke_tokens(deps, identity, None, UNKNOWN)
        except PyMongoError:
            raise
        except Exception:  # whatever a provider does, it must not keep an account alive
            log.exception("provider tokens not given back", provider=identity.provider)


async def _complete(claim: Claim, deletion: AccountDeletion) -> None:
    at = now()
    # Before the end, so that a process that dies here leaves two rows rather than none.
    await record(AuditAction.DELETION_DONE, UNKNOWN, deletion.user_id, deletion_id=str(deletion.id))
    fields: Mapping[str, object] = {
        "status": WorkStatus.COMPLETED, "completed_at": at, "expires_at": at + RECEIPT_KEPT,
    }  # fmt: skip
    if await AccountDeletion.close(claim, fields):
        await AccountDeletion.expire_failed(deletion.user_id, at + RECEIPT_KEPT)
