"""Session cookies at `/graphql`: what a page of ours may do by them, and one elsewhere may not."""

import json

import pytest
import strawberry
from starlette.applications import Starlette
from starlette.routing import Route

from domain.core.deps import Deps
from graph.context import Info
from graph.cookies import PREFLIGHT_HEADER, cookie_names
from graph.execution import Executor
from graph.http import GraphQLOverHTTP
from tests.client import Client
from tests.graph.endpoint import JSON, RENAME, RESPONSE_JSON, VIEWER, Endpoint, code_of
from tests.served import served

EVIL = "https://evil.example"
MUTATION = {"query": RENAME, "variables": {"name": "Ran"}}


@pytest.fixture
def cookie(deps: Deps, client: Client) -> dict[str, str]:
    """What a browser sends along once somebody has signed in."""
    return {"cookie": f"{cookie_names(deps.settings).access}={client.token}"}


@pytest.fixture
def browser(nobody: Client) -> Endpoint:
    """Sends no Authorization header."""
    return Endpoint(nobody)


async def test_page_of_ours_asks_by_cookie(
    deps: Deps, browser: Endpoint, client: Client, cookie: dict[str, str]
) -> None:
    ours = {PREFLIGHT_HEADER: "1", "origin": deps.settings.public_url}
    response = await browser.post(MUTATION, **cookie, **ours)

    assert response.status_code == 200
    assert await Endpoint(client).name() == "Ran"


@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON])
async def test_cookie_alone_runs_nothing(
    deps: Deps, browser: Endpoint, client: Client, cookie: dict[str, str], accept: str
) -> None:
    ours, sent = deps.settings.public_url, {**cookie, "accept": accept}
    for headers in (
        {},
        {"origin": ours},
        {PREFLIGHT_HEADER: "1"},
        {PREFLIGHT_HEADER: "", "origin": ours},
        {PREFLIGHT_HEADER: "1", "origin": EVIL},
        {PREFLIGHT_HEADER: "1", "origin": "null"},
    ):
        for body in (MUTATION, {"query": VIEWER}, [MUTATION]):
            response = await browser.post(body, **sent, **headers)
            assert (response.status_code, code_of(response)) == (403, "CSRF_REFUSED"), headers
            assert response.headers["content-type"].startswith(accept)

    assert await Endpoint(client).name() == "Somebody"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"query=mutation"),
        ("text/plain", json.dumps(MUTATION).encode()),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
        ("", json.dumps(MUTATION).encode()),
    ],
)
async def test_form_of_another_site_runs_nothing(
    browser: Endpoint, client: Client, cookie: dict[str, str], content_type: str, body: bytes
) -> None:
    """All that a form can send; its page can set none of our headers."""
    headers = {**cookie, "content_type": content_type, "origin": EVIL}
    response = await browser.send("POST", body, **headers)

    assert response.status_code in (400, 415)
    assert code_of(response) in ("BAD_REQUEST", "UNSUPPORTED_MEDIA_TYPE")
    assert await Endpoint(client).name() == "Somebody"


async def test_link_from_another_site_runs_nothing(
    browser: Endpoint, client: Client, cookie: dict[str, str]
) -> None:
    """A navigation brings the cookie along, and no header of ours."""
    address = "/graphql?query=%7B%20viewer%20%7B%20name%20%7D%20%7D"
    response = await browser.send("GET", b"", path=address, **cookie)

    assert (response.status_code, code_of(response)) == (403, "CSRF_REFUSED")


async def test_authorization_header_counts_before_the_cookie(
    client: Client, cookie: dict[str, str]
) -> None:
    response = await Endpoint(client).post({"query": VIEWER}, **cookie)
    assert response.json() == {"data": {"viewer": {"name": "Somebody"}}}


@strawberry.type
class _Query:
    @strawberry.field
    def leave(self, info: Info, name: str) -> bool:
        """What signing in and out does: leave cookies for the answer."""
        info.context.set_cookies += [f"{name}=1; Path=/; HttpOnly", f"{name}-too=; Max-Age=0"]
        return True


async def test_cookies_that_operations_leave_go_out_with_the_answer(
    deps: Deps, client: Client
) -> None:
    executor = Executor(strawberry.Schema(_Query), deps.settings)
    app = Starlette(routes=[Route("/graphql", GraphQLOverHTTP(executor))])
    app.state.deps = deps
    operations = [{"query": '{ leave(name: "a") }'}, {"query": '{ leave(name: "b") }'}]
    async with served(app) as address:
        endpoint = Endpoint(Client(address, client.token))
        single, batch = await endpoint.post(operations[0]), await endpoint.post(operations)

    first = ["a=1; Path=/; HttpOnly", "a-too=; Max-Age=0"]
    second = ["b=1; Path=/; HttpOnly", "b-too=; Max-Age=0"]
    assert single.json() == {"data": {"leave": True}}
    assert single.headers.get_list("set-cookie") == first
    assert batch.headers.get_list("set-cookie") == first + second
