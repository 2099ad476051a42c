"""Signing in with Google and GitHub: to the provider, back, and into a session."""

import json

from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.core.deps import Deps
from domain.core.errors import AccountClosed, DomainError, InvalidInput, RateLimited
from domain.core.rate_limit import require
from domain.sign_in.actions import LinkNeeded, SignedIn, enter, sign_in
from domain.sign_in.consents import give_consent
from domain.sign_in.documents import Identity
from domain.sign_in.flow_documents import SignInCode
from domain.sign_in.profiles import ProviderProfile
from domain.sign_in.provider_tokens import Unlinked, keep_grant
from domain.sign_in.rules import (
    AGREE_PATH,
    LINK_PATH,
    ConsentKind,
    Provider,
    TokenUse,
    allowed_return,
    answers_challenge,
    with_query,
)
from domain.sign_in.voiding import void_unkept
from graph.cookies import caller_of
from graph.rate_limit import network_of_caller
from graph.session_routes import tokens_json
from graph.sign_in_answers import (
    PER_ADDRESS,
    RESUME_PATH,
    Endpoint,
    answering,
    finish,
    present,
    redirect,
)
from graph.sign_in_faults import Fault, SignInRefused
from graph.sign_in_flow import Flow, FlowCookie, forget, hold, recall, remember
from graph.sign_in_oauth import ProviderApps, profile_of, send_off
from graph.sign_in_pages import PATH as SIGN_IN_PATH

FLOW_COOKIE = [Middleware(FlowCookie)]
_BODY_MAX = 4096
_NO_STORE = {"Cache-Control": "no-store"}
_HOW = 'Send {"code": "…", "codeVerifier": "…"} as application/json.'


def apps_of(request: Request) -> ProviderApps:
    """Authlib's clients of this web application."""
    state = request.app.state
    if not hasattr(state, "provider_apps"):
        state.provider_apps = ProviderApps()
    apps: ProviderApps = state.provider_apps
    return apps


async def go_to_provider(
    request: Request, provider: Provider, flow: Flow, *, again: bool = False
) -> Response:
    """Send a browser to the provider, and have it remember why. Raises SignInRefused."""
    deps: Deps = request.app.state.deps
    app = apps_of(request).find(deps.settings, provider)
    response, state = await send_off(app, request, deps.settings, provider, flow.use, again=again)
    remember(request, provider, state, flow)
    return response


def start(provider: Provider) -> Endpoint:
    """The way to a provider."""

    async def to_provider(request: Request) -> Response:
        deps: Deps = request.app.state.deps
        flow = Flow.of_query(deps.settings, request)
        again = request.query_params.get("consent") == "again"
        return await go_to_provider(request, provider, flow, again=again)

    return answering(to_provider, provider)


def callback(provider: Provider) -> Endpoint:
    """The way back from a provider."""

    async def from_provider(request: Request) -> Response:
        deps: Deps = request.app.state.deps
        flow = recall(request, provider)
        try:
            _check_query(request)
            app = apps_of(request).find(deps.settings, provider)
            profile = await profile_of(app, request, deps.settings, provider, flow.use)
        finally:
            forget(request, provider)
        if flow.use is TokenUse.REPOSITORIES:
            try:
                return await _allow_repositories(request, profile, flow)
            except (SignInRefused, DomainError):
                await void_unkept(deps, profile, caller_of(request), request.state.user_id)
                raise
        return await let_in(request, profile, flow)

    return answering(from_provider, provider)


def _check_query(request: Request) -> None:
    query = request.query_params
    if "error" in query:
        denied = query["error"] in ("access_denied", "consent_required", "interaction_required")
        fault = Fault.DENIED if denied else Fault.BAD_ANSWER
        raise SignInRefused(fault, query["error"][:100])
    if not query.get("code"):
        raise SignInRefused(Fault.BAD_ANSWER, "no code")


async def let_in(request: Request, profile: ProviderProfile, flow: Flow) -> Response:
    """Go on with whom a provider has vouched for, or ask what has to be asked before."""
    deps: Deps = request.app.state.deps
    # An app signs in by itself, whoever is signed in in the browser that it borrows.
    asker = None if flow.is_app else await present(request)
    user_id = asker.user_id if asker else None
    result = await sign_in(deps, profile, caller_of(request), user_id, flow.agreed_to)
    if isinstance(result, SignedIn):
        return await finish(request, result.identity, profile.provider, flow, asker)
    owner_id = result.user_id if isinstance(result, LinkNeeded) else None
    await hold(request, profile, flow, owner_id)
    return redirect(LINK_PATH if owner_id else AGREE_PATH)


