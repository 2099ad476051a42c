"""GraphiQL in a browser that is signed in by cookies, and whose access tokens end after seconds."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Browser

from domain.auth.caller import UNKNOWN
from domain.auth.session_documents import SignInMethod
from domain.auth.sessions import open_session
from domain.core.deps import Deps
from domain.profile.documents import User
from graph.cookies import session_cookies
from tests.client import Client
from tests.graph.analyses import CANCEL, id_of, put_analysis
from tests.graph.graphiql_window import EDITOR, Window, chromium, fresh_window
from tests.graph.web_process import WebProcess
from tests.jobs.pieces import quick
from tests.tokens import access_token

TOKEN_SECONDS = 3


@dataclass(frozen=True)
class Signed:
    """Where a browser is signed in, and the same person elsewhere."""

    address: str
    elsewhere: Client


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def window(browser: Browser) -> AsyncIterator[Window]:
    async with fresh_window(browser) as window:
        yield window


@pytest.fixture
async def signed_in(deps: Deps, window: Window) -> AsyncIterator[Signed]:
    """A browser that is signed in at a server whose access tokens end after seconds."""
    server = WebProcess(
        deps,
        CAREERGRAPH_ACCESS_TOKEN_SECONDS=str(TOKEN_SECONDS),
        CAREERGRAPH_GITHUB_CLIENT_ID="Iv1.8a61f9b3a7aba766",
        CAREERGRAPH_GITHUB_CLIENT_SECRET="not asked for here",
    )
    async with server.running():
        user = await User.ensure(f"{uuid4().hex}@example.com", "Somebody")
        short = quick(deps, access_token_seconds=TOKEN_SECONDS)
        tokens = await open_session(short, user.id, SignInMethod.GITHUB, UNKNOWN)
        await window.page.context.add_cookies(
            [cookie(value) for value in session_cookies(deps.settings, tokens)]
        )
        # Another session of theirs, for what happens elsewhere meanwhile.
        yield Signed(server.address, Client(server.address, await access_token(deps, user.id)))


def cookie(value: str) -> Any:
    """A Set-Cookie value as playwright takes it; without an end, which the token has itself."""
    name, morsel = next(iter(SimpleCookie(value).items()))
    where = {"domain": "127.0.0.1", "path": morsel["path"]}
    return {"name": name, "value": morsel.value, "httpOnly": True, "sameSite": "Lax", **where}


async def test_a_browsers_session_is_renewed_when_its_token_ends(
    deps: Deps, window: Window, signed_in: Signed
) -> None:
    page = window.page
    await page.goto(f"{signed_in.address}/graphiql")
    await page.wait_for_selector("#session[data-state=signed-in]")
    await page.wait_for_selector(EDITOR)
    assert "Somebody" in await page.inner_text("#session")
    assert (await window.run('"viewer"'))["viewer"]["name"] == "Somebody"

    analysis = id_of(await put_analysis(deps, signed_in.elsewhere, "PENDING"))
    await window.show("FollowGapAnalysis")
    await window.run('"PENDING"', id=analysis)
    await page.wait_for_timeout(2.5 * TOKEN_SECONDS * 1000)
    assert window.count("/auth/refresh") >= 2
    assert window.count("ws://") >= 3, "a socket ends with its token"
    await signed_in.elsewhere.data(CANCEL, input={"gapAnalysisId": analysis})
    await window.run('"FAILED"', is_running=True)
    await page.wait_for_selector("#live[data-state=completed]")

    await page.wait_for_timeout(1.5 * TOKEN_SECONDS * 1000)
    renewed = window.count("/auth/refresh")
    await window.show("MyCVs")
    assert (await window.run('"viewer"'))["viewer"]["name"] == "Somebody"
    assert window.count("/auth/refresh") == renewed + 1
    assert window.complaints == []


async def test_signing_out_ends_the_browsers_session(window: Window, signed_in: Signed) -> None:
    page = window.page
    await page.goto(f"{signed_in.address}/graphiql")
    await page.wait_for_selector("#session[data-state=signed-in]")
    await page.click("#sign-out")
    await page.wait_for_selector("#session[data-state=signed-out]")
    await page.wait_for_selector("#sign-in:not([hidden])")

    assert [kept["name"] for kept in await page.context.cookies()] == []
    await page.reload()
    await page.wait_for_selector(EDITOR)
    assert (await window.run('"viewer"'))["viewer"] is None
    # Chromium writes a line for each refused renewal; there is no other.
    assert [text for text in window.complaints if "400" not in text] == []
