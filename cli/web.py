"""`careergraph web`: the process that clients talk to."""

import asyncio

import uvicorn
from pymongo.errors import PyMongoError
from starlette.applications import Starlette

from cli.connection import explain_connection, ping_mongo, settings_or_exit
from cli.local.errors import LocalServerError
from cli.local.ports import require_free_port
from cli.output import fail
from domain.core.logging import configure_logging
from domain.core.settings import load_settings
from graph.app import create_app

_SHUTDOWN_SECONDS = 5


def app_from_environment() -> Starlette:
    """What every uvicorn process runs."""
    settings = load_settings()
    configure_logging(settings)
    return create_app(settings)


def run(host: str, port: int, workers: int) -> None:
    """Serve until told to stop. Exits with a line of explanation when that cannot work."""
    settings = settings_or_exit()
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
        proxy_headers=False,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
