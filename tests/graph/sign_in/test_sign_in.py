"""Signing in with Google and GitHub, over HTTP with cookies."""

from dataclasses import replace
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4

import httpx2
import pytest

from domain.auth.audit import AuditAction, AuditEvent
from domain.core.deps import Deps
from domain.profile.documents import User
from domain.sign_in.documents import Consent, Identity
from graph.app import create_app
from tests.github_server import GitHubUser
from tests.graph.sign_in.browser import FIREFOX, POLICY, Browser, heading, path_of
from tests.graph.sign_in.conftest import SPA, OpenBrowser, World
from tests.oidc_server import CheatingProvider, OIDCServer
from tests.served import served


async def test_google_makes_an_account_once(
    world: World, oidc: OIDCServer, browser: Browser, open_browser: OpenBrowser
) -> None:
    email = f"{uuid4().hex}@Example.com"
    await oidc.set_user("g-1", email=email, email_verified=True, name="Noa Bar")

    first = await browser.sign_in("google", "g-1")

    assert path_of(first) == "/account"
    viewer = await browser.viewer()
    assert viewer is not None
    assert (viewer["name"], viewer["email"]) == ("Noa Bar", email.lower())
    again = await open_browser(world)
    await again.sign_in("google", "g-1")
    assert await again.viewer() == viewer
    assert await User.find({"email": email.lower()}).count() == 1


async def test_github_signs_in_with_its_verified_primary_address(
    world: World, browser: Browser
) -> None:
    email = f"{uuid4().hex}@example.com"
    world.github.user = GitHubUser.make(11, email)

    assert path_of(await browser.sign_in("github")) == "/account"

    viewer = await browser.viewer()
    assert viewer is not None
    assert viewer["email"] == email
    identity = await Identity.of_subject("github", "11")
    assert identity is not None
    assert (identity.email, identity.email_verified) == (email, True)
    [consent] = await Consent.of_user(identity.user_id)
    assert (consent.kind, consent.withdrawn_at) == ("PRIVACY_POLICY", None)


async def test_what_the_providers_are_asked(cheated: World, open_browser: OpenBrowser) -> None:
    browser = await open_browser(cheated)
    cheated.github.user = GitHubUser.make(12, None)

    await browser.sign_in("github")

    [asked] = cheated.github.asked
    assert asked["scope"] == "read:user user:email"
    assert asked["redirect_uri"] == f"{cheated.url}/auth/callback/github"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 30


async def test_google_is_asked_for_offline_access_with_a_nonce(
    cheated: World, cheat: CheatingProvider, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(cheated)

    assert path_of(await browser.sign_in("google")) == "/account"
    await browser.sign_in("google", query="?consent=again")

    first, second = cheat.asked
    assert first["scope"] == "openid email profile"
    assert first["access_type"] == "offline"
    assert "prompt" not in first
    assert second["prompt"] == "consent"
    assert first["code_challenge_method"] == "S256"
    assert first["nonce"] != second["nonce"]
    assert first["state"] != second["state"]
    assert cheat.verifiers[0] != cheat.verifiers[1]


async def test_the_way_back_comes_from_settings_not_from_the_host_header(
    world: World, browser: Browser
) -> None:
    response = await browser.get("/auth/github", Host="localhost")

    sent = parse_qs(urlsplit(response.headers["location"]).query)
    assert sent["redirect_uri"] == [f"{world.url}/auth/callback/github"]


@pytest.mark.parametrize("return_to", ["/account", "/graphiql", "/", SPA])
async def test_a_sign_in_ends_where_it_was_asked_to(
    world: World, browser: Browser, return_to: str
) -> None:
    world.github.user = GitHubUser.make(13, None)

    response = await browser.sign_in("github", query=f"?return_to={quote(return_to, safe='')}")

    assert response.status_code == 303
    assert response.headers["location"] == return_to


EVIL = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "https:evil.example",
    "/account/../../evil",
    "/account\n",
    "/%2fevil.example",
    "%2f%2fevil.example",
    " /account",
    "/account?next=//evil.example",
    "javascript:alert(1)",
    "",
    f"{SPA}/more",
    SPA.upper(),
    "http://app.example.com/signed-in",
]


@pytest.mark.parametrize("path", ["/auth/github", "/auth/google", "/sign-in", "/auth/resume"])
async def test_nobody_is_led_elsewhere(browser: Browser, path: str) -> None:
    for return_to in EVIL:
        response = await browser.get(f"{path}?return_to={quote(return_to, safe='')}")

        assert response.status_code == 400, return_to
        assert heading(response) == "This sign-in would end somewhere unknown"
        assert "location" not in response.headers


