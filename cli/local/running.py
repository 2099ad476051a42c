"""What a running `careergraph up` tells the other commands of this machine."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from cli.local.private_files import write_private


@dataclass(frozen=True)
class Running:
    """The instance on a data folder; `pid` is that of `up`."""

    mongodb_uri: str
    redis_url: str
    web_port: int
    pid: int


def write_running(data: Path, running: Running) -> None:
    """Write run/servers.json, of mode 0600 since it holds the database's password.

    Raises LocalServerError.
    """
    write_private(_file(data), json.dumps(asdict(running)))


def read_running(data: Path) -> Running | None:
    """The instance that runs on `data`; None when there is none or its process is gone."""
    try:
        running = Running(**json.loads(_file(data).read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError):  # absent, or written by another version
        return None
    return running if _is_alive(running.pid) else None


def forget_running(data: Path) -> None:
    """Remove what an instance wrote."""
    _file(data).unlink(missing_ok=True)


def _file(data: Path) -> Path:
    return data.expanduser().absolute() / "run" / "servers.json"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
