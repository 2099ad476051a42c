"""The budget of operation cost."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from graphql import GraphQLError
from starlette.applications import Starlette

from domain.auth.caller import Caller
from domain.core.clock import now
from domain.core.deps import Deps, open_redis
from domain.core.settings import load_settings
from graph.app import graphql_routes
from graph.context import ANONYMOUS, Session, make_context
from graph.execution import NEW_TEXT_COST, Executor, Params, RequestRefused
from graph.open_sockets import OpenSockets
from graph.rate_limit import network_of
from graph.schema import make_schema
from graph.socket import _owner
from tests.client import Client, payloads, receive, subscribe
from tests.jobs.pieces import quick
from tests.served import served
from tests.tokens import access_token

LIMIT = 100
NUMBERS = "rateLimit { cost limit remaining used nodeCount resetAt }"


@pytest.fixture(scope="module")
async def base_url(deps: Deps) -> AsyncIterator[str]:
    """A server of its own with a small budget, over the same databases."""
    app = Starlette(routes=graphql_routes(deps.settings))
    app.state.deps = quick(deps, cost_per_minute=LIMIT)
    async with OpenSockets(deps).running() as app.state.open_sockets, served(app) as address:
        yield address


@pytest.fixture
async def spender(deps: Deps, base_url: str) -> Client:
    return Client(base_url, await access_token(deps))


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

    assert "data" not in answer
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert 1 <= error["extensions"]["retryAfter"] <= 15
    assert "costs 61 points" in error["message"]
    assert (await numbers(spender, f"{{ {NUMBERS} }}"))["remaining"] >= 38  # nothing was taken


async def test_one_users_budget_is_not_anothers(deps: Deps, spender: Client) -> None:
    query = "{ jobs(first: 90) { nodes { id } } }"
    other = Client(spender.base_url, await access_token(deps))

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
    questions = "questions { answer { text } } " * 4
    return f'subscription {{ gapAnalysisStatus(id: "x") {{ gapAnalysis {{ {questions} }} }} }}'


async def test_without_redis_operations_go_through(deps: Deps) -> None:
    settings = deps.settings.model_copy(update={"redis_url": "unix:///nowhere/redis.sock"})
    redis = open_redis(settings)
    app = Starlette(routes=graphql_routes(deps.settings))
    app.state.deps = replace(quick(deps, cost_per_minute=LIMIT), redis=redis)
    token = await access_token(deps)
    transport = httpx2.ASGITransport(app=app)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://here") as http:
        for _ in range(3):
            response = await http.post(
                "/graphql", json={"query": "{ jobs(first: 90) { nodes { id } } }"}, headers=headers
            )
            assert "errors" not in response.json()
    await redis.aclose()


EXECUTOR = Executor(make_schema(), load_settings())
SIXTY = "{ jobs(first: 59) { nodes { id } } }"


async def ask(
    deps: Deps, query: str, user_id: UUID | None = None, address: str | None = None
) -> dict[str, Any]:
    """The answer to somebody at an address, or RequestRefused."""
    context = make_context(deps, Session(user_id), Caller(address))
    return await EXECUTOR.execute(EXECUTOR.prepare(Params(query)), context)


async def refusal(
    deps: Deps, query: str, user_id: UUID | None = None, address: str | None = None
) -> GraphQLError:
    with pytest.raises(RequestRefused) as refused:
        await ask(deps, query, user_id, address)
    assert refused.value.status == 429
    [error] = refused.value.errors
    assert (error.extensions or {})["code"] == "RATE_LIMIT_EXCEEDED"
    return error


def somewhere() -> str:
    """An address of the test networks that nobody had before."""
    return f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1"


async def test_nobodys_operations_count_for_their_address(deps: Deps) -> None:
    small, here = quick(deps, address_cost_per_minute=LIMIT), somewhere()

    await ask(small, SIXTY, None, here)
    error = await refusal(small, SIXTY, None, here)

    assert (await ask(small, "{ __typename }", None, here))["data"] == {"__typename": "Query"}
    assert "your network address" in error.message
    assert 1 <= (error.extensions or {})["retryAfter"] <= 13
    await ask(small, SIXTY, None, somewhere())
    await ask(small, SIXTY)  # an address that is not known is none


async def test_users_of_one_address_share_its_budget_and_have_their_own(deps: Deps) -> None:
    small = quick(deps, cost_per_minute=LIMIT, address_cost_per_minute=2 * LIMIT)
    here, ann, bea, cleo = somewhere(), uuid4(), uuid4(), uuid4()

    for who in (ann, bea, cleo):
        await ask(small, SIXTY, who, here)
    by_user = await refusal(small, SIXTY, ann, somewhere())
    by_address = await refusal(small, SIXTY, uuid4(), here)

    assert "left to you." in by_user.message
    assert "left to your network address." in by_address.message


async def test_refusal_by_one_budget_takes_nothing_from_the_other(deps: Deps) -> None:
    small = quick(deps, cost_per_minute=LIMIT, address_cost_per_minute=2 * LIMIT)
    here, ann = somewhere(), uuid4()
    await ask(small, SIXTY, ann, here)
    for _ in range(9):
        await refusal(small, SIXTY, ann, here)

    await ask(small, SIXTY, None, here)
    await ask(small, SIXTY, None, here)


async def test_reading_a_new_text_is_charged_to_the_address_valid_or_not(deps: Deps) -> None:
    small = quick(deps, address_cost_per_minute=2 * NEW_TEXT_COST)
    here, fresh = somewhere(), uuid4().hex
    context = make_context(small, Session(), Caller(here))

    await EXECUTOR.admit(Params(f"{{ a{fresh} }}"), context)
    await EXECUTOR.admit(Params(f"{{ b{fresh} }}"), context)
    with pytest.raises(RequestRefused) as refused:
        await EXECUTOR.admit(Params(f"{{ c{fresh} }}"), context)

    assert refused.value.status == 429
    EXECUTOR.prepare(Params(SIXTY))
    await EXECUTOR.admit(Params(SIXTY), context)  # it is remembered: that costs nothing


async def test_subscription_is_counted_when_it_starts(deps: Deps) -> None:
    small, here = quick(deps, address_cost_per_minute=LIMIT), somewhere()
    await ask(small, SIXTY, None, here)
    context = make_context(small, Session(), Caller(here))

    with pytest.raises(RequestRefused) as refused:
        await anext(EXECUTOR.subscribe(EXECUTOR.prepare(Params(_subscription())), context))

    assert refused.value.status == 429


async def test_numbers_are_those_of_ones_own_operation_in_one_task(deps: Deps) -> None:
    """As on a socket, where operations of one connection may share a task."""
    small, ann = quick(deps, cost_per_minute=LIMIT), uuid4()

    first = await ask(small, f"{{ jobs(first: 9) {{ nodes {{ id }} }} {NUMBERS} }}", ann)
    nobody = await ask(small, f"{{ {NUMBERS} }}", None, somewhere())
    with pytest.raises(RequestRefused):
        await ask(small, "{ a: jobs(first: 99) { nodes { id } } jobs { totalCount } }", ann)
    last = await ask(small, f"{{ {NUMBERS} }}", ann)

    assert first["data"]["rateLimit"]["cost"] == 11
    assert nobody["data"] == {"rateLimit": None}
    assert last["data"]["rateLimit"]["cost"] == 1
    assert last["data"]["rateLimit"]["remaining"] >= LIMIT - 12


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("testclient", "testclient"),
    ],
)
def test_address_stands_for_its_customer(address: str, network: str) -> None:
    assert network_of(address) == network


def test_sockets_of_one_customer_with_nobody_signed_in_are_counted_together() -> None:
    owners = {_owner(ANONYMOUS, f"2001:db8:1:2::{last}") for last in range(9)}
    assert owners == {"address:2001:db8:1:2::/64"}
    assert _owner(ANONYMOUS, "203.0.113.5") == "address:203.0.113.5"
    assert _owner(ANONYMOUS, None) is None
