"""Providers' tokens: sealed, renewed once, and kept in the right version."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.auth.caller import UNKNOWN
from domain.clients.identity_providers import (
    Grant,
)
from domain.core.clock import now
from domain.core.deps import Deps
from domain.core.secrets import SealBroken, Secrets
from domain.sign_in.provider_tokens import (
    ConsentNeeded,
    keep_grant,
    provider_token,
)
from domain.sign_in.rules import Provider
from domain.sign_in.token_documents import ProviderToken
from tests.domain.sign_in.grants import HOUR, USE, at_github, identity_with, stored
from tests.github_server import GitHubServer
from tests.oidc_server import CheatingProvider


async def test_a_token_is_sealed_for_its_identity(parts: Deps) -> None:
    grant = Grant("the-access-token", "the-refresh-token", now() + HOUR, ("openid",))
    identity = await identity_with(parts, Provider.GOOGLE, grant)
    other = await identity_with(parts, Provider.GOOGLE, grant)

    assert await provider_token(parts, identity) == "the-access-token"

    rows = await ProviderToken.get_pymongo_collection().find().to_list()
    assert b"the-access-token" not in str(rows).encode()
    assert b"the-refresh-token" not in str(rows).encode()
    assert "the-access-token" not in repr(grant)
    # Moved to another identity, it cannot be opened.
    token = await stored(identity)
    await ProviderToken.find_one({"identity_id": other.id}).update(
        {"$set": {"sealed": token.sealed.model_dump()}}
    )
    with pytest.raises(ConsentNeeded):
        await provider_token(parts, other)
    with pytest.raises(SealBroken):
        parts.secrets.open(token.sealed, f"provider-token:{other.id}")


async def test_a_token_is_sealed_anew_once_the_key_is_old(parts: Deps) -> None:
    old, new = {"old": b"o" * 32}, {"new": b"n" * 32}
    before = replace(parts, secrets=Secrets(old))
    after = replace(parts, secrets=Secrets(new | old))
    grant = Grant("access", None, None, ())
    identity = await identity_with(before, Provider.GITHUB, grant)
    assert (await stored(identity)).sealed.key_id == "old"

    assert await provider_token(after, identity) == "access"

    assert (await stored(identity)).sealed.key_id == "new"
    assert await provider_token(replace(parts, secrets=Secrets(new)), identity) == "access"


async def test_a_token_whose_key_is_missing_may_come_back(parts: Deps) -> None:
    with_key = replace(parts, secrets=Secrets({"one": b"1" * 32}))
    identity = await identity_with(with_key, Provider.GITHUB, Grant("access", None, None, ()))

    with pytest.raises(ConsentNeeded):
        await provider_token(replace(parts, secrets=Secrets({"two": b"2" * 32})), identity)

    assert await provider_token(with_key, identity) == "access"


async def test_a_token_is_renewed_before_it_ends(
    parts: Deps, github: tuple[GitHubServer, str]
) -> None:
    server, _ = github
    grant = at_github(server, timedelta(minutes=4))
    identity = await identity_with(parts, Provider.GITHUB, grant)

    token = await provider_token(parts, identity)

    assert token != grant.access_token
    assert token in server.tokens
    kept = await stored(identity)
    assert kept.expires_at is not None
    assert kept.expires_at > now() + timedelta(hours=7)
    assert await provider_token(parts, identity) == token
    assert server.refreshes == 1


async def test_a_token_with_time_left_is_not_renewed(
    parts: Deps, github: tuple[GitHubServer, str]
) -> None:
    grant = at_github(github[0], timedelta(minutes=6))
    identity = await identity_with(parts, Provider.GITHUB, grant)

    assert await provider_token(parts, identity) == grant.access_token
    assert github[0].refreshes == 0


async def test_many_at_once_renew_once(parts: Deps, github: tuple[GitHubServer, str]) -> None:
    """GitHub's refresh tokens are good once: a second renewal would lose the first one's."""
    server, _ = github
    server.delay_seconds = 0.3
    identity = await identity_with(parts, Provider.GITHUB, at_github(server, timedelta(seconds=-1)))

    tokens = await asyncio.gather(*(provider_token(parts, identity) for _ in range(10)))

    assert len(set(tokens)) == 1
    assert server.refreshes == 1
    assert (await stored(identity)).needs_consent is False


async def test_a_renewal_keeps_the_refresh_token_that_google_does_not_repeat(
    parts: Deps, google: CheatingProvider
) -> None:
    grant = Grant("old", "refresh-1", now(), ("openid",))
    identity = await identity_with(parts, Provider.GOOGLE, grant)

    assert await provider_token(parts, identity) == "renewed-1"
    await (await stored(identity)).mark_due()
    assert await provider_token(parts, identity) == "renewed-2"


async def test_a_sign_in_without_refresh_token_keeps_the_earlier_one(parts: Deps) -> None:
    first = Grant("old", "refresh-1", now() + HOUR, ("openid",))
    identity = await identity_with(parts, Provider.GOOGLE, first)
    await keep_grant(parts, identity, USE, Grant("new", None, now(), ("openid",)), UNKNOWN)

    assert await provider_token(parts, identity) == "renewed-1"


async def test_a_new_sign_in_wins_over_a_renewal_under_way(
    parts: Deps, github: tuple[GitHubServer, str]
) -> None:
    server, _ = github
    server.delay_seconds = 0.5
    identity = await identity_with(parts, Provider.GITHUB, at_github(server, timedelta(seconds=-1)))
    renewing = asyncio.create_task(provider_token(parts, identity))
    await asyncio.sleep(0.2)
    fresh = at_github(server, HOUR)

    await keep_grant(parts, identity, USE, fresh, UNKNOWN)

    assert await renewing == fresh.access_token
    assert await provider_token(parts, identity) == fresh.access_token
