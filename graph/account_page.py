"""The page of an account: who it is of, the ways into it, and where they are signed in."""

import contextlib
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.auth.session_documents import Session, SignInMethod
from domain.auth.sessions import revoke_all_sessions, revoke_session
from domain.core.deps import Deps
from domain.core.errors import NotFound
from domain.core.language import Language
from domain.core.settings import Feature
from domain.profile.documents import User
from domain.sign_in.actions import unlink_identity
from domain.sign_in.consent_texts import current_text
from domain.sign_in.consents import withdraw_consent
from domain.sign_in.documents import Consent, Identity
from domain.sign_in.provider_tokens import consent_url
from domain.sign_in.rules import ACCOUNT_PATH, REPOSITORIES_PATH, ConsentKind, Provider
from domain.sign_in.token_documents import ProviderToken
from graph.cookies import caller_of, signed_out_cookies
from graph.forms import form_token, page_asker, posted_form
from graph.markup import Markup, fill, joined, template
from graph.sign_in_answers import Endpoint, answering, redirect
from graph.sign_in_faults import Fault, SignInRefused
from graph.sign_in_oauth import PROVIDER_NAMES, configured
from graph.sign_in_pages import PATH as SIGN_IN_PATH
from graph.sign_in_pages import instant, page, ways

_METHOD_NAMES = {
    SignInMethod.GOOGLE: "Google",
    SignInMethod.GITHUB: "GitHub",
    SignInMethod.EXTERNAL: "another issuer's token",
    SignInMethod.LOCAL: "a token of local work",
}
_ROW = """
<li><div class="what"><strong><bdi>{title}</bdi></strong>{lines}</div>{end}</li>"""
_LINE = "<span>{text}</span>"
_BUTTON = """
<form method="post" action="{action}"><input type="hidden" name="form_token" value="{form_token}">
<button class="quiet small" aria-label="{label}">{text}</button></form>"""
_MARK = '<span class="mark">{text}</span>'
_WARNING = '<p class="warning">{text} <a href="{href}">{action}</a></p>'


async def account(request: Request) -> Response:
    deps: Deps = request.app.state.deps
    asker, session_id = await page_asker(request)
    user = await User.get(asker.user_id)
    if user is None:
        raise SignInRefused(Fault.ACCOUNT_CLOSED)
    token = form_token(deps, session_id)
    identities = await Identity.of_user(user.id)
    consents = [one for one in await Consent.of_user(user.id) if one.withdrawn_at is None]
    content = fill(
        template("account.html"),
        name=user.name,
        email=fill("<bdi>{email}</bdi>", email=user.email) if user.email else "none known",
        since=instant(user.created_at),
        identities=_identities(deps, identities, await ProviderToken.of_user(user.id), token),
        more_ways=_more_ways(deps, identities),
        sessions=_sessions(await Session.live_of_user(user.id), session_id, token),
        consents=_consents(deps, identities, consents, token),
        graphiql=_graphiql(deps),
        form_token=token,
    )
    return page("Your account", content, width="wide")


def _row(title: str, lines: list[str], end: Markup) -> Markup:
    shown = joined(fill(_LINE, text=line) for line in lines)
    return fill(_ROW, title=title, lines=shown, end=end)


def _button(action: str, text: str, about: str, form_token: str) -> Markup:
    """A button that posts; `about` tells those who hear the page which of many it is."""
    label = f"{text}: {about}"
    return fill(_BUTTON, action=action, text=text, label=label, form_token=form_token)


def _identities(
    deps: Deps, identities: list[Identity], tokens: list[ProviderToken], form_token: str
) -> Markup:
    if not identities:
        return fill("<p>{text}</p>", text="None on these pages; you came with a token.")
    rows = joined(_identity(one, len(identities) > 1, form_token) for one in identities)
    refused = [token for token in tokens if token.needs_consent]
    warnings = joined(
        _warning(deps, one, token)
        for one in identities
        for token in refused
        if token.identity_id == one.id
    )
    return fill('<ul class="rows">{rows}</ul>{warnings}', rows=rows, warnings=warnings)


def _identity(identity: Identity, can_unlink: bool, form_token: str) -> Markup:
    name = _provider_name(identity.provider)
    lines = [line for line in (identity.name, identity.email) if line]
    action = f"{ACCOUNT_PATH}/identities/{identity.id}/unlink"
    end = _button(action, "Unlink", name, form_token) if can_unlink else Markup()
    since = fill("Linked {at}", at=instant(identity.linked_at))
    return _row(name, [*lines, since], end)


def _warning(deps: Deps, identity: Identity, token: ProviderToken) -> Markup:
    href = consent_url(deps.settings, identity.provider, token.use)
    text = f"{_provider_name(identity.provider)} does not let CareerGraph in any more."
    return fill(_WARNING, text=text, href=href, action="Allow it again") if href else Markup()


