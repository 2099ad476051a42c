"""Making copies of all of a person's data."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import IO, TypeVar
from uuid import UUID

import structlog
from gridfs.errors import NoFile
from pymongo.errors import DuplicateKeyError

from domain.account.archive import MANIFEST, SIGNATURE, Archive, manifest_of
from domain.account.contents import Records, as_json, file_path
from domain.account.documents import DataExport, WorkStatus
from domain.account.personal_data import EXPORTED
from domain.account.signing import KEYS_PATH, MANIFEST_TYPE, sign
from domain.account.texts import README, ExportStage, stage_text
from domain.auth.audit import AuditAction, record
from domain.auth.caller import Caller
from domain.core.clock import now
from domain.core.delivery import Claim, accepted
from domain.core.deps import Deps
from domain.core.errors import RateLimited
from domain.core.failures import FailureReason, failure
from domain.core.idempotency import Idempotency, fingerprint
from domain.core.language import Language
from domain.core.owned_files import OwnedFile, delete_file, store_file
from domain.cv.documents import CV
from domain.cv.files import open_cv_file
from domain.profile.documents import User

log = structlog.get_logger()

BUCKET = "data_exports"
KEPT_FOR = timedelta(hours=24)
MOST_A_DAY = 5
_DAY = timedelta(days=1)
_PIECE_BYTES = 256 * 1024
_IN_MEMORY_BYTES = 4 * 1024 * 1024
_SWEPT_AT_ONCE = 100
T = TypeVar("T")


async def request_export(deps: Deps, user_id: UUID, key: UUID | None, caller: Caller) -> DataExport:
    """Queue an export, or give the one that is not final yet.

    Raises RateLimited after five in a day, IdempotencyKeyMismatch or AccountClosed.
    """
    once = Idempotency(key=str(key), fingerprint=fingerprint("exportMyData", {})) if key else None
    life = timedelta(hours=deps.settings.idempotency_hours)
    while True:
        before = await DataExport.made_before(user_id, once, life)
        if found := before or await DataExport.open_of_user(user_id):
            return found
        await _require_room(user_id)
        language = await _language(user_id)
        export = DataExport(
            user_id=user_id, language=language, idempotency=once, delivery=accepted(now()),
            message=stage_text(ExportStage.QUEUED, language),
        )  # fmt: skip
        try:
            await export.insert_unless_closed()
        except DuplicateKeyError:
            continue  # another call was first; what it made may even be final by now
        await record(AuditAction.EXPORT_REQUESTED, caller, user_id, export_id=str(export.id))
        await deps.queue.wake(DataExport.work_name, export.id, "1")
        return export


async def run(deps: Deps, claim: Claim) -> None:
    """Make the archive of a claimed export. Raises what MongoDB raises."""
    export = await DataExport.get(claim.id)
    if export is None:
        return
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as spool:
        if not await _fill(deps, claim, export, spool):
            return
        size = spool.tell()
        file_id = await store_file(deps.database, BUCKET, export.user_id, _pieces(spool))
    at = now()
    fields = {
        "status": WorkStatus.COMPLETED, "progress_percent": 100, "message": None,
        "file_id": file_id, "size_bytes": size, "completed_at": at, "expires_at": at + KEPT_FOR,
    }  # fmt: skip
    if not await DataExport.close(claim, fields):
        await delete_file(deps.database, BUCKET, file_id)
        return
    await deps.changes.announce(DataExport, claim.id)


async def fail(deps: Deps, claim: Claim, reason: FailureReason) -> bool:
    """End a claimed export without an archive; False when the claim is no longer good."""
    export = await DataExport.get(claim.id)
    language = export.language if export else Language.EN
    fields = {
        "status": WorkStatus.FAILED, "message": None, "expires_at": now() + KEPT_FOR,
        "failure": failure(reason, language).model_dump(),
    }  # fmt: skip
    if not await DataExport.close(claim, fields):
        return False
    await deps.changes.announce(DataExport, claim.id)
    return True


async def repeat(deps: Deps, id: UUID) -> UUID:
    """Make a failed export again, as a new one: a final state stays final.

    Gives the new export's id, or that of another one under way. Raises LookupError when there is
    nothing to repeat, AccountClosed when its owner is leaving.
    """
    failed = await DataExport.get(id)
    if failed is None or failed.status is not WorkStatus.FAILED:
        raise LookupError(f"no failed export has the id {id}")
    again = DataExport(
        user_id=failed.user_id, language=failed.language, retry_of=id, delivery=accepted(now()),
        message=stage_text(ExportStage.QUEUED, failed.language),
    )  # fmt: skip
    try:
        await again.insert_unless_closed()
    except DuplicateKeyError:  # asked before, or the person asked for another
        repeated = await DataExport.retry_of_document(id)
        other = repeated or await DataExport.open_of_user(failed.user_id)
        return (other or again).id
    await deps.queue.wake(DataExport.work_name, again.id, "1")
    return again.id


async def remove_expired(deps: Deps) -> int:
    """Remove exports whose day is over, file and all, and files that no export came to own."""
    removed = 0
    while expired := await DataExport.expired(now(), _SWEPT_AT_ONCE):
        for export in expired:
            if export.file_id is not None:
                await delete_file(deps.database, BUCKET, export.file_id)
            await export.delete()
        removed += len(expired)
    # An hour on top: an archive is older than its export's end.
    await OwnedFile.delete_older(BUCKET, now() - KEPT_FOR - timedelta(hours=1))
    return removed


async def _require_room(user_id: UUID) -> None:
    """Raises RateLimited when the day's exports are used up. MongoDB counts: each takes much."""
    at = now()
    asked = await DataExport.asked_for_since(user_id, at - _DAY)
    if len(asked) >= MOST_A_DAY:
        free_at = asked[-MOST_A_DAY] + _DAY
        raise RateLimited(retry_after=max(1, int((free_at - at).total_seconds()) + 1))


