"""An account is made for whoever was shown the privacy policy of today, and nobody else."""

from typing import Any
from urllib.parse import quote

import pytest

from domain.sign_in.documents import Consent, Identity
from tests.github_server import GitHubUser
from tests.graph.sign_in.browser import POLICY, Browser, fields_in, heading, path_of
from tests.graph.sign_in.conftest import APP, SPA, OpenBrowser, World
from tests.graph.sign_in.refusal import assert_told
from tests.graph.sign_in.test_app_sign_in import app_query, code_in, exchange
from tests.graph.sign_in.test_linking import fresh_email, fresh_id, google_person
from tests.oidc_server import OIDCServer

PATH = "/auth/agree"


async def come_from(browser: Browser, address: str, **headers: str) -> str:
    """Sign in at GitHub from this address; where that leads."""
    start = await browser.get(address, **headers)
    return path_of(await browser.get(await browser.consent(start)))


async def identity_of(world: World) -> Identity | None:
    return await Identity.of_subject("github", str(world.github.user.id))


@pytest.mark.parametrize("query", ["", "?agreed=2020-01-01", f"?return_to={quote(SPA, safe='')}"])
async def test_who_was_shown_no_policy_or_an_old_one_is_asked(
    world: World, browser: Browser, query: str
) -> None:
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())

    assert await come_from(browser, f"/auth/github{query}") == PATH

    assert await identity_of(world) is None
    assert await browser.viewer() is None
    page = await browser.get(PATH)
    assert (page.status_code, heading(page)) == (200, "Make an account?")
    assert "Nothing is sold, and nothing is shown to employers" in page.text
    origin = " https://app.example.com" if "return_to" in query else ""
    assert f"form-action 'self'{origin};" in page.headers["content-security-policy"]
    agreed = await browser.submit(PATH, PATH, answer="agree")
    assert agreed.headers["location"] == (SPA if origin else "/account")
    assert await browser.viewer() is not None
    identity = await identity_of(world)
    assert identity is not None
    [consent] = await Consent.of_user(identity.user_id)
    assert (consent.kind, consent.text_version) == ("PRIVACY_POLICY", POLICY)


async def test_who_comes_from_the_sign_in_page_is_not_asked_again(
    world: World, browser: Browser
) -> None:
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    assert (
        f"/auth/github?return_to=%2Faccount&amp;agreed={POLICY}"
        in (await browser.get("/sign-in")).text
    )

    assert await come_from(browser, f"/auth/github?agreed={POLICY}") == "/account"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_sites_link_cannot_agree_for_anybody(
    world: World, browser: Browser, site: str
) -> None:
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    address, told = f"/auth/github?agreed={POLICY}", {"sec-fetch-site": site}

    assert await come_from(browser, address, **told) == PATH
    assert await identity_of(world) is None


async def test_who_has_an_account_is_not_asked(
    world: World, browser: Browser, open_browser: OpenBrowser
) -> None:
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await browser.sign_in("github")

    assert await come_from(await open_browser(world), "/auth/github") == "/account"


async def test_an_address_that_has_an_account_asks_to_link(
    world: World, oidc: OIDCServer, browser: Browser, open_browser: OpenBrowser
) -> None:
    email = fresh_email()
    await browser.sign_in("google", await google_person(oidc, email))
    world.github.user = GitHubUser.make(fresh_id(), email)

    assert await come_from(await open_browser(world), "/auth/github") == "/auth/link"


async def test_an_app_cannot_agree_for_its_people(world: World, browser: Browser) -> None:
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    assert await come_from(browser, f"/auth/github{app_query()}&agreed={POLICY}") == PATH
    page = await browser.get(PATH)
    assert (
        f"form-action 'self' {APP.partition(':')[0]}:;" in (page.headers["content-security-policy"])
    )

    code = code_in(await browser.submit(PATH, PATH, answer="agree"))

    assert (await exchange(world, code)).status_code == 200
    assert await browser.viewer() is None


async def test_who_does_not_agree_gets_no_account(world: World, browser: Browser) -> None:
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await come_from(browser, "/auth/github")

    assert path_of(await browser.submit(PATH, PATH, answer="cancel")) == "/sign-in"

    assert await identity_of(world) is None
    assert_told(await browser.get(PATH), 400, "This sign-in is over")


async def test_an_agreement_comes_from_the_page_in_the_browser_it_was_shown_in(
    world: World, browser: Browser, open_browser: OpenBrowser
) -> None:
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await come_from(browser, "/auth/github")
    good: dict[str, Any] = fields_in(await browser.get(PATH), PATH) | {"answer": "agree"}
    other = await open_browser(world)

    assert_told(await other.post(PATH, good), 400, "This sign-in is over")
    for refused in (
        await browser.post(PATH, good, "https://evil.example"),
        await browser.post(PATH, good | {"form_token": "x"}),
        await browser.post(PATH, {"text_version": POLICY, "answer": "agree"}),
    ):
        assert_told(refused, 403, "This form is too old")
    outdated = await browser.post(PATH, good | {"text_version": "2020-01-01"})
    assert_told(outdated, 409, "The text has changed")

    assert await identity_of(world) is None
    assert path_of(await browser.post(PATH, good)) == "/account"


async def test_an_agreement_is_to_what_was_shown(world: World, browser: Browser) -> None:
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await come_from(browser, "/auth/github")
    old = fields_in(await browser.get(PATH), PATH) | {"answer": "agree"}
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await come_from(browser, "/auth/github")

    refused = await browser.post(PATH, old)

    assert_told(refused, 409, "This page is about another sign-in")
    assert await identity_of(world) is None
