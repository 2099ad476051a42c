"""The servers under attack: web processes of their own over embedded databases, with a worker."""

import asyncio
import base64
import json
import os
import random
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

from cli.local.servers import LocalServers, local_servers
from domain.auth.caller import UNKNOWN
from domain.auth.session_documents import SignInMethod
from domain.auth.sessions import open_session
from domain.core.deps import Deps, open_deps
from domain.core.logging import configure_logging
from domain.core.settings import Settings, load_settings
from domain.profile.actions import ensure_user
from tests.client import Client
from tests.conftest import free_port
from tests.graph.belongings import Belongings, belongings
from tests.graph.cvs import import_seed

PEOPLE = 4
_PRODUCTION_HOST = "careergraph.example"
# Nothing is to be refused for its number alone: every input is to reach what it aims at.
_NO_LIMITS = {
    "submits_per_minute": 60_000,
    "submit_burst": 10_000,
    "cvs_per_minute": 60_000,
    "cv_burst": 10_000,
    "cost_per_minute": 1_000_000_000,
    "address_cost_per_minute": 1_000_000_000,
}


@dataclass(frozen=True)
class Door:
    """One web process: the name it goes by, and where it listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Target:
    """Running servers, and people with one of everything. One of them nobody acts for."""

    doors: tuple[Door, ...]
    """The first is for local work, the second in production mode."""
    people: tuple[Belongings, ...]
    cursors: tuple[str, ...]
    _deps: Deps

    async def token(self, user_id: UUID | None = None) -> str:
        """The access token of a new session, of somebody new if nobody is named."""
        if user_id is None:
            user_id = (await ensure_user(f"{uuid4().hex}@example.com")).id
        tokens = await open_session(self._deps, user_id, SignInMethod.LOCAL, UNKNOWN)
        return tokens.access_token

    def ids(self, person: Belongings) -> list[str]:
        """Ids that exist: mostly their own, and some of the one that nobody acts for."""
        return [*person.ids.values()] * 3 + [*self.people[-1].ids.values()]


@asynccontextmanager
async def running_target(data: Path) -> AsyncIterator[Target]:
    """Web servers and a worker as the command runs them, on the folder `data`."""
    async with local_servers(data, os.environ, lambda line: None) as servers:
        plain, strict = Door("", free_port()), Door(_PRODUCTION_HOST, free_port())
        plain = Door(f"127.0.0.1:{plain.port}", plain.port)
        secret = base64.b64encode(random.SystemRandom().randbytes(32)).decode()
        settings = load_settings(
            mongodb_uri=servers.mongodb_uri, redis_url=servers.redis_url, data_dir=data,
            public_url=plain.url, secret_keys=json.dumps({"k1": secret}), log_level="ERROR",
            **_NO_LIMITS,
        )  # fmt: skip
        configure_logging(settings)
        await _add_web(servers, plain, _environment(settings, secret))
        production = {
            "CAREERGRAPH_PRODUCTION": "true",
            "CAREERGRAPH_PUBLIC_URL": f"https://{_PRODUCTION_HOST}",
        }
        await _add_web(servers, strict, _environment(settings, secret) | production)
        async with open_deps(settings) as deps:
            await import_seed(deps)
            people = [
                await belongings(deps, f"{number}@example.com") for number in range(PEOPLE + 1)
            ]
            cursors = await _cursors(people[0].client)
            yield Target((plain, strict), tuple(people), cursors, deps)


async def _cursors(client: Client) -> tuple[str, ...]:
    page = "(first: 1) { pageInfo { endCursor } }"
    data = await client.data(
        f"{{ jobs{page} jobRecommendations{page} viewer {{ cvs{page} gapAnalyses{page} }} }}"
    )
    connections = [data["jobs"], data["jobRecommendations"], *data["viewer"].values()]
    return tuple(one["pageInfo"]["endCursor"] for one in connections)


async def _add_web(servers: LocalServers, door: Door, environment: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "cli.main", "web", "--port", str(door.port)]
    await servers.processes.add(
        f"web-{door.port}", command, environment, ready=partial(_listens, door.port)
    )


def _environment(settings: Settings, secret: str) -> dict[str, str]:
    limits = {f"CAREERGRAPH_{name.upper()}": str(value) for name, value in _NO_LIMITS.items()}
    return {
        **os.environ,
        **limits,
        "MONGODB_URI": settings.mongodb_uri,
        "REDIS_URL": settings.redis_url,
        "CAREERGRAPH_DATA_DIR": str(settings.data_dir),
        "CAREERGRAPH_PUBLIC_URL": settings.public_url,
        "CAREERGRAPH_SECRET_KEYS": json.dumps({"k1": secret}),
    }


async def _listens(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
