"""What a signed-in person is asked before it happens: linking a sign-in, reading repositories."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.core.deps import Deps
from domain.profile.documents import User
from domain.sign_in.actions import check_linkable, link_identity
from domain.sign_in.consent_texts import current_version
from domain.sign_in.documents import Identity
from domain.sign_in.flow_documents import PendingLink
from domain.sign_in.profiles import ProviderProfile, held_profile
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
from graph.cookies import caller_of
from graph.forms import form_token, page_asker, posted_form
from graph.sign_in_answers import answering, finish, present, redirect
from graph.sign_in_faults import Fault, SignInRefused
from graph.sign_in_flow import Flow, drop_link, held_link
from graph.sign_in_pages import link_page, link_sign_in_page, repositories_page
from graph.sign_in_routes import FLOW_COOKIE, apps_of, go_to_provider


async def ask_to_link(request: Request) -> Response:
    """The question whether to link what waits; before that, the way into the account."""
    deps: Deps = request.app.state.deps
    secret = held_link(request)
    profile, flow = _held(deps, await PendingLink.held_by(secret) if secret else None)
    asker = await present(request)
    if asker is None or asker.session_id is None:
        return await _ask_to_sign_in(deps, profile)
    await check_linkable(asker.user_id, profile)
    user = await User.get(asker.user_id)
    if user is None:
        raise SignInRefused(Fault.ACCOUNT_CLOSED)
    elsewhere = [] if flow.return_to in OWN_PATHS else [origin_of(flow.return_to)]
    return link_page(user, profile, form_token(deps, asker.session_id), elsewhere)


async def _ask_to_sign_in(deps: Deps, profile: ProviderProfile) -> Response:
    owner = await User.of_email(profile.verified_email) if profile.verified_email else None
    known = await Identity.of_user(owner.id) if owner else []
    providers = {Provider(one.provider) for one in known if one.provider in list(Provider)}
    return link_sign_in_page(deps.settings, profile, providers, LINK_PATH)


async def answer_link(request: Request) -> Response:
    """Link what waits, or let go of it."""
    deps: Deps = request.app.state.deps
    asker, fields = await posted_form(request)
    secret = held_link(request)
    drop_link(request)
    profile, flow = _held(deps, await PendingLink.take(secret) if secret else None)
    if fields.get("answer") != "link":
        return redirect(ACCOUNT_PATH)
    identity = await link_identity(deps, asker.user_id, profile, caller_of(request))
    return await finish(request, identity.user_id, profile.provider, flow, asker)


def _held(deps: Deps, link: PendingLink | None) -> tuple[ProviderProfile, Flow]:
    held = held_profile(deps.secrets, link) if link else None
    if held is None:
        raise SignInRefused(Fault.NOTHING_TO_LINK)
    return held[0], Flow.of_json(held[1])


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
