"""How much one socket, one user and one address may hold, and what a fault of ours looks like."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection

from domain.core.deps import Deps
from graph.app import graphql_routes
from graph.execution import Executor, Params, Prepared
from graph.open_sockets import OpenSockets
from graph.schema import make_schema
from graph.socket import GraphQLSocket
from graph.socket_places import Places
from tests.client import Client, raw_socket, receive, send, subscribe
from tests.conftest import SignIn
from tests.graph.sockets import (
    STATUS,
    closing,
    global_id,
    mine,
    serving,
    until_listeners,
    wire,
)
from tests.graph.web_process import WebProcess
from tests.jobs.pieces import own_redis, until
from tests.served import served

VIEWER = "{ viewer { name } }"
OPERATIONS, SOCKETS = 20, 10


async def refused_init(client: Client) -> tuple[int | None, str | None]:
    """How a socket is closed in answer to its connection_init."""
    async with raw_socket(client.base_url) as socket:
        await send(socket, type="connection_init", payload=client.headers)
        code, said = await closing(socket)
        assert said == []
        return code, socket.close_reason


async def can_connect(client: Client) -> bool:
    async with raw_socket(client.base_url) as socket:
        await send(socket, type="connection_init", payload=client.headers)
        async for message in socket:
            return "connection_ack" in str(message)
    return False


async def until_can_connect(client: Client) -> None:
    await until(lambda: can_connect(client))


@asynccontextmanager
async def many(client: Client, count: int) -> AsyncIterator[list[ClientConnection]]:
    """This many sockets at once."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(client.socket()) for _ in range(count)]


async def test_operation_over_the_most_is_an_error_of_its_own(deps: Deps, client: Client) -> None:
    analysis = await mine(deps, client)
    async with client.socket() as socket:
        for number in range(OPERATIONS):
            await subscribe(socket, str(number), STATUS, {"id": global_id(analysis)})
        started = {(await receive(socket))["id"] for _ in range(OPERATIONS)}
        await subscribe(socket, "more", STATUS, {"id": global_id(analysis)})
        refused = await receive(socket)
        await send(socket, type="complete", id="7")
        await subscribe(socket, "more", VIEWER)
        answer = await receive(socket)

    assert started == {str(number) for number in range(OPERATIONS)}
    assert (refused["type"], refused["id"]) == ("error", "more")
    assert refused["payload"][0]["extensions"] == {"code": "TOO_MANY_SUBSCRIPTIONS", "limit": 20}
    assert (answer["type"], answer["id"]) == ("next", "more")
    await until_listeners(deps, analysis, 0)


async def test_thousand_subscriptions_one_after_another_leave_nothing(
    deps: Deps, client: Client
) -> None:
    """Each completed at once: those that are being ended hold up the next, not pile up."""
    analysis = await mine(deps, client)
    async with client.socket() as socket:
        for _ in range(1_000):
            await subscribe(socket, "1", STATUS, {"id": global_id(analysis)})
            await send(socket, type="complete", id="1")
        await send(socket, type="ping")
        while (message := await receive(socket))["type"] != "pong":
            assert message["type"] == "next", message
        await until_listeners(deps, analysis, 0)


async def test_eleventh_socket_of_a_user_is_refused_until_one_closes(client: Client) -> None:
    async with many(client, SOCKETS) as sockets:
        code, reason = await refused_init(client)
        await sockets[3].close()
        await until_can_connect(client)
        await send(sockets[0], type="ping")
        assert await receive(sockets[0]) == {"type": "pong"}

    assert code == 4429
    assert "at most 10" in (reason or "")


async def test_sockets_are_counted_for_each_user(client: Client, sign_in: SignIn) -> None:
    async with many(client, SOCKETS), many(await sign_in(), SOCKETS):
        pass


async def test_sockets_of_nobody_are_counted_for_each_address(
    nobody: Client, client: Client
) -> None:
    async with many(nobody, SOCKETS):
        assert (await refused_init(nobody))[0] == 4429
        assert await can_connect(client)
    await until_can_connect(nobody)


