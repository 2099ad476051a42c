"""Many sign-ins and confirmations at once: the unique indexes decide."""

import asyncio

from domain.profile.documents import User
from domain.sign_in.documents import Identity
from domain.sign_in.token_documents import ProviderToken
from tests.github_server import GitHubUser
from tests.graph.sign_in.browser import Browser, fields_in, path_of
from tests.graph.sign_in.conftest import OpenBrowser, World
from tests.graph.sign_in.test_linking import (
    fresh_email,
    fresh_id,
    google_person,
    providers_of,
)
from tests.oidc_server import OIDCServer


async def test_many_at_once_make_one_account(
    world: World, oidc: OIDCServer, open_browser: OpenBrowser
) -> None:
    email = fresh_email()
    world.github.user = GitHubUser.make(fresh_id(), email)
    browsers = [await open_browser(world) for _ in range(8)]
    backs = [await browser.back_address("/auth/github") for browser in browsers]

    answers = await asyncio.gather(
        *(browser.get(back) for browser, back in zip(browsers, backs, strict=True))
    )

    assert {path_of(answer) for answer in answers} == {"/account"}
    viewers = [await browser.viewer() for browser in browsers]
    assert all(viewer == viewers[0] for viewer in viewers)
    assert await User.find({"email": email}).count() == 1
    identity = await Identity.of_subject("github", str(world.github.user.id))
    assert identity is not None
    assert await ProviderToken.find({"identity_id": identity.id}).count() == 1


async def test_of_two_ways_at_once_one_makes_the_account_and_the_other_asks(
    world: World, oidc: OIDCServer, open_browser: OpenBrowser
) -> None:
    for _ in range(4):
        email = fresh_email()
        sub = await google_person(oidc, email)
        world.github.user = GitHubUser.make(fresh_id(), email)
        one, two = await open_browser(world), await open_browser(world)
        backs = await one.back_address("/auth/google", sub), await two.back_address("/auth/github")

        answers = await asyncio.gather(one.get(backs[0]), two.get(backs[1]))

        assert sorted(path_of(answer) for answer in answers) == ["/account", "/auth/link"]
        assert await User.find({"email": email}).count() == 1


async def test_a_link_confirmed_twice_at_once_is_one(
    world: World, oidc: OIDCServer, browser: Browser
) -> None:
    await browser.sign_in("google", await google_person(oidc, fresh_email()))
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await browser.sign_in("github")
    form = fields_in(await browser.get("/auth/link"), "/auth/link") | {"answer": "link"}

    answers = await asyncio.gather(*(browser.post("/auth/link", form) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [303, 410, 410, 410]
    assert await providers_of(browser) == ["google", "github"]
