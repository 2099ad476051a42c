"""Sockets in tests: how one is closed, what watches are left, and frames written by hand."""

import asyncio
import base64
import json
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from domain.core.deps import Deps
from domain.core.events import channel
from domain.gap_analysis.documents import GapAnalysis
from graph import ids
from graph.app import graphql_routes
from graph.open_sockets import OpenSockets
from tests.client import Client
from tests.jobs.pieces import LEASE, accepted_analysis, complete, until
from tests.served import served

STATUS = """
subscription ($id: ID!) {
  gapAnalysisStatus(id: $id) { cursor isSnapshot gapAnalysis { status } }
}
"""
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


async def closing(socket: ClientConnection, seconds: float = 5) -> tuple[int | None, list[str]]:
    """The code that the server closes with, and all it says before."""
    said: list[str] = []
    with suppress(ConnectionClosed):
        while True:
            said.append(str(await asyncio.wait_for(socket.recv(), seconds)))
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
    """Complete it, as a worker does."""
    claim = await GapAnalysis.claim(analysis.id, LEASE)
    assert claim is not None
    await complete(deps, claim)


async def until_listeners(deps: Deps, analysis: GapAnalysis, count: int) -> None:
    """Until this many processes watch the analysis."""

    async def are_there() -> bool:
        name = channel(GapAnalysis, analysis.id)
        return bool(await deps.redis.pubsub_numsub(name) == [(name, count)])

    await until(are_there)


@dataclass
class Wire:
    """A socket whose frames are written by hand, right or wrong."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    headers: str
    """Of the server's answer to the handshake."""

    async def send(self, opcode: int, data: bytes, fin: bool = True, flags: int = 0) -> None:
        self.writer.write(frame(opcode, data, fin, flags))
        await self.writer.drain()

    async def say(self, **message: Any) -> None:
        await self.send(TEXT, json.dumps(message).encode())

    async def receive(self) -> tuple[int, bytes]:
        """The opcode and the data of the server's next frame."""
        head, size = await self.reader.readexactly(2)
        if size == 126:
            [size] = struct.unpack("!H", await self.reader.readexactly(2))
        elif size == 127:
            [size] = struct.unpack("!Q", await self.reader.readexactly(8))
        return head & 0x0F, await self.reader.readexactly(size)

    async def closing(self, seconds: float = 5) -> int | None:
        """The code of the server's close frame; None when the connection ends without one."""
        async with asyncio.timeout(seconds):
            try:
                while True:
                    opcode, data = await self.receive()
                    if opcode == CLOSE:
                        return int(struct.unpack("!H", data[:2])[0])
            except (asyncio.IncompleteReadError, ConnectionError):
                return None

    async def initialise(self, headers: dict[str, str]) -> None:
        await self.say(type="connection_init", payload=headers)
        assert json.loads((await self.receive())[1]) == {"type": "connection_ack"}


def frame(opcode: int, data: bytes, fin: bool = True, flags: int = 0) -> bytes:
    """A client's frame (RFC 6455, 5.2). `flags` are the reserved bits."""
    head = (0x80 if fin else 0) | flags | opcode
    if len(data) < 126:
        start = struct.pack("!BB", head, 0x80 | len(data))
    elif len(data) < 1 << 16:
        start = struct.pack("!BBH", head, 0x80 | 126, len(data))
    else:
        start = struct.pack("!BBQ", head, 0x80 | 127, len(data))
    return start + bytes(4) + data  # a mask of zeros changes nothing


@asynccontextmanager
async def serving(deps: Deps, **options: Any) -> AsyncIterator[str]:
    """GraphQL alone, over these parts; gives its address. `options` are uvicorn's."""
    async with OpenSockets(deps).running() as open_sockets:
        app = Starlette(routes=graphql_routes(deps.settings))
        app.state.deps, app.state.open_sockets = deps, open_sockets
        async with served(app, **options) as address:
            yield address


@asynccontextmanager
async def wire(
    base_url: str, receive_bytes: int | None = None, headers: dict[str, str] | None = None
) -> AsyncIterator[Wire]:
    """A socket after its handshake, whose kernel keeps `receive_bytes` of what is not yet read."""
    address = urlsplit(base_url)
    plain = socket.socket()
    if receive_bytes is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, (address.hostname, address.port))
    reader, writer = await asyncio.open_connection(sock=plain, limit=receive_bytes or 2**16)
    fields = {
        "Host": address.netloc, "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": "graphql-transport-ws",
        **(headers or {}),
    }  # fmt: skip
    lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
    writer.write("".join(["GET /graphql HTTP/1.1\r\n", *lines, "\r\n"]).encode())
    answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    try:
        yield Wire(reader, writer, answer)
    finally:
        writer.transport.abort()
