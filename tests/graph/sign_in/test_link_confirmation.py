"""The yes to linking: to what was shown, by whom it was shown to."""

from uuid import UUID

from domain.auth.session_documents import Session
from domain.profile.documents import User
from graph import ids
from graph.forms import form_token
from tests.github_server import GitHubUser
from tests.graph.sign_in.browser import Browser, fields_in, heading, path_of
from tests.graph.sign_in.conftest import OpenBrowser, World
from tests.graph.sign_in.test_linking import (
    fresh_email,
    fresh_id,
    google_person,
    providers_of,
)
from tests.oidc_server import OIDCServer

PATH = "/auth/link"


async def test_a_yes_links_what_was_shown_and_nothing_else(
    world: World, oidc: OIDCServer, browser: Browser
) -> None:
    await browser.sign_in("google", await google_person(oidc, fresh_email()))
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await browser.sign_in("github")
    yes = {"answer": "link"}
    first = fields_in(await browser.get(PATH), PATH) | yes
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await browser.sign_in("github")  # in another tab
    second = fields_in(await browser.get(PATH), PATH) | yes

    old = await browser.post(PATH, first)
    forged = [
        await browser.post(PATH, first | {"about": second["about"]}),
        await browser.post(PATH, first | {"about": "x"}),
        await browser.post(PATH, {name: first[name] for name in ("form_token", "answer")}),
    ]

    assert (old.status_code, heading(old)) == (409, "This page is about another sign-in")
    for refused in forged:
        assert (refused.status_code, heading(refused)) == (403, "This form is too old")
    assert await providers_of(browser) == ["google"]
    assert path_of(await browser.post(PATH, second)) == "/account"
    assert await providers_of(browser) == ["google", "github"]


async def test_a_sign_out_ends_what_waits_to_be_linked(
    world: World, oidc: OIDCServer, browser: Browser
) -> None:
    await browser.sign_in("google", await google_person(oidc, fresh_email()))
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await browser.sign_in("github")
    assert "careergraph-sign-in" in browser.cookie_names()

    await browser.submit("/account", "/account/sign-out-everywhere")

    assert browser.cookie_names() == set()
    assert (await browser.get(PATH)).status_code == 410


async def test_only_who_began_a_link_confirms_it(
    world: World, oidc: OIDCServer, browser: Browser, open_browser: OpenBrowser
) -> None:
    """Though the browser is the same, and its cookie of the sign-in was kept."""
    first, second = [await google_person(oidc, fresh_email()) for _ in range(2)]
    await browser.sign_in("google", first)
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await browser.sign_in("github")
    shown = fields_in(await browser.get(PATH), PATH) | {"answer": "link"}
    for name in ("careergraph", "careergraph-refresh"):
        browser.drop_cookie(name)
    assert path_of(await browser.get(PATH)) == "/auth/resume"
    await browser.sign_in("google", second)

    page = await browser.get(PATH)
    posted = await browser.post(PATH, shown)
    token = await token_about(world, browser, UUID(shown["about"]))
    as_if_shown = await browser.post(PATH, shown | {"form_token": token})

    assert (page.status_code, heading(page)) == (410, "Nothing waits to be linked")
    assert (posted.status_code, heading(posted)) == (403, "This form is too old")
    assert (as_if_shown.status_code, heading(as_if_shown)) == (410, "Nothing waits to be linked")
    assert await providers_of(browser) == ["google"]


async def test_only_the_owner_of_the_address_confirms_a_link(
    world: World, oidc: OIDCServer, browser: Browser
) -> None:
    """Nor whoever has an address of the other's by then."""
    email = fresh_email()
    await browser.sign_in("google", await google_person(oidc, email))
    world.github.user = GitHubUser.make(fresh_id(), email)
    for name in ("careergraph", "careergraph-refresh"):
        browser.drop_cookie(name)
    assert path_of(await browser.sign_in("github")) == "/auth/link"
    await User.find_one({"email": email}).update({"$set": {"email": fresh_email()}})
    await browser.sign_in("google", await google_person(oidc, fresh_email()))

    page = await browser.get(PATH)

    assert (page.status_code, heading(page)) == (410, "Nothing waits to be linked")


async def token_about(world: World, browser: Browser, about: UUID) -> str:
    """What a page shown to this session about that link would hold."""
    viewer = await browser.viewer()
    assert viewer is not None
    user_id = ids.decode_as("User", viewer["id"])
    assert user_id is not None
    [session] = await Session.live_of_user(user_id)
    return form_token(world.deps, session.id, about)
