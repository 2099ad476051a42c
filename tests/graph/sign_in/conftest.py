"""A CareerGraph with a Google and a GitHub of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest
from pydantic import SecretStr

from domain.core.deps import Deps
from graph.app import create_app
from graph.sign_in_answers import PER_ADDRESS
from tests import github_server, oidc_server
from tests.conftest import free_port
from tests.github_server import GitHubServer
from tests.graph.sign_in.browser import Browser
from tests.oidc_server import CheatingProvider, OIDCServer
from tests.served import served

SPA = "https://app.example.com/signed-in"
APP = "com.example.app:/signed-in?from=careergraph"


@dataclass(frozen=True)
class World:
    """The server under test, its parts, and the providers it knows."""

    url: str
    deps: Deps
    github: GitHubServer


def with_providers(deps: Deps, port: int, google_issuer: str, github_url: str) -> Deps:
    """The same parts, set up for signing in."""
    settings = deps.settings.model_copy(
        update={
            "public_url": f"http://127.0.0.1:{port}",
            "google_client_id": oidc_server.CLIENT_ID,
            "google_client_secret": SecretStr(oidc_server.CLIENT_SECRET),
            "google_issuer": google_issuer,
            "github_client_id": github_server.CLIENT_ID,
            "github_client_secret": SecretStr(github_server.CLIENT_SECRET),
            "github_url": github_url,
            "github_api_url": github_url,
            "sign_in_return_urls": [SPA, APP],
        }
    )
    return replace(deps, settings=settings)


@pytest.fixture(scope="session")
async def oidc() -> AsyncIterator[OIDCServer]:
    async with oidc_server.oidc_server(free_port()) as server:
        yield server


async def enter_world(stack: AsyncExitStack, deps: Deps, issuer: str) -> World:
    """Serve a CareerGraph until the stack is left."""
    github = GitHubServer()
    github_url = await stack.enter_async_context(served(github.app))
    port = free_port()
    parts = with_providers(deps, port, issuer, github_url)
    app = create_app(parts.settings)
    app.state.deps = parts
    return World(await stack.enter_async_context(served(app, port=port)), parts, github)


@pytest.fixture(scope="session")
async def _world(deps: Deps, oidc: OIDCServer) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield await enter_world(stack, deps, oidc.issuer)


@pytest.fixture
async def world(_world: World) -> World:
    """One server for all tests; GitHub starts anew, and nobody has called too often."""
    _world.github.reset()
    await _world.deps.redis.delete(f"careergraph:limit:{PER_ADDRESS.name}:127.0.0.1")
    return _world


@pytest.fixture
async def cheat() -> AsyncIterator[CheatingProvider]:
    provider = CheatingProvider()
    async with served(provider.app) as provider.issuer:
        yield provider


@pytest.fixture
async def cheated(deps: Deps, cheat: CheatingProvider) -> AsyncIterator[World]:
    """A CareerGraph whose Google is the cheating provider."""
    async with AsyncExitStack() as stack:
        yield await enter_world(stack, deps, cheat.issuer)


OpenBrowser = Callable[[World], Awaitable[Browser]]


@pytest.fixture
async def open_browser() -> AsyncIterator[OpenBrowser]:
    """Opens browsers that have never been anywhere."""
    async with AsyncExitStack() as stack:

        async def open_one(world: World) -> Browser:
            return await stack.enter_async_context(Browser.open(world.url))

        yield open_one


@pytest.fixture
async def browser(world: World, open_browser: OpenBrowser) -> Browser:
    return await open_browser(world)
