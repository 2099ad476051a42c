"""Takes the README's picture, docs/graphiql.png: `.venv/bin/python docs/screenshot.py`.

Starts CareerGraph on a free port and a temporary folder, holds the demo CV against the posting of
the example tab, follows the analysis to its end in GraphiQL, and photographs the page.
"""

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PICTURE = Path(__file__).with_name("graphiql.png")
WINDOW = {"width": 1400, "height": 900}
TAKES_OVER_MS = 400
# The share of the width that the query takes of that of the result, as GraphiQL keeps it.
SPLIT = "localStorage.setItem('graphiql:editorFlex', '0.74');"
SUBMIT, FOLLOW = "SubmitGapAnalysis", "FollowGapAnalysis"
RESULT = "document.querySelector('.result-window .CodeMirror').CodeMirror"
VARIABLES = "document.querySelector('.graphiql-editor-tool .CodeMirror').CodeMirror"


@contextmanager
def careergraph() -> Iterator[dict[str, str]]:
    """A running server with demo data: what `careergraph up --json` prints."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
        probe.close()
        command = [sys.executable, "-m", "cli.main", "up", "--json", "--port", port]
        with subprocess.Popen(  # noqa: S603  # our own command
            [*command, "--data", folder], stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                yield json.loads(next(iter(process.stdout or ())))
            finally:
                process.send_signal(signal.SIGINT)
                process.wait()


def show(page: Page, tab: str, **variables: str) -> None:
    """Bring an example tab to the front, fill in its variables, and run it."""
    page.click(f".graphiql-tab-button >> text={tab}")
    page.wait_for_timeout(TAKES_OVER_MS)
    page.evaluate(f"text => {VARIABLES}.setValue(text)", json.dumps(variables, indent=2))
    page.wait_for_timeout(TAKES_OVER_MS)
    page.click("button.graphiql-execute-button")


def photograph(page: Page, up: dict[str, str]) -> None:
    page.add_init_script(SPLIT)
    page.goto(up["graphiql"])
    page.wait_for_selector("#session[data-state=signed-in]")
    page.wait_for_selector(".graphiql-query-editor .CodeMirror")
    show(page, SUBMIT, cvId=up["cvId"])
    page.wait_for_selector(".result-window >> text=PENDING")
    analysis = json.loads(page.evaluate(f"{RESULT}.getValue()"))["data"]["submitGapAnalysis"]
    # From the first state on, so that every step is seen however fast the worker was.
    show(page, FOLLOW, id=analysis["gapAnalysis"]["id"], after="1")
    page.wait_for_selector("#live[data-state=completed]")
    page.mouse.move(700, 450)
    page.wait_for_timeout(TAKES_OVER_MS)
    page.screenshot(path=PICTURE)


def main() -> None:
    with careergraph() as up, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or sys.exit("Install chromium first.")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        photograph(browser.new_page(viewport=WINDOW, color_scheme="light"), up)  # type: ignore[arg-type]  # a ViewportSize
        browser.close()


if __name__ == "__main__":
    main()
