"""What a browser remembers between the way to a provider and the way back: one signed cookie."""

import hmac
from dataclasses import asdict, dataclass
from typing import Any, Self
from uuid import UUID

from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.core.deps import Deps
from domain.core.settings import Settings
from domain.sign_in.flow_documents import PendingLink
from domain.sign_in.profiles import Held, ProviderProfile, held_profile, hold_profile
from domain.sign_in.rules import (
    ACCOUNT_PATH,
    Provider,
    TokenUse,
    allowed_return,
    is_challenge,
)
from graph.cookies import COOKIE_PATH, cookie_names
from graph.forms import ABOUT_FIELD
from graph.sign_in_faults import Fault, NoFlow, SignInRefused

LIFE_SECONDS = 15 * 60
APP_STATE_MAX = 512
_VERSION_MAX = 40
_PENDING = "pending_link"


class FlowCookie:
    """Middleware for the routes of a sign-in: Starlette's session, in a cookie of its own.

    The cookie is signed and lives a quarter of an hour.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        deps: Deps = scope["app"].state.deps
        middleware = SessionMiddleware(
            self._app,
            secret_key=deps.secrets.derived("sign-in-cookie").hex(),
            session_cookie=cookie_names(deps.settings).flow,
            max_age=LIFE_SECONDS,
            path=COOKIE_PATH,
            same_site="lax",  # the way back is a navigation from the provider's site
            https_only=deps.settings.public_url.startswith("https://"),
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
    agreed_to: str | None = None
    """The version of the privacy policy that our own pages have shown."""

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
            return cls(return_to=return_to, agreed_to=_agreed(request))
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
        raise NoFlow
    del request.session[f"flow_{provider}"]
    return Flow.of_json(kept["flow"])


def forget(request: Request, provider: Provider) -> None:
    """Drop what Authlib keeps of the provider's flows."""
    for key in [key for key in request.session if key.startswith(f"_state_{provider}_")]:
        del request.session[key]


async def hold(
    request: Request, profile: ProviderProfile, flow: Flow, user_id: UUID | None
) -> None:
    """Let this browser, and no other, say what is to become of a profile. `user_id` is who may
    link it; None asks whether there is to be an account."""
    deps: Deps = request.app.state.deps
    secret = await hold_profile(deps.secrets, profile, flow.as_json(), user_id)
    request.session[_PENDING] = secret


async def waiting(request: Request) -> Held | None:
    """What this browser may speak for."""
    deps: Deps = request.app.state.deps
    secret = request.session.get(_PENDING)
    link = await PendingLink.held_by(secret) if isinstance(secret, str) else None
    return held_profile(deps.secrets, link) if link else None


def check_shown(held: Held, fields: dict[str, str]) -> None:
    """Raises SignInRefused when the page that was answered is about another sign-in."""
    if fields.get(ABOUT_FIELD) != str(held.id):
        raise SignInRefused(Fault.SOMETHING_ELSE_SHOWN)


async def take(request: Request) -> bool:
    """The answer counts, once: whether this request is the one that has brought it."""
    secret = request.session.pop(_PENDING, None)
    return isinstance(secret, str) and await PendingLink.take(secret) is not None


def _agreed(request: Request) -> str | None:
    """The version that the sign-in page says it has shown. Another site's link shows nothing: where
    a browser tells that it comes from one (Fetch Metadata), its word does not count."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return None
    return request.query_params.get("agreed", "")[:_VERSION_MAX]
