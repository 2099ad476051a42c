"""What every request passes before any route sees it, from the outside in."""

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from asgi_correlation_id import CorrelationIdMiddleware, correlation_id
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from domain.core.settings import Settings
from graph.security_headers import SecurityHeaders

log = structlog.get_logger()

_BODY_SLACK = 64 * 1024
"""What a request may hold beside a file or text of the largest size."""
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_HOST = re.compile(rb"(?P<name>\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::[0-9]{1,5})?")
_REQUEST_ID = re.compile(r"[0-9A-Za-z._-]{8,64}")


def perimeter(settings: Settings) -> list[Middleware]:
    """The middleware of the application, outermost first."""
    is_https = settings.public_url.startswith("https://")
    return [
        Middleware(CallerAddress, trusted_proxies=settings.trusted_proxies),
        Middleware(CorrelationIdMiddleware, validator=None, transformer=request_id_of),
        Middleware(SecurityHeaders, is_https=is_https),
        Middleware(HostCheck, names=host_names(settings)),
        Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT"],
            allow_headers=[
                "authorization",
                "content-type",
                "graphql-require-preflight",
                "x-request-id",
            ],
            expose_headers=["retry-after", "x-request-id"],
        ),
        Middleware(BugMask),
        Middleware(RequestBodyLimitMiddleware, max_body_size=settings.cv_max_bytes + _BODY_SLACK),
    ]


class CallerAddress:
    """Puts the caller's own address and scheme into the scope, as far as they can be believed.

    `X-Forwarded-For` and `-Proto` count only from the named proxies, and of the addresses the
    right-most that is no proxy: what stands further left is the caller's own word.
    """

    def __init__(self, app: ASGIApp, trusted_proxies: Sequence[str]) -> None:
        self._app: ASGIApp = app
        if trusted_proxies:
            self._app = ProxyHeadersMiddleware(app, list(trusted_proxies))  # type: ignore[arg-type,assignment]  # uvicorn has its own names for the types of ASGI

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if client and client[0].startswith("::ffff:"):  # IPv4 at a socket of both families
            scope["client"] = (client[0].removeprefix("::ffff:"), client[1])
        await self._app(scope, receive, send)


def request_id_of(given: str) -> str:
    """The id that came with a request if it can be kept, else a new one.

    8 to 64 letters, digits, `.`, `_` and `-`: it is written into logs and answers.
    """
    return given if _REQUEST_ID.fullmatch(given) else uuid4().hex


def host_names(settings: Settings) -> set[str]:
    """The names this server answers to, as `host_name` spells them."""
    names = [urlsplit(settings.public_url).netloc, *settings.allowed_hosts]
    if not settings.production:
        names += _LOOPBACK_NAMES
    return {name for value in names if (name := host_name(_bracketed(value).encode()))}


def _bracketed(host: str) -> str:
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host


def host_name(header: bytes) -> str | None:
    """The name in a Host header without its port, in lower case; None when it is malformed.

    An IPv6 address comes without brackets, in its short form.
    """
    found = _HOST.fullmatch(header)
    if found is None:
        return None
    name = found["name"].decode().lower()
    if not name.startswith("["):
        return name
    try:
        return str(ipaddress.IPv6Address(name[1:-1]))
    except ValueError:
        return None


class HostCheck:
    """Answers only to this server's own names, so that no page can reach it under its own.

    DNS rebinding makes a hostile page and this server one origin in a browser; the Host header
    still tells them apart. A malformed one is 400 (RFC 9112, section 3.2), another's is 421 (RFC
    9110, section 15.5.20). Health is asked by address, so it answers to any name; figures answer
    to any address, which no page can be rebound to.
    """

    def __init__(self, app: ASGIApp, names: set[str]) -> None:
        self.app = app
        self.names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"].startswith("/health/"):
            await self.app(scope, receive, send)
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        host = host_name(hosts[0]) if len(hosts) == 1 else None
        if host in self.names or (scope["path"] == "/metrics" and _is_address(host)):
            await self.app(scope, receive, send)
            return
        response = _MALFORMED_HOST if host is None else _other_host(host)
        await response(scope, receive, send)


def _is_address(host: str | None) -> bool:
    try:
        return bool(ipaddress.ip_address(host or ""))
    except ValueError:
        return False


_MALFORMED_HOST = JSONResponse(
    {
        "code": "BAD_HOST",
        "message": "Send one Host header with the name of this server, and its port if it is not "
        "the usual one.",
    },
    status_code=400,
)


def _other_host(host: str) -> JSONResponse:
    message = (
        f"This server does not answer to the name {host[:100]!r}. Use its public address; whoever "
        "runs it can add a name with CAREERGRAPH_ALLOWED_HOSTS."
    )
    return JSONResponse({"code": "MISDIRECTED_REQUEST", "message": message}, status_code=421)


class BugMask:
    """Answers 500 with the request id for a bug in a route, and logs it whole.

    Once an answer has begun nothing can be told any more: the server logs it and cuts the
    connection, so that half an answer is not taken for a whole one. Sockets are left to it too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def watched_send(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except ClientDisconnect:  # nobody is left to answer
            return
        except Exception as error:
            if has_begun:
                raise
            log.error("unexpected error", method=scope["method"], exc_info=error)
            await _masked()(scope, receive, send)


def _masked() -> JSONResponse:
    request_id = correlation_id.get() or ""
    message = (
        "Something went wrong on our side. If it happens again, report it with the request id "
        f"{request_id}."
    )
    body = {"code": "INTERNAL_SERVER_ERROR", "message": message, "requestId": request_id}
    return JSONResponse(body, status_code=500)


def is_from_inside(connection: HTTPConnection) -> bool:
    """Whether a request came straight from this machine or its own network.

    What a proxy passed on did not, whoever the proxy is: its caller may be anybody.
    """
    if "x-forwarded-for" in connection.headers or "forwarded" in connection.headers:
        return False
    try:
        address = ipaddress.ip_address(connection.client.host if connection.client else "")
    except ValueError:
        return False
    return not address.is_global
