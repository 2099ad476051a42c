"""The processes of one run: databases, web servers, workers and a faulty model, all supervised."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from cli.local.ports import free_ports
from cli.local.servers import LocalServers, local_servers
from domain.core.settings import Settings, load_settings

WEBS = ("web-1", "web-2")
WORKERS = ("worker-1", "worker-2", "worker-3")
_HOST = "127.0.0.1"
_HERE = ("PATH", "LD_LIBRARY_PATH", "CAREERGRAPH_MONGOD", "CAREERGRAPH_REDIS_SERVER")
_PACE_SECONDS = "1.5"
"""Between the model's questions: long enough for kills to hit work under way."""

# A fifth of what a deployment waits, so that minutes show what else takes a quarter of an hour.
COMPRESSED: Mapping[str, float] = {
    "lease_seconds": 6,
    "heartbeat_seconds": 2,
    "sweep_seconds": 2,
    "sweep_after_seconds": 3,
    "reread_seconds": 1,
    "model_timeout_seconds": 5,
    "job_timeout_seconds": 60,
    "worker_grace_seconds": 2,
}
_NO_LIMITS: Mapping[str, int] = {
    "submits_per_minute": 60_000,
    "submit_burst": 1_000,
    "cvs_per_minute": 60_000,
    "cv_burst": 1_000,
    "cost_per_minute": 1_000_000,
    "address_cost_per_minute": 10_000_000,
}


@dataclass(frozen=True)
class Fleet:
    """What runs, and where its servers are."""

    settings: Settings
    webs: tuple[str, ...]
    """Base addresses, one for each web process."""
    data: Path
    _servers: LocalServers

    def pid(self, name: str) -> int | None:
        """The process id of a child, None while it is down."""
        return self._servers.processes.pid(name)


@asynccontextmanager
async def running_fleet(data: Path, seed: int, log: Callable[[str], None]) -> AsyncIterator[Fleet]:
    """Everything up and ready on the folder `data`, restarted when it dies, until the end."""
    env = {name: os.environ[name] for name in _HERE if name in os.environ}
    async with local_servers(data, env, log) as servers:
        model_port, *web_ports = islice(free_ports(None), 1 + len(WEBS))
        webs = tuple(f"http://{_HOST}:{port}" for port in web_ports)
        settings = load_settings(
            mongodb_uri=servers.mongodb_uri, redis_url=servers.redis_url, data_dir=data,
            public_url=webs[0], **COMPRESSED, **_NO_LIMITS,
        )  # fmt: skip
        await _add_model(servers, model_port, seed)
        environment = _environment(settings, f"http://{_HOST}:{model_port}")
        for name, port in zip(WEBS, web_ports, strict=True):
            await _add_web(servers, name, port, environment)
        for name in WORKERS:
            await servers.processes.add(name, _careergraph("worker"), environment, stop_grace=8)
        yield Fleet(settings, webs, data, servers)


async def _add_model(servers: LocalServers, port: int, seed: int) -> None:
    command = [sys.executable, "-m", "tests.model_server", "--port", str(port)]
    await servers.processes.add(
        "model",
        [*command, "--pace", _PACE_SECONDS, "--faults", str(seed)],
        dict(os.environ),
        ready=partial(_listens, port),
    )


async def _add_web(servers: LocalServers, name: str, port: int, env: Mapping[str, str]) -> None:
    await servers.processes.add(
        name,
        _careergraph("web", "--port", str(port)),
        {**env, "CAREERGRAPH_PUBLIC_URL": f"http://{_HOST}:{port}"},
        ready=partial(_listens, port),
        stop_grace=8,
    )


def _careergraph(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli.main", *arguments]


def _environment(settings: Settings, model_url: str) -> dict[str, str]:
    values = {f"CAREERGRAPH_{name.upper()}": str(value)
              for name, value in {**COMPRESSED, **_NO_LIMITS}.items()}  # fmt: skip
    return {
        **os.environ,
        **values,
        "MONGODB_URI": settings.mongodb_uri,
        "REDIS_URL": settings.redis_url,
        "CAREERGRAPH_DATA_DIR": str(settings.data_dir),
        "ANTHROPIC_API_KEY": "none is needed",
        "ANTHROPIC_BASE_URL": model_url,
        "PYTHONUNBUFFERED": "1",
    }


async def _listens(port: int) -> None:
    """Returns once something accepts connections there; uvicorn does when it is ready."""
    while True:
        try:
            _, writer = await asyncio.open_connection(_HOST, port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
