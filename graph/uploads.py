"""Where CV files are PUT."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.auth.tokens import InvalidToken
from domain.core.deps import Deps
from domain.cv.actions import receive_file
from domain.cv.documents import CV, CVStatus
from domain.cv.parsing.file_text import matches_magic
from graph.scalars import URL

PATH = "/uploads/cv"
_HEAD_BYTES = 1024
"""How much `matches_magic` looks at."""


class UploadRefused(Exception):
    """A file that does not keep what its announcement said."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def upload_url(deps: Deps, cv_id: UUID) -> tuple[URL, datetime]:
    """The address that takes the file of one CV, and when it stops doing so."""
    at = datetime.now(UTC).replace(microsecond=0)
    life = timedelta(seconds=deps.settings.upload_url_seconds)
    token = deps.signers.cv_upload.issue(cv_id, at, life)
    return URL(f"{deps.settings.public_url}{PATH}/{token}"), at + life


async def put_cv_file(request: Request) -> Response:
    deps: Deps = request.app.state.deps
    try:
        cv = await _announced(deps, request)
        received = await receive_file(deps, cv, _checked(request, cv))
        if received is None:
            raise _ALREADY
    except UploadRefused as error:
        body = {"code": error.code, "message": str(error)}
        return JSONResponse(body, status_code=error.status)
    except ClientDisconnect:
        return Response(status_code=400)
    except TimeoutError:
        body = {"code": "UPLOAD_TOO_SLOW", "message": "The file took too long. Send it again."}
        return JSONResponse(body, status_code=408)
    return Response(status_code=204)


_ALREADY = UploadRefused(
    409, "INVALID_STATE", "The file of this CV has arrived already. Ask for a new upload."
)


async def _announced(deps: Deps, request: Request) -> CV:
    """The CV whose file this address takes. Raises UploadRefused."""
    try:
        token = deps.signers.cv_upload.verify(request.path_params["token"], datetime.now(UTC))
    except InvalidToken:
        token = None
    cv = await CV.get(token.subject) if token else None
    if cv is None:
        message = "This upload address is not valid or has expired. Ask for a new one."
        raise UploadRefused(404, "NOT_FOUND", message)
    if cv.status is not CVStatus.AWAITING_UPLOAD:
        raise _ALREADY
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != cv.content_type:
        message = f"Send the header `Content-Type: {cv.content_type}`, as announced."
        raise UploadRefused(415, "UNSUPPORTED_FILE_TYPE", message)
    return cv


async def _checked(request: Request, cv: CV) -> AsyncIterator[bytes]:
    """The body, held against the announcement while it comes in. Raises UploadRefused."""
    head, size, is_checked = b"", 0, False
    async for chunk in request.stream():
        size += len(chunk)
        if size > cv.size_bytes:
            message = f"The file is larger than the {cv.size_bytes:,} bytes that were announced."
            raise UploadRefused(413, "PAYLOAD_TOO_LARGE", message)
        if not is_checked:
            head += chunk
            if len(head) < _HEAD_BYTES:
                continue
            chunk, is_checked = head, True
            _check_magic(head, cv)
        yield chunk
    if size < cv.size_bytes:
        message = f"Only {size:,} of the {cv.size_bytes:,} announced bytes arrived. Send it again."
        raise UploadRefused(400, "INCOMPLETE_UPLOAD", message)
    if not is_checked:
        _check_magic(head, cv)
        yield head


def _check_magic(head: bytes, cv: CV) -> None:
    if not matches_magic(head, cv.content_type):
        message = f"The file's content is not {cv.content_type}. Upload a PDF or DOCX as such."
        raise UploadRefused(415, "UNSUPPORTED_FILE_TYPE", message)


ROUTES = [Route(PATH + "/{token}", put_cv_file, methods=["PUT"])]
