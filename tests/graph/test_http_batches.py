"""Several operations in one request, and what ends or outlives one."""

import asyncio
import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from domain.core.deps import Deps
from domain.core.settings import Feature
from graph.execution import Executor
from graph.http import GraphQLOverHTTP
from tests.client import Client
from tests.graph.endpoint import (
    JSON,
    RENAME,
    RESPONSE_JSON,
    VIEWER,
    Endpoint,
    code_of,
    endpoint_with,
)
from tests.graph.failing_schema import ENDED, SCHEMA
from tests.served import served


@pytest.fixture
def endpoint(client: Client) -> Endpoint:
    return Endpoint(client)


@pytest.mark.parametrize("accept", [RESPONSE_JSON, JSON])
async def test_batch_is_answered_in_order_each_by_itself(endpoint: Endpoint, accept: str) -> None:
    batch = [
        {"query": RENAME, "variables": {"name": "First"}},
        {"query": VIEWER},
        {"query": "{ shoes }"},
        {"variables": {}},
        {"query": RENAME, "variables": {"name": "Second"}},
        {"query": VIEWER},
    ]
    response = await endpoint.post(batch, accept=accept)

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    renamed, first, invalid, malformed, again, second = response.json()
    assert renamed["data"]["updateProfile"]["viewer"] == {"name": "First"}
    assert first == {"data": {"viewer": {"name": "First"}}}
    assert "shoes" in invalid["errors"][0]["message"]
    assert malformed["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert again["data"]["updateProfile"]["viewer"] == {"name": "Second"}
    assert second == {"data": {"viewer": {"name": "Second"}}}


@pytest.mark.parametrize(
    ("batch", "code"),
    [([], "BATCH_SIZE"), ([{"query": VIEWER}] * 11, "BATCH_SIZE"), ([{}, 5], "BAD_REQUEST")],
)
async def test_batch_that_is_none_is_refused_whole(
    endpoint: Endpoint, batch: list[Any], code: str
) -> None:
    response = await endpoint.post(batch, accept=RESPONSE_JSON)
    assert (response.status_code, code_of(response)) == (400, code)


async def test_batch_of_ten_is_taken(endpoint: Endpoint) -> None:
    response = await endpoint.post([{"query": VIEWER}] * 10)
    assert len(response.json()) == 10


async def test_batches_can_be_switched_off(deps: Deps, client: Client) -> None:
    batch = [{"query": RENAME, "variables": {"name": "Ran"}}]
    async with endpoint_with(deps, client, features=[Feature.GET]) as endpoint:
        response = await endpoint.post(batch)

    assert (response.status_code, code_of(response)) == (400, "BATCHING_NOT_ALLOWED")
    assert await Endpoint(client).name() == "Somebody"


async def test_spent_budget_is_429_with_the_seconds_to_wait(deps: Deps, client: Client) -> None:
    query = "{ jobs(first: 50) { nodes { id } } }"
    async with endpoint_with(deps, client, cost_per_minute=60) as endpoint:
        assert (await endpoint.post({"query": query})).status_code == 200
        modern = await endpoint.post({"query": query}, accept=RESPONSE_JSON)
        legacy = await endpoint.post({"query": query}, accept=JSON)

    for response in (modern, legacy):
        assert (response.status_code, code_of(response)) == (429, "RATE_LIMIT_EXCEEDED")
        [error] = response.json()["errors"]
        assert response.headers["retry-after"] == str(error["extensions"]["retryAfter"])


async def test_mutation_goes_on_when_its_client_leaves(endpoint: Endpoint) -> None:
    """The connection is closed as soon as the request is out, before any answer."""
    content = json.dumps({"query": RENAME, "variables": {"name": "Left"}}).encode()
    host, _, port = endpoint.client.base_url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    lines = [
        "POST /graphql HTTP/1.1", "Host: localhost", "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *(f"{name}: {value}" for name, value in endpoint.client.headers.items()),
    ]  # fmt: skip
    writer.write("\r\n".join([*lines, "", ""]).encode() + content)
    writer.close()
    await writer.wait_closed()

    for _ in range(100):
        if await endpoint.name() == "Left":
            return
        await asyncio.sleep(0.05)
    pytest.fail("the mutation was not run to its end")


PAGE = "{ jobs(first: 100) { nodes { posting { description } } } }"


async def test_points_are_one_operations_for_all_of_a_batch(endpoint: Endpoint) -> None:
    batch = [{"query": PAGE}, {"query": PAGE}, {"query": VIEWER}]
    first, second, third = (await endpoint.post(batch)).json()

    assert "errors" not in first
    assert set(second) == {"errors"}
    assert second["errors"][0]["extensions"]["code"] == "QUERY_TOO_COSTLY"
    assert "batch" in second["errors"][0]["message"]
    assert third == {"data": {"viewer": {"name": "Somebody"}}}


async def test_time_is_one_operations_for_all_of_a_batch(deps: Deps) -> None:
    """The second is ended when the time of all is over, and the third is not begun."""
    ENDED.clear()
    app = Starlette(routes=[Route("/graphql", GraphQLOverHTTP(Executor(SCHEMA, deps.settings, 1)))])
    app.state.deps = deps
    batch = [
        {"query": f'{{ linger(name: "{name}", seconds: {seconds}) }}'}
        for name, seconds in (("a", 0.6), ("b", 0.6), ("c", 0.01))
    ]
    async with served(app) as address:
        answers = (await Endpoint(Client(address)).post(batch)).json()

    codes = [answer["errors"][0]["extensions"]["code"] for answer in answers[1:]]
    assert answers[0] == {"data": {"linger": "a"}}
    assert codes == ["OPERATION_TIMEOUT", "OPERATION_TIMEOUT"]
    assert answers[1]["data"] is None
    assert set(answers[2]) == {"errors"}
    assert ENDED == ["a", "b"]
