"""`careergraph web`: the process that clients talk to."""

import asyncio
from typing import Any

import uvicorn
from pymongo.errors import PyMongoError
from starlette.applications import Starlette

from cli.connection import explain_connection, ping_mongo, serving_settings_or_exit
from cli.http_protocol import HTTPProtocol
from cli.local.errors import LocalServerError
from cli.local.ports import require_free_port
from cli.output import fail
from cli.websocket_protocol import WebSocketProtocol
from domain.core.logging import configure_logging
from domain.core.production import refuse_faulty
from domain.core.settings import load_settings
from graph.app import create_app
from graph.socket_messages import MESSAGE_MAX_BYTES

_SHUTDOWN_SECONDS = 5
PROTOCOLS: dict[str, Any] = {
    "http": HTTPProtocol,
    "ws": WebSocketProtocol,
    "ws_max_size": MESSAGE_MAX_BYTES,
    "ws_per_message_deflate": False,  # a small message could be a very large one
}
"""How uvicorn serves connections. It pings each socket every 20 s, and drops it without an answer
in 20 s."""


def app_from_environment() -> Starlette:
    """What every uvicorn process runs. Raises NotForProduction, for who starts uvicorn by hand."""
    settings = load_settings()
    configure_logging(settings)
    refuse_faulty(settings)
    return create_app(settings)


def run(host: str, port: int, workers: int) -> None:
    """Serve until told to stop. Exits with a line of explanation when that cannot work."""
    settings = serving_settings_or_exit()
    try:
        require_free_port(host, port)
        asyncio.run(ping_mongo(settings))
    except LocalServerError as error:
        fail(str(error))
    except PyMongoError as error:
        fail(explain_connection(error))
    uvicorn.run(
        "cli.web:app_from_environment",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # graph/perimeter.py believes the named proxies, and no others
        **PROTOCOLS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
