"""Which servers a command talks to: those the environment names, else a running `up`'s."""

import os
from pathlib import Path

from pymongo.errors import PyMongoError

from cli.local.running import read_running
from cli.output import fail
from domain.auth.keys import KeyFolderError
from domain.core.settings import Settings, SettingsError, load_settings

DEFAULT_DATA = Path(".careergraph")


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
    try:
        return load_settings(**overrides)
    except SettingsError as error:
        fail(f"A setting cannot be used: {error}. See the configuration table in README.md.", 2)


def explain_connection(error: PyMongoError | KeyFolderError) -> str:
    """Why a command could not start, and what to do."""
    if isinstance(error, KeyFolderError):
        return str(error)
    reason = str(error).partition(",")[0]
    return (
        f"MongoDB does not answer ({reason}). Start everything with `careergraph up`, or name a "
        "server in MONGODB_URI; `careergraph doctor` tells more."
    )
