"""Signing in, linking and agreeing in a real browser, against real providers."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, Route
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route as HTTPRoute

from tests.github_server import GitHubUser
from tests.graph.graphiql_window import Window, chromium, fresh_window
from tests.graph.sign_in.conftest import World
from tests.oidc_server import OIDCServer
from tests.served import served


@pytest.fixture(scope="module")
async def chrome() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def window(chrome: Browser) -> AsyncIterator[Window]:
    async with fresh_window(chrome) as window:
        # The mock provider's own pages ask for a style sheet from elsewhere, which is not there.
        await window.page.route("https://cdn.jsdelivr.net/**", _nothing)
        yield window


async def _nothing(route: Route) -> None:
    await route.fulfill(body="", content_type="text/css")


async def agree_at_google(page: Page, subject: str) -> None:
    await page.fill("input[name=sub]", subject)
    await page.click("text=Authorize >> nth=-1")


def path(page: Page) -> str:
    return urlsplit(page.url).path


async def test_a_person_signs_in_links_agrees_and_signs_out(
    world: World, oidc: OIDCServer, window: Window
) -> None:
    page, email, subject = window.page, f"{uuid4().hex}@example.com", uuid4().hex
    await oidc.set_user(subject, email=email, email_verified=True, name="Noa Bar")
    world.github.user = GitHubUser.make(uuid4().int % 2**52, email)

    # In with Google.
    await page.goto(f"{world.url}/account")
    assert path(page) == "/sign-in"
    await page.click("text=Continue with Google")
    await agree_at_google(page, subject)
    await page.wait_for_url(f"{world.url}/account")
    assert await page.inner_text("h1") == "Your account"
    assert email in await page.inner_text("main")
    assert await page.evaluate("document.cookie") == "", "no script sees a session"

    # GitHub is linked once the person has said so.
    await page.click("text=Continue with GitHub")
    assert path(page) == "/auth/link"
    await page.click("button:has-text('Link GitHub')")
    await page.wait_for_url(f"{world.url}/account")
    assert await page.locator("button:has-text('Unlink')").count() == 2

    # Repositories are a consent of their own; the form's redirect to GitHub gets through.
    await page.click("text=Turn on")
    await page.click("text=Agree and go to GitHub")
    await page.wait_for_url(f"{world.url}/account")
    assert "Reading your GitHub repositories" in await page.inner_text("main")
    assert world.github.asked[-1]["scope"].endswith(" repo")
    await page.click("button:has-text('Withdraw')")
    await page.wait_for_url(f"{world.url}/account")
    assert len(world.github.revoked) == 1

    await page.click("text=Sign out everywhere")
    await page.wait_for_url(f"{world.url}/sign-in")
    await page.goto(f"{world.url}/account")
    assert path(page) == "/sign-in"

    assert window.complaints == []
    known = {urlsplit(address).netloc for address in (world.url, oidc.issuer)}
    known |= {urlsplit(world.deps.settings.github_url).netloc, "cdn.jsdelivr.net"}
    assert window.hosts() <= known


async def test_a_page_of_elsewhere_posts_nothing(
    world: World, oidc: OIDCServer, window: Window
) -> None:
    """A form of another site, with whatever token, in the browser of somebody who is signed in."""
    page, subject = window.page, uuid4().hex
    await oidc.set_user(subject, email=f"{subject}@example.com", email_verified=True)
    await page.goto(f"{world.url}/sign-in")
    await page.click("text=Continue with Google")
    await agree_at_google(page, subject)
    await page.wait_for_url(f"{world.url}/account")
    token = await page.input_value("input[name=form_token] >> nth=0")
    form = (
        f'<form method="post" action="{world.url}/account/sign-out-everywhere">'
        f'<input name="form_token" value="{token}"><button>Win a prize</button></form>'
    )
    evil = Starlette(routes=[HTTPRoute("/", lambda _request: HTMLResponse(form))])
    async with served(evil) as address:
        await page.goto(address.replace("127.0.0.1", "localhost"))  # another site than ours
        await page.click("text=Win a prize")
        await page.wait_for_url(f"{world.url}/**")

    # The form came without its cookie, so nothing was done, and the session goes on.
    await page.goto(f"{world.url}/account")
    assert path(page) == "/account"
    assert await page.inner_text("h1") == "Your account"
