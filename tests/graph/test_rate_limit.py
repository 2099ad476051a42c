"""The budget of operation cost."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from domain.core.clock import now
from domain.core.deps import Deps, open_redis
from graph.endpoint import GraphQLEndpoint
from tests.client import Client, payloads, receive, subscribe
from tests.jobs.pieces import quick
from tests.served import served

LIMIT = 100
NUMBERS = "rateLimit { cost limit remaining used nodeCount resetAt }"


@pytest.fixture(scope="module")
async def base_url(deps: Deps) -> AsyncIterator[str]:
    """A server of its own with a small budget, over the same databases."""
    endpoint = GraphQLEndpoint([])
    routes = [Route("/graphql", endpoint), WebSocketRoute("/graphql", endpoint)]
    app = Starlette(routes=routes)
    app.state.deps = quick(deps, cost_per_minute=LIMIT)
    async with served(app) as address:
        yield address


@pytest.fixture
def spender(deps: Deps, base_url: str) -> Client:
    token = deps.signers.access.issue(uuid4(), now(), timedelta(hours=1))
    return Client(base_url, token)


async def numbers(client: Client, query: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.data(query))["rateLimit"]
    return found


async def test_numbers_tell_cost_and_what_is_left(spender: Client) -> None:
    first = await numbers(spender, f"{{ jobs(first: 30) {{ nodes {{ id }} }} {NUMBERS} }}")
    second = await numbers(spender, f"{{ {NUMBERS} }}")

    assert (first["cost"], first["limit"], first["nodeCount"]) == (32, LIMIT, 30)
    assert (first["remaining"], first["used"]) == (68, 32)
    assert (second["cost"], second["nodeCount"]) == (1, 0)
    assert first["remaining"] - 1 <= second["remaining"] <= LIMIT - 1
    assert second["remaining"] + second["used"] == LIMIT
    whole_at = datetime.fromisoformat(first["resetAt"]) - now()
    assert timedelta(seconds=15) < whole_at < timedelta(seconds=60 * 32 / LIMIT + 1)


async def test_nobody_has_no_budget(base_url: str) -> None:
    assert await Client(base_url).data(f"{{ {NUMBERS} }}") == {"rateLimit": None}


async def test_over_budget_is_refused_with_the_time_to_wait(spender: Client) -> None:
    query = "{ jobs(first: 60) { nodes { id } } }"
    assert "errors" not in await spender.post(query)

    answer = await spender.post(query)

    assert answer["data"] is None
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert 1 <= error["extensions"]["retryAfter"] <= 15
    assert "costs 61 points" in error["message"]
    assert (await numbers(spender, f"{{ {NUMBERS} }}"))["remaining"] >= 38  # nothing was taken


async def test_one_users_budget_is_not_anothers(deps: Deps, spender: Client) -> None:
    query = "{ jobs(first: 90) { nodes { id } } }"
    other = Client(spender.base_url, deps.signers.access.issue(uuid4(), now(), timedelta(hours=1)))

    assert "errors" not in await spender.post(query)
    assert "errors" in await spender.post(query)
    assert "errors" not in await other.post(query)


async def test_what_never_fits_is_not_told_to_wait(spender: Client) -> None:
    query = "{ a: jobs(first: 99) { nodes { id } } b: jobs(first: 99) { nodes { id } } }"

    [error] = (await spender.post(query))["errors"]

    assert error["extensions"] == {"code": "RATE_LIMIT_EXCEEDED"}
    assert "smaller pages" in error["message"]


async def test_budget_holds_over_the_socket(spender: Client) -> None:
    query = f"{{ jobs(first: 60) {{ nodes {{ id }} }} {NUMBERS} }}"
    async with spender.socket() as socket:
        await subscribe(socket, "1", query)
        [answer] = [payload async for payload in payloads(socket, "1")]
        assert answer["data"]["rateLimit"]["cost"] == 62
        for id, text in (("2", query), ("3", _subscription())):
            await subscribe(socket, id, text)
            refused = await receive(socket)
            errors = (
                refused["payload"] if refused["type"] == "error" else refused["payload"]["errors"]
            )
            assert errors[0]["extensions"]["code"] == "RATE_LIMIT_EXCEEDED", refused
            if refused["type"] == "next":
                assert await receive(socket) == {"id": id, "type": "complete"}


def _subscription() -> str:
    fields = "gapAnalysis { cv { failure { code } } }"
    aliases = " ".join(f"a{number}: {fields}" for number in range(30))
    return f'subscription {{ gapAnalysisStatus(id: "x") {{ {aliases} }} }}'


async def test_without_redis_operations_go_through(deps: Deps) -> None:
    settings = deps.settings.model_copy(update={"redis_url": "unix:///nowhere/redis.sock"})
    redis = open_redis(settings)
    endpoint = GraphQLEndpoint([])
    app = Starlette(routes=[Route("/graphql", endpoint)])
    app.state.deps = replace(quick(deps, cost_per_minute=LIMIT), redis=redis)
    token = deps.signers.access.issue(uuid4(), now(), timedelta(hours=1))
    transport = httpx2.ASGITransport(app=app)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://here") as http:
        for _ in range(3):
            response = await http.post(
                "/graphql", json={"query": "{ jobs(first: 90) { nodes { id } } }"}, headers=headers
            )
            assert "errors" not in response.json()
    await redis.aclose()
