"""The whole server in production mode: `careergraph web` as a process, as strangers find it."""

import asyncio
import base64
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from starlette.routing import Route
from websockets.asyncio.client import connect

from domain.core.deps import Deps
from domain.core.settings import Feature
from graph.app import create_app
from graph.security_headers import SAFE_HEADERS
from tests.cli.command import environment
from tests.client import Client, receive, send, subscribe
from tests.conftest import free_port
from tests.jobs.pieces import until

HOST = "api.example.com"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
INTROSPECTION = "{ __schema { types { name } } }"
FORWARDED = [{"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}]


@dataclass(frozen=True)
class Server:
    port: int

    async def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """As a proxy with TLS would pass it on."""
        headers = {"Host": HOST, **options.pop("headers", {})}
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as http:
            return await http.request(method, path, headers=headers, **options)

    async def post(self, body: Any) -> Any:
        return (await self.ask("POST", "/graphql", json=body)).json()

    async def is_live(self) -> bool:
        try:
            return (await self.ask("GET", "/health/live")).status_code == 200
        except httpx2.TransportError:
            return False


@asynccontextmanager
async def production_server(deps: Deps, **more: str) -> AsyncIterator[Server]:
    settings = deps.settings
    server = Server(free_port())
    env = environment(
        MONGODB_URI=settings.mongodb_uri,
        REDIS_URL=settings.redis_url,
        CAREERGRAPH_MONGODB_DATABASE=settings.mongodb_database,
        CAREERGRAPH_DATA_DIR=str(settings.data_dir),
        CAREERGRAPH_PRODUCTION="1",
        CAREERGRAPH_PUBLIC_URL=f"https://{HOST}",
        CAREERGRAPH_SECRET_KEYS=json.dumps({"k": base64.b64encode(os.urandom(32)).decode()}),
        **more,
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "web", "--port", str(server.port),
        env=env, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await until(server.is_live)
        yield server
    finally:
        process.terminate()
        await process.wait()


@pytest.fixture(scope="module")
async def closed(deps: Deps) -> AsyncIterator[Server]:
    """With nothing switched on."""
    async with production_server(deps) as server:
        yield server


@pytest.fixture(scope="module")
async def opened(deps: Deps) -> AsyncIterator[Server]:
    """With every feature switched on."""
    async with production_server(deps, CAREERGRAPH_FEATURES=json.dumps(list(Feature))) as server:
        yield server


def messages(answer: dict[str, Any]) -> str:
    return " ".join(error["message"] for error in answer["errors"])


@pytest.mark.parametrize("query", [INTROSPECTION, '{ __type(name: "User") { fields { name } } }'])
async def test_introspection(closed: Server, opened: Server, query: str) -> None:
    refused, told = await closed.post({"query": query}), await opened.post({"query": query})

    assert "data" not in refused
    assert refused["errors"][0]["extensions"]["code"]
    assert "errors" not in told
    assert (await closed.post({"query": "{ __typename }"}))["data"] == {"__typename": "Query"}


async def test_introspection_by_socket(closed: Server, opened: Server) -> None:
    found = []
    for server in (closed, opened):
        address = f"ws://{HOST}:{server.port}/graphql"
        protocols: Any = ["graphql-transport-ws"]
        dialled = connect(address, host="127.0.0.1", port=server.port, subprotocols=protocols)
        async with dialled as socket:
            await send(socket, type="connection_init")
            assert (await receive(socket))["type"] == "connection_ack"
            await subscribe(socket, "1", INTROSPECTION)
            found.append((await receive(socket))["type"])
    assert found == ["error", "next"]


async def test_the_schemas_text_is_introspection_by_another_name(
    closed: Server, opened: Server
) -> None:
    refused, told = [await each.ask("GET", "/schema.graphql") for each in (closed, opened)]

    assert (refused.status_code, told.status_code) == (404, 200)
    assert "type Query" in told.text
    assert "type Query" not in refused.text


async def test_suggestions(closed: Server, opened: Server) -> None:
    queries = [
        "{ viewr { name } }",
        "{ viewer { nmae } }",
        "{ gapAnalysis(idd: 1) { id } }",
        "query ($x: Strin) { viewer { name } }",
        "{ node(id: 1) { ... on Usr { name } } }",
        "mutation { updateProfile(input: {nmae: 1}) { viewer { name } } }",
        "{ jobs(where: {a: 1}) { nodes { id } } }",
    ]
    for query in queries:
        assert "Did you mean" not in messages(await closed.post({"query": query})), query
    for query in queries[:2]:
        assert "Did you mean" in messages(await opened.post({"query": query})), query


async def test_suggestions_in_variables(closed: Server) -> None:
    query = "mutation ($i: UpdateProfileInput!) { updateProfile(input: $i) { viewer { name } } }"
    answer = await closed.post({"query": query, "variables": {"i": {"nmae": "x"}}})
    assert "Did you mean" not in messages(answer)


async def test_get(closed: Server, opened: Server) -> None:
    asked = {"params": {"query": "{ __typename }"}}
    refused, told = [await each.ask("GET", "/graphql", **asked) for each in (closed, opened)]

    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert told.json() == {"data": {"__typename": "Query"}}


async def test_batching(closed: Server, opened: Server) -> None:
    batch = [{"query": "{ __typename }"}] * 2
    refused, told = [await each.ask("POST", "/graphql", json=batch) for each in (closed, opened)]

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["extensions"]["code"] == "BATCHING_NOT_ALLOWED"
    assert told.json() == [{"data": {"__typename": "Query"}}] * 2


async def test_graphiql(closed: Server, opened: Server) -> None:
    refused, told = [
        await each.ask("GET", "/graphiql", headers=BROWSER) for each in (closed, opened)
    ]

    assert refused.status_code == 404
    assert "GraphiQL is switched off here" in refused.text
    assert told.status_code in (200, 503)  # 503 where npm's files were never fetched
    assert (await closed.ask("GET", "/graphiql/assets/start.js")).status_code == 404
    assert (await closed.ask("GET", "/graphql", headers=BROWSER)).status_code == 405
    there = await opened.ask("GET", "/graphql", headers=BROWSER)
    assert (there.status_code, there.headers["location"]) == (307, "/graphiql")


@pytest.mark.parametrize("forwarded", FORWARDED)
async def test_figures_and_checks_are_for_the_inside(
    closed: Server, forwarded: dict[str, str]
) -> None:
    by_address = {"Host": f"127.0.0.1:{closed.port}"}
    inside = [
        await closed.ask("GET", path, headers=by_address) for path in ("/metrics", "/health/ready")
    ]
    outside = [
        await closed.ask("GET", path, headers=forwarded) for path in ("/metrics", "/health/ready")
    ]

    assert [answer.status_code for answer in inside] == [200, 200]
    assert "careergraph_open_work" in inside[0].text
    assert set(inside[1].json()) == {"status", "checks"}
    assert [answer.status_code for answer in outside] == [404, 200]
    assert set(outside[1].json()) == {"status"}


async def test_a_named_proxys_callers_are_outside_too(deps: Deps) -> None:
    proxies = json.dumps(["127.0.0.1"])
    async with production_server(deps, CAREERGRAPH_TRUSTED_PROXIES=proxies) as server:
        for caller in ("203.0.113.9", "10.0.0.9"):
            headers = {"X-Forwarded-For": caller}
            assert (await server.ask("GET", "/metrics", headers=headers)).status_code == 404


async def test_names_of_this_machine_are_no_names_of_a_public_server(closed: Server) -> None:
    for host in ("localhost", f"127.0.0.1:{closed.port}", "evil.example"):
        answer = await closed.ask("POST", "/graphql", headers={"Host": host}, json={})
        assert answer.status_code == 421, host


async def test_browsers_are_told_to_stay_with_https(closed: Server) -> None:
    for path in ("/", "/graphql", "/nowhere", "/.well-known/jwks.json"):
        answer = await closed.ask("GET", path)
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert "server" not in answer.headers


async def test_every_route_answers_with_the_security_headers(deps: Deps, nobody: Client) -> None:
    routes = [route for route in create_app(deps.settings).routes if isinstance(route, Route)]
    paths = [re.sub(r"\{.*?\}", "x", route.path) for route in routes]
    assert len(paths) > 15
    async with httpx2.AsyncClient(base_url=nobody.base_url) as http:
        answers = [await http.get(path) for path in [*paths, "/nowhere"]]
        tag = (await http.get("/pages.css")).headers["etag"]
        answers.append(await http.get("/pages.css", headers={"If-None-Match": tag}))
        answers.append(await http.post("/graphql", json={"query": "{ nonsense }"}))
        json_type = {"Content-Type": "application/json"}
        answers.append(await http.post("/graphql", content=b"{" * 11_000_000, headers=json_type))

    assert {200, 304, 404, 405, 413} <= {answer.status_code for answer in answers}
    for answer in answers:
        assert answer.status_code != 500, answer.url
        for name in (*SAFE_HEADERS, "content-security-policy", "x-request-id"):
            assert len(answer.headers.get_list(name)) == 1, (answer.url, name)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'unsafe" not in policy
