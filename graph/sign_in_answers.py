"""What the routes of a sign-in have in common: who is there, and how failures are told."""

from collections.abc import Awaitable, Callable
from functools import wraps

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from domain.auth.audit import AuditAction, record
from domain.auth.session_documents import Asker, SignInMethod
from domain.auth.sessions import RefreshRefused, refresh_session, verify_access
from domain.core.deps import Deps
from domain.core.errors import AccountClosed, LastWayIn, RateLimited
from domain.core.rate_limit import Bucket, require
from domain.sign_in.actions import LinkRefused, enter
from domain.sign_in.documents import Identity
from domain.sign_in.flow_documents import SignInCode
from domain.sign_in.provider_tokens import Unlinked
from domain.sign_in.rules import ACCOUNT_PATH, OWN_PATHS, Provider, with_query
from graph.cookies import (
    caller_of,
    cleared_cookies,
    cookie_names,
    session_cookies,
    session_of_page,
)
from graph.forms import SignedOut
from graph.rate_limit import network_of_caller
from graph.sign_in_faults import OF_LINK, Fault, NoFlow, SignInRefused
from graph.sign_in_flow import Flow
from graph.sign_in_pages import PATH as SIGN_IN_PATH
from graph.sign_in_pages import fault_page

log = structlog.get_logger()

RESUME_PATH = "/auth/resume"
METHODS = {Provider.GOOGLE: SignInMethod.GOOGLE, Provider.GITHUB: SignInMethod.GITHUB}
PER_ADDRESS = Bucket("sign-in", per_minute=300, burst=150)

_NO_SIGN_IN = (Fault.LAST_WAY_IN, Fault.OUTDATED_TEXT)
"""Faults of what a person does once they are in."""

Endpoint = Callable[[Request], Awaitable[Response]]


def answering(endpoint: Endpoint, provider: Provider | None = None) -> Endpoint:
    """The endpoint with its limit for each address, with its failures as pages, and with the
    session's cookies on whatever it answers."""

    @wraps(endpoint)
    async def answered(request: Request) -> Response:
        request.state.set_cookies, request.state.user_id = [], None
        try:
            response = await _answer(endpoint, request, provider)
        except ClientDisconnect:
            response = Response(status_code=400)
        except Exception:
            # A page in any case: it carries the cookies. A refresh token that is lost once it has
            # been made would have its predecessor taken for a stolen one.
            log.exception("a sign-in page broke", path=request.url.path, provider=provider)
            response = _fault(request, Fault.BROKEN, provider)
        for cookie in request.state.set_cookies:
            response.headers.append("set-cookie", cookie)
        return response

    return answered


async def _answer(endpoint: Endpoint, request: Request, provider: Provider | None) -> Response:
    deps: Deps = request.app.state.deps
    try:
        await require(deps.redis, PER_ADDRESS, network_of_caller(caller_of(request)))
        return await endpoint(request)
    except SignedOut:
        path = request.url.path
        return_to = path if path in OWN_PATHS else ACCOUNT_PATH
        return redirect(with_query(RESUME_PATH, return_to=return_to))
    except RateLimited as error:
        response = _fault(request, Fault.TOO_MANY, provider)
        response.headers["retry-after"] = str(error.retry_after)
        return response
    except (SignInRefused, LinkRefused, AccountClosed, LastWayIn, Unlinked) as error:
        return await _refused(request, error, provider)


async def _refused(request: Request, error: Exception, provider: Provider | None) -> Response:
    match error:
        case SignInRefused():
            fault = error.fault
        case LinkRefused():
            fault = OF_LINK[error.reason]
        case AccountClosed():
            fault = Fault.ACCOUNT_CLOSED
        case Unlinked():
            fault = Fault.BAD_STATE
        case _:
            fault = Fault.LAST_WAY_IN
    log.info("sign-in refused", provider=provider, reason=fault, error=str(error))
    if fault not in _NO_SIGN_IN and not isinstance(error, NoFlow):
        named = provider.value if provider else "none"
        await record(
            AuditAction.SIGN_IN_REFUSED,
            caller_of(request),
            request.state.user_id,
            reason=fault.value,
            provider=named,
        )
    return _fault(request, fault, provider)


def _fault(request: Request, fault: Fault, provider: Provider | None) -> Response:
    deps: Deps = request.app.state.deps
    seems_signed_in = cookie_names(deps.settings).access in request.cookies
    return fault_page(fault, provider, ACCOUNT_PATH if seems_signed_in else SIGN_IN_PATH)


async def present(request: Request) -> Asker | None:
    """Who is signed in in this browser, by the access cookie or else the one for refreshing.

    Within `answering`, which sets the new cookies.
    """
    deps: Deps = request.app.state.deps
    asker = (await session_of_page(deps, request)).asker
    if asker is None or asker.session_id is None:
        asker = await _renewed(deps, request)
    request.state.user_id = asker.user_id if asker else None
    return asker


async def _renewed(deps: Deps, request: Request) -> Asker | None:
    token = request.cookies.get(cookie_names(deps.settings).refresh)
    if not token:
        return None
    try:
        tokens = await refresh_session(deps, token, caller_of(request))
    except RefreshRefused:
        request.state.set_cookies.extend(cleared_cookies(deps.settings))
        return None
    request.state.set_cookies.extend(session_cookies(deps.settings, tokens))
    return await verify_access(deps, tokens.access_token)


async def finish(
    request: Request, identity: Identity, provider: Provider, flow: Flow, asker: Asker | None
) -> Response:
    """Let a person in whom the provider has vouched for: an app by a code, a browser by cookies,
    unless `asker` is them already. Raises AccountClosed, Unlinked."""
    user_id, method = identity.user_id, METHODS[provider]
    deps: Deps = request.app.state.deps
    if flow.code_challenge is not None:
        code = await SignInCode.make(user_id, method, flow.code_challenge, identity.id)
        state = {} if flow.app_state is None else {"state": flow.app_state}
        return redirect(with_query(flow.return_to, code=code, **state))
    if asker is None or asker.user_id != user_id:
        tokens = await enter(deps, user_id, method, caller_of(request), identity.id)
        request.state.set_cookies[:] = session_cookies(deps.settings, tokens)
    return redirect(flow.return_to)


def redirect(address: str) -> Response:
    """See Other: whatever the method was, the next is GET (RFC 9110 section 15.4.4)."""
    return RedirectResponse(address, status_code=303, headers={"Cache-Control": "no-store"})
