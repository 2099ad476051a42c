"""Subscriptions on a socket: side by side, ended by either side, and nothing left behind."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import ClientConnection

from domain.auth.audit import AuditAction, AuditEvent
from domain.auth.caller import Caller
from domain.auth.session_documents import Session, SignInMethod
from domain.auth.sessions import open_session
from domain.core.deps import Deps
from graph import ids
from graph.context import Context
from graph.execution import Executor, Prepared
from graph.open_sockets import OpenSockets
from graph.schema import make_schema
from graph.socket import GraphQLSocket
from tests.client import Client, payloads, receive, send, subscribe
from tests.conftest import SignIn, running_worker
from tests.graph.sockets import STATUS, closing, end, global_id, mine, until_listeners
from tests.jobs.pieces import until
from tests.served import served

RENAME = """
mutation ($name: String!) { updateProfile(input: {name: $name}) { viewer { name } } }
"""
REVOKE = """
mutation ($id: ID!) { revokeSession(input: {sessionId: $id}) { session { id } } }
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


@pytest.mark.parametrize("how", ["completes", "closes", "vanishes"])
async def test_mutation_that_has_begun_is_done_whole(deps: Deps, client: Client, how: str) -> None:
    """Its client goes on or away at any moment of it: no session is revoked without its row."""
    owner = await _user_id(client)
    opened = [
        await open_session(deps, owner, SignInMethod.GITHUB, Caller("203.0.113.7", None))
        for _ in range(40)
    ]
    for number, tokens in enumerate(opened):
        async with client.socket() as socket:
            await subscribe(socket, "1", REVOKE, {"id": ids.encode("Session", tokens.session_id)})
            await asyncio.sleep(number % 10 * 0.001)
            if how == "completes":
                await send(socket, type="complete", id="1")
                await send(socket, type="ping")
                while (await receive(socket))["type"] != "pong":
                    pass
            elif how == "vanishes":
                socket.transport.abort()

    await until(lambda: _all_recorded(owner))
    await asyncio.sleep(0.2)
    assert await _all_recorded(owner)


async def _user_id(client: Client) -> UUID:
    id = ids.decode_as("User", (await client.data("{ viewer { id } }"))["viewer"]["id"])
    assert id is not None
    return id


async def _all_recorded(owner: UUID) -> bool:
    """Whether some sessions were revoked, and each of them has its row in the audit log."""
    revoked = {session.id.hex for session in await Session.revoked_of_user(owner)}
    rows = await AuditEvent.newest(100, owner)
    recorded = [row for row in rows if row.action is AuditAction.SESSION_REVOKED]
    return bool(revoked) and revoked == {UUID(row.details["session_id"]).hex for row in recorded}


class Slow(Executor):
    """Takes a while for every operation, and counts those that it has begun and ended."""

    begun = ended = 0

    async def execute(
        self, prepared: Prepared, context: Context, seconds: float | None = None
    ) -> dict[str, Any]:
        self.begun += 1
        await asyncio.sleep(0.7)
        answer = await super().execute(prepared, context)
        self.ended += 1
        return answer

    async def until(self, begun: int, ended: int) -> None:
        async def is_so() -> bool:
            return (self.begun, self.ended) == (begun, ended)

        await until(is_so)


@asynccontextmanager
async def slow_socket(deps: Deps, client: Client) -> AsyncIterator[tuple[Slow, ClientConnection]]:
    executor = Slow(make_schema(), deps.settings)
    async with OpenSockets(deps).running() as open_sockets:
        app = Starlette(routes=[WebSocketRoute("/graphql", GraphQLSocket(executor))])
        app.state.deps, app.state.open_sockets = deps, open_sockets
        async with served(app) as address, Client(address, client.token).socket() as socket:
            yield executor, socket


async def test_only_a_mutation_goes_on_and_is_given_its_time_at_shutdown(
    deps: Deps, client: Client
) -> None:
    async with slow_socket(deps, client) as (executor, socket):
        await subscribe(socket, "1", "{ viewer { name } }")
        await subscribe(socket, "2", RENAME, {"name": "Late"})
        await executor.until(begun=2, ended=0)

    assert executor.ended == 1
    assert await client.data("{ viewer { name } }") == {"viewer": {"name": "Late"}}


async def test_mutations_that_go_on_count_until_they_have_ended(deps: Deps, client: Client) -> None:
    async with slow_socket(deps, client) as (executor, socket):
        for number in range(20):
            await subscribe(socket, str(number), RENAME, {"name": "Many"})
        await executor.until(begun=20, ended=0)
        for number in range(20):
            await send(socket, type="complete", id=str(number))
        await subscribe(socket, "more", RENAME, {"name": "More"})
        refused = await receive(socket)
        await executor.until(begun=20, ended=20)
        await subscribe(socket, "again", "{ viewer { name } }")
        answer = await receive(socket)

    assert (refused["id"], refused["type"]) == ("more", "error")
    assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
    assert answer["id"] == "again"
    assert answer["payload"] == {"data": {"viewer": {"name": "Many"}}}