async def test_a_provider_that_is_not_set_up_has_a_page_that_says_so(deps: Deps) -> None:
    async with Browser.open(deps.settings.public_url) as browser:
        for name, path in [("Google", "/auth/google"), ("GitHub", "/auth/callback/github")]:
            response = await browser.get(path)
            if "callback" not in path:
                assert response.status_code == 404
                assert f"not set up for signing in with {name}" in response.text
            else:
                assert response.status_code == 400
        page = await browser.get("/sign-in")
    assert page.status_code == 200
    assert "not set up for signing in with Google or GitHub" in page.text


async def test_the_cookie_of_a_sign_in_is_short_lived(
    browser: Browser,
) -> None:
    response = await browser.get("/auth/github")

    [cookie] = response.headers.get_list("set-cookie")
    assert cookie.startswith("careergraph-sign-in=")
    for part in ("path=/", "Max-Age=900", "httponly", "samesite=lax"):
        assert part in cookie.split("; "), cookie
    assert "secure" not in cookie
    assert "set-cookie" not in (await browser.get("/sign-in")).headers


async def test_over_https_cookies_are_secure(world: World) -> None:
    settings = world.deps.settings.model_copy(
        update={"public_url": "https://careers.example.com", "production": False}
    )
    app = create_app(settings)
    app.state.deps = replace(world.deps, settings=settings)
    world.github.user = GitHubUser.make(14, None)
    async with served(app) as url, httpx2.AsyncClient(base_url=url) as http:
        there = await http.get(f"/auth/github?agreed={POLICY}")
        async with httpx2.AsyncClient() as elsewhere:
            back = (await elsewhere.get(there.headers["location"])).headers["location"]
        [flow] = there.headers.get_list("set-cookie")
        parts = urlsplit(back)
        answer = await http.get(
            f"{parts.path}?{parts.query}", headers={"Cookie": flow.partition(";")[0]}
        )

    assert parts.netloc == "careers.example.com"
    assert flow.startswith("__Host-careergraph-sign-in=")
    assert {"path=/", "secure"} < set(flow.split("; "))
    assert answer.status_code == 303
    cookies = {cookie.partition("=")[0]: cookie for cookie in answer.headers.get_list("set-cookie")}
    assert {"__Host-careergraph", "__Host-careergraph-refresh"} < set(cookies)
    for name in ("__Host-careergraph", "__Host-careergraph-refresh"):
        assert "; HttpOnly; Secure; SameSite=Lax" in cookies[name]


async def test_an_account_in_use_is_not_entered_a_second_time(
    world: World, browser: Browser
) -> None:
    world.github.user = GitHubUser.make(15, f"{uuid4().hex}@example.com")
    await browser.sign_in("github")
    before = await browser.graphql("{ viewer { sessions { id } } }")

    await browser.sign_in("github")

    assert await browser.graphql("{ viewer { sessions { id } } }") == before


async def test_a_later_sign_in_keeps_what_the_person_changed(
    world: World, browser: Browser
) -> None:
    world.github.user = GitHubUser.make(16, f"{uuid4().hex}@example.com")
    await browser.sign_in("github")
    change = "mutation { updateProfile(input: {name: {name}}) { viewer { name } } }"
    await browser.graphql(change.replace("{name: {name}}", '{name: "Noa"}'))

    await browser.sign_in("github")

    viewer = await browser.viewer()
    assert viewer is not None
    assert viewer["name"] == "Noa"


async def test_sign_ins_are_audited_with_where_they_came_from(
    world: World, browser: Browser
) -> None:
    world.github.user = GitHubUser.make(17, None)
    await browser.sign_in("github")

    identity = await Identity.of_subject("github", "17")
    assert identity is not None
    events = {event.action: event for event in await AuditEvent.newest(20, identity.user_id)}
    assert {"SIGNED_IN", "IDENTITY_LINKED", "CONSENT_GIVEN", "PROVIDER_TOKEN_SEALED"} <= set(events)
    signed_in = events[AuditAction.SIGNED_IN]
    assert (signed_in.address, signed_in.user_agent) == ("127.0.0.1", FIREFOX)
    token = next(iter(world.github.tokens))
    assert token not in str([event.as_json() for event in events.values()])
