"""Bringing a CV and reading it."""

import asyncio
import resource
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import structlog
from anyio import BrokenWorkerProcess, to_process
from pymongo.errors import DuplicateKeyError

from domain.clients.language_model import LanguageModelError
from domain.core.clock import now
from domain.core.delivery import CLOSED, Claim, accepted
from domain.core.deps import Deps
from domain.core.errors import DomainError, InputRule, InvalidInput, PayloadTooLarge, SizeUnit
from domain.core.failures import FailureReason, failure
from domain.core.idempotency import Idempotency, fingerprint
from domain.core.input_checks import checked_line
from domain.core.language import Language
from domain.core.rate_limit import Bucket, require
from domain.cv.documents import CV, CVStatus, CVText
from domain.cv.files import delete_file, read_file, store_file
from domain.cv.model_parser import read_with_model
from domain.cv.parsing.contact import redact_contact
from domain.cv.parsing.file_text import UnreadableFile, UnreadableReason, extract_text
from domain.cv.parsing.parse import parse_cv
from domain.cv.parsing.parsed_cv import ParsedCV
from domain.profile.documents import User
from domain.skills.engine import load_extractor

log = structlog.get_logger()

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MARKDOWN = "text/markdown"
FILENAME_MAX = 255
UNTITLED = "CV"
_PARSER_BYTES = 2 * 1024**3
"""Address space of a process that reads files, of which Python and the parsers take a part."""
_PARSER_SECONDS = 120


async def create_cv(
    deps: Deps, user_id: UUID, text: str, title: str | None, key: UUID | None
) -> CV:
    """Take a CV as text or Markdown; it is parsed in the background.

    Raises InvalidInput, PayloadTooLarge, RateLimited, IdempotencyKeyMismatch or AccountClosed.
    """
    name = checked_line(title, ["input", "title"], FILENAME_MAX) if title is not None else UNTITLED
    text = _checked_text(text, deps.settings.text_max_characters)
    once = _once("createCV", key, {"text": text, "title": title})
    if before := await CV.made_before(user_id, once, _life(deps)):
        return before
    await _require_cv_call(deps, user_id, once)
    data = text.encode()
    cv = CV(
        user_id=user_id, filename=name, content_type=MARKDOWN, size_bytes=len(data),
        status=CVStatus.PARSING, delivery=accepted(now()), idempotency=once,
    )  # fmt: skip
    cv.file_id = await store_file(deps.database, cv.id, user_id, MARKDOWN, _in_one_piece(data))
    try:
        made, is_new = await cv.insert_once(_life(deps))
    except DomainError:
        await delete_file(deps.database, cv.file_id)
        raise
    if is_new:
        await deps.queue.wake(CV.work_name, cv.id, "1")
    else:
        await delete_file(deps.database, cv.file_id)
    return made


async def request_cv_upload(
    deps: Deps, user_id: UUID, filename: str, content_type: str, size_bytes: int, key: UUID | None
) -> CV:
    """Announce a PDF or DOCX; the bytes come later, by PUT.

    Raises InvalidInput, PayloadTooLarge, RateLimited, IdempotencyKeyMismatch or AccountClosed.
    """
    name = checked_line(filename, ["input", "filename"], FILENAME_MAX)
    if content_type not in (PDF, DOCX):
        raise InvalidInput(InputRule.UNSUPPORTED_FILE_TYPE, ["input", "contentType"])
    if size_bytes < 1:
        raise InvalidInput(InputRule.BAD_SIZE, ["input", "sizeBytes"])
    if size_bytes > (limit := deps.settings.cv_max_bytes):
        raise PayloadTooLarge(["input", "sizeBytes"], limit, size_bytes, SizeUnit.BYTES)
    values = {"filename": filename, "contentType": content_type, "sizeBytes": size_bytes}
    once = _once("requestCVUpload", key, values)
    if before := await CV.made_before(user_id, once, _life(deps)):
        return before
    await _require_cv_call(deps, user_id, once)
    cv = CV(
        user_id=user_id, filename=name, content_type=content_type, size_bytes=size_bytes,
        status=CVStatus.AWAITING_UPLOAD, idempotency=once,
    )  # fmt: skip
    made, _ = await cv.insert_once(_life(deps))
    return made


async def receive_file(deps: Deps, cv: CV, chunks: AsyncIterator[bytes]) -> CV | None:
    """Store the announced file and queue its parsing; None when the CV awaits no file any more.

    The caller has checked the bytes against the announcement; an error from `chunks` leaves
    nothing behind.
    """
    file_id = await store_file(deps.database, cv.id, cv.user_id, cv.content_type, chunks)
    begun = await CV.begin_parsing(cv.id, file_id, accepted(now()))
    if begun is None:
        await delete_file(deps.database, file_id)
        return None
    await deps.changes.announce(CV, cv.id)
    await deps.queue.wake(CV.work_name, cv.id, "1")
    return begun


