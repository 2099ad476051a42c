"""A server behind the perimeter, whose routes only tell what reached them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from domain.core.logging import configure_logging
from domain.core.settings import Settings, load_settings
from graph.cookies import caller_of
from graph.perimeter import perimeter
from tests.served import served


async def who(request: Request) -> Response:
    return JSONResponse({"address": caller_of(request).address, "scheme": request.url.scheme})


async def bug(request: Request) -> Response:
    raise RuntimeError("the secret is 4711")


async def bug_half_way(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", b"10")]})  # fmt: skip
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise RuntimeError("too late")


async def echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def framed(request: Request) -> Response:
    return PlainTextResponse("x", headers={"Content-Security-Policy": "default-src 'self'"})


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json({"address": caller_of(websocket).address})
    await websocket.close()


class HalfWay:
    """An ASGI application as a route."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await bug_half_way(scope, receive, send)


def app(settings: Settings) -> Starlette:
    routes = [
        Route("/who", who),
        Route("/health/live", who),
        Route("/metrics", who),
        Route("/bug", bug),
        Route("/half", HalfWay()),
        Route("/echo", echo, methods=["POST"]),
        Route("/framed", framed),
        WebSocketRoute("/socket", socket),
    ]
    return Starlette(routes=routes, middleware=perimeter(settings))


@asynccontextmanager
async def server(**settings: Any) -> AsyncIterator[str]:
    async with served(app(load_settings(**settings))) as address:
        yield address


async def ask(
    base: str, path: str, method: str = "GET", *, of: str = "127.0.0.1", **options: Any
) -> httpx2.Response:
    """One request from the address `of`."""
    transport = httpx2.AsyncHTTPTransport(local_address=of)
    async with httpx2.AsyncClient(transport=transport, base_url=base) as http:
        return await http.request(method, path, **options)


async def raw(base: str, head: str) -> bytes:
    """The whole answer to a request as it stands here."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(base.rpartition(":")[2]))
    writer.write(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer


if __name__ == "__main__":  # as a process of its own, with the logs of one
    settings = load_settings(log_format="json")
    configure_logging(settings)
    uvicorn.run(app(settings), port=int(sys.argv[1]), log_config=None, access_log=False)
