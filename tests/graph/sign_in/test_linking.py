"""Two sign-ins, one account: only after its owner has said so."""

from datetime import timedelta
from uuid import uuid4

import pytest

from domain.auth.audit import AuditEvent
from domain.core.clock import now
from domain.profile.documents import User
from domain.sign_in.documents import Identity
from domain.sign_in.flow_documents import PendingLink
from graph import ids
from tests.github_server import GitHubUser
from tests.graph.sign_in.browser import Browser, fields_in, heading, path_of, token_in
from tests.graph.sign_in.conftest import OpenBrowser, World
from tests.oidc_server import OIDCServer


def fresh_email() -> str:
    return f"{uuid4().hex}@example.com"


def fresh_id() -> int:
    return uuid4().int % 2**52


async def google_person(oidc: OIDCServer, email: str, *, verified: bool = True) -> str:
    """A new person at Google; their subject."""
    sub = uuid4().hex
    await oidc.set_user(sub, email=email, email_verified=verified, name="Noa Bar")
    return sub


async def providers_of(browser: Browser) -> list[str]:
    found = await browser.graphql("{ viewer { identities { provider } } }")
    return [identity["provider"] for identity in found["viewer"]["identities"]]


async def test_an_address_alone_opens_no_account(
    world: World, oidc: OIDCServer, browser: Browser, open_browser: OpenBrowser
) -> None:
    email = fresh_email()
    sub = await google_person(oidc, email)
    await browser.sign_in("google", sub)
    owner = await browser.viewer()
    world.github.user = GitHubUser.make(fresh_id(), email.upper())
    stranger = await open_browser(world)

    response = await stranger.sign_in("github")

    assert path_of(response) == "/auth/link"
    page = await stranger.get("/auth/link")
    assert heading(page) == "You have an account already"
    assert email in page.text
    assert 'href="/auth/google?return_to=%2Fauth%2Flink"' in page.text
    assert "/auth/github" not in page.text, "that account is not entered through GitHub"
    assert "form_token" not in page.text
    assert await stranger.viewer() is None
    assert await Identity.of_subject("github", str(world.github.user.id)) is None
    assert await User.find({"email": email}).count() == 1

    # Nothing can be confirmed without signing in.
    refused = await stranger.post("/auth/link", {"form_token": "x", "answer": "link"})
    assert path_of(refused) == "/auth/resume"

    # The person signs in as before, and only then says yes.
    back = await stranger.back_address("/auth/google?return_to=%2Fauth%2Flink", sub)
    assert path_of(await stranger.get(back)) == "/auth/link"
    assert await Identity.of_subject("github", str(world.github.user.id)) is None
    page = await stranger.get("/auth/link")
    assert heading(page) == "Link GitHub to your account"
    linked = await stranger.submit("/auth/link", "/auth/link", answer="link")
    assert path_of(linked) == "/account"
    assert await providers_of(stranger) == ["google", "github"]

    third = await open_browser(world)
    assert path_of(await third.sign_in("github")) == "/account"
    assert await third.viewer() == owner


async def test_who_is_signed_in_is_asked_before_linking(
    world: World, oidc: OIDCServer, browser: Browser
) -> None:
    await browser.sign_in("google", await google_person(oidc, fresh_email()))
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())

    assert path_of(await browser.sign_in("github")) == "/auth/link"
    assert await providers_of(browser) == ["google"]
    page = await browser.get("/auth/link")
    assert "form-action 'self';" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "same-origin"
    await browser.submit("/auth/link", "/auth/link", answer="link")

    assert await providers_of(browser) == ["google", "github"]


async def test_who_says_no_links_nothing(world: World, oidc: OIDCServer, browser: Browser) -> None:
    await browser.sign_in("google", await google_person(oidc, fresh_email()))
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await browser.sign_in("github")

    answer = await browser.submit("/auth/link", "/auth/link", answer="cancel")

    assert path_of(answer) == "/account"
    assert await providers_of(browser) == ["google"]
    gone = await browser.get("/auth/link")
    assert (gone.status_code, heading(gone)) == (410, "Nothing waits to be linked")


async def test_a_link_is_confirmed_once_and_in_time(
    world: World, oidc: OIDCServer, browser: Browser
) -> None:
    await browser.sign_in("google", await google_person(oidc, fresh_email()))
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await browser.sign_in("github")
    page = await browser.get("/auth/link")
    past = {"$set": {"expires_at": now() - timedelta(seconds=1)}}
    await PendingLink.get_pymongo_collection().update_many({}, past)

    late = await browser.post("/auth/link", fields_in(page, "/auth/link") | {"answer": "link"})

    assert (late.status_code, heading(late)) == (410, "Nothing waits to be linked")
    assert await providers_of(browser) == ["google"]


