"""graphql-transport-ws, frame by frame."""

import asyncio
import gc
import json
from contextlib import suppress
from uuid import uuid4

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from domain.core.clock import now
from domain.core.deps import Deps
from domain.core.events import channel
from domain.gap_analysis.documents import GapAnalysis
from graph import ids
from tests.client import Client, payloads, raw_socket, receive, send, subscribe
from tests.conftest import SignIn, running_worker
from tests.jobs.pieces import LEASE, accepted_analysis, complete, until

STATUS = """
subscription ($id: ID!) {
  gapAnalysisStatus(id: $id) { cursor isSnapshot gapAnalysis { status } }
}
"""
RENAME = """
mutation ($name: String!) { updateProfile(input: {name: $name}) { viewer { name } } }
"""


async def closing(socket: ClientConnection) -> tuple[int | None, list[str]]:
    """The code that the server closes with, and all it says before."""
    said: list[str] = []
    with suppress(ConnectionClosed):
        while True:
            said.append(str(await asyncio.wait_for(socket.recv(), 5)))
    return socket.close_code, said


async def mine(deps: Deps, client: Client) -> GapAnalysis:
    """An analysis of this client's user that waits for a worker."""
    analysis = await accepted_analysis(deps)
    viewer = await client.data("{ viewer { id } }")
    user_id = ids.decode_as("User", viewer["viewer"]["id"])
    await analysis.set({"user_id": user_id})
    return analysis


def global_id(analysis: GapAnalysis) -> str:
    return ids.encode("GapAnalysis", analysis.id)


async def end(deps: Deps, analysis: GapAnalysis) -> None:
    claim = await GapAnalysis.claim(analysis.id, LEASE)
    assert claim is not None
    await complete(deps, claim)


async def until_listeners(deps: Deps, analysis: GapAnalysis, count: int) -> None:
    async def are_there() -> bool:
        name = channel(GapAnalysis, analysis.id)
        return bool(await deps.redis.pubsub_numsub(name) == [(name, count)])

    await until(are_there)


async def test_subprotocol_is_agreed_and_init_acknowledged(client: Client) -> None:
    async with raw_socket(client.base_url) as socket:
        assert socket.subprotocol == "graphql-transport-ws"
        await send(socket, type="connection_init", payload=client.headers)
        assert await receive(socket) == {"type": "connection_ack"}


async def test_other_subprotocols_are_not_spoken(deps: Deps) -> None:
    address = deps.settings.public_url.replace("http", "ws", 1) + "/graphql"
    async with connect(address, subprotocols=[Subprotocol("graphql-ws")]) as socket:
        code, said = await closing(socket)

    assert (code, said) == (4406, [])


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
async def test_token_comes_under_any_spelling_of_its_header(client: Client, name: str) -> None:
    payload = {name: client.headers["Authorization"]}
    async with raw_socket(client.base_url) as socket:
        await send(socket, type="connection_init", payload=payload)
        assert (await receive(socket))["type"] == "connection_ack"
        await subscribe(socket, "1", "{ viewer { name } }")
        [answer] = [payload async for payload in payloads(socket, "1")]

    assert answer["data"]["viewer"] is not None


@pytest.mark.parametrize(
    "value", ["Bearer x.y.z", "Bearer", "Basic dXNlcjpwYXNz", "nothing", 5, ["Bearer"], {"a": 1}]
)
async def test_bad_token_closes_with_4403_and_says_nothing(nobody: Client, value: object) -> None:
    async with raw_socket(nobody.base_url) as socket:
        await send(socket, type="connection_init", payload={"Authorization": value})
        assert await closing(socket) == (4403, [])


async def test_expired_token_closes_with_4403(deps: Deps, nobody: Client) -> None:
    token = deps.signers.access.issue(uuid4(), now() - 2 * LEASE, LEASE)
    async with raw_socket(nobody.base_url) as socket:
        await send(socket, type="connection_init", payload={"Authorization": f"Bearer {token}"})
        assert await closing(socket) == (4403, [])


async def test_nobody_may_connect_and_sees_what_nobody_may_see(nobody: Client) -> None:
    async with nobody.socket() as socket:
        await subscribe(socket, "1", "{ viewer { name } }")
        assert [payload async for payload in payloads(socket, "1")] == [{"data": {"viewer": None}}]
        await subscribe(socket, "2", STATUS, {"id": "x"})
        refused = await receive(socket)

    assert (refused["type"], refused["id"]) == ("error", "2")
    assert refused["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_subscribing_before_the_ack_closes_with_4401(client: Client) -> None:
    async with raw_socket(client.base_url) as socket:
        await subscribe(socket, "1", "{ viewer { name } }")
        assert await closing(socket) == (4401, [])


async def test_second_init_closes_with_4429(client: Client) -> None:
    async with client.socket() as socket:
        await send(socket, type="connection_init", payload=client.headers)
        assert await closing(socket) == (4429, [])


async def test_used_id_closes_with_4409(deps: Deps, client: Client) -> None:
    analysis = await mine(deps, client)
    async with client.socket() as socket:
        await subscribe(socket, "1", STATUS, {"id": global_id(analysis)})
        assert (await receive(socket))["type"] == "next"
        await subscribe(socket, "1", STATUS, {"id": global_id(analysis)})
        assert (await closing(socket))[0] == 4409


@pytest.mark.parametrize(
    "frame",
    [
        "not JSON",
        '{"type": "dance"}',
        '{"id": "1"}',
        "null",
        "[]",
        "5",
        "[" * 50_000,
        "{}",
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "payload": {"query": "{ viewer { name } }"}}',
        b"\x00\x01",
    ],
)
async def test_malformed_frame_closes_with_4400(client: Client, frame: str | bytes) -> None:
    async with client.socket() as socket:
        await socket.send(frame)
        assert await closing(socket) == (4400, [])


async def test_ping_is_answered_before_and_after_the_ack(client: Client) -> None:
    async with raw_socket(client.base_url) as socket:
        await send(socket, type="ping")
        assert await receive(socket) == {"type": "pong"}
        await send(socket, type="connection_init", payload=client.headers)
        assert (await receive(socket))["type"] == "connection_ack"
        await send(socket, type="ping", payload={"any": "thing"})
        assert await receive(socket) == {"type": "pong"}
        await send(socket, type="pong")
        await send(socket, type="ping")
        assert await receive(socket) == {"type": "pong"}


async def test_queries_and_mutations_are_answered_once_and_complete(client: Client) -> None:
    async with client.socket() as socket:
        await subscribe(socket, "q", "{ viewer { language } }")
        answers = [payload async for payload in payloads(socket, "q")]
        assert answers == [{"data": {"viewer": {"language": "EN"}}}]
        await subscribe(socket, "m", RENAME, {"name": "Noa"})
        [answer] = [payload async for payload in payloads(socket, "m")]
        assert answer["data"]["updateProfile"]["viewer"]["name"] == "Noa"
        await subscribe(socket, "q", "{ viewer { name } }")  # the id is free again
        assert (await receive(socket))["payload"]["data"]["viewer"]["name"] == "Noa"


async def test_invalid_operation_is_an_error_of_that_operation_alone(client: Client) -> None:
    async with client.socket() as socket:
        await subscribe(socket, "1", "{ viewer { shoeSize } }")
        message = await receive(socket)
        await subscribe(socket, "2", "{ viewer { language } }")
        assert (await receive(socket))["payload"]["data"] == {"viewer": {"language": "EN"}}

    assert (message["type"], message["id"]) == ("error", "1")
    assert "shoeSize" in message["payload"][0]["message"]


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
