"""GraphiQL and the other pages in a real browser, against the real server."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.async_api import Browser, Dialog
from starlette.applications import Starlette

from domain.core.settings import load_settings
from graph.pages import WEB, page_routes
from tests.client import Client
from tests.conftest import SignIn, free_port
from tests.graph.graphiql_window import (
    EDITOR,
    TAKES_OVER_MS,
    Window,
    chromium,
    fresh_window,
)


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def window(browser: Browser) -> AsyncIterator[Window]:
    async with fresh_window(browser) as window:
        yield window


@pytest.fixture
async def bare_server(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a server whose GraphiQL files were never fetched."""
    web = tmp_path / "web"
    shutil.copytree(WEB, web, ignore=shutil.ignore_patterns("node_modules"))
    port = free_port()
    app = Starlette(routes=page_routes(web, load_settings()))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, ws="none"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done(), "the web server ended at start"
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@pytest.mark.usefixtures("worker")
async def test_an_analysis_is_made_and_followed_through_the_example_tabs(
    window: Window, client: Client
) -> None:
    page = window.page
    await window.sign_in(client)
    assert "Somebody" in await page.inner_text("#session")
    assert page.url == f"{client.base_url}/graphiql"
    mine = await window.run('"viewer"')
    assert mine["viewer"]["cvs"]["nodes"] == []

    await window.show("CreateCV")
    made = (await window.run('"createCV"'))["createCV"]
    assert made["errors"] == []

    await window.show("SubmitGapAnalysis")
    submitted = await window.run('"submitGapAnalysis"', cvId=made["cv"]["id"])
    analysis = submitted["submitGapAnalysis"]["gapAnalysis"]
    assert analysis["status"] == "PENDING"

    await window.show("FollowGapAnalysis")
    last = await window.run('"COMPLETED"', id=analysis["id"])
    await page.wait_for_selector("#live[data-state=completed]")
    done = last["gapAnalysisStatus"]["gapAnalysis"]
    assert 1 <= len(done["questions"]) <= 5
    assert done["result"]["metadata"]["questionsGenerated"] == len(done["questions"])
    assert done["result"]["metadata"]["engine"] == "RULES"
    assert int(await page.get_attribute("#live", "data-events") or 0) >= 1

    await window.show("AnswerGapQuestions")
    answers = [{"questionId": done["questions"][0]["id"], "text": "Two years."}]
    saved = await window.run(
        '"answerGapQuestions"', input={"gapAnalysisId": analysis["id"], "answers": answers}
    )
    questions = saved["answerGapQuestions"]["gapAnalysis"]["questions"]
    assert [q["answer"] and q["answer"]["text"] for q in questions].count("Two years.") == 1

    assert window.complaints == []
    assert window.hosts() == {urlsplit(client.base_url).netloc}
    assert any(address.startswith("ws://") for address in window.addresses)
    assert not any(
        str(client.token) in address for address in window.addresses if "#" not in address
    )


async def test_signing_out_forgets_the_token(window: Window, client: Client) -> None:
    await window.sign_in(client)
    await window.page.click("#sign-out")
    await window.page.wait_for_selector("#session[data-state=signed-out]")

    assert (await window.run('"viewer"'))["viewer"] is None
    await window.page.reload()
    await window.page.wait_for_selector(EDITOR)
    assert await window.page.get_attribute("#session", "data-state") == "signed-out"
    assert window.complaints == []


async def test_a_token_of_another_server_is_refused_in_words(
    window: Window, nobody: Client
) -> None:
    await window.page.goto(f"{nobody.base_url}/graphiql#token=of.another.server")
    await window.page.wait_for_selector("#session[data-state=refused]")
    assert "Token refused" in await window.page.inner_text("#session")


@pytest.mark.parametrize("is_taken", [False, True])
async def test_a_links_token_takes_anothers_place_only_when_told_so(
    window: Window, sign_in: SignIn, is_taken: bool
) -> None:
    """Otherwise a stranger's link would bring a person's CV into the stranger's account."""
    first, second = await sign_in(), await sign_in()
    await window.sign_in(first)
    asked = []

    async def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await (dialog.accept() if is_taken else dialog.dismiss())

    window.page.on("dialog", answer)
    await window.page.evaluate("hash => { location.hash = hash }", f"token={second.token}")
    await window.page.wait_for_timeout(TAKES_OVER_MS)
    kept = await window.page.evaluate("() => sessionStorage.getItem('careergraph.token')")

    assert len(asked) == 1
    assert kept == (second.token if is_taken else first.token)
    assert "token=" not in window.page.url


async def test_landing_page_leads_to_graphiql(window: Window, nobody: Client) -> None:
    page = window.page
    await page.goto(nobody.base_url)
    assert await page.inner_text("h1") == "Which jobs fit you, and what is missing for each"
    assert f"curl {nobody.base_url}/graphql" in await page.inner_text("main")
    await page.click("text=Open GraphiQL")
    await page.wait_for_selector(EDITOR)

    assert await page.inner_text("#session") == "Signed out"
    assert window.complaints == []
    assert window.hosts() == {urlsplit(nobody.base_url).netloc}


async def test_without_npm_files_the_page_says_what_to_do(window: Window, bare_server: str) -> None:
    response = await window.page.goto(f"{bare_server}/graphiql")
    assert response is not None
    assert response.status == 503
    assert "make graphiql" in await window.page.inner_text("main")
    width = await window.page.evaluate("document.querySelector('main').offsetWidth")
    assert width == 46 * 16, "the style sheet is not applied"
    assert window.hosts() == {urlsplit(bare_server).netloc}
    # The browser itself writes a line for the page's status; there is no other.
    assert [text for text in window.complaints if "503" not in text] == []
