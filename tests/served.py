"""Any ASGI application behind a real uvicorn, for tests that need one of their own."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import uvicorn
from starlette.types import ASGIApp

from cli.web import PROTOCOLS


@asynccontextmanager
async def served(
    app: ASGIApp, lifespan: Literal["on", "off"] = "off", port: int = 0, **options: Any
) -> AsyncIterator[str]:
    """The application on a loopback port, a free one unless named; gives its address.

    `options` are uvicorn's, over those that the web process has for connections.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    config = uvicorn.Config(
        app,
        lifespan=lifespan,
        log_config=None,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        **{**PROTOCOLS, **options},
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # uvicorn has no event for it
        assert not serving.done(), "the web server ended at start"
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
