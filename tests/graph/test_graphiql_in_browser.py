"""GraphiQL and the other pages in a real browser, against the real server."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright
from starlette.applications import Starlette

from cli.graphiql_files import FOLDER, is_current
from graph.pages import WEB, page_routes
from tests.client import Client
from tests.conftest import free_port

# The browser's own calls home are switched off, so that every request left is the page's.
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_SECONDS = 20
POLL_MS = 50
TAKES_OVER_MS = 400
"""GraphiQL takes over variables, and the name of a tab's operation, after a pause."""
EDITOR = ".graphiql-query-editor .CodeMirror"
VARIABLES = ".graphiql-editor-tool .CodeMirror"
RESULT = ".result-window .CodeMirror"
TELL_VIOLATIONS = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass
class Window:
    """A page of the browser, with all that it asked for and complained of."""

    page: Page
    addresses: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @classmethod
    async def open(cls, page: Page) -> "Window":
        window = cls(page)
        page.on("request", lambda request: window.addresses.append(request.url))
        page.on("websocket", lambda socket: window.addresses.append(socket.url))
        page.on("pageerror", lambda error: window.complaints.append(str(error)))
        page.on("console", window.hear)
        await page.add_init_script(TELL_VIOLATIONS)
        return window

    def hear(self, line: ConsoleMessage) -> None:
        if line.type == "error":
            self.complaints.append(line.text)

    def hosts(self) -> set[str]:
        """Where requests went; data URLs go nowhere."""
        parts = map(urlsplit, self.addresses)
        return {part.netloc for part in parts if part.scheme not in ("data", "blob")}

    async def sign_in(self, client: Client) -> None:
        await self.page.goto(f"{client.base_url}/graphiql#token={client.token}")
        await self.page.wait_for_selector("#session[data-state=signed-in]")
        await self.page.wait_for_selector(EDITOR)

    async def show(self, tab: str) -> None:
        """Bring one of the example tabs to the front."""
        await self.page.click(f".graphiql-tab-button >> text={tab}")
        await self._wait_for(EDITOR, tab)
        await self.page.wait_for_timeout(TAKES_OVER_MS)

    async def run(self, awaited: str, **variables: Any) -> Any:
        """Run the tab in front; its data once that has `awaited`."""
        if variables:
            text = json.dumps(variables)
            await self.page.evaluate(f"text => {_editor(VARIABLES)}.setValue(text)", text)
            await self.page.wait_for_timeout(TAKES_OVER_MS)
        await self.page.click("button.graphiql-execute-button")
        return json.loads(await self._wait_for(RESULT, awaited))["data"]

    async def _wait_for(self, selector: str, awaited: str) -> str:
        """What an editor holds, once that has `awaited`."""
        # Not playwright's wait_for_function: that evaluates strings in the page, which our
        # policy forbids and which would then be the violation that we look for.
        async with asyncio.timeout(WAIT_SECONDS):
            while awaited not in (text := await self.page.evaluate(_value(selector))):
                await self.page.wait_for_timeout(POLL_MS)
        return str(text)


def _editor(selector: str) -> str:
    return f"document.querySelector('{selector}').CodeMirror"


def _value(selector: str) -> str:
    return f"(document.querySelector('{selector}')?.CodeMirror.getValue() ?? '')"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "chromium is not installed; on Debian: apt install chromium"
    async with async_playwright() as playwright:
        launching = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        async with await launching as browser:
            yield browser


@pytest.fixture
async def window(browser: Browser) -> AsyncIterator[Window]:
    """A fresh window, without anything an earlier one kept."""
    async with await browser.new_context(viewport={"width": 1400, "height": 900}) as context:
        context.set_default_timeout(WAIT_SECONDS * 1000)
        yield await Window.open(await context.new_page())


@pytest.fixture
def graphiql_files() -> None:
    assert is_current(FOLDER), "GraphiQL's files are missing; run `make graphiql`"


@pytest.fixture
async def bare_server(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a server whose GraphiQL files were never fetched."""
    web = tmp_path / "web"
    shutil.copytree(WEB, web, ignore=shutil.ignore_patterns("node_modules"))
    port = free_port()
    app = Starlette(routes=page_routes(web))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, ws="none"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done(), "the web server ended at start"
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@pytest.mark.usefixtures("worker", "graphiql_files")
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


@pytest.mark.usefixtures("graphiql_files")
async def test_signing_out_forgets_the_token(window: Window, client: Client) -> None:
    await window.sign_in(client)
    await window.page.click("#sign-out")
    await window.page.wait_for_selector("#session[data-state=signed-out]")

    assert (await window.run('"viewer"'))["viewer"] is None
    await window.page.reload()
    await window.page.wait_for_selector(EDITOR)
    assert await window.page.get_attribute("#session", "data-state") == "signed-out"
    assert window.complaints == []


@pytest.mark.usefixtures("graphiql_files")
async def test_a_token_of_another_server_is_refused_in_words(
    window: Window, nobody: Client
) -> None:
    await window.page.goto(f"{nobody.base_url}/graphiql#token=of.another.server")
    await window.page.wait_for_selector("#session[data-state=refused]")
    assert "Token refused" in await window.page.inner_text("#session")


@pytest.mark.usefixtures("graphiql_files")
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
