"""Signing in from apps that are no browsers: a code, exchanged once."""

import asyncio
import base64
import hashlib
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx2
import pytest

from domain.core.clock import now
from domain.sign_in.flow_documents import SignInCode
from tests.client import Client
from tests.github_server import GitHubUser
from tests.graph.sign_in.browser import Browser, heading, path_of
from tests.graph.sign_in.conftest import APP, SPA, World
from tests.oidc_server import OIDCServer

VERIFIER = secrets.token_urlsafe(48)


def challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def app_query(**changes: str | None) -> str:
    params: dict[str, str | None] = {
        "client": "app", "code_challenge": challenge_of(VERIFIER), "return_to": APP,
        "state": "the app's own",
    }  # fmt: skip
    given = {name: value for name, value in (params | changes).items() if value is not None}
    return "?" + urlencode(given)


async def exchange(world: World, code: str, verifier: str = VERIFIER) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=world.url) as http:
        return await http.post("/auth/token", json={"code": code, "codeVerifier": verifier})


def code_in(response: httpx2.Response) -> str:
    assert response.status_code == 303, response.text
    return parse_qs(urlsplit(response.headers["location"]).query)["code"][0]


async def test_an_app_gets_tokens_for_its_code(world: World, browser: Browser) -> None:
    email = f"{uuid4().hex}@example.com"
    world.github.user = GitHubUser.make(uuid4().int % 2**52, email)

    response = await browser.sign_in("github", query=app_query())

    location = urlsplit(response.headers["location"])
    assert (location.scheme, location.path) == ("com.example.app", "/signed-in")
    given = parse_qs(location.query)
    assert (given["from"], given["state"]) == (["careergraph"], ["the app's own"])
    assert browser.cookie_names() <= {"careergraph-sign-in"}, "the browser is not signed in"
    answer = await exchange(world, given["code"][0])
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    client = Client(world.url, tokens["accessToken"])
    assert (await client.data("{ viewer { email } }"))["viewer"]["email"] == email
    async with httpx2.AsyncClient(base_url=world.url) as http:
        renewed = await http.post("/auth/refresh", json={"refreshToken": tokens["refreshToken"]})
    assert renewed.json().keys() == tokens.keys()


async def test_a_code_is_good_once(world: World, browser: Browser) -> None:
    code = code_in(await browser.sign_in("github", query=app_query()))

    answers = await asyncio.gather(*(exchange(world, code) for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]


async def test_a_wrong_verifier_spends_the_code(world: World, browser: Browser) -> None:
    for wrong in (secrets.token_urlsafe(48), "", challenge_of(VERIFIER), "ü" * 50):
        code = code_in(await browser.sign_in("github", query=app_query()))
        refused = await exchange(world, code, wrong)
        assert (refused.status_code, refused.json()["code"]) == (400, "SIGN_IN_CODE_REFUSED")
        assert (await exchange(world, code)).status_code == 400


async def test_a_code_is_good_for_a_minute_and_kept_as_a_hash(
    world: World, browser: Browser
) -> None:
    code = code_in(await browser.sign_in("github", query=app_query()))
    [kept] = await SignInCode.find_all().sort("-_id").limit(1).to_list()
    assert code not in kept.model_dump_json()
    assert kept.expires_at - now() <= timedelta(seconds=60)
    await kept.set({"expires_at": now()})

    assert (await exchange(world, code)).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None},
        {"code_challenge": "short"},
        {"code_challenge": "x" * 44},
        {"code_challenge": "=" * 43},
        {"client": "web"},
        {"client": ""},
        {"state": "x" * 513},
    ],
)
async def test_an_app_leaves_nothing_out(browser: Browser, changes: dict[str, Any]) -> None:
    response = await browser.get("/auth/github" + app_query(**changes))

    assert response.status_code == 400
    assert heading(response) == "This link is not complete"


@pytest.mark.parametrize("return_to", [None, "/account", "com.evil:/signed-in", f"{SPA}?x"])
async def test_a_code_goes_to_a_known_app_only(browser: Browser, return_to: str | None) -> None:
    response = await browser.get("/auth/github" + app_query(return_to=return_to))

    assert response.status_code == 400
    assert heading(response) == "This sign-in would end somewhere unknown"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"", "application/json"),
        (b"null", "application/json"),
        (b"[" * 4000, "application/json"),
        (b'{"code": 1, "codeVerifier": "x"}', "application/json"),
        (b'{"code": "x"}', "application/json"),
        (b"\xff", "application/json"),
        (b"{" + b" " * 5000, "application/json"),
        (b'{"code": "x", "codeVerifier": "x"}', "text/plain"),
    ],
)
async def test_a_body_of_another_shape_is_refused(
    world: World, content: bytes, media_type: str
) -> None:
    async with httpx2.AsyncClient(base_url=world.url) as http:
        answer = await http.post(
            "/auth/token", content=content, headers={"Content-Type": media_type}
        )

    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


async def test_an_app_signs_in_whoever_is_signed_in_in_the_browser(
    world: World, oidc: OIDCServer, browser: Browser
) -> None:
    await oidc.set_user("app-owner", email="app-owner@example.com", email_verified=True)
    await browser.sign_in("google", "app-owner")
    world.github.user = GitHubUser.make(uuid4().int % 2**52, None)

    answer = await exchange(world, code_in(await browser.sign_in("github", query=app_query())))

    client = Client(world.url, answer.json()["accessToken"])
    in_app = (await client.data("{ viewer { id } }"))["viewer"]["id"]
    in_browser = await browser.viewer()
    assert in_browser is not None
    assert in_app != in_browser["id"]


async def test_an_app_goes_on_after_linking(
    world: World, oidc: OIDCServer, browser: Browser
) -> None:
    email = f"{uuid4().hex}@example.com"
    await oidc.set_user("app-link", email=email, email_verified=True)
    await browser.sign_in("google", "app-link")
    world.github.user = GitHubUser.make(uuid4().int % 2**52, email)

    assert path_of(await browser.sign_in("github", query=app_query())) == "/auth/link"
    page = await browser.get("/auth/link")
    assert "form-action 'self' com.example.app:;" in page.headers["content-security-policy"]
    linked = await browser.submit("/auth/link", "/auth/link", answer="link")

    answer = await exchange(world, code_in(linked))
    client = Client(world.url, answer.json()["accessToken"])
    assert (await client.data("{ viewer { email } }"))["viewer"]["email"] == email
