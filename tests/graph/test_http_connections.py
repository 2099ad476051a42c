"""Connections that send no whole request, or do not read their answers."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from cli.http_protocol import HTTPProtocol
from domain.core.deps import Deps
from tests.client import Client
from tests.graph.sockets import serving
from tests.graph.test_socket_stalls import LARGE
from tests.graph.web_process import WebProcess

HEAD = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
LATE = b"HTTP/1.1 408 "


class Hasty(HTTPProtocol):
    """With a second for all that has ten."""

    head_seconds = stall_seconds = 1.0


@dataclass
class Peer:
    """One connection whose bytes are written and read by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def rest(self, seconds: float = 5) -> bytes:
        """All that comes until the connection ends. Raises ConnectionResetError, TimeoutError."""
        return await asyncio.wait_for(self.reader.read(), seconds)

    async def answer(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0])
        return head + await self.reader.readexactly(size)


@asynccontextmanager
async def peer(address: str, receive_bytes: int | None = None) -> AsyncIterator[Peer]:
    """A connection whose kernel keeps `receive_bytes` of what is not yet read."""
    parts = urlsplit(address)
    plain = socket.socket()
    if receive_bytes is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, (parts.hostname, parts.port))
    reader, writer = await asyncio.open_connection(sock=plain, limit=receive_bytes or 2**16)
    try:
        yield Peer(reader, writer)
    finally:
        writer.transport.abort()


def large(client: Client) -> bytes:
    """A request for an answer of some 400 KB."""
    content = json.dumps({"query": LARGE}).encode()
    lines = [
        "POST /graphql HTTP/1.1", "Host: localhost", "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *(f"{name}: {value}" for name, value in client.headers.items()),
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode() + content


@pytest.fixture
async def hasty(deps: Deps) -> AsyncIterator[str]:
    async with serving(deps, http=Hasty) as address:
        yield address


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GET ", HEAD])
async def test_connection_without_a_whole_head_ends(hasty: str, sent: bytes) -> None:
    async with peer(hasty) as one:
        begun = time.monotonic()
        await one.send(sent)
        assert (await one.rest()).startswith(LATE if sent else b"")
        assert 0.9 < time.monotonic() - begun < 3


async def test_head_that_comes_byte_by_byte_ends_all_the_same(hasty: str) -> None:
    async with peer(hasty) as one:
        for _ in range(4):
            await one.send(b"G" if _ == 0 else b"E")
            await asyncio.sleep(0.3)
        assert (await one.rest(0.5)).startswith(b"HTTP/1.1 40")


@pytest.mark.parametrize("sent", [b"\r\n", b"GET ", HEAD])
async def test_later_head_has_the_same_time_from_its_first_byte(hasty: str, sent: bytes) -> None:
    """Shorter than uvicorn's 5 s for idle connections, which any byte ends."""
    async with peer(hasty) as one:
        await one.send(HEAD + b"\r\n")
        assert (await one.answer()).startswith(b"HTTP/1.1 404")
        await asyncio.sleep(1.5)  # idle, for longer than a head may take
        await one.send(HEAD + b"\r\n")
        assert (await one.answer()).startswith(b"HTTP/1.1 404")
        await one.send(sent)
        assert (await one.rest(3)).startswith(LATE)


async def test_body_that_drips_after_its_answer_ends(hasty: str) -> None:
    async with peer(hasty) as one:
        await one.send(HEAD + b"Content-Length: 1000\r\n\r\n")
        assert (await one.answer()).startswith(b"HTTP/1.1 404")
        await one.send(b"x")
        assert (await one.rest(3)).startswith(LATE)


async def test_body_has_its_own_time(hasty: str, client: Client) -> None:
    async with peer(hasty) as one:
        request = large(client)
        for part in (request[:-20], request[-20:-10], request[-10:]):
            await one.send(part)
            await asyncio.sleep(0.8)
        assert (await one.answer()).startswith(b"HTTP/1.1 200")


async def test_answer_that_is_not_read_is_reset(hasty: str, client: Client) -> None:
    async with peer(hasty, 4096) as one:
        await one.send(large(client) * 20)  # more than the kernels of both sides take
        await asyncio.sleep(4)
        with pytest.raises(ConnectionResetError):
            await one.rest()


async def test_answer_that_is_read_slowly_arrives(hasty: str, client: Client) -> None:
    """A little every 0.3 s, for much longer than nothing may be read."""
    async with peer(hasty, 4096) as one:
        await one.send(large(client) * 20)
        for _ in range(20):
            assert await one.reader.readexactly(8192)
            await asyncio.sleep(0.3)
        for _ in range(5):
            assert await one.reader.readexactly(400_000)


async def test_the_process_keeps_to_it(deps: Deps, client: Client) -> None:
    """`careergraph web`, which runs on uvloop, with its 10 s."""
    web = WebProcess(deps)
    async with (
        web.running(),
        peer(web.address) as silent,
        peer(web.address) as half,
        peer(web.address, 4096) as stalled,
        peer(web.address, 4096) as slow,
    ):
        begun = time.monotonic()
        await half.send(HEAD)
        await stalled.send(large(client) * 20)
        await slow.send(large(client) * 20)
        said = asyncio.gather(silent.rest(15), half.rest(15))
        while time.monotonic() - begun < 14:
            assert await slow.reader.readexactly(4096)
            await asyncio.sleep(1)
        assert [answer[:13] for answer in await said] == [b"", LATE]
        with pytest.raises(ConnectionResetError):
            await stalled.rest()
        assert await slow.reader.readexactly(400_000)
