"""The database servers of `careergraph up`: embedded ones, or those the environment names."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.local.binaries import find_mongod, find_redis_server
from cli.local.data_folder import open_data_folder
from cli.local.mongod import start_mongod
from cli.local.redis_server import redis_socket, start_redis
from cli.local.running import forget_running
from cli.local.supervisor import Supervisor


@dataclass(frozen=True)
class LocalServers:
    """Where the servers are, and the supervisor that runs the embedded ones.

    Processes added to `processes` are stopped before the servers.
    """

    mongodb_uri: str
    redis_url: str
    processes: Supervisor


@asynccontextmanager
async def local_servers(
    data: Path, env: Mapping[str, str], log: Callable[[str], None]
) -> AsyncIterator[LocalServers]:
    """Servers ready for use, on the data folder `data`, until the context ends.

    Where `env` has MONGODB_URI or REDIS_URL that server is used and none is embedded for it; it
    is also asked for PATH, LD_LIBRARY_PATH, CAREERGRAPH_MONGOD and CAREERGRAPH_REDIS_SERVER.
    `log` gets a line for each process that dies or is restarted and each change of port.
    Raises LocalServerError.
    """
    mongod = None if env.get("MONGODB_URI") else find_mongod(env)
    redis = None if env.get("REDIS_URL") else find_redis_server(env)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(open_data_folder(data))
        forget_running(folder.root)
        socket = stack.enter_context(redis_socket(folder)) if redis else None
        processes = await stack.enter_async_context(Supervisor(folder.logs, log))
        stack.callback(forget_running, folder.root)
        mongodb_uri = env.get("MONGODB_URI", "")
        if mongod:
            mongodb_uri = await start_mongod(folder, mongod, env, processes, log)
        redis_url = env.get("REDIS_URL", "")
        if redis and socket:
            redis_url = await start_redis(folder, socket, redis, env, processes)
        yield LocalServers(mongodb_uri, redis_url, processes)
