"""What a browser remembers between the way to a provider and the way back: one signed cookie."""

import hmac
from dataclasses import asdict, dataclass
from typing import Any, Self

from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.core.deps import Deps
from domain.core.settings import Settings
from domain.sign_in.rules import (
    ACCOUNT_PATH,
    Provider,
    TokenUse,
    allowed_return,
    is_challenge,
)
from graph.cookies import REFRESH_PATH
from graph.sign_in_faults import Fault, SignInRefused

LIFE_SECONDS = 15 * 60
APP_STATE_MAX = 512
_PENDING = "pending_link"


class FlowCookie:
    """Middleware for the routes of a sign-in: Starlette's session, in a cookie of its own.

    The cookie is signed, lives a quarter of an hour, and goes to /auth alone.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        deps: Deps = scope["app"].state.deps
        is_https = deps.settings.public_url.startswith("https://")
        middleware = SessionMiddleware(
            self._app,
            secret_key=deps.secrets.derived("sign-in-cookie").hex(),
            session_cookie=("__Secure-" if is_https else "") + "careergraph-sign-in",
            max_age=LIFE_SECONDS,
            path=REFRESH_PATH,
            same_site="lax",  # the way back is a navigation from the provider's site
            https_only=is_https,
        )
        await middleware(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Flow:
    """What a sign-in is for and where it goes on."""

    return_to: str = ACCOUNT_PATH
    use: TokenUse = TokenUse.SIGN_IN
    code_challenge: str | None = None
    """Of an app, which gets a code in place of cookies."""
    app_state: str | None = None
    """The app's own `state`, given back to it (RFC 6749 section 4.1.2)."""
    text_version: str | None = None
    """Of the consent that the person is about to give."""

    @property
    def is_app(self) -> bool:
        return self.code_challenge is not None

    @classmethod
    def of_query(cls, settings: Settings, request: Request) -> Self:
        """What the address that starts a sign-in asks for.

        Raises SignInRefused when it may not end there, or an app leaves something out.
        """
        query = request.query_params
        return_to = allowed_return(query.get("return_to"), settings.sign_in_return_urls)
        if return_to is None:
            raise SignInRefused(Fault.BAD_RETURN)
        if "client" not in query:
            return cls(return_to=return_to)
        challenge, state = query.get("code_challenge", ""), query.get("state")
        is_whole = query["client"] == "app" and is_challenge(challenge)
        if not is_whole or (state is not None and len(state) > APP_STATE_MAX):
            raise SignInRefused(Fault.BAD_REQUEST)
        if return_to not in settings.sign_in_return_urls:
            raise SignInRefused(Fault.BAD_RETURN)
        return cls(return_to=return_to, code_challenge=challenge, app_state=state)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, fields: dict[str, Any]) -> Self:
        return cls(**fields | {"use": TokenUse(fields["use"])})


def remember(request: Request, provider: Provider, state: str, flow: Flow) -> None:
    """Keep a flow in the browser's cookie until it comes back from the provider."""
    request.session[f"flow_{provider}"] = {"state": state, "flow": flow.as_json()}


def recall(request: Request, provider: Provider) -> Flow:
    """The flow that this return belongs to, which is spent with it.

    One whose state does not match is left alone: somebody may have been sent here to spoil it.
    Raises SignInRefused.
    """
    kept = request.session.get(f"flow_{provider}")
    state = request.query_params.get("state", "")
    if kept is None or not hmac.compare_digest(kept["state"].encode(), state.encode()):
        raise SignInRefused(Fault.BAD_STATE)
    del request.session[f"flow_{provider}"]
    return Flow.of_json(kept["flow"])


def forget(request: Request, provider: Provider) -> None:
    """Drop what Authlib keeps of the provider's flows."""
    for key in [key for key in request.session if key.startswith(f"_state_{provider}_")]:
        del request.session[key]


def hold_link(request: Request, secret: str) -> None:
    """Let this browser, and no other, confirm a pending link."""
    request.session[_PENDING] = secret


def held_link(request: Request) -> str | None:
    """The secret of the pending link that this browser may confirm."""
    secret = request.session.get(_PENDING)
    return secret if isinstance(secret, str) else None


def drop_link(request: Request) -> None:
    """The pending link is confirmed or turned down."""
    request.session.pop(_PENDING, None)
