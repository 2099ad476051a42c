"""GraphiQL in a real browser, for tests that drive it."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from cli.graphiql_files import FOLDER, is_current
from tests.client import Client

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

    def count(self, part: str) -> int:
        """How many requests went to an address with this in it."""
        return sum(part in address for address in self.addresses)

    async def run(self, awaited: str, *, is_running: bool = False, **variables: Any) -> Any:
        """Run the tab in front, unless it is; its data once that has `awaited`."""
        if variables:
            text = json.dumps(variables)
            await self.page.evaluate(f"text => {_editor(VARIABLES)}.setValue(text)", text)
            await self.page.wait_for_timeout(TAKES_OVER_MS)
        if not is_running:
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


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's, and GraphiQL's files where the server looks for them."""
    assert is_current(FOLDER), "GraphiQL's files are missing; run `make graphiql`"
    path = shutil.which("chromium")
    assert path, "chromium is not installed; on Debian: apt install chromium"
    async with async_playwright() as playwright:
        launching = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        async with await launching as browser:
            yield browser


@asynccontextmanager
async def fresh_window(browser: Browser) -> AsyncIterator[Window]:
    """A window without anything an earlier one kept."""
    async with await browser.new_context(viewport={"width": 1400, "height": 900}) as context:
        context.set_default_timeout(WAIT_SECONDS * 1000)
        yield await Window.open(await context.new_page())
