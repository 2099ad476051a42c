"""Forms on our own pages: who may post them, and what they hold.

A post counts when it carries the session's cookie, comes from a page of this very origin, and holds
a token that only a page shown to this session has. Where a page can ask about more than one thing,
its form names the one that was shown, and the token covers that too.
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
ABOUT_FIELD = "about"
_BODY_MAX = 8 * 1024
_FIELDS_MAX = 20
_MEDIA_TYPE = "application/x-www-form-urlencoded"


class SignedOut(Exception):
    """A page or form of signed-in people was asked for without a session."""


def form_token(deps: Deps, session_id: UUID | None, about: UUID | None = None) -> str:
    """What forms shown to this session hold; without one, what is asked about has to do."""
    key = deps.secrets.derived("form-token")
    message = f"{session_id or ''}/{about or ''}"
    digest = hmac.new(key, message.encode(), hashlib.sha256).digest()
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
    asker, session_id = await page_asker(request)
    return asker, await form_fields(request, session_id)


async def form_fields(request: Request, session_id: UUID | None) -> dict[str, str]:
    """The fields of a form that this session was shown. Raises SignInRefused."""
    deps: Deps = request.app.state.deps
    if request.headers.getlist("origin") != [deps.settings.public_url]:
        raise SignInRefused(Fault.BAD_FORM, "another origin")
    fields = await _fields(request)
    given = fields.get(TOKEN_FIELD, "")
    expected = form_token(deps, session_id, _about(fields))
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise SignInRefused(Fault.BAD_FORM, "another session's token")
    return fields


def _about(fields: dict[str, str]) -> UUID | None:
    try:
        return UUID(fields[ABOUT_FIELD]) if ABOUT_FIELD in fields else None
    except ValueError:
        raise SignInRefused(Fault.BAD_FORM, "about nothing") from None


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
