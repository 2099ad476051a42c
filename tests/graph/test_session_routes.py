"""Keeping and ending sessions by plain HTTP, and the published keys."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from domain.auth.session_documents import Session, Tokens
from domain.core.clock import now
from domain.core.deps import Deps
from tests.client import Client
from tests.graph.browser import Browser, browser_of, set_cookies, signed_in

REFRESH, SIGN_OUT = "/auth/refresh", "/auth/sign-out"
VIEWER = "{ viewer { name } }"
JSON = {"Content-Type": "application/json"}


async def post(deps: Deps, path: str, body: Any = None, **more: Any) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=deps.settings.public_url) as http:
        if body is not None:
            more["json"] = body
        return await http.post(path, **more)


async def refresh(deps: Deps, token: str | None) -> httpx2.Response:
    return await post(deps, REFRESH, {"refreshToken": token})


def problem(answer: httpx2.Response, status: int, code: str) -> str:
    """The message of a refusal, which must be of this kind."""
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert answer.headers["cache-control"] == "no-store"
    assert set(body) == {"code", "message"}
    message: str = body["message"]
    return message


def instant(text: str) -> datetime:
    assert text.endswith("Z")
    return datetime.fromisoformat(text).astimezone(UTC)


async def is_live(tokens: Tokens) -> bool:
    return await Session.is_live(tokens.session_id)


async def test_a_refresh_token_in_json_gives_new_tokens_in_json(deps: Deps) -> None:
    _, tokens = await browser_of(deps)

    answer = await refresh(deps, tokens.refresh_token)

    body = answer.json()
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert set_cookies(answer) == []
    assert set(body) == {
        "accessToken", "accessTokenExpiresAt", "refreshToken", "refreshTokenExpiresAt",
    }  # fmt: skip
    assert body["refreshToken"] != tokens.refresh_token
    left = instant(body["accessTokenExpiresAt"]) - now()
    assert timedelta(seconds=890) < left <= timedelta(seconds=900)
    assert instant(body["refreshTokenExpiresAt"]) - now() > timedelta(days=29)
    client = Client(deps.settings.public_url, body["accessToken"])
    assert await client.data(VIEWER) == {"viewer": {"name": "Somebody"}}
    assert (await refresh(deps, body["refreshToken"])).status_code == 200


async def test_a_refresh_cookie_gives_new_cookies_and_no_body(deps: Deps) -> None:
    browser, tokens = await browser_of(deps, "Dana")
    del browser.cookies["careergraph"]  # its access token has expired

    answer = await browser.post(REFRESH)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cache-control"] == "no-store"
    access, refresh_ = set_cookies(answer)
    assert (access.key, access["path"]) == ("careergraph", "/")
    assert (refresh_.key, refresh_["path"]) == ("careergraph-refresh", "/")
    assert access["httponly"]
    assert refresh_["httponly"]
    assert refresh_.value != tokens.refresh_token
    assert await browser.viewer() == "Dana"


async def test_tabs_that_refresh_all_at_once_stay_signed_in(deps: Deps) -> None:
    browser, tokens = await browser_of(deps, "Dana")
    tabs = [Browser(browser.base_url, browser.origin, dict(browser.cookies)) for _ in range(20)]

    answers = await asyncio.gather(*(tab.post(REFRESH) for tab in tabs))

    assert {answer.status_code for answer in answers} == {204}
    assert len({tab.cookies["careergraph-refresh"] for tab in tabs}) == 1
    assert {await tab.viewer() for tab in tabs[:3]} == {"Dana"}
    assert await is_live(tokens)
    assert (await tabs[-1].post(REFRESH)).status_code == 204


async def test_a_refused_token_says_to_sign_in_again(deps: Deps) -> None:
    _, tokens = await browser_of(deps)
    second = (await refresh(deps, tokens.refresh_token)).json()["refreshToken"]
    await refresh(deps, second)

    reused = await refresh(deps, tokens.refresh_token)
    ended = await refresh(deps, second)
    garbage = [await refresh(deps, text) for text in ("x", "", "cgr_" + "0" * 200)]
    half = b'{"refreshToken": "\\ud800"}'  # of a surrogate pair: JSON can hold it, UTF-8 cannot
    garbage.append(await post(deps, REFRESH, content=half, headers=JSON))

    assert "used before" in problem(reused, 401, "UNAUTHENTICATED")
    assert "was ended" in problem(ended, 401, "UNAUTHENTICATED")
    for answer in [reused, ended, *garbage]:
        assert "Sign in again" in problem(answer, 401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert set_cookies(answer) == []


async def test_a_refused_cookie_is_cleared(deps: Deps) -> None:
    browser, tokens = await browser_of(deps)
    await Session.revoke(tokens.session_id, tokens.user_id)

    answer = await browser.post(REFRESH)

    assert "Sign in again" in problem(answer, 401, "UNAUTHENTICATED")
    assert browser.cookies == {}


@pytest.mark.parametrize("path", [REFRESH, SIGN_OUT])
@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 3000, "application/json", 400),
        (b"null", "application/json", 400),
        (b"7", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"cgr_"', "application/json", 400),
        (b'{"refreshToken": 7}', "application/json", 400),
        (b'{"refreshToken": ["x"]}', "application/json", 400),
        (b"9" * 4000, "application/json", 400),
        (b"{}", "application/json", 400),
        (b'{"refreshToken": null}', "application/json", 400),
        (b"", "application/json", 400),
        (b"", None, 400),
        (b'{"refreshToken": "x"}', "text/plain", 415),
        (b"refreshToken=x", "application/x-www-form-urlencoded", 415),
        (b'{"refreshToken": "x"}', None, 415),
        (b" " * 4097, "application/json", 413),
    ],
)
async def test_bodies_that_are_no_good_are_told_what_to_send(
    deps: Deps, path: str, body: bytes, media_type: str | None, status: int
) -> None:
    headers = {"Content-Type": media_type} if media_type else {}

    answer = await post(deps, path, content=body, headers=headers)

    codes = {400: "BAD_REQUEST", 413: "PAYLOAD_TOO_LARGE", 415: "UNSUPPORTED_MEDIA_TYPE"}
    message = problem(answer, status, codes[status])
    assert '{"refreshToken": "…"}' in message


async def test_a_body_of_unknown_length_is_bounded_too(deps: Deps) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b" " * 100

    answer = await post(deps, REFRESH, content=chunks())

    assert "4,096 bytes" in problem(answer, 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("path", [REFRESH, SIGN_OUT])
@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Origin": "{origin}"}, {"GraphQL-Require-Preflight": "1"},
        {"GraphQL-Require-Preflight": "1", "Origin": "https://evil.example"},
        {"GraphQL-Require-Preflight": "1", "Origin": "null"},
        {"GraphQL-Require-Preflight": "", "Origin": "{origin}"},
    ],
)  # fmt: skip
async def test_cookies_of_a_cross_site_request_do_nothing(
    deps: Deps, path: str, headers: dict[str, str]
) -> None:
    browser, tokens = await browser_of(deps)
    sent = {name: value.format(origin=browser.origin) for name, value in headers.items()}
    before = dict(browser.cookies)

    answer = await browser.post(path, sent)

    message = problem(answer, 403, "CSRF_REFUSED")
    assert "GraphQL-Require-Preflight" in message or browser.origin in message
    assert browser.cookies == before
    assert await is_live(tokens)
    session = await Session.get(tokens.session_id)
    assert session is not None
    assert session.rotated_at is None


async def test_signing_out_by_json_by_header_and_by_cookie(deps: Deps) -> None:
    by_json, by_header = await signed_in(deps), await signed_in(deps)
    browser, by_cookie = await browser_of(deps)
    bearer = {"Authorization": f"Bearer {by_header.access_token}"}

    answers = [
        await post(deps, SIGN_OUT, {"refreshToken": by_json.refresh_token}),
        await post(deps, SIGN_OUT, headers=bearer),
        await browser.post(SIGN_OUT),
    ]

    for answer, tokens in zip(answers, (by_json, by_header, by_cookie), strict=True):
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["cache-control"] == "no-store"
        assert not await is_live(tokens)
    assert browser.cookies == {}
    refused = await Client(deps.settings.public_url, by_header.access_token).post(
        "mutation { signOut { session { id } } }"
    )
    assert "session was ended" in refused["errors"][0]["message"]


@pytest.mark.parametrize("kept", ["careergraph", "careergraph-refresh"])
async def test_either_cookie_is_enough_to_sign_out(deps: Deps, kept: str) -> None:
    browser, tokens = await browser_of(deps)
    browser.cookies = {kept: browser.cookies[kept]}

    assert (await browser.post(SIGN_OUT)).status_code == 204

    assert not await is_live(tokens)


async def test_signing_out_of_what_is_over_is_no_error(deps: Deps) -> None:
    browser, tokens = await browser_of(deps)
    spare = dict(browser.cookies)
    await browser.post(SIGN_OUT)
    browser.cookies = spare

    again = await browser.post(SIGN_OUT)
    none = await browser.post(SIGN_OUT)  # its cookies have gone by now
    by_json = await post(deps, SIGN_OUT, {"refreshToken": tokens.refresh_token})

    assert [again.status_code, none.status_code, by_json.status_code] == [204] * 3


async def test_a_bad_header_cannot_sign_out(deps: Deps) -> None:
    answer = await post(deps, SIGN_OUT, headers={"Authorization": "Bearer x.y.z"})

    assert "careergraph token" in problem(answer, 401, "UNAUTHENTICATED")


async def test_other_methods_are_refused(deps: Deps) -> None:
    async with httpx2.AsyncClient(base_url=deps.settings.public_url) as http:
        answers = [await http.get(REFRESH), await http.get(SIGN_OUT), await http.put(REFRESH)]

    assert {answer.status_code for answer in answers} == {405}


async def test_anybody_can_verify_our_tokens_by_the_published_keys(deps: Deps) -> None:
    tokens = await signed_in(deps)
    async with httpx2.AsyncClient(base_url=deps.settings.public_url) as http:
        answer = await http.get("/.well-known/jwks.json")

    body = answer.json()
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert all("d" not in key for key in body["keys"])
    keys = KeySet.import_key_set(body)
    claims = jwt.decode(tokens.access_token, keys, ["EdDSA"]).claims
    assert claims["sub"] == str(tokens.user_id)
    assert claims["sid"] == str(tokens.session_id)
    assert {"exp", "iat", "iss", "aud", "jti"} <= set(claims)


async def test_one_address_cannot_ask_without_end(deps: Deps) -> None:
    refused: list[httpx2.Response] = []
    try:
        for _ in range(20):  # tokens come back meanwhile: slow machines need more than 100 calls
            answers = await asyncio.gather(*(refresh(deps, "garbage") for _ in range(50)))
            refused = [answer for answer in answers if answer.status_code == 429]
            if refused:
                break
    finally:
        await deps.redis.delete("careergraph:limit:auth:127.0.0.1")

    assert "Too many calls" in problem(refused[0], 429, "RATE_LIMIT_EXCEEDED")
    assert int(refused[0].headers["retry-after"]) >= 1
