"""What tests share: real servers on a temporary folder, the web server on a free port, people."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import uvicorn
from hypothesis import settings as hypothesis_settings

from cli.local.servers import local_servers
from cli.web import PROTOCOLS
from domain.clients.language_model import LanguageModel
from domain.core.deps import Deps
from domain.core.mongo import DOCUMENTS
from domain.core.settings import Settings, load_settings
from domain.gap_analysis.model_analyst import ModelAnalyst
from domain.profile.documents import User
from graph.app import create_app
from jobs.worker import work
from tests.client import Client
from tests.tokens import access_token

# Examples are not timed: machines are shared and slow at times.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


@pytest.fixture(scope="session")
async def settings(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settings]:
    """Settings of this session's own MongoDB and Redis, with limits that tests do not run into."""
    data = tmp_path_factory.mktemp("servers")
    env = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    async with local_servers(data, env, lambda line: None) as servers:
        yield load_settings(
            mongodb_uri=servers.mongodb_uri,
            redis_url=servers.redis_url,
            mongodb_database="careergraph_tests",
            data_dir=data,
            public_url=f"http://127.0.0.1:{free_port()}",
            anthropic_api_key=None,
            submits_per_minute=60_000,
            submit_burst=1_000,
            cvs_per_minute=60_000,
            cv_burst=1_000,
            cost_per_minute=1_000_000,
            address_cost_per_minute=10_000_000,
            sweep_seconds=0.5,
            sweep_after_seconds=1,
            reread_seconds=0.5,
        )


@pytest.fixture(scope="session")
async def deps(settings: Settings) -> AsyncIterator[Deps]:
    """The running web server's own parts."""
    async with running_web(settings) as found:
        yield found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every test of a module that uses the database have it, since the module's first test is
    when the database is emptied, whether that one uses it or not."""
    named: dict[object, list[list[str]]] = {}
    for item in items:
        names: list[str] = getattr(item, "fixturenames", [])
        named.setdefault(item.getparent(pytest.Module), []).append(names)
    for module in named.values():
        if any("deps" in names for names in module):
            for names in module:
                names[:] = ["deps", *(name for name in names if name != "deps")]


@pytest.fixture(scope="module", autouse=True)
async def _clean(request: pytest.FixtureRequest) -> None:
    """Each module of tests that uses the database starts with an empty one."""
    if "deps" in request.fixturenames:
        database = DOCUMENTS[0].get_pymongo_collection().database
        for name in await database.list_collection_names():  # GridFS' own too
            await database[name].delete_many({})


@asynccontextmanager
async def running_web(settings: Settings) -> AsyncIterator[Deps]:
    """The web application behind a real uvicorn, at `settings.public_url`."""
    app = create_app(settings)
    port = int(settings.public_url.rpartition(":")[2])
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=port,
            log_config=None,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            **PROTOCOLS,
        )
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done(), "the web server ended at start"
        await asyncio.sleep(0.01)
    yield app.state.deps
    server.should_exit = True
    await serving


@pytest.fixture
async def worker(deps: Deps) -> AsyncIterator[None]:
    """A worker with the built-in analyst, for the length of one test."""
    async with running_worker(deps):
        yield


@asynccontextmanager
async def running_worker(deps: Deps) -> AsyncIterator[None]:
    """A worker over these parts."""
    stop = asyncio.Event()
    working = asyncio.create_task(work(deps, stop))
    try:
        yield
    finally:
        stop.set()
        await working


def with_model(deps: Deps, model: LanguageModel) -> Deps:
    """The same parts with a model as analyst and CV reader."""
    settings = deps.settings
    analyst = ModelAnalyst(model, settings.model_input_characters, settings.gap_questions_max)
    return replace(deps, model=model, analyst=analyst)


SignIn = Callable[[], Awaitable[Client]]


@pytest.fixture
def sign_in(deps: Deps) -> SignIn:
    """Makes a new person and gives a client that is signed in as them."""

    async def make() -> Client:
        user = await User.ensure(f"{uuid4().hex}@example.com", "Somebody")
        return Client(deps.settings.public_url, await access_token(deps, user.id))

    return make


@pytest.fixture
async def client(sign_in: SignIn) -> Client:
    """A client signed in as somebody new."""
    return await sign_in()


@pytest.fixture
def nobody(deps: Deps) -> Client:
    """A client that is not signed in."""
    return Client(deps.settings.public_url)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def project() -> Path:
    """The folder of the checkout."""
    return Path(__file__).resolve().parent.parent
