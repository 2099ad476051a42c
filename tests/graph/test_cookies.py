"""Sessions in cookies: how they are set, and that only our own pages can use them."""

import json
from datetime import timedelta
from uuid import uuid4

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from domain.auth.session_documents import Tokens
from domain.core.clock import now
from domain.core.deps import Deps
from domain.profile.documents import User
from graph.cookies import cleared_cookies, session_cookies
from tests.client import Client
from tests.conftest import SignIn
from tests.graph.browser import Browser, browser_of, by_name, set_cookies
from tests.graph.endpoint import endpoint_with
from tests.jobs.pieces import quick

HTTPS = "https://careers.example"
RENAME = 'mutation { updateProfile(input: {name: "Changed"}) { viewer { name } } }'


def tokens() -> Tokens:
    at = now()
    return Tokens("header.payload.signature", at + timedelta(minutes=15), "cgr_0_x",
                  at + timedelta(days=30), uuid4(), uuid4())  # fmt: skip


def test_cookies_over_https_are_bound_to_it(deps: Deps) -> None:
    settings = quick(deps, public_url=HTTPS).settings

    set_ = by_name(session_cookies(settings, tokens()))

    assert list(set_) == ["__Host-careergraph", "__Host-careergraph-refresh"]
    access, refresh = set_.values()
    assert (access.value, access["path"]) == ("header.payload.signature", "/")
    assert (refresh.value, refresh["path"]) == ("cgr_0_x", "/")  # `__Host-` forbids any other
    for cookie in (access, refresh):
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
        assert cookie["domain"] == ""  # `__Host-` forbids one
    assert 895 <= int(access["max-age"]) <= 900
    assert 30 * 24 * 3600 - 5 <= int(refresh["max-age"]) <= 30 * 24 * 3600


def test_cookies_over_http_lack_what_only_https_can_have(deps: Deps) -> None:
    set_ = by_name(session_cookies(deps.settings, tokens()))

    assert list(set_) == ["careergraph", "careergraph-refresh"]
    for cookie in set_.values():
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == ("", True, "Lax")


@pytest.mark.parametrize("public_url", [HTTPS, "http://127.0.0.1:8000"])
def test_clearing_names_the_same_cookies_in_the_same_places(deps: Deps, public_url: str) -> None:
    settings = quick(deps, public_url=public_url).settings
    set_ = by_name(session_cookies(settings, tokens()))

    cleared = by_name(cleared_cookies(settings))

    assert list(cleared) == list(set_)
    for name, cookie in cleared.items():
        assert (cookie.value, cookie["max-age"]) == ("", "0")
        for attribute in ("path", "secure", "httponly", "samesite"):
            assert cookie[attribute] == set_[name][attribute]


def test_a_session_without_refresh_token_sets_one_cookie(deps: Deps) -> None:
    access_only = tokens()
    object.__setattr__(access_only, "refresh_token", None)

    assert len(session_cookies(deps.settings, access_only)) == 1


async def test_a_page_of_ours_is_signed_in_by_its_cookie(deps: Deps) -> None:
    browser, _ = await browser_of(deps, "Dana")

    assert await browser.viewer() == "Dana"


def _refused_headers(origin: str) -> dict[str, dict[str, str]]:
    preflight = {"GraphQL-Require-Preflight": "1"}
    return {
        "nothing": {},
        "no preflight header": {"Origin": origin},
        "an empty preflight header": {"Origin": origin, "GraphQL-Require-Preflight": ""},
        "no Origin": preflight,
        "an empty Origin": {**preflight, "Origin": ""},
        "a foreign Origin": {**preflight, "Origin": "https://evil.example"},
        "a sandboxed page": {**preflight, "Origin": "null"},
        "another port": {**preflight, "Origin": origin + "1"},
        "another scheme": {**preflight, "Origin": origin.replace("http", "https")},
        "an Origin that begins alike": {**preflight, "Origin": origin + ".evil.example"},
        "an Origin with a path": {**preflight, "Origin": origin + "/"},
        "two Origins in one": {**preflight, "Origin": f"{origin}, https://evil.example"},
        "another spelling": {**preflight, "Origin": origin.upper()},
        "any Origin": {**preflight, "Origin": "*"},
    }


@pytest.mark.parametrize("case", list(_refused_headers("")))
async def test_a_cookie_in_any_other_request_is_refused_and_nothing_runs(
    deps: Deps, case: str
) -> None:
    browser, _ = await browser_of(deps, "Unchanged")

    answer = await browser.ask(RENAME, _refused_headers(browser.origin)[case])

    [error] = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (403, "CSRF_REFUSED")
    assert "GraphQL-Require-Preflight" in error["message"] or browser.origin in error["message"]
    assert await browser.viewer() == "Unchanged"


@pytest.mark.parametrize(
    "media_type",
    ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""],
)
async def test_a_form_on_another_site_runs_nothing(deps: Deps, media_type: str) -> None:
    """What a form can send: no headers of its own, one of three types; here even without Origin."""
    browser, _ = await browser_of(deps, "Unchanged")
    body = json.dumps({"query": RENAME}).encode()
    headers = {"Content-Type": media_type} if media_type else {}

    for origin in ({}, {"Origin": "https://evil.example"}, {"Origin": browser.origin}):
        answer = await browser.post("/graphql", {**headers, **origin}, content=body)
        assert answer.status_code in (400, 403, 415), answer.text

    assert await browser.viewer() == "Unchanged"


