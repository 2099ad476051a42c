"""The embedded Redis-compatible server, reachable through a Unix socket only."""

import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from cli.local.binaries import server_environment
from cli.local.data_folder import DataFolder
from cli.local.errors import LocalServerError
from cli.local.polling import until
from cli.local.supervisor import Supervisor

LONGEST_SOCKET_PATH = 103
"""Bytes: sun_path holds 108 on Linux and 104 on macOS, one of them the closing zero."""

SAFE_PATH = re.compile(r"[A-Za-z0-9/._~-]+")
"""What needs no quoting in a URL: redis-py unquotes a socket's path and arq does not."""

PREVIOUS_GRACE = 10.0


@contextmanager
def redis_socket(folder: DataFolder) -> Iterator[Path]:
    """The path for the server's socket, free to use until the context ends.

    It lies in the data folder, or, where that path is too long for a socket or needs quoting, in
    a private folder among the temporary files, removed in the end. Raises LocalServerError.
    """
    socket = folder.run / "redis.sock"
    if _is_usable(socket):
        yield socket
        return
    private = _private_folder(folder)
    try:
        yield private / "redis.sock"
    finally:
        shutil.rmtree(private, ignore_errors=True)


async def start_redis(
    folder: DataFolder,
    socket: Path,
    program: Path,
    env: Mapping[str, str],
    processes: Supervisor,
) -> str:
    """Start the server as the process `redis` on `folder`; its URL, `unix://PATH?db=0`.

    redis-py and arq both read that URL. Raises LocalServerError.
    """
    environment = await server_environment(program, env, folder.run / "lib")
    await _end_leftover(socket)
    await processes.add(
        "redis",
        _command(program, folder.redis, socket),
        environment,
        ready=partial(until, partial(_answers, socket)),
    )
    return f"unix://{socket}?db=0"


def _command(program: Path, folder: Path, socket: Path) -> list[str]:
    # Written to the append-only file before it is answered, so kill -9 loses nothing; everysec
    # bounds what a power cut can take.
    return [
        str(program),
        *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec"),
        *("--save", "", "--maxmemory-policy", "noeviction"),
        *("--daemonize", "no", "--logfile", ""),
    ]


def _private_folder(folder: DataFolder) -> Path:
    # The same name every time, so that what a kill -9 left behind is found again.
    name = hashlib.sha256(os.fsencode(folder.root)).hexdigest()[:16]
    private = Path(tempfile.gettempdir()) / f"careergraph-{os.getuid()}-{name}"
    if not _is_usable(private / "redis.sock"):
        raise LocalServerError(
            "the Redis server has no place for its socket",
            f"both {folder.run} and {private} are too long or have characters a URL cannot hold",
            "Choose a folder with a shorter, plainer path with --data DIR.",
        )
    _make_private(private)
    return private


def _is_usable(path: Path) -> bool:
    return (
        len(os.fsencode(path)) <= LONGEST_SOCKET_PATH and SAFE_PATH.fullmatch(str(path)) is not None
    )


def _make_private(folder: Path) -> None:
    # Anyone may create names among the temporary files: take the folder only if it is ours alone.
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise _untrusted(folder, error.strerror or str(error)) from error
    private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
    if not private or found.st_uid != os.getuid():
        raise _untrusted(folder, "someone else made it, or others may enter it")


def _untrusted(folder: Path, why: str) -> LocalServerError:
    return LocalServerError(
        f"the folder {folder} cannot hold the Redis socket",
        why,
        "Remove it, or choose a shorter data folder with --data DIR.",
    )


async def _end_leftover(socket: Path) -> None:
    """End a server that outlived a killed `up`; two must not append to one file.

    Whoever answers on the socket is ours: we hold the data folder's lock.
    """
    if not await _answers(socket):
        return
    async with Redis(unix_socket_path=str(socket)) as client:
        await client.shutdown()
    try:
        await until(partial(_is_silent, socket), timeout=PREVIOUS_GRACE)
    except TimeoutError as error:
        raise LocalServerError(
            "an earlier Redis server still runs on the data folder",
            f"it answers on {socket} and did not shut down",
            "End that process and start again.",
        ) from error


async def _is_silent(socket: Path) -> bool:
    return not await _answers(socket)


async def _answers(socket: Path) -> bool:
    try:
        async with Redis(unix_socket_path=str(socket)) as client:
            return bool(await client.ping())
    except RedisConnectionError:  # no socket yet, refused, or still loading its file
        return False
