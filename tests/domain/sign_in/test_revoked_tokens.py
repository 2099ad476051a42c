"""Providers' tokens that are refused, given up or voided; and what is told of them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.auth.audit import AuditEvent
from domain.auth.caller import UNKNOWN
from domain.clients.identity_providers import (
    Grant,
    ProviderRefused,
    ProviderUnavailable,
    github_of,
)
from domain.core.clock import now
from domain.core.deps import Deps
from domain.sign_in.documents import Identity
from domain.sign_in.provider_tokens import (
    ConsentNeeded,
    keep_grant,
    provider_token,
    using_token,
)
from domain.sign_in.rules import Provider
from domain.sign_in.token_documents import ProviderToken
from domain.sign_in.voiding import revoke_tokens
from tests.domain.sign_in.grants import HOUR, USE, at_github, identity_with, stored
from tests.github_server import GitHubServer
from tests.oidc_server import CheatingProvider


async def test_a_revoked_token_asks_for_consent(
    parts: Deps, github: tuple[GitHubServer, str]
) -> None:
    server, _ = github
    grant = at_github(server, timedelta(minutes=1))
    identity = await identity_with(parts, Provider.GITHUB, grant)
    server.refresh_tokens.clear()

    with pytest.raises(ConsentNeeded) as needed:
        await provider_token(parts, identity)

    public_url = parts.settings.public_url
    assert needed.value.url == f"{public_url}/auth/github?consent=again&return_to=%2Faccount"
    assert (await stored(identity)).needs_consent is True
    with pytest.raises(ConsentNeeded):
        await provider_token(parts, identity)
    assert server.refreshes == 1, "it is not tried again and again"
    [event, _] = await AuditEvent.newest(9, identity.user_id)
    assert (event.action, event.details["by"]) == ("PROVIDER_TOKEN_REVOKED", "provider")

    # Once the person has agreed again, all is well.
    fresh = at_github(server, HOUR)
    await keep_grant(parts, identity, USE, fresh, UNKNOWN)
    assert await provider_token(parts, identity) == fresh.access_token


async def test_a_provider_that_is_down_is_no_revocation(
    parts: Deps, github: tuple[GitHubServer, str]
) -> None:
    lively = at_github(github[0], timedelta(minutes=4))
    dead = at_github(github[0], timedelta(seconds=-1))
    away = replace(
        parts, settings=parts.settings.model_copy(update={"github_url": "http://127.0.0.1:9"})
    )

    identity = await identity_with(away, Provider.GITHUB, lively)
    assert await provider_token(away, identity) == lively.access_token
    identity = await identity_with(away, Provider.GITHUB, dead)
    with pytest.raises(ProviderUnavailable):
        await provider_token(away, identity)

    assert (await stored(identity)).needs_consent is False
    assert await provider_token(parts, identity) in github[0].tokens


async def test_a_token_that_cannot_be_renewed_is_used_to_its_end(parts: Deps) -> None:
    grant = Grant("access", None, now() + timedelta(minutes=1), ())
    identity = await identity_with(parts, Provider.GOOGLE, grant)
    assert await provider_token(parts, identity) == "access"
    await (await stored(identity)).mark_due()

    with pytest.raises(ConsentNeeded):
        await provider_token(parts, identity)


async def test_bad_credentials_renew_the_token_or_ask_for_consent(
    parts: Deps, github: tuple[GitHubServer, str]
) -> None:
    server, _ = github
    client = github_of(parts.settings)
    assert client is not None
    renewable = await identity_with(parts, Provider.GITHUB, at_github(server, HOUR))
    server.forget(await provider_token(parts, renewable))
    server.gives_expiring_tokens = False
    lasting = await identity_with(parts, Provider.GITHUB, at_github(server, None))
    server.forget(await provider_token(parts, lasting))
    server.gives_expiring_tokens = True

    user = await using_token(parts, renewable, USE, client.user)
    with pytest.raises(ConsentNeeded):
        await using_token(parts, lasting, USE, client.user)

    assert user.login == server.user.login
    assert (await stored(renewable)).needs_consent is False
    assert (await stored(lasting)).needs_consent is True


async def test_a_token_refused_though_renewed_asks_for_consent(
    parts: Deps, github: tuple[GitHubServer, str]
) -> None:
    identity = await identity_with(parts, Provider.GITHUB, at_github(github[0], HOUR))

    async def refuse(_token: str) -> None:
        raise ProviderRefused("bad credentials")

    with pytest.raises(ConsentNeeded):
        await using_token(parts, identity, USE, refuse)

    assert github[0].refreshes == 1
    assert (await stored(identity)).needs_consent is True


async def test_revoking_tells_the_provider(
    parts: Deps, github: tuple[GitHubServer, str], google: CheatingProvider
) -> None:
    grant = at_github(github[0], HOUR)
    at = await identity_with(parts, Provider.GITHUB, grant)
    openid = Grant("access", "refresh-1", now() + HOUR, ())
    goo = await identity_with(parts, Provider.GOOGLE, openid)

    assert await revoke_tokens(parts, at, None, UNKNOWN) == 1
    assert await revoke_tokens(parts, goo, None, UNKNOWN) == 1
    assert await revoke_tokens(parts, goo, None, UNKNOWN) == 0

    assert github[0].revoked == [grant.access_token]
    assert google.revoked == ["refresh-1"]
    with pytest.raises(ConsentNeeded):
        await provider_token(parts, goo)


async def test_exports_hold_no_tokens(parts: Deps) -> None:
    grant = Grant("the-access-token", "the-refresh-token", None, ("openid",))
    identity = await identity_with(parts, Provider.GOOGLE, grant)

    [token] = await ProviderToken.of_user_for_export(identity.user_id)
    [shown] = await Identity.of_user_for_export(identity.user_id)

    assert token["scopes"] == ["openid"]
    assert "sealed" not in str(token)
    assert shown["provider"] == "google"
    assert await ProviderToken.delete_of_user(identity.user_id) == 1


async def test_a_grant_of_another_shape_is_none() -> None:
    for answer in ({}, {"access_token": ""}, {"access_token": 7}):
        with pytest.raises(ProviderUnavailable):
            Grant.of(answer, ["openid"])
    odd = Grant.of({"access_token": "x", "expires_in": "soon", "scope": 7}, ["openid"])
    assert (odd.expires_at, odd.scopes) == (None, ("openid",))
    comma = Grant.of({"access_token": "x", "expires_in": 1e99, "scope": "a,b c"}, [])
    assert comma.scopes == ("a", "b", "c")