async def _allow_repositories(request: Request, profile: ProviderProfile, flow: Flow) -> Response:
    deps: Deps = request.app.state.deps
    asker = await present(request)
    if asker is None:
        raise SignInRefused(Fault.BAD_STATE, "signed out meanwhile")
    identity = await Identity.of_subject(profile.provider, profile.subject)
    if identity is None or identity.user_id != asker.user_id:
        raise SignInRefused(Fault.OTHER_GITHUB_ACCOUNT)
    if "repo" not in profile.grant.scopes:
        raise SignInRefused(Fault.SCOPE_NOT_GRANTED)
    caller, kind = caller_of(request), ConsentKind.GITHUB_REPOSITORIES
    try:
        await give_consent(deps, asker.user_id, kind, flow.text_version or "", caller)
    except InvalidInput:
        raise SignInRefused(Fault.OUTDATED_TEXT) from None
    await keep_grant(deps, identity, TokenUse.REPOSITORIES, profile.grant, caller)
    return redirect(flow.return_to)


async def resume(request: Request) -> Response:
    """Renew a session for a page, and go on there."""
    deps: Deps = request.app.state.deps
    given = request.query_params.get("return_to")
    return_to = allowed_return(given, deps.settings.sign_in_return_urls)
    if return_to is None:
        raise SignInRefused(Fault.BAD_RETURN)
    if await present(request) is None:
        return redirect(with_query(SIGN_IN_PATH, return_to=return_to))
    return redirect(return_to)


async def exchange(request: Request) -> Response:
    """Tokens for an app's code, once, against the verifier of its challenge (RFC 7636)."""
    deps: Deps = request.app.state.deps
    caller = caller_of(request)
    try:
        await require(deps.redis, PER_ADDRESS, network_of_caller(caller))
        code, verifier = await _code_in_body(request)
        found = await SignInCode.take(code)
        if found is None or not answers_challenge(verifier, found.code_challenge):
            message = (
                "This code is not good: it was used, is older than a minute, or the verifier is "
                "not that of its challenge. Start the sign-in again."
            )
            return _problem(400, "SIGN_IN_CODE_REFUSED", message)
        tokens = await enter(deps, found.user_id, found.method, caller, found.identity_id)
    except RateLimited as error:
        message = f"Too many calls from this address. Try again in {error.retry_after} s."
        return _problem(
            429, "RATE_LIMIT_EXCEEDED", message, **{"Retry-After": str(error.retry_after)}
        )
    except Unlinked:
        return _problem(400, "SIGN_IN_CODE_REFUSED", "This way in was taken away meanwhile.")
    except AccountClosed:
        return _problem(409, "ACCOUNT_CLOSED", "This account is being deleted.")
    except (ValueError, ClientDisconnect):
        return _problem(400, "BAD_REQUEST", f"The body is not of the right shape. {_HOW}")
    return JSONResponse(tokens_json(tokens), headers=_NO_STORE)


async def _code_in_body(request: Request) -> tuple[str, str]:
    """Raises ValueError for a body of any other shape."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_MAX:
            raise ValueError("too large")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":  # what a form of another site cannot send
        raise ValueError("not application/json")
    try:
        value = json.loads(body)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(value, dict):
        raise ValueError("no object")
    code, verifier = value.get("code"), value.get("codeVerifier")
    if not (isinstance(code, str) and isinstance(verifier, str)):
        raise ValueError("a field is missing")
    return code, verifier


def _problem(status: int, code: str, message: str, **headers: str) -> Response:
    return JSONResponse({"code": code, "message": message}, status, headers=_NO_STORE | headers)


ROUTES = [
    *(Route(f"/auth/{one}", start(one), middleware=FLOW_COOKIE) for one in Provider),
    *(Route(f"/auth/callback/{one}", callback(one), middleware=FLOW_COOKIE) for one in Provider),
    Route(RESUME_PATH, answering(resume)),
    Route("/auth/token", exchange, methods=["POST"]),
]
