"""Downloads of exports, and receipts of deletions, by signed addresses."""

from datetime import UTC, datetime, timedelta

from gridfs.errors import NoFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from domain.account.documents import AccountDeletion, DataExport, WorkStatus
from domain.account.export import BUCKET
from domain.account.receipts import state_of
from domain.auth.audit import AuditAction, record
from domain.auth.tokens import InvalidToken
from domain.core.clock import now
from domain.core.deps import Deps
from domain.core.owned_files import open_file
from graph.cookies import caller_of
from graph.scalars import URL

EXPORT_PATH = "/exports"
RECEIPT_PATH = "/deletions"
DOWNLOAD_LIFE = timedelta(minutes=10)
RECEIPT_LIFE = timedelta(days=30)
_HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


def download_url(deps: Deps, export: DataExport) -> tuple[URL, datetime] | None:
    """A signed address of an export's archive, and when it ends; None when there is none (any
    more). Who has it needs no other rights."""
    at = datetime.now(UTC).replace(microsecond=0)
    if export.status is not WorkStatus.COMPLETED or export.expires_at is None:
        return None
    life = min(DOWNLOAD_LIFE, export.expires_at.replace(microsecond=0) - at)
    if life <= timedelta():
        return None
    token = deps.signers.data_export.issue(export.id, at, life)
    return URL(f"{deps.settings.public_url}{EXPORT_PATH}/{token}"), at + life


def receipt_url(deps: Deps, deletion: AccountDeletion) -> tuple[URL, datetime]:
    """The signed address that tells how a deletion stands, and when it ends."""
    at = datetime.now(UTC).replace(microsecond=0)
    token = deps.signers.deletion_receipt.issue(deletion.id, at, RECEIPT_LIFE)
    return URL(f"{deps.settings.public_url}{RECEIPT_PATH}/{token}"), at + RECEIPT_LIFE


async def get_export(request: Request) -> Response:
    """The archive as a stream, or 404."""
    deps: Deps = request.app.state.deps
    try:
        signer = deps.signers.data_export
        token = signer.verify(request.path_params["token"], datetime.now(UTC))
    except InvalidToken:
        return _absent(_NO_EXPORT)
    export = await DataExport.get(token.subject)
    if export is None or export.file_id is None or (export.expires_at or now()) <= now():
        return _absent(_NO_EXPORT)
    try:
        file = await open_file(deps.database, BUCKET, export.file_id)
    except NoFile:
        return _absent(_NO_EXPORT)
    headers = {
        **_HEADERS,
        "Content-Disposition": f'attachment; filename="careergraph-export-{export.id}.zip"',
        "Content-Length": str(file.length),
    }
    if request.method == "HEAD":
        return Response(headers=headers, media_type="application/zip")
    await record(
        AuditAction.EXPORT_DOWNLOADED, caller_of(request), export.user_id, export_id=str(export.id)
    )
    return StreamingResponse(file.chunks(), headers=headers, media_type="application/zip")


async def get_receipt(request: Request) -> Response:
    """How a deletion stands, at its end with the receipt, as JSON, or 404."""
    deps: Deps = request.app.state.deps
    try:
        signer = deps.signers.deletion_receipt
        token = signer.verify(request.path_params["token"], datetime.now(UTC))
    except InvalidToken:
        return _absent(_NO_RECEIPT)
    deletion = await AccountDeletion.newest_of_retries(token.subject)
    if deletion is None:
        return _absent(_NO_RECEIPT)
    return JSONResponse(state_of(deps, deletion), headers=_HEADERS)


_NO_EXPORT = (
    "No such export, or its address has expired. Ask for `dataExports { nodes { download { url } } "
    "}` again; exports are removed after 24 hours."
)
_NO_RECEIPT = "No such deletion, or its receipt is past its 30 days."


def _absent(message: str) -> Response:
    body = {"code": "NOT_FOUND", "message": message}
    return JSONResponse(body, status_code=404, headers=_HEADERS)


ROUTES = [
    Route(EXPORT_PATH + "/{token}", get_export),
    Route(RECEIPT_PATH + "/{token}", get_receipt),
]
