"""Keeping what was given up, and doing it again at the operator's word."""

import traceback
from uuid import UUID

import structlog

from domain.clients.language_model import LanguageModelError
from domain.core.dead_letters import DeadLetter
from domain.core.delivery import Claim
from domain.core.deps import Deps
from domain.core.errors import AccountClosed
from domain.core.failures import FailureReason, code_of
from jobs.delivery_work import Work

log = structlog.get_logger()


async def bury(work: Work, claim: Claim, reason: FailureReason, error: Exception | None) -> None:
    """Keep a letter of a job that ended without a result. Once for each document.

    `error` is None for a job that was given up before the claimed attempt began.
    """
    attempts = claim.attempt if error else claim.attempt - 1
    letter = DeadLetter(
        work=work.document.work_name, document_id=claim.id, code=code_of(reason),
        cause=cause_of(reason, error), attempts=attempts, accepted_at=claim.accepted_at,
        user_id=claim.user_id,
    )  # fmt: skip
    await letter.keep()
    log.warning("dead letter", letter=str(letter.id), code=letter.code, cause=letter.cause)


def cause_of(reason: FailureReason, error: Exception | None) -> str:
    """What went wrong, in words that hold nothing a person wrote.

    A model's errors are worded by us. Of any other error only its type and place are told, as its
    message may quote what was being worked on.
    """
    if error is None:
        return reason.value
    if isinstance(error, LanguageModelError):
        return f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


async def requeue(deps: Deps, works: list[Work], letter: DeadLetter) -> UUID:
    """Do the work of a dead letter again, as new work with the same input: final stays final.

    Gives the id of the new document; asking again gives the same. Raises LookupError when the
    letter's document, or its kind of work, is gone.
    """
    if letter.requeued_as is not None:
        return letter.requeued_as
    for work in works:
        if work.document.work_name == letter.work:
            try:
                repeated = await work.repeat(deps, letter.document_id)
            except AccountClosed as error:
                raise LookupError("the account it was for is being deleted") from error
            await letter.note_requeued(repeated)
            return repeated
    raise LookupError(f"no work is called {letter.work!r}")
