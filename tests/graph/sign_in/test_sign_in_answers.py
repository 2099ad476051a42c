"""What every page of a sign-in does, whatever becomes of it."""

import base64
import json

import httpx2
from itsdangerous import TimestampSigner
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from domain.sign_in.consent_texts import current_version
from domain.sign_in.documents import Consent
from domain.sign_in.rules import ConsentKind
from graph.app import create_app
from graph.rate_limit import network_of
from graph.sign_in_answers import PER_ADDRESS, answering, present
from tests.graph.sign_in.browser import Browser, heading
from tests.graph.sign_in.conftest import World
from tests.graph.sign_in.refusal import assert_told
from tests.graph.sign_in.test_account_page import github_person
from tests.served import served

REPOSITORIES = "/auth/github/repositories"


async def test_a_failure_of_ours_keeps_the_person_signed_in(world: World, browser: Browser) -> None:
    """The refresh token was renewed before it: the new one must reach the browser."""
    await github_person(world, browser)
    browser.drop_cookie("careergraph")
    old = browser.http.cookies["careergraph-refresh"]

    async def broken(request: Request) -> Response:
        assert await present(request)
        raise ZeroDivisionError("of ours")

    app = Starlette(routes=[Route("/auth/broken", answering(broken))])
    app.state.deps = world.deps
    async with served(app) as url:
        with capture_logs() as logs:
            page = await browser.get(f"{url}/auth/broken")

    assert (page.status_code, heading(page)) == (500, "Something went wrong on our side")
    assert "ZeroDivisionError" not in page.text
    assert browser.http.cookies["careergraph-refresh"] != old
    assert await browser.viewer() is not None
    [logged] = [entry for entry in logs if entry["event"] == "a sign-in page broke"]
    assert (logged["log_level"], logged["exc_info"]) == ("error", True)


async def test_a_text_that_changes_on_the_way_is_agreed_to_anew(
    world: World, browser: Browser
) -> None:
    user_id = await github_person(world, browser)
    version = current_version(ConsentKind.GITHUB_REPOSITORIES)
    answer = await browser.submit(REPOSITORIES, REPOSITORIES, text_version=version)
    back = await browser.consent(answer)
    set_flow_version(world, browser, "2020-01-01")

    refused = await browser.get(back)

    assert_told(refused, 409, "The text has changed")
    assert await Consent.in_force(user_id, ConsentKind.GITHUB_REPOSITORIES) is None


def set_flow_version(world: World, browser: Browser, version: str) -> None:
    """The browser's flow, as a server of before the change would have begun it."""
    signer = TimestampSigner(world.deps.secrets.derived("sign-in-cookie").hex())
    kept = signer.unsign(browser.http.cookies["careergraph-sign-in"])
    data = json.loads(base64.b64decode(kept))
    data["flow_github"]["flow"]["text_version"] = version
    signed = signer.sign(base64.b64encode(json.dumps(data).encode())).decode()
    browser.drop_cookie("careergraph-sign-in")
    browser.http.cookies.set("careergraph-sign-in", signed, "127.0.0.1", "/")


async def test_neighbours_in_a_network_share_its_limits(world: World) -> None:
    """An IPv6 customer has 2^64 addresses."""
    app = create_app(world.deps.settings)
    app.state.deps = world.deps
    network = network_of("2001:db8:77::1")
    for path, bucket in (
        ("/auth/github", PER_ADDRESS.name), ("/auth/token", PER_ADDRESS.name),
        ("/auth/refresh", "auth"),
    ):  # fmt: skip
        key = f"careergraph:limit:{bucket}:{network}"
        await world.deps.redis.delete(key)
        for host in ("2001:db8:77::1", "2001:db8:77::2"):
            transport = httpx2.ASGITransport(app, client=(host, 1))
            async with httpx2.AsyncClient(transport=transport, base_url=world.url) as http:
                method = "GET" if path == "/auth/github" else "POST"
                await http.request(method, path)
            assert not await world.deps.redis.exists(f"careergraph:limit:{bucket}:{host}")
        assert await world.deps.redis.exists(key), path
        await world.deps.redis.delete(key)
