"""The real servers, on temporary folders."""

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from arq.connections import RedisSettings
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure
from redis.asyncio import Redis

from cli.local.binaries import find_mongod, find_redis_server
from cli.local.errors import LocalServerError
from cli.local.running import Running, read_running, write_running
from cli.local.servers import LocalServers, local_servers
from cli.local.supervisor import Supervisor
from tests.cli.local.conftest import ENV
from tests.cli.local.processes import ROOT, eventually, is_running

ONLY_MONGO = ENV | {"REDIS_URL": "redis://127.0.0.1:1"}
ONLY_REDIS = ENV | {"MONGODB_URI": "mongodb://127.0.0.1:1"}


def silent(line: str) -> None:
    """An observer for tests that look elsewhere."""


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@asynccontextmanager
async def documents(servers: LocalServers) -> AsyncIterator[Any]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(servers.mongodb_uri)
    async with client:
        yield client.get_default_database()["documents"]


def pid(servers: LocalServers, name: str) -> int:
    found = servers.processes.pid(name)
    assert found is not None
    return found


async def start_and_stop(data: Path) -> None:
    async with local_servers(data, ONLY_MONGO, silent):
        pass


def mapped_files(process: int) -> str:
    return Path(f"/proc/{process}/maps").read_text()


def port_of(data: Path) -> int:
    return int((data / "run" / "mongod.port").read_text())


async def test_kill_9_loses_nothing_acknowledged_and_the_addresses_stay(data: Path) -> None:
    lines: list[str] = []
    async with local_servers(data, ENV, lines.append) as servers:
        first = {name: pid(servers, name) for name in ("mongod", "redis")}
        async with documents(servers) as collection, Redis.from_url(servers.redis_url) as redis:
            await collection.insert_many([{"_id": n} for n in range(500)])
            await redis.set("kept", "yes")
            for process in first.values():
                os.kill(process, signal.SIGKILL)
            await eventually(lambda: sum("runs again" in line for line in lines) == 2)
            assert await collection.count_documents({}) == 500
            assert await redis.get("kept") == b"yes"
        assert all(pid(servers, name) != first[name] for name in first)
        assert "mongod died with signal 9; restarting in 0.5 s" in lines


async def test_a_later_start_finds_all_of_it_again_on_another_port_if_need_be(data: Path) -> None:
    async with local_servers(data, ONLY_MONGO, silent) as servers:
        async with documents(servers) as collection:
            await collection.insert_one({"_id": "kept"})
        process = pid(servers, "mongod")
        first_uri = servers.mongodb_uri
    assert not is_running(process)
    lines: list[str] = []
    taken = port_of(data)
    async with (
        await asyncio.start_server(hang_up, "127.0.0.1", taken),
        local_servers(data, ONLY_MONGO, lines.append) as servers,
        documents(servers) as collection,
    ):
        assert lines[0].startswith(f"port {taken} is taken; mongod moves to {port_of(data)}")
        assert servers.mongodb_uri == first_uri.replace(f":{taken}/", f":{port_of(data)}/")
        assert port_of(data) != taken
        assert await collection.find_one() == {"_id": "kept"}
        await collection.insert_one({"_id": "after"})
    async with local_servers(data, ONLY_MONGO, silent) as servers:
        assert servers.mongodb_uri != first_uri
        async with documents(servers) as collection:
            assert await collection.count_documents({}) == 2