async def parse(deps: Deps, claim: Claim) -> None:
    """Read a claimed CV: by rules, and by the model where there is one."""
    cv = await CV.get(claim.id)
    if cv is None or cv.file_id is None:
        return
    data = await read_file(deps.database, cv.file_id)
    try:
        # A process of its own: a hostile PDF may crash a parser written in C, or never end.
        async with asyncio.timeout(_PARSER_SECONDS):
            parsed, redacted = await to_process.run_sync(
                _read, data, cv.content_type, cancellable=True
            )
    except UnreadableFile as error:
        await fail(deps, claim, _FILE_REASONS[error.reason])
        return
    except (BrokenWorkerProcess, MemoryError, TimeoutError):
        await fail(deps, claim, FailureReason.FILE_DAMAGED)
        return
    parsed = await _with_model(deps, parsed, redacted)
    await CVText.put(cv.id, cv.user_id, redacted)
    fields = {"status": CVStatus.PARSED, "parsed": parsed.model_dump(), "parsed_at": now()}
    if not await _finish(deps, claim, fields):
        # Another worker's claim brings its own text; a CV that was deleted meanwhile keeps none.
        await CVText.delete_without_cv(cv.id)


async def fail(deps: Deps, claim: Claim, reason: FailureReason) -> bool:
    """End a claimed CV without a result, with a message in its owner's language.

    False when the claim is no longer good.
    """
    cv = await CV.get(claim.id)
    owner = await User.get(cv.user_id) if cv else None
    language = owner.language if owner else Language.EN
    ended = failure(reason, language).model_dump()
    return await _finish(deps, claim, {"status": CVStatus.FAILED, "failure": ended})


async def repeat(deps: Deps, id: UUID) -> UUID:
    """Parse a failed CV's file again, as a new CV of the same person: a final state stays final.

    Gives the new CV's id. Raises LookupError when there is nothing to repeat.
    """
    failed = await CV.get(id)
    if failed is None or failed.status is not CVStatus.FAILED:
        raise LookupError(f"no failed CV has the id {id}")
    again = CV(
        user_id=failed.user_id, filename=failed.filename, content_type=failed.content_type,
        size_bytes=failed.size_bytes, file_id=failed.file_id, status=CVStatus.PARSING,
        retry_of=id, delivery=accepted(now()),
    )  # fmt: skip
    try:
        await again.insert_unless_closed()
    except DuplicateKeyError:  # asked before, or twice at once
        return (await CV.retry_of_document(id) or again).id
    await deps.queue.wake(CV.work_name, again.id, "1")
    return again.id


_FILE_REASONS = {
    UnreadableReason.NOT_THAT_TYPE: FailureReason.FILE_NOT_THAT_TYPE,
    UnreadableReason.ENCRYPTED: FailureReason.FILE_ENCRYPTED,
    UnreadableReason.DAMAGED: FailureReason.FILE_DAMAGED,
    UnreadableReason.NO_TEXT: FailureReason.FILE_WITHOUT_TEXT,
    UnreadableReason.TOO_MUCH_TEXT: FailureReason.FILE_TEXT_TOO_LONG,
}


def _read(data: bytes, content_type: str) -> tuple[ParsedCV, str]:
    """What the rules read, and the text without contact details.

    Runs in a process that does nothing else, with bounded memory: a small PDF can unpack to
    gigabytes. Raises UnreadableFile.
    """
    resource.setrlimit(resource.RLIMIT_AS, (_PARSER_BYTES, _PARSER_BYTES))
    text = extract_text(data, content_type)
    parsed = parse_cv(text, load_extractor())
    return parsed, redact_contact(text, parsed.contact)


async def _with_model(deps: Deps, parsed: ParsedCV, redacted: str) -> ParsedCV:
    if deps.model is None:
        return parsed
    try:
        return await read_with_model(
            deps.model, redacted, parsed, deps.extractor, deps.settings.model_input_characters
        )
    except LanguageModelError as error:
        log.warning("the rules' reading of the CV stays", error=str(error))
        return parsed


async def _finish(deps: Deps, claim: Claim, fields: dict[str, object]) -> bool:
    if await CV.write(claim, {"$set": {**fields, "changed_at": now(), **CLOSED}}) is None:
        return False
    await deps.changes.announce(CV, claim.id)
    return True


def _checked_text(text: str, limit: int) -> str:
    """The text without NUL, which some PDF readers copy along and which marks a binary file."""
    if len(text) > limit:
        raise PayloadTooLarge(["input", "text"], limit, len(text), SizeUnit.CHARACTERS)
    text = text.replace("\0", "")
    if not text.strip():
        raise InvalidInput(InputRule.BLANK, ["input", "text"])
    return text


def _once(operation: str, key: UUID | None, values: dict[str, object]) -> Idempotency | None:
    return Idempotency(key=str(key), fingerprint=fingerprint(operation, values)) if key else None


def _life(deps: Deps) -> timedelta:
    return timedelta(hours=deps.settings.idempotency_hours)


async def _require_cv_call(deps: Deps, user_id: UUID, once: Idempotency | None) -> None:
    bucket = Bucket("cv", deps.settings.cvs_per_minute, deps.settings.cv_burst)
    repeat = f"{once.key}:{once.fingerprint}" if once else None
    await require(deps.redis, bucket, str(user_id), repeat)


async def _in_one_piece(data: bytes) -> AsyncIterator[bytes]:
    yield data
