"""`careergraph worker`: the process that does what web processes have accepted."""

import asyncio
import signal

from pymongo.errors import PyMongoError

from cli.connection import explain_connection, ping_mongo, serving_settings_or_exit
from cli.output import fail
from domain.core.key_files import KeyFolderError
from domain.core.settings import Settings
from jobs.worker import run_worker


def run() -> None:
    """Work until told to stop. Exits with a line of explanation when that cannot work."""
    settings = serving_settings_or_exit()
    try:
        asyncio.run(_work(settings))
    except (PyMongoError, KeyFolderError) as error:
        fail(explain_connection(error))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await ping_mongo(settings)  # opening everything gives up only after several timeouts
    await run_worker(settings, stop)
