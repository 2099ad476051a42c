"""Sessions in cookies: for browsers, which keep them out of the reach of scripts.

Browsers send cookies along with requests that other sites make them send. So a cookie counts
only beside a header that no form and no plain cross-site request can carry, and an Origin that is
ours: the two together fail only if both CORS and the browser do.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime

from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from domain.auth.caller import USER_AGENT_MAX, Caller
from domain.auth.session_documents import Tokens
from domain.core.clock import now
from domain.core.deps import Deps
from domain.core.settings import Settings
from graph.context import ANONYMOUS, Session, read_session, session_of_token
from graph.origins import accepted_origins

PREFLIGHT_HEADER = "GraphQL-Require-Preflight"
COOKIE_PATH = "/"
"""`__Host-` asks for it: a cookie for a path could be planted by a sibling subdomain."""


class CookieRefused(Exception):
    """A request came with a session cookie, but not in the way that only our pages can send it.

    The edge answers 403 with `code`; the message says what to send.
    """

    code = "CSRF_REFUSED"


@dataclass(frozen=True, slots=True)
class CookieNames:
    """The prefix `__Host-` binds cookies to https and to this very host (RFC 6265bis)."""

    access: str
    refresh: str
    flow: str
    """Of a sign-in that is under way."""


_PLAIN_NAMES = CookieNames("careergraph", "careergraph-refresh", "careergraph-sign-in")
_SECURE_NAMES = CookieNames(*(f"__Host-{name}" for name in astuple(_PLAIN_NAMES)))


def cookie_names(settings: Settings) -> CookieNames:
    """How the session's cookies are called here."""
    return _SECURE_NAMES if _is_https(settings) else _PLAIN_NAMES


def session_cookies(settings: Settings, tokens: Tokens) -> list[str]:
    """Set-Cookie values that keep a session in a browser until its tokens end."""
    names = cookie_names(settings)
    cookies = [_cookie(settings, names.access, tokens.access_token, tokens.access_expires_at)]
    if tokens.refresh_token is not None:
        token, ends = tokens.refresh_token, tokens.refresh_expires_at
        cookies.append(_cookie(settings, names.refresh, token, ends))
    return cookies


def cleared_cookies(settings: Settings) -> list[str]:
    """Set-Cookie values that remove a session from a browser."""
    names = cookie_names(settings)
    return [_cookie(settings, name, "", None) for name in (names.access, names.refresh)]


def signed_out_cookies(settings: Settings) -> list[str]:
    """The same, and of a sign-in under way: whoever sits down next has not begun it."""
    flow = _cookie(settings, cookie_names(settings).flow, "", None)
    return [*cleared_cookies(settings), flow]


def caller_of(conn: HTTPConnection) -> Caller:
    """Where a request comes from. The address is that which named proxies have told, if any."""
    user_agent = conn.headers.get("user-agent")
    return Caller(
        address=conn.client.host if conn.client else None,
        user_agent=user_agent[:USER_AGENT_MAX] if user_agent else None,
    )


async def session_of_request(deps: Deps, request: Request) -> Session:
    """Who asks by this request: its Authorization header says, else its cookie.

    Raises CookieRefused.
    """
    authorization = request.headers.get("authorization")
    if authorization:
        return await read_session(deps, authorization, caller_of(request))
    token = request.cookies.get(cookie_names(deps.settings).access)
    if not token:
        return ANONYMOUS
    check_cookie_use(deps.settings, request)
    return await session_of_token(deps, token, caller_of(request))


async def session_of_page(deps: Deps, request: Request) -> Session:
    """Who opens a page, by cookie alone: for pages whose GET changes nothing of the person's."""
    token = request.cookies.get(cookie_names(deps.settings).access)
    return await session_of_token(deps, token, caller_of(request)) if token else ANONYMOUS


async def session_of_socket(
    deps: Deps, websocket: WebSocket, params: Mapping[str, object]
) -> Session:
    """Who a socket is of: `Authorization` in connection_init's payload says, else its cookie.

    Raises CookieRefused. Browsers' sockets carry no headers of ours, so Origin alone decides.
    """
    named = {name.lower(): value for name, value in params.items()}
    if named.get("authorization"):
        return await read_session(deps, named["authorization"], caller_of(websocket))
    token = websocket.cookies.get(cookie_names(deps.settings).access)
    if not token:
        return ANONYMOUS
    check_origin(deps.settings, websocket)
    return await session_of_token(deps, token, caller_of(websocket))


def check_cookie_use(settings: Settings, request: Request) -> None:
    """Raises CookieRefused unless a page of ours has sent this request."""
    if not request.headers.get(PREFLIGHT_HEADER, "").strip():
        raise CookieRefused(
            f"The session cookie counts only with the header `{PREFLIGHT_HEADER}: 1`. Send it, or "
            "an Authorization header in place of the cookie."
        )
    check_origin(settings, request)


def check_origin(settings: Settings, conn: HTTPConnection) -> None:
    """Raises CookieRefused unless the Origin is this server's or on the list."""
    origins = conn.headers.getlist("origin")
    if len(origins) != 1 or origins[0] not in accepted_origins(settings):
        given = f"Origin {origins[0]!r}" if origins else "request without an Origin"
        raise CookieRefused(
            f"The session cookie does not count in a {given}. Open the page at "
            f"{settings.public_url}; pages elsewhere have to be in CAREERGRAPH_ALLOWED_ORIGINS."
        )


def _is_https(settings: Settings) -> bool:
    return settings.public_url.startswith("https://")


def _cookie(settings: Settings, name: str, value: str, ends: datetime | None) -> str:
    seconds = max(0, int((ends - now()).total_seconds())) if ends else 0
    secure = "; Secure" if _is_https(settings) else ""
    return f"{name}={value}; Path={COOKIE_PATH}; Max-Age={seconds}; HttpOnly{secure}; SameSite=Lax"
