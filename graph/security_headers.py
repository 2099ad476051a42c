"""The headers that tell browsers what they may do with an answer, in one place for all answers.

A page names its own Content-Security-Policy with `page_headers`; everything else gets the one that
allows nothing. The sources are OWASP's REST Security Cheat Sheet and Content Security Policy
Level 3.
"""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Of an answer that is no page: should a browser show it as one after all, it can do nothing there.
NOTHING_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# `connect-src 'self'` lets through WebSockets to the same host and port too (CSP Level 3).
PLAIN_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# GraphiQL's menus and dialogs write style elements; its fonts and two icons are data URLs.
GRAPHIQL_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000"
"""A year, sent when the public address is https. Subdomains are not ours to speak for."""


def page_headers(policy: str = PLAIN_POLICY) -> dict[str, str]:
    """The headers of a page that lives under this policy."""
    return SAFE_HEADERS | {"Content-Security-Policy": policy}


def form_page_headers(*origins: str) -> dict[str, str]:
    """The headers of a page with forms that post to this server, and no script.

    `origins` are those that a post may be redirected to: Chromium holds redirects of a form against
    `form-action` too. Under `no-referrer` a form's post says `Origin: null` (Fetch, section 3.2),
    which our check of origins refuses, so such a page sends its own address within this origin.
    """
    policy = PLAIN_POLICY.replace("form-action 'none'", " ".join(["form-action 'self'", *origins]))
    return page_headers(policy) | {"Referrer-Policy": "same-origin"}


class SecurityHeaders:
    """Middleware: adds to every answer what of these headers it does not carry."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self.app = app
        headers = page_headers(NOTHING_POLICY)
        if is_https:
            headers |= {"Strict-Transport-Security": HSTS}
        self._headers = _encoded(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            # The second is a socket's handshake that is answered by an error.
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                sent = list(message.get("headers", ()))
                names = {name.lower() for name, _ in sent}
                missing = [item for item in self._headers if item[0] not in names]
                message = {**message, "headers": [*sent, *missing]}
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
