"""The page of an account, and what can be done there without a script."""

import re
from uuid import UUID, uuid4

import pytest

from domain.auth.audit import AuditEvent
from domain.auth.session_documents import Session
from domain.sign_in.documents import Identity
from tests.github_server import GitHubUser
from tests.graph.sign_in.browser import POLICY, Browser, heading, path_of, token_in
from tests.graph.sign_in.conftest import OpenBrowser, World
from tests.oidc_server import OIDCServer


async def github_person(world: World, browser: Browser, email: str | None = None) -> UUID:
    """Sign somebody new in; their id."""
    world.github.user = GitHubUser.make(uuid4().int % 2**52, email)
    await browser.sign_in("github")
    identity = await Identity.of_subject("github", str(world.github.user.id))
    assert identity is not None
    return identity.user_id


async def test_nobody_is_led_to_the_sign_in_and_back(world: World, browser: Browser) -> None:
    response = await browser.get("/account")
    assert path_of(response) == "/auth/resume"

    response = await browser.get(response.headers["location"])

    assert response.headers["location"] == "/sign-in?return_to=%2Faccount"
    page = await browser.get(response.headers["location"])
    for provider in ("github", "google"):
        href = f"/auth/{provider}?return_to=%2Faccount&amp;agreed={POLICY}"
        assert f'href="{href}"' in page.text
    assert 'href="/consents/privacy-policy"' in page.text


async def test_the_page_says_who_one_is(world: World, browser: Browser) -> None:
    email = f"{uuid4().hex}@example.com"
    await github_person(world, browser, email)

    page = await browser.get("/account")

    assert (page.status_code, heading(page)) == (200, "Your account")
    assert page.headers["cache-control"] == "no-store"
    for text in (
        email,
        "GitHub",
        "Firefox on Linux",
        "This browser",
        "Privacy policy",
        "127.0.0.1",
    ):
        assert text in page.text, text
    assert "Unlink" not in page.text, "it is the last way in"
    assert "<script" not in page.text
    assert " style=" not in page.text


async def test_the_page_outlives_the_access_token(world: World, browser: Browser) -> None:
    await github_person(world, browser)
    viewer = await browser.viewer()
    browser.drop_cookie("careergraph")
    assert await browser.viewer() is None

    response = await browser.get("/account")
    assert path_of(response) == "/auth/resume"
    response = await browser.get(response.headers["location"])

    assert path_of(response) == "/account"
    assert (await browser.get("/account")).status_code == 200
    assert await browser.viewer() == viewer


async def test_a_way_back_knows_who_is_there_by_the_refresh_cookie(
    world: World, oidc: OIDCServer, browser: Browser
) -> None:
    """And what it renews on the way is kept, though the answer is an error."""
    await github_person(world, browser)
    browser.drop_cookie("careergraph")
    sub = uuid4().hex
    await oidc.set_user(sub, email=f"{sub}@example.com", email_verified=False)

    refused = await browser.sign_in("google", sub)

    assert heading(refused) == "The e-mail address is not verified"
    assert await browser.viewer() is not None


async def test_one_session_is_ended_with_a_button(
    world: World, browser: Browser, open_browser: OpenBrowser
) -> None:
    user_id = await github_person(world, browser)
    other = await open_browser(world)
    await other.sign_in("github")
    assert len(await Session.live_of_user(user_id)) == 2
    mine = (await browser.graphql("{ viewer { sessions { id isCurrent } } }"))["viewer"]
    assert [one["isCurrent"] for one in mine["sessions"]].count(True) == 1
    page = await browser.get("/account")
    ends = set(re.findall(r'action="(/account/sessions/[^"]+)"', page.text))
    [current] = re.findall(r'This browser</span>\s*<form method="post" action="([^"]+)"', page.text)

    [theirs] = ends - {current}
    answer = await browser.submit("/account", theirs)

    assert path_of(answer) == "/account"
    assert await browser.viewer() is not None
    assert await other.viewer() is None


async def test_this_session_is_ended_with_a_button(world: World, browser: Browser) -> None:
    user_id = await github_person(world, browser)
    page = await browser.get("/account")
    [action] = re.findall(r'action="(/account/sessions/[^"]+)"', page.text)

    answer = await browser.submit("/account", action)

    assert path_of(answer) == "/sign-in"
    assert not {"careergraph", "careergraph-refresh"} & browser.cookie_names()
    assert await Session.live_of_user(user_id) == []


