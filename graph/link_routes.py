"""What a signed-in person is asked before it happens: linking a sign-in, reading repositories."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.auth.session_documents import Asker
from domain.core.deps import Deps
from domain.profile.documents import User
from domain.sign_in.actions import check_linkable, link_identity
from domain.sign_in.consent_texts import current_version
from domain.sign_in.documents import Identity
from domain.sign_in.profiles import Held
from domain.sign_in.rules import (
    ACCOUNT_PATH,
    LINK_PATH,
    OWN_PATHS,
    REPOSITORIES_PATH,
    ConsentKind,
    Provider,
    TokenUse,
    origin_of,
)
from domain.sign_in.voiding import void_unkept
from graph.cookies import caller_of
from graph.forms import SignedOut, form_token, page_asker, posted_form
from graph.sign_in_answers import answering, finish, present, redirect
from graph.sign_in_faults import Fault, SignInRefused
from graph.sign_in_flow import Flow, check_shown, take, waiting
from graph.sign_in_pages import link_page, link_sign_in_page, repositories_page
from graph.sign_in_routes import FLOW_COOKIE, apps_of, go_to_provider


async def ask_to_link(request: Request) -> Response:
    """The question whether to link what waits; before that, the way into the account."""
    deps: Deps = request.app.state.deps
    held = await _held(request)
    asker = await present(request)
    if asker is None or asker.session_id is None:
        return await _ask_to_sign_in(deps, held)
    await check_linkable(asker.user_id, held.profile)
    _check_asked(held, asker)
    user = await User.get(asker.user_id)
    if user is None:
        raise SignInRefused(Fault.ACCOUNT_CLOSED)
    return_to = Flow.of_json(held.then).return_to
    elsewhere = [] if return_to in OWN_PATHS else [origin_of(return_to)]
    return link_page(user, held, form_token(deps, asker.session_id, held.id), elsewhere)


async def _ask_to_sign_in(deps: Deps, held: Held) -> Response:
    email = held.profile.verified_email
    owner = await User.of_email(email) if email else None
    if owner is None or owner.id != held.user_id:
        raise SignedOut
    known = await Identity.of_user(owner.id)
    providers = {Provider(one.provider) for one in known if one.provider in list(Provider)}
    return link_sign_in_page(deps.settings, held.profile, providers, LINK_PATH)


async def answer_link(request: Request) -> Response:
    """Link what waits, or let go of it."""
    deps: Deps = request.app.state.deps
    asker, fields = await posted_form(request)
    held = await _held(request)
    _check_asked(held, asker)
    check_shown(held, fields)
    if not await take(request):
        raise SignInRefused(Fault.NOTHING_TO_LINK)
    if fields.get("answer") != "link":
        await void_unkept(deps, held.profile, caller_of(request), asker.user_id)
        return redirect(ACCOUNT_PATH)
    identity = await link_identity(deps, asker.user_id, held.profile, caller_of(request))
    flow = Flow.of_json(held.then)
    return await finish(request, identity, held.profile.provider, flow, asker)


async def _held(request: Request) -> Held:
    held = await waiting(request)
    if held is None or held.user_id is None:
        raise SignInRefused(Fault.NOTHING_TO_LINK)
    return held


def _check_asked(held: Held, asker: Asker) -> None:
    """Whoever else has signed in in this browser since has nothing to say about it."""
    if held.user_id != asker.user_id:
        raise SignInRefused(Fault.NOTHING_TO_LINK)


async def ask_for_repositories(request: Request) -> Response:
    """What reading repositories is for, and the question whether to allow it."""
    deps: Deps = request.app.state.deps
    asker, session_id = await page_asker(request)
    apps_of(request).find(deps.settings, Provider.GITHUB)
    await _check_github_identity(asker.user_id)
    user = await User.get(asker.user_id)
    if user is None:
        raise SignInRefused(Fault.ACCOUNT_CLOSED)
    github = origin_of(deps.settings.github_url)
    return repositories_page(user.language, form_token(deps, session_id), github)


async def allow_repositories(request: Request) -> Response:
    """On to GitHub, for a token that can read repositories."""
    asker, fields = await posted_form(request)
    await _check_github_identity(asker.user_id)
    version = fields.get("text_version", "")
    if version != current_version(ConsentKind.GITHUB_REPOSITORIES):
        raise SignInRefused(Fault.OUTDATED_TEXT)
    flow = Flow(use=TokenUse.REPOSITORIES, text_version=version)
    return await go_to_provider(request, Provider.GITHUB, flow)


async def _check_github_identity(user_id: UUID) -> None:
    found = await Identity.of_user(user_id)
    if Provider.GITHUB not in {identity.provider for identity in found}:
        raise SignInRefused(Fault.NO_GITHUB_IDENTITY)


ROUTES = [
    Route(LINK_PATH, answering(ask_to_link), middleware=FLOW_COOKIE),
    Route(LINK_PATH, answering(answer_link), methods=["POST"], middleware=FLOW_COOKIE),
    Route(
        REPOSITORIES_PATH, answering(ask_for_repositories, Provider.GITHUB), middleware=FLOW_COOKIE
    ),
    Route(
        REPOSITORIES_PATH, answering(allow_repositories, Provider.GITHUB),
        methods=["POST"], middleware=FLOW_COOKIE,
    ),
]  # fmt: skip
