"""The embedded MongoDB: a real mongod, a replica set of one, for this machine alone."""

import asyncio
import base64
import fcntl
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from cli.local.binaries import server_environment
from cli.local.data_folder import DataFolder
from cli.local.errors import LocalServerError
from cli.local.polling import until
from cli.local.ports import bind_error, free_ports
from cli.local.private_files import read_or_create_secret, write_private
from cli.local.supervisor import Supervisor

Client = AsyncMongoClient[dict[str, Any]]

REPLICA_SET = "careergraph"
USER = "careergraph"
ROLES = ["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterAdmin"]
PORTS_TRIED = 3
PREVIOUS_GRACE = 10.0
OPLOG_MB = 256
"""mongod's own default is 5 % of the free disk, at least 990 MB: too much for one machine."""

# Server error codes: src/mongo/base/error_codes.yml
UNAUTHORIZED = 13
AUTHENTICATION_FAILED = 18
ALREADY_INITIALIZED = 23
NOT_YET_INITIALIZED = 94


async def start_mongod(
    folder: DataFolder,
    program: Path,
    env: Mapping[str, str],
    processes: Supervisor,
    log: Callable[[str], None],
) -> str:
    """Start mongod on `folder` as the process `mongod`; the URI of a writable primary.

    The port is the one used before unless someone else has it now, of which `log` is told.
    Raises LocalServerError.
    """
    await _wait_for_previous(folder.mongo)
    password = read_or_create_secret(folder.keys / "mongod.password", _new_password)
    read_or_create_secret(folder.keys / "mongod.keyfile", _new_keyfile)
    environment = await server_environment(program, env, folder.run / "lib")
    port_file = folder.run / "mongod.port"
    before = _remembered(port_file)
    for port in islice(free_ports(before), PORTS_TRIED):
        if before not in (None, port):
            # mongod first asks whoever listens on its old address, and waits 30 s for an answer.
            log(f"port {before} is taken; mongod moves to {port}, in up to half a minute")
        command = _command(program, folder, port)
        if await _added(processes, command, environment, port, password):
            write_private(port_file, str(port))
            return _uri(port, password)
    raise LocalServerError(
        "mongod could not listen",
        f"other programs took its port {PORTS_TRIED} times",
        "Start again, or set MONGODB_URI to a running server.",
    )


async def _added(
    processes: Supervisor, command: list[str], env: Mapping[str, str], port: int, password: str
) -> bool:
    """Whether mongod runs now; False when another program took the port meanwhile."""
    ready = partial(_make_ready, port, password)
    try:
        await processes.add("mongod", command, env, ready=ready)
    except LocalServerError:
        if bind_error("127.0.0.1", port):
            return False
        raise
    return True


def _command(program: Path, folder: DataFolder, port: int) -> list[str]:
    # 6.0 is past its end of life: loopback only, no compressors (CVE-2025-14847), keyFile auth.
    # The wiredTiger options bring a new database from about 300 MB of disk to 9 MB.
    return [
        str(program),
        *("--dbpath", str(folder.mongo)),
        *("--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"),
        *("--replSet", REPLICA_SET, "--oplogSize", str(OPLOG_MB)),
        *("--keyFile", str(folder.keys / "mongod.keyfile")),
        *("--networkMessageCompressors", "disabled"),
        *("--wiredTigerCacheSizeGB", "0.25"),
        *("--wiredTigerEngineConfigString", "log=(file_max=8MB,prealloc=false)"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        "--quiet",
    ]


def _uri(port: int, password: str) -> str:
    # Direct: a replica set's members are followed by the address they had, and ports change here.
    return (
        f"mongodb://{USER}:{password}@127.0.0.1:{port}/{USER}"
        "?directConnection=true&authSource=admin&appName=careergraph&w=majority"
    )


def _new_password() -> str:
    return secrets.token_urlsafe(24)


def _new_keyfile() -> str:
    return base64.b64encode(secrets.token_bytes(288)).decode()


def _remembered(port_file: Path) -> int | None:
    try:
        return int(port_file.read_text())
    except (FileNotFoundError, ValueError):
        return None


async def _wait_for_previous(folder: Path) -> None:
    """Wait until no mongod holds the folder; an earlier one may still be shutting down."""
    lock = folder / "mongod.lock"
    try:
        await until(partial(_is_unlocked, lock), timeout=PREVIOUS_GRACE)
    except TimeoutError as error:
        pid = lock.read_text().strip() or "unknown"
        raise LocalServerError(
            f"the database in {folder} is in use",
            f"a mongod (pid {pid}) still runs on it",
            f"End it with `kill {pid}` and start again.",
        ) from error


async def _is_unlocked(lock: Path) -> bool:
    try:
        with lock.open("rb") as file:  # mongod holds it with flock for as long as it lives
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True


async def _make_ready(port: int, password: str) -> None:
    """Wait until mongod answers, finish its set-up where needed, wait until it can be written to.

    Safe to repeat at every start, whatever an earlier one left half done.
    """
    await until(partial(_accepts, port))
    try:
        async with _client(_uri(port, password)) as client:
            try:
                config = await until(partial(_config, client))
            except OperationFailure as error:
                if error.code != AUTHENTICATION_FAILED:
                    raise
                await _first_start(port, password)
                config = await until(partial(_config, client))
            await _move_member(client, config, port)
            await until(partial(_is_writable, client))
    except PyMongoError as error:
        why = str(error).split(", full error")[0]
        fix = "Start again; if it stays so, see mongod.log in the data folder's logs."
        raise LocalServerError("mongod could not be made ready", why, fix) from error


async def _first_start(port: int, password: str) -> None:
    # Until there is a user, mongod lets a client on this machine start the set and make one.
    async with _client(f"mongodb://127.0.0.1:{port}/?directConnection=true") as client:
        member = {"_id": 0, "host": f"127.0.0.1:{port}"}
        try:
            await client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
        except OperationFailure as error:
            if error.code == UNAUTHORIZED:
                raise _lost_password() from error
            if error.code != ALREADY_INITIALIZED:
                raise
        await until(partial(_is_writable, client))
        await client.admin.command("createUser", USER, pwd=password, roles=ROLES)


def _lost_password() -> LocalServerError:
    return LocalServerError(
        "the embedded MongoDB refuses its user",
        "keys/mongod.password in the data folder is not the one its database was made with",
        "Bring that file back, or choose another folder with --data DIR.",
    )


async def _config(client: Client) -> dict[str, Any] | None:
    try:
        answer = await client.admin.command("replSetGetConfig")
    except OperationFailure as error:
        if error.code == NOT_YET_INITIALIZED:  # not read from its disk yet
            return None
        raise
    config: dict[str, Any] = answer["config"]
    return config


async def _move_member(client: Client, config: dict[str, Any], port: int) -> None:
    """Tell the set its member's present port; a member not found in the set is REMOVED for good."""
    host = f"127.0.0.1:{port}"
    member = config["members"][0]
    if member["host"] == host:
        return
    moved = config | {"version": config["version"] + 1, "members": [member | {"host": host}]}
    await client.admin.command("replSetReconfig", moved, force=True)


def _client(uri: str) -> Client:
    return AsyncMongoClient(uri, serverSelectionTimeoutMS=5000)


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _is_writable(client: Client) -> bool:
    try:
        answer = await client.admin.command("hello")
    except AutoReconnect:  # members drop connections when their state changes
        return False
    return bool(answer.get("isWritablePrimary"))