async def test_a_link_on_another_site_runs_nothing(deps: Deps) -> None:
    browser, _ = await browser_of(deps, "Unchanged")
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    async with httpx2.AsyncClient(headers={"Cookie": cookie}) as http:
        for query in (RENAME, "{ viewer { name } }"):
            answer = await http.get(f"{browser.base_url}/graphql", params={"query": query})
            assert "Unchanged" not in answer.text
            assert answer.status_code in (307, 403, 405), answer.text

    assert await browser.viewer() == "Unchanged"


async def test_pages_of_allowed_origins_may_use_the_cookie(deps: Deps, nobody: Client) -> None:
    browser, _ = await browser_of(deps, "Dana")
    app = "https://app.example.com"
    async with endpoint_with(deps, nobody, allowed_origins=[app]) as endpoint:
        there = Browser(endpoint.client.base_url, app, browser.cookies)
        assert await there.viewer() == "Dana"
        other = Browser(endpoint.client.base_url, "https://other.example.com", browser.cookies)
        assert (await other.ask("{ __typename }")).status_code == 403


async def test_an_authorization_header_counts_and_the_cookie_then_does_not(
    deps: Deps, client: Client
) -> None:
    browser, _ = await browser_of(deps, "In the cookie")
    query = "{ viewer { name } }"

    good = await browser.ask(query, client.headers)
    bad = await browser.ask(query, {"Authorization": "Bearer x.y.z"})

    assert good.json() == {"data": {"viewer": {"name": "Somebody"}}}
    assert bad.json() == {"data": {"viewer": None}}


async def test_over_https_only_the_bound_cookie_counts(deps: Deps, nobody: Client) -> None:
    browser, tokens = await browser_of(deps, "Dana")
    async with endpoint_with(deps, nobody, public_url=HTTPS) as endpoint:
        plain = Browser(endpoint.client.base_url, HTTPS, browser.cookies)
        bound = Browser(plain.base_url, HTTPS, {"__Host-careergraph": tokens.access_token})

        assert await plain.viewer() is None
        assert await bound.viewer() == "Dana"


async def test_a_cookie_that_is_no_good_is_nobody_and_says_why(deps: Deps) -> None:
    browser, _ = await browser_of(deps)
    browser.cookies["careergraph"] = "x.y.z"

    answer = (await browser.ask(RENAME)).json()

    assert await browser.viewer() is None
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert "expired or not of this server" in error["message"]


async def _init(deps: Deps, origin: str | None, cookie: str, payload: object) -> str | None:
    """Whom a socket that opens so is signed in as."""
    address = deps.settings.public_url.replace("http", "ws", 1) + "/graphql"
    async with connect(
        address, subprotocols=["graphql-transport-ws"], origin=origin,  # type: ignore[list-item,arg-type]  # NewTypes of str
        additional_headers={"Cookie": cookie} if cookie else {},
    ) as socket:  # fmt: skip
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        query = {"query": "{ viewer { name } }"}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": query}))
        viewer = json.loads(await socket.recv())["payload"]["data"]["viewer"]
        return viewer and str(viewer["name"])


def _code(error: Exception) -> int:
    """What a socket was refused with: HTTP's at the handshake, or the socket's own."""
    if isinstance(error, InvalidStatus):
        return error.response.status_code
    assert isinstance(error, ConnectionClosed)
    assert error.rcvd is not None
    return error.rcvd.code


async def test_a_socket_takes_the_cookie_of_our_own_pages_only(deps: Deps, sign_in: SignIn) -> None:
    browser, tokens = await browser_of(deps, "In the cookie")
    cookie = f"careergraph={tokens.access_token}"
    bearer = await sign_in()

    assert await _init(deps, browser.origin, cookie, {}) == "In the cookie"
    assert await _init(deps, browser.origin, cookie, bearer.headers) == "Somebody"
    assert await _init(deps, None, cookie, bearer.headers) == "Somebody"
    for origin in ("https://evil.example", "null", browser.origin + "1", None):
        with pytest.raises((ConnectionClosed, InvalidStatus)) as refused:
            await _init(deps, origin, cookie, {})
        assert _code(refused.value) in (403, 4403)


async def test_signing_out_clears_the_browsers_cookies(deps: Deps) -> None:
    browser, _ = await browser_of(deps, "Dana")

    answer = await browser.ask("mutation { signOut { session { device } } }")

    assert answer.json()["data"]["signOut"]["session"]["device"] == "Firefox on Linux"
    assert {cookie.key: cookie["max-age"] for cookie in set_cookies(answer)} == {
        "careergraph": "0", "careergraph-refresh": "0", "careergraph-sign-in": "0",
    }  # fmt: skip
    assert browser.cookies == {}
    assert await User.find_one({"name": "Dana"}) is not None