UP = """
import asyncio, os, pathlib, sys
from cli.local.servers import local_servers
async def main():
    async with local_servers(pathlib.Path(sys.argv[1]), os.environ, print) as servers:
        print(servers.mongodb_uri)
        print(servers.redis_url)
        print(servers.processes.pid("mongod"), servers.processes.pid("redis"), flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
async def test_up_killed_with_9_leaves_no_server_and_the_next_finds_everything(data: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", UP, data), cwd=ROOT, env=ENV, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    output = [(await parent.stdout.readline()).decode().strip() for _ in range(3)]
    servers = LocalServers(output[0], output[1], Supervisor(data / "logs", silent))
    async with documents(servers) as collection, Redis.from_url(servers.redis_url) as redis:
        await redis.set("kept", "yes")
        await collection.insert_one({"_id": "kept"})
        parent.kill()
    await parent.communicate()
    async with local_servers(data, ENV, silent) as servers:
        assert servers.mongodb_uri == output[0]
        assert not any(is_running(int(process)) for process in output[2].split())
        async with documents(servers) as collection, Redis.from_url(servers.redis_url) as redis:
            assert await collection.find_one() == {"_id": "kept"}
            assert await redis.get("kept") == b"yes"


async def test_mongod_takes_transactions_and_change_streams_but_no_strangers(data: Path) -> None:
    async with local_servers(data, ONLY_MONGO, silent) as servers:
        async with documents(servers) as collection:
            client = collection.database.client
            async with await collection.watch() as changes:
                async with client.start_session() as session, await session.start_transaction():
                    await collection.insert_one({"_id": 1}, session=session)
                assert (await changes.next())["documentKey"] == {"_id": 1}
        stranger: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            f"mongodb://127.0.0.1:{port_of(data)}/?directConnection=true"
        )
        async with stranger:
            with pytest.raises(OperationFailure, match="requires authentication"):
                await stranger["careergraph"]["documents"].find_one()


async def test_a_lost_password_is_one_clear_line(data: Path) -> None:
    await start_and_stop(data)
    (data / "keys" / "mongod.password").unlink()
    with pytest.raises(LocalServerError, match=r"refuses its user: keys/mongod\.password"):
        async with local_servers(data, ONLY_MONGO, silent):
            pytest.fail("a user without its password")


async def test_mongod_runs_with_the_wheels_libcurl_where_the_system_has_none(
    data: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "mongod"
    bare.write_text(
        '#!/bin/sh\nif [ ! -e "${LD_LIBRARY_PATH%%:*}/libcurl.so.4" ]; then\n'
        'echo "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared '
        'object file: No such file or directory" >&2\nexit 127\nfi\n'
        f'exec "{find_mongod(ENV)}" "$@"\n'
    )
    bare.chmod(0o755)
    env = ONLY_MONGO | {"CAREERGRAPH_MONGOD": str(bare)}
    async with local_servers(data, env, silent) as servers:
        assert "pycurl.libs/libcurl-" in mapped_files(pid(servers, "mongod"))
        async with documents(servers) as collection:
            await collection.insert_one({})


async def test_a_mongod_that_is_still_shutting_down_is_waited_for(data: Path) -> None:
    lock = data / "mongo" / "mongod.lock"
    lock.parent.mkdir(parents=True)
    with lock.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # as mongod does until its end
        starting = asyncio.create_task(start_and_stop(data))
        done, _ = await asyncio.wait({starting}, timeout=0.3)
        assert not done
        assert not (data / "logs" / "mongod.log").exists()
    await starting


async def test_mongods_own_reason_is_told_when_it_cannot_start(data: Path) -> None:
    (data / "mongo").mkdir(parents=True)
    (data / "mongo" / "storage.bson").write_bytes(b"not bson")
    with pytest.raises(LocalServerError) as caught:
        async with local_servers(data, ONLY_MONGO, silent):
            pytest.fail("a broken database")
    assert str(caught.value).startswith("mongod died at start with ")
    assert caught.value.why.startswith("Unable to read the storage engine metadata file: ")
    assert str(data / "logs" / "mongod.log") in caught.value.fix


async def test_redis_is_reached_through_a_private_socket_by_arq_too(data: Path) -> None:
    async with local_servers(data, ONLY_REDIS, silent) as servers:
        path = data / "run" / "redis.sock"
        assert servers.redis_url == f"unix://{path}?db=0"
        assert path.stat().st_mode & 0o077 == 0
        settings = RedisSettings.from_dsn(servers.redis_url)
        assert (settings.unix_socket_path, settings.database) == (str(path), 0)
        async with Redis.from_url(servers.redis_url) as redis:
            config = await redis.config_get()
    assert config["port"] == "0"
    assert (config["appendonly"], config["appendfsync"]) == ("yes", "everysec")
    assert (config["save"], config["maxmemory-policy"]) == ("", "noeviction")


@pytest.mark.parametrize("name", ["d" * 120, "my data", "40%"])
async def test_a_path_unfit_for_a_socket_gets_one_elsewhere_for_as_long(
    data: Path, name: str
) -> None:
    async with local_servers(data / name, ONLY_REDIS, silent) as servers:
        path = Path(servers.redis_url.removeprefix("unix://").removesuffix("?db=0"))
        assert path.parent.stat().st_mode & 0o777 == 0o700
        async with Redis.from_url(servers.redis_url) as redis:
            await redis.set("kept", "yes")
    assert not path.parent.exists()
    async with (
        local_servers(data / name, ONLY_REDIS, silent) as servers,
        Redis.from_url(servers.redis_url) as redis,
    ):
        assert await redis.get("kept") == b"yes"


async def test_a_redis_server_left_over_is_ended_before_another_starts(data: Path) -> None:
    async with local_servers(data, ONLY_REDIS, silent):
        pass
    path = data / "run" / "redis.sock"
    leftover = await asyncio.create_subprocess_exec(
        *(find_redis_server(ENV), "--port", "0", "--unixsocket", path, "--save", ""),
        stdout=asyncio.subprocess.DEVNULL,
    )
    await eventually(path.exists)
    async with local_servers(data, ONLY_REDIS, silent):
        assert await asyncio.wait_for(leftover.wait(), 1) == 0


async def test_servers_named_in_the_environment_are_used_and_none_embedded(data: Path) -> None:
    async with local_servers(data, ONLY_MONGO | ONLY_REDIS, silent) as servers:
        assert servers.mongodb_uri == "mongodb://127.0.0.1:1"
        assert servers.redis_url == "redis://127.0.0.1:1"
        for name in ("mongod", "redis"):
            with pytest.raises(KeyError):
                servers.processes.pid(name)


async def test_a_second_up_is_refused_and_the_first_told_of_until_its_end(data: Path) -> None:
    async with local_servers(data, ONLY_REDIS, silent) as servers:
        running = Running(servers.mongodb_uri, servers.redis_url, 8000, os.getpid())
        write_running(data, running)
        with pytest.raises(LocalServerError, match="is in use: another `careergraph up`"):
            async with local_servers(data, ONLY_REDIS, silent):
                pytest.fail("two on one folder")
        assert read_running(data) == running
    assert read_running(data) is None
