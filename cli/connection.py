"""Which servers a command talks to: those the environment names, else a running `up`'s."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pymongo
import structlog
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from cli.local.running import read_running
from cli.output import fail
from domain.core.deps import Deps, open_deps, open_redis
from domain.core.key_files import KeyFolderError
from domain.core.logging import configure_logging
from domain.core.mongo import open_client
from domain.core.production import NotForProduction, production_warnings, refuse_faulty
from domain.core.settings import Settings, SettingsError, load_settings

log = structlog.get_logger()

DEFAULT_DATA = Path(".careergraph")
_PING_SECONDS = 3.0

# pymongo goes on for lines after what happened.
_DETAILS = re.compile(
    r" \(configured timeouts:|,? ?Timeout: |, Topology Description: |\.?, full error: "
)

ServerFault = (PyMongoError, RedisError, OSError, ValueError)
"""What a ping raises: ValueError for an address that cannot be read."""


def data_folder(data: Path | None) -> Path:
    """The folder given, else CAREERGRAPH_DATA_DIR, else `.careergraph` here."""
    return data or Path(os.environ.get("CAREERGRAPH_DATA_DIR") or DEFAULT_DATA)


def connected_settings(data: Path | None) -> Settings:
    """Settings that reach the servers. Exits with a line of explanation when they are no good."""
    folder = data_folder(data)
    overrides: dict[str, object] = {"data_dir": folder}
    running = read_running(folder)
    if running and not os.environ.get("MONGODB_URI"):
        overrides["mongodb_uri"] = running.mongodb_uri
    if running and not os.environ.get("REDIS_URL"):
        overrides["redis_url"] = running.redis_url
    return settings_or_exit(**overrides)


def settings_or_exit(**overrides: object) -> Settings:
    """Settings, with logging set up as they say: to stderr, as stdout is for results."""
    try:
        settings = load_settings(**overrides)
    except SettingsError as error:
        fail(f"A setting cannot be used: {error}. See the configuration table in README.md.", 2)
    configure_logging(settings)
    return settings


def serving_settings_or_exit() -> Settings:
    """The same for a process that strangers reach: exits when production mode forbids a setting."""
    settings = settings_or_exit()
    try:
        refuse_faulty(settings)
    except NotForProduction as error:
        fail(str(error), 2)
    for doubt in production_warnings(settings):
        log.warning("production", doubt=doubt)
    return settings


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Deps]:
    """`open_deps` for commands: exits with a line of explanation when that fails."""
    try:
        await ping_mongo(settings)  # `open_deps` alone gives up after several timeouts
        async with open_deps(settings) as deps:
            yield deps
    except (PyMongoError, KeyFolderError) as error:
        fail(explain_connection(error))


async def ping_mongo(settings: Settings) -> str:
    """The version of MongoDB. Raises a ServerFault, within 3 s if nothing answers."""
    async with open_client(settings) as client:
        with pymongo.timeout(_PING_SECONDS):
            return str((await client.server_info())["version"])


async def ping_redis(settings: Settings) -> str:
    """The version that Redis claims. Raises a ServerFault."""
    async with open_redis(settings) as redis:
        return str((await redis.info("server"))["redis_version"])


def reason(error: Exception) -> str:
    """What happened, without the paragraph that pymongo adds."""
    return _DETAILS.split(str(error))[0].rstrip(".")


def explain_connection(error: PyMongoError | KeyFolderError) -> str:
    """Why a command could not start, and what to do."""
    if isinstance(error, KeyFolderError):
        return str(error)
    return (
        f"MongoDB does not answer ({reason(error)}). Start everything with `careergraph up`, or "
        "name a server in MONGODB_URI; `careergraph doctor` tells more."
    )