async def test_sockets_are_counted_over_all_processes(deps: Deps, client: Client) -> None:
    web = WebProcess(deps)
    there = Client(web.address, client.token)
    async with web.running(), many(client, 6), many(there, 4) as others:
        assert (await refused_init(client))[0] == 4429
        assert (await refused_init(there))[0] == 4429
        await others[0].close()
        await until_can_connect(client)


async def test_places_of_a_killed_process_are_free_when_they_are_not_renewed(deps: Deps) -> None:
    """Its sockets' ids stay in Redis with the time at which their places end."""
    places, owner = Places(deps.redis), f"user:{uuid4().hex}"
    ids = [uuid4() for _ in range(SOCKETS)]
    assert all([await places.take(owner, id) for id in ids])
    assert not await places.take(owner, uuid4())

    key = f"careergraph:sockets:{owner}"
    await deps.redis.zadd(key, {id.hex: 1 for id in ids[:4]})  # 10 s without a sign of life
    assert await places.take(owner, uuid4())
    assert await deps.redis.zcard(key) == 7

    await places.renew([(owner, ids[4:6])])
    kept = dict(await deps.redis.zrange(key, 0, -1, withscores=True))
    assert kept[ids[4].hex] - time.time() == pytest.approx(10, abs=2)
    assert 0 < await deps.redis.ttl(key) <= 10


async def test_places_are_taken_again_in_a_redis_that_lost_them(deps: Deps) -> None:
    places, owner = Places(deps.redis), f"user:{uuid4().hex}"
    ids = [uuid4() for _ in range(SOCKETS)]
    await places.renew([(owner, ids)])
    assert not await places.take(owner, uuid4())


async def test_without_redis_each_process_counts_its_own(
    deps: Deps, client: Client, tmp_path: Path
) -> None:
    async with own_redis(deps, tmp_path) as redis, serving(redis.deps) as address:
        there = Client(address, client.token)
        redis.kill()
        async with many(there, SOCKETS) as sockets:
            assert (await refused_init(there))[0] == 4429
            await sockets[0].close()
            await until_can_connect(there)


async def test_deflate_is_not_agreed_to(deps: Deps) -> None:
    offer = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    web = WebProcess(deps)
    async with web.running():
        for address in (deps.settings.public_url, web.address):
            async with wire(address, headers=offer) as socket:
                assert socket.headers.startswith("HTTP/1.1 101")
                assert "extensions" not in socket.headers.lower()


async def test_process_that_stops_closes_its_sockets_in_time(deps: Deps, client: Client) -> None:
    web = WebProcess(deps)
    async with web.running(), Client(web.address, client.token).socket() as socket:
        begun = time.monotonic()
        code, _ = (await asyncio.gather(closing(socket, 10), web.stop()))[0]

    assert code == 1012
    assert time.monotonic() - begun < 5


class Broken(Executor):
    """With a bug in it."""

    def prepare(self, params: Params) -> Prepared:
        raise ZeroDivisionError


async def test_bug_in_an_operation_closes_with_4500_and_is_logged(
    deps: Deps, client: Client
) -> None:
    socket_app = GraphQLSocket(Broken(make_schema(), deps.settings))
    app = Starlette(routes=[WebSocketRoute("/graphql", socket_app)])
    app.state.deps, app.state.open_sockets = deps, OpenSockets(deps)
    async with served(app) as address, Client(address, client.token).socket() as socket:
        with capture_logs() as logs:
            await subscribe(socket, "1", VIEWER)
            assert await closing(socket) == (4500, [])

    assert socket.close_reason == "Internal server error"
    assert [line["log_level"] for line in logs if line.get("exc_info")] == ["error"]


async def test_bug_before_the_ack_closes_with_4500(deps: Deps, client: Client) -> None:
    app = Starlette(routes=graphql_routes(deps.settings))
    app.state.deps, app.state.open_sockets = deps, None  # where the register should be
    async with served(app) as address, raw_socket(address) as socket:
        await send(socket, type="connection_init", payload=client.headers)
        assert await closing(socket) == (4500, [])
