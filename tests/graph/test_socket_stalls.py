"""Clients that do not read what they are sent."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from domain.core.deps import Deps
from domain.gap_analysis.documents import GapAnalysis
from tests.client import Client
from tests.graph.sockets import (
    PING,
    STATUS,
    TEXT,
    Wire,
    global_id,
    mine,
    serving,
    until_listeners,
    wire,
)
from tests.graph.web_process import WebProcess

# pytest's loop is asyncio's own; the process runs on uvloop.
SERVERS = ["this process", "a process of its own"]
_TYPE = "name kind description fields { name description args { name } type { name kind } }"
_ALIASES = 8
LARGE = f"{{ {' '.join(f'a{n}: __schema {{ types {{ {_TYPE} }} }}' for n in range(_ALIASES))} }}"
"""Its answer has some 400 KB."""
ENOUGH = 20
"""Such answers are more than the kernels of both sides take."""


@asynccontextmanager
async def address_of(deps: Deps, server: str) -> AsyncIterator[str]:
    if server == SERVERS[0]:
        yield deps.settings.public_url
        return
    web = WebProcess(deps)
    async with web.running():
        yield web.address


@asynccontextmanager
async def watching(
    deps: Deps, client: Client, address: str
) -> AsyncIterator[tuple[Wire, GapAnalysis]]:
    """A socket with a small receive buffer that follows an analysis."""
    analysis = await mine(deps, client)
    payload = {"query": STATUS, "variables": {"id": global_id(analysis)}}
    async with wire(address, receive_bytes=4096) as socket:
        await socket.initialise(client.headers)
        await socket.say(type="subscribe", id="status", payload=payload)
        await socket.receive()
        await until_listeners(deps, analysis, 1)
        yield socket, analysis


async def read_on(socket: Wire) -> int:
    """How many bytes come until the connection ends. Raises ConnectionResetError."""
    count = 0
    while data := await socket.reader.read(65_536):
        count += len(data)
    return count


async def ping_on(socket: Wire) -> None:
    while True:
        await socket.send(PING, b"x" * 125)


@pytest.mark.parametrize("server", SERVERS)
async def test_client_that_does_not_read_is_reset_after_10_s_and_leaves_nothing(
    deps: Deps, client: Client, server: str
) -> None:
    async with (
        address_of(deps, server) as address,
        watching(deps, client, address) as (socket, analysis),
    ):
        for number in range(ENOUGH - 1):
            await socket.say(type="subscribe", id=str(number), payload={"query": LARGE})
        begun = time.monotonic()
        await until_listeners(deps, analysis, 0)
        took = time.monotonic() - begun
        with pytest.raises(ConnectionResetError):  # no end in good order: nothing was kept for it
            await read_on(socket)

    assert 9 < took < 18


async def test_client_that_pings_without_reading_is_reset(deps: Deps, client: Client) -> None:
    """The pongs that it does not read are left out, so they take no memory."""
    async with watching(deps, client, deps.settings.public_url) as (socket, analysis):
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(ping_on(socket), 30)
        await until_listeners(deps, analysis, 0)


async def test_client_that_does_not_answer_pings_is_dropped_and_leaves_nothing(
    deps: Deps, client: Client
) -> None:
    """A connection cut off without a word, as by a lost network, has no other sign."""
    async with (
        serving(deps, ws_ping_interval=0.5, ws_ping_timeout=0.5) as address,
        watching(deps, client, address) as (socket, analysis),
    ):
        assert await socket.closing() == 1011
        await until_listeners(deps, analysis, 0)


async def test_client_that_reads_late_gets_all(deps: Deps, client: Client) -> None:
    async with watching(deps, client, deps.settings.public_url) as (socket, _):
        for number in range(ENOUGH - 1):
            await socket.say(type="subscribe", id=str(number), payload={"query": LARGE})
        await asyncio.sleep(4)
        ended: set[str] = set()
        while len(ended) < ENOUGH - 1:
            opcode, data = await socket.receive()
            message = json.loads(data)
            assert opcode == TEXT
            if message["type"] == "next":
                assert len(message["payload"]["data"]) == _ALIASES
            else:
                assert message["type"] == "complete"
                ended.add(message["id"])