async def _language(user_id: UUID) -> Language:
    user = await User.get(user_id)
    return user.language if user else Language.EN


async def _fill(deps: Deps, claim: Claim, export: DataExport, spool: IO[bytes]) -> bool:
    """Write the whole archive; False when the claim was lost meanwhile."""
    at = now()
    archive = await _in_thread(Archive, spool, at)
    try:
        await _in_thread(archive.add, "README.txt", README.encode())
        for index, (kind, records) in enumerate(EXPORTED):
            if not await _progress(deps, claim, export, 80 * index // len(EXPORTED)):
                return False
            await _add_records(archive, f"{kind}.json", records, export.user_id)
        if not await _progress(deps, claim, export, 80):
            return False
        await _add_files(deps, archive, export.user_id)
        await _add_manifest(deps, archive, export.user_id, at)
        return await _progress(deps, claim, export, 95, ExportStage.STORING)
    finally:
        await _in_thread(archive.close)


async def _progress(
    deps: Deps, claim: Claim, export: DataExport, percent: int,
    stage: ExportStage = ExportStage.COLLECTING,
) -> bool:  # fmt: skip
    fields = {
        "status": WorkStatus.PROCESSING, "progress_percent": percent,
        "message": stage_text(stage, export.language),
    }  # fmt: skip
    is_ours = await DataExport.change(claim, fields)
    if is_ours:
        await deps.changes.announce(DataExport, claim.id)
    return is_ours


async def _add_records(archive: Archive, path: str, records: Records, user_id: UUID) -> None:
    """A JSON list, one record in memory at a time."""
    archive.begin(path)
    before = b"[\n"
    async for one in records(user_id):
        await _in_thread(_write_record, archive, before, one)
        before = b",\n"
    await _in_thread(archive.write, b"[]\n" if before == b"[\n" else b"\n]\n")
    archive.end()


def _write_record(archive: Archive, before: bytes, one: dict[str, object]) -> None:
    archive.write(before + as_json(one))


async def _add_files(deps: Deps, archive: Archive, user_id: UUID) -> None:
    """The files that the person brought, byte for byte."""
    async for cv in CV.each_of_user(user_id):
        if cv.file_id is None:
            continue
        try:
            file = await open_cv_file(deps.database, cv.file_id)
        except NoFile:
            log.warning("file of a CV is gone", cv=str(cv.id))  # the rest is theirs all the same
            continue
        archive.begin(file_path(cv))
        async for piece in file.chunks():
            await _in_thread(archive.write, piece)
        archive.end()


async def _add_manifest(deps: Deps, archive: Archive, user_id: UUID, at: datetime) -> None:
    keys_url = f"{deps.settings.public_url}{KEYS_PATH}"
    manifest = manifest_of(archive.entries, user_id, at, keys_url)
    signature = sign(deps.signers.data_export.ring, MANIFEST_TYPE, manifest)
    await _in_thread(archive.add, MANIFEST, manifest)
    await _in_thread(archive.add, SIGNATURE, signature.encode())


async def _pieces(spool: IO[bytes]) -> AsyncIterator[bytes]:
    spool.seek(0)
    while piece := await _in_thread(spool.read, _PIECE_BYTES):
        yield piece


async def _in_thread(work: Callable[..., T], *args: object) -> T:
    """Run a short piece of work in a thread, to its end even when this task is cancelled: what it
    writes to must not be closed under it."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *args))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise
