"""Providers' tokens that workers renew, though nobody asks for them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.core.clock import now
from domain.core.deps import Deps
from domain.sign_in.renewals import renew_due
from domain.sign_in.rules import Provider
from domain.sign_in.token_documents import TRIED_AGAIN_AFTER, ProviderToken
from jobs.housekeeping import tidy_for_ever
from tests.domain.sign_in.grants import HOUR, at_github, identity_with, stored
from tests.github_server import GitHubServer
from tests.jobs.pieces import quick, until

SOON = timedelta(minutes=2)
Servers = tuple[GitHubServer, str]


@pytest.fixture(autouse=True)
async def no_others(deps: Deps) -> None:
    """Tokens of other tests are of servers that are gone."""
    await ProviderToken.get_pymongo_collection().delete_many({})


async def test_a_worker_renews_what_ends_soon_and_notices_what_is_revoked(
    parts: Deps, github: Servers
) -> None:
    server, _ = github
    ending, later, refused = [
        await identity_with(parts, Provider.GITHUB, at_github(server, life))
        for life in (SOON, HOUR, SOON)
    ]
    before = await stored(later)
    grants = list(server.refresh_tokens)
    server.refresh_tokens.pop(grants[2])
    await parts.database["leases"].delete_many({"_id": "chore:provider-tokens"})

    tidying = asyncio.create_task(tidy_for_ever(quick(parts, sweep_seconds=0.1)))

    async def is_done() -> bool:
        is_renewed = ((await stored(ending)).expires_at or now()) > now() + HOUR
        return is_renewed and (await stored(refused)).needs_consent

    await until(is_done, 10)
    tidying.cancel()
    assert (await stored(later)).version == before.version
    assert server.refreshes == 2


async def test_a_provider_that_is_down_is_asked_again_later_and_others_meanwhile(
    parts: Deps, github: Servers
) -> None:
    identity = await identity_with(parts, Provider.GITHUB, at_github(github[0], SOON))
    away = replace(
        parts, settings=parts.settings.model_copy(update={"github_url": "http://127.0.0.1:9"})
    )

    await renew_due(away)
    await renew_due(parts)
    assert github[0].refreshes == 0, "it was tried a moment ago"
    assert identity.id not in {token.identity_id for token in await ProviderToken.due(now(), 999)}
    await (await stored(identity)).set({"tried_at": now() - TRIED_AGAIN_AFTER})
    await renew_due(parts)

    assert github[0].refreshes == 1
    assert (await stored(identity)).needs_consent is False


async def test_those_that_are_due_are_found_by_an_index(parts: Deps, github: Servers) -> None:
    await identity_with(parts, Provider.GITHUB, at_github(github[0], SOON))
    query = {"needs_consent": False, "expires_at": {"$lte": now()}}

    plan = await ProviderToken.get_pymongo_collection().find(query).explain()

    assert "'indexName': 'due'" in str(plan["queryPlanner"]["winningPlan"])