async def test_a_form_of_elsewhere_links_nothing(
    world: World, oidc: OIDCServer, browser: Browser, open_browser: OpenBrowser
) -> None:
    await browser.sign_in("google", await google_person(oidc, fresh_email()))
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await browser.sign_in("github")
    fields = fields_in(await browser.get("/auth/link"), "/auth/link")
    token = fields["form_token"]
    other = await open_browser(world)
    await other.sign_in("google", await google_person(oidc, fresh_email()))
    others_token = token_in(await other.get("/account"))
    form = {"about": fields["about"], "answer": "link"}

    refusals = [
        await browser.post("/auth/link", form),
        await browser.post("/auth/link", form | {"form_token": others_token}),
        await browser.post("/auth/link", form | {"form_token": token[:-1]}),
        await browser.post("/auth/link", form | {"form_token": token}, "https://evil.example"),
        await browser.post("/auth/link", form | {"form_token": token}, "null"),
        await browser.http.post("/auth/link", data=form | {"form_token": token}),
        await browser.http.post(
            "/auth/link", json=form | {"form_token": token}, headers={"Origin": world.url}
        ),
        await browser.post("/auth/link", form | {"form_token": token, "more": "x" * 9000}),
        await browser.post("/auth/link", {str(n): "x" for n in range(30)} | {"form_token": token}),
    ]

    for refused in refusals:
        assert (refused.status_code, heading(refused)) == (403, "This form is too old")
    assert await providers_of(browser) == ["google"]


async def test_a_link_belongs_to_the_browser_it_began_in(
    world: World, oidc: OIDCServer, browser: Browser, open_browser: OpenBrowser
) -> None:
    sub = await google_person(oidc, fresh_email())
    await browser.sign_in("google", sub)
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await browser.sign_in("github")
    other = await open_browser(world)
    await other.sign_in("google", sub)

    page = await other.get("/auth/link")

    assert page.status_code == 410


async def test_nobody_takes_over_a_sign_in_of_another_account(
    world: World, oidc: OIDCServer, browser: Browser, open_browser: OpenBrowser
) -> None:
    world.github.user = GitHubUser.make(fresh_id(), fresh_email())
    await (await open_browser(world)).sign_in("github")
    await browser.sign_in("google", await google_person(oidc, fresh_email()))
    before = await browser.viewer()

    response = await browser.sign_in("github")

    assert response.status_code == 409
    assert heading(response) == "This sign-in belongs to another account"
    [event] = await AuditEvent.newest(1)
    assert before is not None
    assert event.user_id == ids.decode_as("User", before["id"])
    assert event.details == {"reason": "OF_ANOTHER_ACCOUNT", "provider": "github"}
    assert await browser.viewer() == before
    assert await providers_of(browser) == ["google"]


async def test_an_address_of_a_third_account_links_nothing(
    world: World, oidc: OIDCServer, browser: Browser, open_browser: OpenBrowser
) -> None:
    """Not for who is signed in, nor for who signs in to the wrong account on the way."""
    email = fresh_email()
    await (await open_browser(world)).sign_in("google", await google_person(oidc, email))
    sub = await google_person(oidc, fresh_email())
    await browser.sign_in("google", sub)
    world.github.user = GitHubUser.make(fresh_id(), email)

    refused = await browser.sign_in("github")
    assert (refused.status_code, heading(refused)) == (
        409, "Another account has this e-mail address",
    )  # fmt: skip

    stranger = await open_browser(world)
    await stranger.sign_in("github")
    await stranger.sign_in("google", sub)
    refused = await stranger.get("/auth/link")
    assert (refused.status_code, heading(refused)) == (
        409, "Another account has this e-mail address",
    )  # fmt: skip


@pytest.mark.parametrize("email", [None, "unverified"])
async def test_an_address_that_nobody_vouches_for_claims_nothing(
    world: World, oidc: OIDCServer, browser: Browser, open_browser: OpenBrowser, email: str | None
) -> None:
    taken = fresh_email()
    await browser.sign_in("google", await google_person(oidc, taken))
    owner = await browser.viewer()
    world.github.user = GitHubUser.make(fresh_id(), taken if email else None, verified=False)
    stranger = await open_browser(world)

    assert path_of(await stranger.sign_in("github")) == "/account"

    viewer = await stranger.viewer()
    assert viewer is not None
    assert viewer != owner
    assert viewer["email"] is None

    # And a signed-in person cannot link it.
    world.github.user = GitHubUser.make(fresh_id(), taken, verified=False)
    refused = await browser.sign_in("github")
    assert (refused.status_code, heading(refused)) == (409, "The e-mail address is not verified")
    assert await browser.viewer() == owner


async def test_google_too_must_vouch_for_an_address(
    world: World, oidc: OIDCServer, browser: Browser
) -> None:
    email = fresh_email()

    await browser.sign_in("google", await google_person(oidc, email, verified=False))

    viewer = await browser.viewer()
    assert viewer is not None
    assert viewer["email"] is None
    assert await User.of_email(email) is None


async def test_an_account_without_address_takes_one_that_is_verified_later(
    world: World, browser: Browser, open_browser: OpenBrowser
) -> None:
    email, id = fresh_email(), fresh_id()
    world.github.user = GitHubUser.make(id, email, verified=False)
    await browser.sign_in("github")
    world.github.user = GitHubUser.make(id, email)

    await browser.sign_in("github")

    viewer = await browser.viewer()
    assert viewer is not None
    assert viewer["email"] == email