async def test_all_sessions_are_ended_with_a_button(
    world: World, browser: Browser, open_browser: OpenBrowser
) -> None:
    user_id = await github_person(world, browser)
    other = await open_browser(world)
    await other.sign_in("github")

    assert path_of(await browser.submit("/account", "/account/sign-out-everywhere")) == "/sign-in"

    assert await Session.live_of_user(user_id) == []
    assert await other.viewer() is None


@pytest.mark.parametrize("form", ["sessions/{id}/end", "identities/{id}/unlink"])
async def test_what_is_somebody_elses_looks_absent_to_forms(
    world: World, browser: Browser, open_browser: OpenBrowser, form: str
) -> None:
    user_id = await github_person(world, browser)
    other = await open_browser(world)
    await github_person(world, other)
    [session], [identity] = await Session.live_of_user(user_id), await Identity.of_user(user_id)
    theirs = session.id if form.startswith("sessions") else identity.id
    fields = {"form_token": token_in(await other.get("/account"))}

    answers = [
        await other.post(f"/account/{form.format(id=id)}", fields) for id in (theirs, uuid4())
    ]

    assert path_of(answers[0]) == "/account"
    assert len({(one.status_code, path_of(one), one.text) for one in answers}) == 1
    assert await browser.viewer() is not None
    assert await Identity.of_user(user_id) == [identity]


async def test_a_form_without_its_token_does_nothing(world: World, browser: Browser) -> None:
    user_id = await github_person(world, browser)
    [session] = await Session.live_of_user(user_id)
    for path in (
        f"/account/sessions/{session.id}/end",
        "/account/sign-out-everywhere",
        f"/account/identities/{uuid4()}/unlink",
        "/account/consents/github-repositories/withdraw",
        "/auth/github/repositories",
    ):
        refused = await browser.post(path, {})
        assert (refused.status_code, heading(refused)) == (403, "This form is too old")
    assert await browser.viewer() is not None


async def test_a_way_in_is_unlinked_but_not_the_last(
    world: World, oidc: OIDCServer, browser: Browser, open_browser: OpenBrowser
) -> None:
    email = f"{uuid4().hex}@example.com"
    user_id = await github_person(world, browser, email)
    sub = uuid4().hex
    await oidc.set_user(sub, email=email, email_verified=True)
    await browser.sign_in("google", sub)
    await browser.submit("/auth/link", "/auth/link", answer="link")
    github, google = await Identity.of_user(user_id)
    [token] = world.github.tokens

    answer = await browser.submit("/account", f"/account/identities/{github.id}/unlink")

    assert path_of(answer) == "/account"
    assert [one.provider for one in await Identity.of_user(user_id)] == ["google"]
    assert world.github.revoked == [token], "GitHub was told"
    assert await browser.viewer() is None, "the session that came by GitHub has ended"
    await browser.sign_in("google", sub)
    page = await browser.get("/account")
    assert "Unlink" not in page.text
    last = await browser.post(
        f"/account/identities/{google.id}/unlink", {"form_token": token_in(page)}
    )
    assert (last.status_code, heading(last)) == (409, "This is the only way into your account")
    actions = [event.action for event in await AuditEvent.newest(50, user_id)]
    assert "IDENTITY_UNLINKED" in actions
    # GitHub leads to an account of its own from now on: to this one's address it must ask.
    assert path_of(await (await open_browser(world)).sign_in("github")) == "/auth/link"


async def test_the_text_people_agree_to_is_a_page_in_both_languages(browser: Browser) -> None:
    english = await browser.get("/consents/privacy-policy")
    hebrew = await browser.get("/consents/privacy-policy?language=he")
    repositories = await browser.get("/consents/github-repositories")

    assert '<html lang="en" dir="ltr">' in english.text
    assert heading(english) == "Privacy policy"
    assert '<html lang="he" dir="rtl">' in hebrew.text
    assert heading(hebrew) == "מדיניות פרטיות"
    assert 'href="?language=en"' in hebrew.text
    assert "never writes" in repositories.text


async def test_the_style_is_served(browser: Browser) -> None:
    response = await browser.get("/account.css")

    assert response.headers["content-type"] == "text/css; charset=utf-8"
    assert ".rows" in response.text
