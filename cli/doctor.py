"""`careergraph doctor`: what this machine has and lacks."""

import json
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from cli.connection import ServerFault, ping_mongo, ping_redis, reason
from cli.graphiql_files import FOLDER, is_current
from cli.local.binaries import find_mongod, find_redis_server
from cli.local.errors import LocalServerError
from cli.local.running import read_running
from domain.auth.keys import FILE_NAME
from domain.core.key_files import key_file
from domain.core.production import production_faults, production_warnings
from domain.core.settings import Settings, SettingsError, load_settings


@dataclass(frozen=True, slots=True)
class Check:
    """One dependency. `fix` says what to do when `status` is not ok."""

    name: str
    status: str
    """ok, missing (needed), or optional (works without)."""
    detail: str
    fix: str | None = None


async def run(data: Path, *, as_json: bool) -> bool:
    """Print every check; True when nothing needed is missing."""
    checks = [_python(), *await _servers(data), _key(data), _graphiql(), _model()]
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        for check in checks:
            fix = f"  → {check.fix}" if check.fix else ""
            typer.echo(f"{check.status:<9}{check.name:<14}{check.detail}{fix}")
    return all(check.status != "missing" for check in checks)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Check("python", "ok", version)
    return Check("python", "missing", version, "install Python 3.11, 3.12 or 3.13")


async def _servers(data: Path) -> list[Check]:
    running = read_running(data)
    found = {
        "mongodb_uri": os.environ.get("MONGODB_URI") or (running and running.mongodb_uri),
        "redis_url": os.environ.get("REDIS_URL") or (running and running.redis_url),
    }
    try:
        settings = load_settings(**{name: value for name, value in found.items() if value})
    except SettingsError as error:
        return [Check("settings", "missing", str(error), "see the table in README.md")]
    return [
        _production(settings),
        await _server("mongodb", bool(found["mongodb_uri"]), settings, ping_mongo, find_mongod),
        await _server("redis", bool(found["redis_url"]), settings, ping_redis, find_redis_server),
    ]


def _production(settings: Settings) -> Check:
    if not settings.production:
        return Check("production", "ok", "off: what helps developers is on, for this machine")
    if faults := production_faults(settings):
        fix = "`web` and `worker` refuse to start until all of it is put right"
        return Check("production", "missing", " ".join(faults), fix)
    if doubts := production_warnings(settings):
        return Check("production", "optional", " ".join(doubts), "look at each; all may be meant")
    return Check("production", "ok", "on, and nothing speaks against it")


async def _server(
    name: str,
    is_named: bool,
    settings: Settings,
    ping: Callable[[Settings], Awaitable[str]],
    find: Callable[[dict[str, str]], Path],
) -> Check:
    if is_named:
        try:
            return Check(name, "ok", f"answers, version {await ping(settings)}")
        except ServerFault as error:
            fix = "start it or correct its address"
            return Check(name, "missing", f"no answer: {reason(error)}", fix)
    try:
        program = find(dict(os.environ))
        return Check(name, "ok", f"not running; `careergraph up` will start {program}")
    except LocalServerError as error:
        return Check(name, "missing", error.what, error.fix)


def _key(data: Path) -> Check:
    path = key_file(data, FILE_NAME)
    if path.exists():
        return Check("signing keys", "ok", str(path))
    return Check("signing keys", "ok", f"will be made at {path} on first run")


def _graphiql() -> Check:
    if is_current(FOLDER):
        return Check("graphiql", "ok", "files are there")
    npm = "npm is there" if shutil.which("npm") else "no npm; one from pip will be used"
    return Check("graphiql", "optional", f"files are missing ({npm})", "run `make graphiql`")


def _model() -> Check:
    if os.environ.get("ANTHROPIC_API_KEY"):
        return Check("model", "ok", "ANTHROPIC_API_KEY is set")
    detail = "no key: the built-in analyst works by rules"
    return Check("model", "optional", detail, "set ANTHROPIC_API_KEY to use Claude")
