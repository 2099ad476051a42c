"""Sign-ins that go wrong: each ends in a page that a person can read, and lets nobody in."""

import asyncio
from uuid import uuid4

import httpx2
import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from domain.auth.audit import AuditEvent
from domain.core.closed_accounts import ClosedAccount
from domain.sign_in.documents import Identity
from tests.github_server import GitHubUser
from tests.graph.sign_in.browser import Browser, heading, path_of
from tests.graph.sign_in.conftest import OpenBrowser, World
from tests.graph.sign_in.refusal import assert_refused, assert_told
from tests.oidc_server import CheatingProvider


async def test_somebody_who_does_not_agree_is_told_so(world: World, browser: Browser) -> None:
    world.github.denies = True

    response = await browser.sign_in("github")

    await assert_refused(response, 403, "You did not agree")
    assert "GitHub says that access was not granted" in response.text
    assert await browser.viewer() is None


async def test_a_state_of_nobody_is_refused(world: World, browser: Browser) -> None:
    back = await browser.back_address("/auth/github")
    before = await AuditEvent.newest(1)
    for path in (
        "/auth/callback/github?code=x",
        "/auth/callback/github?code=x&state=forged",
        "/auth/callback/github?error=access_denied",
        "/auth/callback/github",
        "/auth/callback/google?" + back.partition("?")[2],
    ):
        assert_told(await browser.get(path), 400, "This sign-in is over")

    # Anybody can send such by the thousand, so the audit log is not filled with them.
    assert await AuditEvent.newest(1) == before

    # And none of that has spoiled the sign-in that is under way.
    assert path_of(await browser.get(back)) == "/account"


async def test_a_sign_in_belongs_to_the_browser_it_began_in(
    world: World, browser: Browser, open_browser: OpenBrowser
) -> None:
    back = await browser.back_address("/auth/github")
    other = await open_browser(world)
    await other.get("/auth/github")

    assert_told(await other.get(back), 400, "This sign-in is over")
    assert await other.viewer() is None


async def test_a_way_back_leads_in_once(world: World, browser: Browser) -> None:
    back = await browser.back_address("/auth/github")
    assert path_of(await browser.get(back)) == "/account"

    assert_told(await browser.get(back), 400, "This sign-in is over")


async def test_a_cookie_that_was_changed_is_no_cookie(world: World, browser: Browser) -> None:
    back = await browser.back_address("/auth/github")
    name = "careergraph-sign-in"
    [cookie] = [one for one in browser.http.cookies.jar if one.name == name]
    assert cookie.value
    browser.http.cookies.set(name, "A" + cookie.value[1:], "127.0.0.1", "/")

    assert_told(await browser.get(back), 400, "This sign-in is over")


async def test_a_code_of_somebody_else_is_refused(
    world: World, browser: Browser, open_browser: OpenBrowser
) -> None:
    """PKCE: a code that was stolen is worth nothing in another browser's sign-in."""
    victim = await open_browser(world)
    stolen = httpx2.URL(await victim.back_address("/auth/github")).params["code"]
    back = httpx2.URL(await browser.back_address("/auth/github"))

    response = await browser.get(str(back.copy_merge_params({"code": stolen})))

    await assert_refused(response, 400, "GitHub does not confirm this sign-in")


async def test_an_error_of_the_provider_is_no_consent(world: World, browser: Browser) -> None:
    back = httpx2.URL(await browser.back_address("/auth/github"))
    address = str(back.copy_with(params={"state": back.params["state"], "error": "server_error"}))

    response = await browser.get(address)

    await assert_refused(response, 502, "GitHub gave an answer that cannot be trusted")


@pytest.mark.parametrize(
    "garbage",
    [JSONResponse({"id": None}), JSONResponse("x"), PlainTextResponse("x"), JSONResponse({}, 401)],
)
async def test_garbage_about_a_github_user_is_not_understood(
    world: World, browser: Browser, garbage: JSONResponse
) -> None:
    world.github.garbage["user"] = garbage

    response = await browser.sign_in("github")

    await assert_refused(response, 502, "GitHub gave an answer that cannot be trusted")


async def test_a_provider_that_is_down_is_named(
    cheated: World, cheat: CheatingProvider, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(cheated)
    cheat.metadata_change = {"token_endpoint": "http://127.0.0.1:9/token"}

    response = await browser.sign_in("google")

    await assert_refused(response, 502, "Google does not answer")
    assert "Try again in a minute" in response.text


async def test_a_provider_that_hangs_is_given_up(world: World, browser: Browser) -> None:
    world.github.delay_seconds = 11

    response = await browser.sign_in("github")

    await assert_refused(response, 504, "GitHub takes too long")


async def test_a_hostile_name_stays_text(world: World, browser: Browser) -> None:
    user = GitHubUser.make(31, f"{uuid4().hex}@example.com")
    user.name = '"><script>alert(1)</script>{user}'
    user.avatar_url = "javascript:alert(1)"
    world.github.user = user

    await browser.sign_in("github")
    page = await browser.get("/account")

    assert "<script" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{user}" in page.text
    found = await browser.graphql("{ viewer { avatarUrl } }")
    assert found["viewer"]["avatarUrl"] is None


async def test_an_address_that_calls_too_often_waits(world: World, browser: Browser) -> None:
    refused: list[httpx2.Response] = []
    for _ in range(40):
        answers = await asyncio.gather(*(browser.get("/auth/github") for _ in range(10)))
        refused = [answer for answer in answers if answer.status_code != 303]
        if refused:
            break

    response = refused[0]
    assert (response.status_code, heading(response)) == (429, "Too many sign-ins")
    assert int(response.headers["retry-after"]) >= 1


async def test_other_methods_and_addresses_are_no_sign_in(browser: Browser) -> None:
    assert (await browser.http.post("/auth/github")).status_code == 405
    assert (await browser.get("/auth/facebook")).status_code == 404
    assert (await browser.get("/auth/callback/facebook")).status_code == 404
    assert (await browser.get("/consents/nothing")).status_code == 404


async def test_an_account_under_deletion_lets_nobody_in(
    world: World, browser: Browser, open_browser: OpenBrowser
) -> None:
    world.github.user = GitHubUser.make(32, f"{uuid4().hex}@example.com")
    await browser.sign_in("github")
    identity = await Identity.of_subject("github", "32")
    assert identity is not None
    await ClosedAccount.close(identity.user_id)

    response = await (await open_browser(world)).sign_in("github")

    await assert_refused(response, 409, "This account is being deleted")
