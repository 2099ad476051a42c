"""Providers of a test's own, and grants that they know."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from domain.core.deps import Deps
from tests import github_server, oidc_server
from tests.github_server import GitHubServer
from tests.oidc_server import CheatingProvider
from tests.served import served


@pytest.fixture
async def github() -> AsyncIterator[tuple[GitHubServer, str]]:
    server = GitHubServer()
    server.gives_expiring_tokens = True
    async with served(server.app) as url:
        yield server, url


@pytest.fixture
async def google() -> AsyncIterator[CheatingProvider]:
    provider = CheatingProvider()
    async with served(provider.app) as provider.issuer:
        yield provider


@pytest.fixture
def parts(deps: Deps, github: tuple[GitHubServer, str], google: CheatingProvider) -> Deps:
    """The session's parts, with providers of this test's own."""
    settings = deps.settings.model_copy(
        update={
            "google_client_id": oidc_server.CLIENT_ID,
            "google_client_secret": SecretStr(oidc_server.CLIENT_SECRET),
            "google_issuer": google.issuer,
            "github_client_id": github_server.CLIENT_ID,
            "github_client_secret": SecretStr(github_server.CLIENT_SECRET),
            "github_url": github[1],
            "github_api_url": github[1],
        }
    )
    return replace(deps, settings=settings)
