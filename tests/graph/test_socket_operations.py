"""Subscriptions on a socket: side by side, ended by either side, and nothing left behind."""

import asyncio
import gc
import json
from uuid import uuid4

import pytest
from websockets.asyncio.client import ClientConnection

from domain.core.deps import Deps
from graph import ids
from tests.client import Client, payloads, receive, send, subscribe
from tests.conftest import SignIn, running_worker
from tests.graph.sockets import STATUS, closing, end, global_id, mine, until_listeners

RENAME = """
mutation ($name: String!) { updateProfile(input: {name: $name}) { viewer { name } } }
"""


async def test_used_id_closes_with_4409(deps: Deps, client: Client) -> None:
    analysis = await mine(deps, client)
    async with client.socket() as socket:
        await subscribe(socket, "1", STATUS, {"id": global_id(analysis)})
        assert (await receive(socket))["type"] == "next"
        await subscribe(socket, "1", STATUS, {"id": global_id(analysis)})
        assert (await closing(socket))[0] == 4409


async def test_complete_stops_a_subscription_and_its_watch(deps: Deps, client: Client) -> None:
    analysis = await mine(deps, client)
    async with client.socket() as socket:
        await subscribe(socket, "1", STATUS, {"id": global_id(analysis)})
        assert (await receive(socket))["type"] == "next"
        await until_listeners(deps, analysis, 1)
        await send(socket, type="complete", id="1")
        await until_listeners(deps, analysis, 0)
        await end(deps, analysis)
        await send(socket, type="ping")
        assert await receive(socket) == {"type": "pong"}  # and nothing of the subscription


@pytest.mark.parametrize("how", ["closes", "vanishes"])
async def test_client_that_goes_away_leaves_no_watch_behind(
    deps: Deps, client: Client, how: str
) -> None:
    analysis = await mine(deps, client)
    async with client.socket() as socket:
        for id in ("1", "2", "3"):
            await subscribe(socket, id, STATUS, {"id": global_id(analysis)})
            assert (await receive(socket))["type"] == "next"
        await until_listeners(deps, analysis, 1)
        if how == "vanishes":
            socket.transport.abort()
    await until_listeners(deps, analysis, 0)


# pymongo leaves the socket of a connect that is cancelled half-way to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_client_that_leaves_at_once_leaves_no_watch_behind(
    deps: Deps, client: Client
) -> None:
    """At any moment of the way from the subscribe message to the first event."""
    analysis = await mine(deps, client)
    for turns in range(10):
        async with client.socket() as socket:
            await subscribe(socket, "1", STATUS, {"id": global_id(analysis)})
            await asyncio.sleep(turns * 0.002)
            socket.transport.abort()
    await until_listeners(deps, analysis, 0)
    gc.collect()


async def test_several_subscriptions_share_a_socket(deps: Deps, client: Client) -> None:
    first, second = await mine(deps, client), await mine(deps, client)
    async with client.socket() as socket:
        await subscribe(socket, "a", STATUS, {"id": global_id(first)})
        await subscribe(socket, "b", STATUS, {"id": global_id(second)})
        started = {(await receive(socket))["id"] for _ in range(2)}
        await end(deps, second)
        await end(deps, first)
        ended = [(message["id"], message["type"]) for message in await _messages(socket, 4)]

    assert started == {"a", "b"}
    assert sorted(ended) == [("a", "complete"), ("a", "next"), ("b", "complete"), ("b", "next")]
    assert ended.index(("a", "next")) < ended.index(("a", "complete"))
    assert ended.index(("b", "next")) < ended.index(("b", "complete"))


async def _messages(socket: ClientConnection, count: int) -> list[dict[str, object]]:
    return [await asyncio.wait_for(receive(socket), 5) for _ in range(count)]


async def test_subscriber_that_comes_back_does_not_miss_the_end(deps: Deps, client: Client) -> None:
    analysis = await mine(deps, client)
    async with client.socket() as socket:
        await subscribe(socket, "1", STATUS, {"id": global_id(analysis)})
        first = (await receive(socket))["payload"]["data"]["gapAnalysisStatus"]
        socket.transport.abort()
    async with running_worker(deps):
        events = await client.events(STATUS, id=global_id(analysis))

    last = events[-1]["data"]["gapAnalysisStatus"]
    assert (first["isSnapshot"], first["gapAnalysis"]["status"]) == (True, "PENDING")
    assert last["gapAnalysis"]["status"] == "COMPLETED"
    assert int(last["cursor"]) > int(first["cursor"])


async def test_socket_left_open_shows_what_is_true_now(client: Client) -> None:
    """Its loaders keep nothing: another request's change is seen by the next operation."""
    query = "{ viewer { name } }"
    async with client.socket() as socket:
        for number, name in enumerate(("Ann", "Bea", "Cleo")):
            await client.data(RENAME, name=name)
            await subscribe(socket, str(number), query)
            answers = [payload async for payload in payloads(socket, str(number))]
            assert answers == [{"data": {"viewer": {"name": name}}}]


async def test_anothers_analysis_looks_absent(deps: Deps, sign_in: SignIn) -> None:
    owner, other = await sign_in(), await sign_in()
    analysis = await mine(deps, owner)

    theirs = await other.events(STATUS, id=global_id(analysis))
    absent = await other.events(STATUS, id=ids.encode("GapAnalysis", uuid4()))

    assert theirs[0]["errors"][0]["extensions"]["code"] == "JOB_NOT_FOUND"
    assert json.dumps(theirs) == json.dumps(absent)
