"""`careergraph up`: a whole deployment on one machine."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx2
import typer

from cli.connection import (
    ServerFault,
    opened,
    ping_mongo,
    ping_redis,
    reason,
    settings_or_exit,
)
from cli.local.errors import LocalServerError
from cli.local.ports import require_free_port
from cli.local.running import Running, write_running
from cli.local.servers import LocalServers, local_servers
from cli.output import say
from cli.seed import DEMO_EMAIL, Demo, ensure_demo, wait_until_read
from domain.core.settings import Settings
from graph import ids

HOST = "127.0.0.1"
_READY_SECONDS = 60.0
_WEB_GRACE_SECONDS = 8.0
_WORKER_GRACE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Block:
    """What a newcomer is shown."""

    graphql: str
    graphiql: str
    health: str
    token: str
    cv_id: str | None
    data: str

    def as_json(self) -> str:
        return json.dumps(
            {
                "graphql": self.graphql,
                "graphiql": self.graphiql,
                "health": self.health,
                "token": self.token,
                "cvId": self.cv_id,
                "data": self.data,
            }
        )

    def as_text(self) -> str:
        return "\n".join(
            [
                "",
                "CareerGraph is up. Ctrl-C stops all of it.",
                f"  GraphQL   {self.graphql}",
                f"  Health    {self.health}",
                f"  Data      {self.data}",
                "",
                f"A token of {DEMO_EMAIL}, for `Authorization: Bearer …`:",
                self.token,
                "",
                f"GraphiQL, signed in as {DEMO_EMAIL}:",
                self.graphiql,
            ]
        )


async def run(data: Path, port: int, *, with_seed: bool, as_json: bool) -> None:
    """Start everything, say where it is, and keep it running until told to stop.

    Raises LocalServerError.
    """
    serving = asyncio.create_task(_serve(data, port, with_seed, as_json))
    _cancel_on_signal(serving)
    try:
        await serving
    except asyncio.CancelledError:
        say("Stopped.")


async def _serve(data: Path, port: int, with_seed: bool, as_json: bool) -> None:
    await _check_environment(settings_or_exit(data_dir=data))
    require_free_port(HOST, port)
    async with local_servers(data, os.environ, say) as servers:
        settings = settings_or_exit(
            mongodb_uri=servers.mongodb_uri,
            redis_url=servers.redis_url,
            data_dir=data,
            public_url=f"http://{HOST}:{port}",
        )
        demo = await _start(servers, settings, port, with_seed)
        write_running(data, Running(servers.mongodb_uri, servers.redis_url, port, os.getpid()))
        block = _block(settings, demo)
        typer.echo(block.as_json() if as_json else block.as_text())
        await servers.processes.run(asyncio.Event())  # until it is cancelled


async def _check_environment(settings: Settings) -> None:
    """Fails early when a server that the environment names is not there, and in production."""
    if settings.production:
        raise LocalServerError(
            "`careergraph up` is for local work",
            "it starts databases for one machine, makes a demo user and prints a token of theirs, "
            "and CAREERGRAPH_PRODUCTION is on",
            "Unset that for local work; for strangers run `careergraph web` and `careergraph "
            "worker` on databases of your own, as README.md tells under Production.",
        )
    named = [("MONGODB_URI", ping_mongo), ("REDIS_URL", ping_redis)]
    for variable, ping in named:
        if os.environ.get(variable):
            try:
                await ping(settings)
            except ServerFault as error:
                raise LocalServerError(
                    f"the server in {variable} does not answer",
                    reason(error),
                    f"Start it or correct {variable}, or unset it to have one started here.",
                ) from error


async def _start(servers: LocalServers, settings: Settings, port: int, with_seed: bool) -> Demo:
    try:
        async with asyncio.TaskGroup() as group:  # the processes load while the data is seeded
            demo = group.create_task(_demo(settings, with_seed))
            group.create_task(_start_processes(servers, settings, port))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return demo.result()


async def _demo(settings: Settings, with_seed: bool) -> Demo:
    async with opened(settings) as deps:
        demo = await ensure_demo(deps, with_seed=with_seed)
        if demo.cv_id:
            await wait_until_read(demo.cv_id)
        return demo


async def _start_processes(servers: LocalServers, settings: Settings, port: int) -> None:
    environment = {
        **os.environ,
        "MONGODB_URI": settings.mongodb_uri,
        "REDIS_URL": settings.redis_url,
        "CAREERGRAPH_DATA_DIR": str(settings.data_dir),
        "CAREERGRAPH_PUBLIC_URL": settings.public_url,
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "cli.main"]
    await servers.processes.add(
        "worker", [*command, "worker"], environment, stop_grace=_WORKER_GRACE_SECONDS
    )
    await servers.processes.add(
        "web",
        [*command, "web", "--host", HOST, "--port", str(port)],
        environment,
        ready=lambda: _answers(f"{settings.public_url}/health/live"),
        ready_timeout=_READY_SECONDS,
        stop_grace=_WEB_GRACE_SECONDS,
    )


async def _answers(url: str) -> None:
    """Returns when the address answers with success."""
    async with httpx2.AsyncClient(timeout=2) as client:
        while True:
            try:
                if (await client.get(url)).is_success:
                    return
            except httpx2.HTTPError:
                pass
            await asyncio.sleep(0.1)


def _block(settings: Settings, demo: Demo) -> Block:
    base = settings.public_url
    return Block(
        graphql=f"{base}/graphql",
        graphiql=f"{base}/graphiql#token={demo.token}",
        health=f"{base}/health/ready",
        token=demo.token,
        cv_id=ids.encode("CV", demo.cv_id) if demo.cv_id else None,
        data=str(settings.data_dir),
    )


def _cancel_on_signal(task: asyncio.Task[None]) -> None:
    def cancel() -> None:
        if not task.cancelling():  # a second Ctrl-C must not cut the stopping short
            say("Stopping…")
            task.cancel()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, cancel)
