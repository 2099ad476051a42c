"""A GraphQL client for tests: over real HTTP and real sockets."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from websockets.asyncio.client import ClientConnection, connect

Json = dict[str, Any]


@dataclass(frozen=True)
class Client:
    """Talks to one server as one user, or as nobody."""

    base_url: str
    token: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    async def post(self, query: str, **variables: Any) -> Json:
        """The whole answer, errors and all."""
        async with httpx2.AsyncClient(base_url=self.base_url, headers=self.headers) as http:
            response = await http.post("/graphql", json={"query": query, "variables": variables})
        answer: Json = response.json()
        return answer

    async def data(self, query: str, **variables: Any) -> Json:
        """The data of an answer that has no errors."""
        answer = await self.post(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: Json = answer["data"]
        return data

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[ClientConnection]:
        """A graphql-transport-ws socket, initialised and acknowledged."""
        async with raw_socket(self.base_url) as socket:
            await send(socket, type="connection_init", payload=self.headers)
            assert (await receive(socket))["type"] == "connection_ack"
            yield socket

    async def events(self, query: str, **variables: Any) -> list[Json]:
        """All `next` payloads of one subscription, until it completes."""
        async with self.socket() as socket:
            await subscribe(socket, "1", query, variables)
            return [payload async for payload in payloads(socket, "1")]


@asynccontextmanager
async def raw_socket(base_url: str) -> AsyncIterator[ClientConnection]:
    """A socket that has sent nothing yet."""
    address = base_url.replace("http", "ws", 1) + "/graphql"
    protocols = ["graphql-transport-ws"]
    async with connect(address, subprotocols=protocols) as socket:  # type: ignore[arg-type]  # Subprotocol is a NewType of str
        yield socket


async def send(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def receive(socket: ClientConnection) -> Json:
    message: Json = json.loads(await socket.recv())
    return message


async def subscribe(
    socket: ClientConnection, id: str, query: str, variables: Json | None = None
) -> None:
    await send(
        socket, id=id, type="subscribe", payload={"query": query, "variables": variables or {}}
    )


async def payloads(socket: ClientConnection, id: str) -> AsyncIterator[Json]:
    """The `next` payloads of one operation, until its `complete`."""
    while True:
        message = await receive(socket)
        if message.get("id") != id:
            continue
        if message["type"] == "complete":
            return
        assert message["type"] == "next", message
        yield message["payload"]