def _provider_name(provider: str) -> str:
    return PROVIDER_NAMES[Provider(provider)] if provider in list(Provider) else provider


def _more_ways(deps: Deps, identities: list[Identity]) -> Markup:
    has = {identity.provider for identity in identities}
    left = [provider for provider in configured(deps.settings) if provider not in has]
    links = ways(deps.settings, left, ACCOUNT_PATH)
    return fill('<div class="actions">{links}</div>', links=links) if left else Markup()


def _sessions(sessions: list[Session], current: UUID, form_token: str) -> Markup:
    return joined(_session(one, one.id == current, form_token) for one in sessions)


def _session(session: Session, is_current: bool, form_token: str) -> Markup:
    where = f"Signed in with {_METHOD_NAMES[session.method]}"
    if session.address:
        where += f" from {session.address}"
    used = fill("Last used {at}", at=instant(session.last_used_at))
    action = f"{ACCOUNT_PATH}/sessions/{session.id}/end"
    mark = fill(_MARK, text="This browser") if is_current else Markup()
    button = _button(action, "Sign out", session.device, form_token)
    return _row(session.device, [where, used], Markup(mark + button))


def _consents(
    deps: Deps, identities: list[Identity], consents: list[Consent], form_token: str
) -> Markup:
    rows = joined(_consent(one, form_token) for one in consents)
    reads = any(one.kind is ConsentKind.GITHUB_REPOSITORIES for one in consents)
    can_read = not reads and Provider.GITHUB in {identity.provider for identity in identities}
    if can_read and Provider.GITHUB in configured(deps.settings):
        link = fill('<a href="{href}">Turn on</a>', href=REPOSITORIES_PATH)
        rows = Markup(rows + _row("Repository analysis", ["Off"], link))
    if not rows:
        return fill("<p>{text}</p>", text="Nothing is recorded.")
    return fill('<ul class="rows">{rows}</ul>', rows=rows)


def _consent(consent: Consent, form_token: str) -> Markup:
    slug = consent.kind.value.lower().replace("_", "-")
    title = current_text(consent.kind, Language.EN).title
    given = fill(
        '<a href="/consents/{slug}">Version {version}</a>, given {at}',
        slug=slug, version=consent.text_version, at=instant(consent.given_at),
    )  # fmt: skip
    action = f"{ACCOUNT_PATH}/consents/{slug}/withdraw"
    is_needed = consent.kind is ConsentKind.PRIVACY_POLICY
    end = Markup() if is_needed else _button(action, "Withdraw", title, form_token)
    return _row(title, [given], end)


def _graphiql(deps: Deps) -> Markup:
    if not deps.settings.allows(Feature.GRAPHIQL):
        return Markup()
    return Markup(' Both can be run in <a href="/graphiql">GraphiQL</a>.')


async def sign_out_everywhere(request: Request) -> Response:
    deps: Deps = request.app.state.deps
    asker, _ = await posted_form(request)
    await revoke_all_sessions(deps, asker.user_id, caller_of(request))
    return _signed_out(request)


async def end_session(request: Request) -> Response:
    """End one session. One that is over already, or somebody else's, changes nothing."""
    deps: Deps = request.app.state.deps
    asker, _ = await posted_form(request)
    session_id: UUID = request.path_params["id"]
    await revoke_session(deps, asker.user_id, session_id, caller_of(request))
    return _signed_out(request) if session_id == asker.session_id else redirect(ACCOUNT_PATH)


def _signed_out(request: Request) -> Response:
    deps: Deps = request.app.state.deps
    request.state.set_cookies.extend(signed_out_cookies(deps.settings))
    return redirect(SIGN_IN_PATH)


async def unlink(request: Request) -> Response:
    deps: Deps = request.app.state.deps
    asker, _ = await posted_form(request)
    with contextlib.suppress(NotFound):  # gone already, which is what was wanted
        await unlink_identity(deps, asker.user_id, request.path_params["id"], caller_of(request))
    return redirect(ACCOUNT_PATH)


async def withdraw_repositories(request: Request) -> Response:
    deps: Deps = request.app.state.deps
    asker, _ = await posted_form(request)
    kind = ConsentKind.GITHUB_REPOSITORIES
    await withdraw_consent(deps, asker.user_id, kind, caller_of(request))
    return redirect(ACCOUNT_PATH)


def _post(path: str, endpoint: Endpoint) -> Route:
    return Route(ACCOUNT_PATH + path, answering(endpoint), methods=["POST"])


ROUTES = [
    Route(ACCOUNT_PATH, answering(account)),
    _post("/sign-out-everywhere", sign_out_everywhere),
    _post("/sessions/{id:uuid}/end", end_session),
    _post("/identities/{id:uuid}/unlink", unlink),
    _post("/consents/github-repositories/withdraw", withdraw_repositories),
]
