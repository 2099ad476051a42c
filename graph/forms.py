"""Forms on our own pages: who may post them, and what they hold.

A post counts when it carries the session's cookie, comes from a page of this very origin, and holds
a token that only a page shown to this session has.
"""

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.requests import Request

from domain.auth.session_documents import Asker
from domain.core.deps import Deps
from graph.cookies import session_of_page
from graph.sign_in_faults import Fault, SignInRefused

TOKEN_FIELD = "form_token"  # noqa: S105  # a name
_BODY_MAX = 8 * 1024
_FIELDS_MAX = 20
_MEDIA_TYPE = "application/x-www-form-urlencoded"


class SignedOut(Exception):
    """A page or form of signed-in people was asked for without a session."""


def form_token(deps: Deps, session_id: UUID) -> str:
    """What forms shown to this session hold."""
    key = deps.secrets.derived("form-token")
    digest = hmac.new(key, session_id.bytes, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


async def page_asker(request: Request) -> tuple[Asker, UUID]:
    """Who opens a page, and the session that they have. Raises SignedOut."""
    session = await session_of_page(request.app.state.deps, request)
    asker = session.asker
    if asker is None or asker.session_id is None:
        raise SignedOut
    return asker, asker.session_id


async def posted_form(request: Request) -> tuple[Asker, dict[str, str]]:
    """Who posts a form, and its fields.

    Raises SignedOut, and SignInRefused when it is not one of ours.
    """
    deps: Deps = request.app.state.deps
    asker, session_id = await page_asker(request)
    if request.headers.getlist("origin") != [deps.settings.public_url]:
        raise SignInRefused(Fault.BAD_FORM, "another origin")
    fields = await _fields(request)
    given = fields.get(TOKEN_FIELD, "")
    if not hmac.compare_digest(given.encode(), form_token(deps, session_id).encode()):
        raise SignInRefused(Fault.BAD_FORM, "another session's token")
    return asker, fields


async def _fields(request: Request) -> dict[str, str]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _MEDIA_TYPE:
        raise SignInRefused(Fault.BAD_FORM, "no form")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_MAX:
            raise SignInRefused(Fault.BAD_FORM, "too large")
    try:
        return dict(parse_qsl(body.decode("ascii"), max_num_fields=_FIELDS_MAX, errors="strict"))
    except ValueError:
        raise SignInRefused(Fault.BAD_FORM, "not readable") from None
