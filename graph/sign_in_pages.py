"""Pages of a sign-in, and the texts that people agree to, as HTML."""

from collections.abc import Iterable
from datetime import datetime

from asgi_correlation_id import correlation_id
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from domain.core.deps import Deps
from domain.core.language import Language
from domain.core.settings import Settings
from domain.profile.documents import User
from domain.sign_in.consent_texts import ConsentText, current_text, current_version
from domain.sign_in.profiles import Held, ProviderProfile
from domain.sign_in.rules import ACCOUNT_PATH, ConsentKind, Provider, allowed_return, with_query
from graph.markup import Markup, fill, joined, template
from graph.pages import CSS
from graph.security_headers import SAFE_HEADERS, form_page_headers
from graph.sign_in_faults import TEXTS, Fault
from graph.sign_in_oauth import PROVIDER_NAMES, configured

PATH = "/sign-in"
_NO_STORE = {"Cache-Control": "no-store"}
_KINDS = {kind.value.lower().replace("_", "-"): kind for kind in ConsentKind}
_LANGUAGE_NAMES = {Language.EN: "English", Language.HE: "עברית"}
_DIRECTIONS = {Language.EN: "ltr", Language.HE: "rtl"}
_VERSION_LINES = {Language.EN: "Version {version}", Language.HE: "גרסה {version}"}


def page(
    title: str, content: Markup, status: int = 200, *, width: str = "narrow",
    language: Language = Language.EN, redirects_to: Iterable[str] = (),
) -> HTMLResponse:  # fmt: skip
    """A whole page. `redirects_to` are origins elsewhere that its forms may lead to."""
    whole = fill(
        template("frame.html"),
        title=title, content=content, width=width,
        language=language.value, direction=_DIRECTIONS[language],
    )  # fmt: skip
    headers = form_page_headers(*redirects_to) | _NO_STORE
    return HTMLResponse(whole, status_code=status, headers=headers)


def fault_page(fault: Fault, provider: Provider | None, retry: str = PATH) -> HTMLResponse:
    """What went wrong and what to do; `retry` is the address of the next attempt."""
    text = TEXTS[fault]
    name = PROVIDER_NAMES[provider] if provider else "the provider"
    content = fill(
        template("sign_in_fault.html"),
        what=_capital(text.what.format(provider=name)),
        remedy=_capital(text.remedy.format(provider=name)),
        href=retry,
        action="Back to your account" if retry == ACCOUNT_PATH else "Go to sign-in",
        request_id=correlation_id.get() or "-",
    )
    return page(_capital(text.title.format(provider=name)), content, text.status)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def ways(
    settings: Settings, providers: Iterable[Provider], return_to: str, agreed: str | None = None
) -> Markup:
    """A button for each of these providers that this deployment has. `agreed` is the version of
    the privacy policy that stands beside them."""
    query = {"return_to": return_to} | ({"agreed": agreed} if agreed else {})
    return joined(
        fill(
            '<a class="way" href="{href}">Continue with {name}</a>',
            href=with_query(f"/auth/{provider}", **query),
            name=PROVIDER_NAMES[provider],
        )
        for provider in configured(settings)
        if provider in providers
    )


def link_sign_in_page(
    settings: Settings, profile: ProviderProfile, providers: Iterable[Provider], return_to: str
) -> HTMLResponse:
    """An account has this e-mail address; `providers` are the ways into it."""
    buttons = ways(settings, providers, return_to) or fill(
        "<p>{text}</p>",
        text="The account was made in another way than with these pages. Use a token of it with "
        "the API, as you did before; it cannot be linked here.",
    )
    content = fill(
        template("link_sign_in.html"),
        email=profile.verified_email or "",
        provider=PROVIDER_NAMES[profile.provider],
        ways=buttons,
    )
    return page("You have an account already", content)


