"""The two kinds of process that make up a deployment."""

import asyncio
import signal

import uvicorn
from pymongo.errors import PyMongoError
from starlette.applications import Starlette

from cli.connection import explain_connection, settings_or_exit
from cli.output import fail
from domain.auth.keys import KeyFolderError
from domain.core.logging import configure_logging
from domain.core.settings import load_settings
from graph.app import create_app
from jobs.worker import run_worker

_SHUTDOWN_SECONDS = 5


def app_from_environment() -> Starlette:
    """What every uvicorn process runs."""
    settings = load_settings()
    configure_logging(settings)
    return create_app(settings)


def run_web(host: str, port: int, workers: int) -> None:
    """Serve until told to stop."""
    settings_or_exit()
    uvicorn.run(
        "cli.processes:app_from_environment",
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


def run_worker_process() -> None:
    """Work until told to stop."""
    settings = settings_or_exit()
    configure_logging(settings)
    try:
        asyncio.run(_work())
    except (PyMongoError, KeyFolderError) as error:
        fail(explain_connection(error))


async def _work() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await run_worker(load_settings(), stop)
