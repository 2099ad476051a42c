"""Keeping a session and ending it, by plain HTTP; and the keys that our tokens are signed with.

Browsers send the session's cookies, with the header that shows the page to be ours; other
clients send `{"refreshToken": "…"}`.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.auth.session_documents import Tokens
from domain.auth.sessions import (
    RefreshReason,
    RefreshRefused,
    refresh_session,
    sign_out,
    sign_out_with_refresh_token,
)
from domain.core.deps import Deps
from domain.core.errors import RateLimited
from domain.core.rate_limit import Bucket, require
from graph.context import read_session, session_of_token
from graph.cookies import (
    PREFLIGHT_HEADER,
    CookieRefused,
    caller_of,
    check_cookie_use,
    cleared_cookies,
    cookie_names,
    session_cookies,
    signed_out_cookies,
)
from graph.rate_limit import network_of_caller

_BODY_MAX = 4096
_KEYS_SECONDS = 300
_PER_ADDRESS = Bucket("auth", per_minute=300, burst=100)
"""An office behind one address must not run into it: its people refresh four times an hour."""
_NO_STORE = {"Cache-Control": "no-store"}
_HOW = (
    f'Send {{"refreshToken": "…"}} as application/json, or, from a page, the session\'s cookies '
    f"with the header `{PREFLIGHT_HEADER}: 1`."
)
_REASONS = {
    RefreshReason.UNKNOWN: "This refresh token is not known here.",
    RefreshReason.EXPIRED: "The session was not used for too long and has expired.",
    RefreshReason.ENDED: "The session was ended.",
    RefreshReason.REUSED: "This refresh token was used before, so somebody may have copied it. "
    "The session was ended to be safe.",
}

_Endpoint = Callable[[Request], Awaitable[Response]]


class _Refused(Exception):
    """A request that gets an error for an answer."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers


def _answering(endpoint: _Endpoint) -> _Endpoint:
    """The endpoint with its limit for each address, and with its failures as JSON."""

    @wraps(endpoint)
    async def answered(request: Request) -> Response:
        deps: Deps = request.app.state.deps
        try:
            await require(deps.redis, _PER_ADDRESS, network_of_caller(caller_of(request)))
            return await endpoint(request)
        except _Refused as error:
            return _problem(error.status, error.code, str(error), error.headers)
        except CookieRefused as error:
            return _problem(403, error.code, str(error))
        except RateLimited as error:
            wait = str(error.retry_after)
            message = f"Too many calls from this address. Try again in {wait} s."
            return _problem(429, "RATE_LIMIT_EXCEEDED", message, {"Retry-After": wait})
        except ClientDisconnect:
            return Response(status_code=400)

    return answered


@_answering
async def refresh(request: Request) -> Response:
    """New tokens for a refresh token: as JSON for one in the body, as cookies for one in those."""
    deps: Deps = request.app.state.deps
    given = await _token_in_body(request)
    if given is not None:
        tokens = await _refreshed(deps, request, given)
        return JSONResponse(tokens_json(tokens), headers=_NO_STORE)
    token = request.cookies.get(cookie_names(deps.settings).refresh)
    if not token:
        raise _Refused(400, "BAD_REQUEST", f"There is no refresh token. {_HOW}")
    check_cookie_use(deps.settings, request)
    try:
        tokens = await _refreshed(deps, request, token)
    except _Refused as error:
        answer = _problem(error.status, error.code, str(error), error.headers)
        return _with_cookies(answer, cleared_cookies(deps.settings))
    return _with_cookies(_nothing(), session_cookies(deps.settings, tokens))


@_answering
async def end(request: Request) -> Response:
    """Sign out. A session that is over already is no error, as in RFC 7009, section 2.2."""
    deps: Deps = request.app.state.deps
    given = await _token_in_body(request)
    authorization = request.headers.get("authorization")
    if given is not None:
        await sign_out_with_refresh_token(deps, given, caller_of(request))
        return _nothing()
    if authorization:
        session = await read_session(deps, authorization, caller_of(request))
        if session.asker is None:
            raise _unauthorised(session.problem or "")
        await sign_out(deps, session.asker, caller_of(request))
        return _nothing()
    return await _end_by_cookies(deps, request)


async def _end_by_cookies(deps: Deps, request: Request) -> Response:
    names = cookie_names(deps.settings)
    access, refresh = (request.cookies.get(name) for name in (names.access, names.refresh))
    if not (access or refresh) and not request.headers.get(PREFLIGHT_HEADER):
        message = f"Nothing says which session to end. {_HOW} Or send an Authorization header."
        raise _Refused(400, "BAD_REQUEST", message)
    check_cookie_use(deps.settings, request)
    if refresh:
        await sign_out_with_refresh_token(deps, refresh, caller_of(request))
    session = await session_of_token(deps, access) if access else None
    if session and session.asker:
        await sign_out(deps, session.asker, caller_of(request))
    return _with_cookies(_nothing(), signed_out_cookies(deps.settings))


async def keys(request: Request) -> Response:
    """The public keys, as a JWK Set (RFC 7517)."""
    deps: Deps = request.app.state.deps
    return JSONResponse(
        deps.signers.access.ring.public_jwks(),
        media_type="application/jwk-set+json",
        headers={"Cache-Control": f"public, max-age={_KEYS_SECONDS}"},
    )


async def _refreshed(deps: Deps, request: Request, token: str) -> Tokens:
    try:
        return await refresh_session(deps, token, caller_of(request))
    except RefreshRefused as error:
        raise _unauthorised(f"{_REASONS[error.reason]} Sign in again.") from None


async def _token_in_body(request: Request) -> str | None:
    """The refresh token in a JSON body; None for no body, or an object without one."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_MAX:
            message = f"The body is larger than {_BODY_MAX:,} bytes. {_HOW}"
            raise _Refused(413, "PAYLOAD_TOO_LARGE", message)
    if not body.strip():
        return None
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        message = f"The body is {media_type or 'of no named type'}. {_HOW}"
        raise _Refused(415, "UNSUPPORTED_MEDIA_TYPE", message)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise _Refused(400, "BAD_REQUEST", f"The body is no JSON. {_HOW}") from None
    token = value.get("refreshToken") if isinstance(value, dict) else value
    if not isinstance(value, dict) or not isinstance(token, str | None):
        raise _Refused(400, "BAD_REQUEST", f"The body is not of the right shape. {_HOW}")
    return token


def tokens_json(tokens: Tokens) -> dict[str, Any]:
    return {
        "accessToken": tokens.access_token,
        "accessTokenExpiresAt": _instant(tokens.access_expires_at),
        "refreshToken": tokens.refresh_token,
        "refreshTokenExpiresAt": _instant(tokens.refresh_expires_at),
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _unauthorised(message: str) -> _Refused:
    headers = {"WWW-Authenticate": "Bearer"}  # RFC 9110, section 11.6.1, asks for it
    return _Refused(401, "UNAUTHENTICATED", message, **headers)


def _problem(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> Response:
    body = {"code": code, "message": message}
    return JSONResponse(body, status, headers=_NO_STORE | (headers or {}))


def _nothing() -> Response:
    return Response(status_code=204, headers=_NO_STORE)


def _with_cookies(response: Response, cookies: list[str]) -> Response:
    for cookie in cookies:
        response.headers.append("set-cookie", cookie)
    return response


ROUTES = [
    Route("/auth/refresh", refresh, methods=["POST"]),
    Route("/auth/sign-out", end, methods=["POST"]),
    Route("/.well-known/jwks.json", keys),
]