def link_page(user: User, held: Held, form_token: str, redirects_to: Iterable[str]) -> HTMLResponse:
    """The question whether to link."""
    profile = held.profile
    name = PROVIDER_NAMES[profile.provider]
    content = fill(
        template("link.html"),
        account=_person(user.name, user.email),
        identity=_person(profile.name, profile.email),
        provider=name,
        form_token=form_token,
        about=str(held.id),
    )
    return page(f"Link {name} to your account", content, redirects_to=redirects_to)


def agree_page(held: Held, form_token: str, redirects_to: Iterable[str]) -> HTMLResponse:
    """The privacy policy, and the question whether there is to be an account."""
    text = current_text(ConsentKind.PRIVACY_POLICY, Language.EN)
    content = fill(
        template("agree.html"),
        identity=_person(held.profile.name, held.profile.email),
        provider=PROVIDER_NAMES[held.profile.provider],
        title=text.title,
        text=paragraphs(text),
        version=text.version,
        form_token=form_token,
        about=str(held.id),
    )
    return page("Make an account?", content, redirects_to=redirects_to)


def _person(name: str | None, email: str | None) -> Markup:
    known = [fill("<bdi>{part}</bdi>", part=part) for part in (name, email) if part]
    return Markup(", ".join(known))


def repositories_page(language: Language, form_token: str, redirects_to: str) -> HTMLResponse:
    """What reading repositories is for, and the question whether to allow it."""
    text = current_text(ConsentKind.GITHUB_REPOSITORIES, language)
    content = fill(
        template("repositories.html"),
        text=paragraphs(text),
        language=language.value,
        direction=_DIRECTIONS[language],
        form_token=form_token,
        version=text.version,
    )
    return page("Repository analysis", content, redirects_to=[redirects_to])


def paragraphs(text: ConsentText) -> Markup:
    return joined(fill("<p>{text}</p>", text=paragraph) for paragraph in text.paragraphs)


def instant(at: datetime) -> Markup:
    """A time as people read it, and as programs do."""
    shown = f"{at.day} {at:%B %Y, %H:%M} UTC"
    return fill('<time datetime="{iso}">{shown}</time>', iso=at.isoformat(), shown=shown)


async def sign_in(request: Request) -> Response:
    deps: Deps = request.app.state.deps
    given = request.query_params.get("return_to")
    return_to = allowed_return(given, deps.settings.sign_in_return_urls)
    if return_to is None:
        return fault_page(Fault.BAD_RETURN, None)
    version = current_version(ConsentKind.PRIVACY_POLICY)
    buttons = ways(deps.settings, Provider, return_to, version) or fill(
        "<p>{text}</p>",
        text="This server is not set up for signing in with Google or GitHub. For local work, "
        "`careergraph token --user EMAIL` prints a token.",
    )
    content = fill(template("sign_in.html"), ways=buttons, version=version)
    return page("Sign in", content)


async def consent(request: Request) -> Response:
    """A text that people agree to, in the language asked for."""
    kind = _KINDS.get(request.path_params["kind"])
    if kind is None:
        return PlainTextResponse("Not found\n", status_code=404)
    is_hebrew = request.query_params.get("language") == Language.HE
    language, other = (Language.HE, Language.EN) if is_hebrew else (Language.EN, Language.HE)
    text = current_text(kind, language)
    content = fill(
        template("consent.html"),
        text=paragraphs(text),
        version_line=_VERSION_LINES[language].format(version=text.version),
        other_href=f"?language={other}",
        other_language=other.value,
        other_name=_LANGUAGE_NAMES[other],
    )
    return page(text.title, content, language=language)


async def style(_request: Request) -> Response:
    headers = SAFE_HEADERS | {"Cache-Control": "no-cache"}
    return Response(template("account.css"), media_type=CSS, headers=headers)


ROUTES = [
    Route(PATH, sign_in),
    Route("/consents/{kind}", consent),
    Route("/account.css", style),
]
