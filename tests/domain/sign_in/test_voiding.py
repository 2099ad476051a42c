"""Grants that are not kept, or not any more: they are voided at the provider."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr

from domain.auth.audit import AuditAction, AuditEvent
from domain.auth.caller import UNKNOWN
from domain.clients.identity_providers import Grant
from domain.core.clock import now
from domain.core.closed_accounts import ClosedAccount
from domain.core.deps import Deps
from domain.core.errors import AccountClosed
from domain.sign_in.actions import LinkRefused, link_identity, sign_in
from domain.sign_in.documents import Identity
from domain.sign_in.profiles import ProviderProfile
from domain.sign_in.provider_tokens import ConsentNeeded, Unlinked, keep_grant, provider_token
from domain.sign_in.rules import Provider
from domain.sign_in.token_documents import ProviderToken
from domain.sign_in.voiding import revoke_tokens, void_unkept
from tests.domain.sign_in.grants import HOUR, USE, at_github, identity_with
from tests.github_server import GitHubServer
from tests.oidc_server import CheatingProvider

Servers = tuple[GitHubServer, str]


def profile_with(provider: Provider, subject: str, grant: Grant) -> ProviderProfile:
    return ProviderProfile(provider, subject, f"{subject}@example.com", True, None, None, grant)


async def told(identity: Identity) -> list[str]:
    """What the audit log says of whether the provider was told, newest first."""
    rows = await AuditEvent.newest(99, identity.user_id)
    revoked = [row for row in rows if row.action is AuditAction.PROVIDER_TOKEN_REVOKED]
    return [row.details["provider_told"] for row in revoked]


async def test_a_replaced_token_is_voided_and_the_new_one_is_not(
    parts: Deps, github: Servers
) -> None:
    server, _ = github
    first, second = at_github(server, HOUR), at_github(server, HOUR)
    identity = await identity_with(parts, Provider.GITHUB, first)

    await keep_grant(parts, identity, USE, second, UNKNOWN)
    await keep_grant(parts, identity, USE, second, UNKNOWN)

    assert server.revoked == [first.access_token]
    assert second.access_token in server.tokens
    assert await told(identity) == ["true"]


async def test_google_is_not_told_of_a_replaced_token(
    parts: Deps, google: CheatingProvider
) -> None:
    """It would end the new one too."""
    identity = await identity_with(parts, Provider.GOOGLE, Grant("a", "r", now() + HOUR, ()))

    await keep_grant(parts, identity, USE, Grant("b", "s", now() + HOUR, ()), UNKNOWN)

    assert google.revoked == []


async def test_a_grant_for_an_account_under_deletion_is_voided(
    parts: Deps, github: Servers
) -> None:
    identity = await identity_with(parts, Provider.GITHUB, at_github(github[0], HOUR))
    await ClosedAccount.close(identity.user_id)
    fresh = at_github(github[0], HOUR)

    with pytest.raises(AccountClosed):
        await keep_grant(parts, identity, USE, fresh, UNKNOWN)

    assert fresh.access_token in github[0].revoked
    assert await ProviderToken.of_user(identity.user_id) == []


async def test_a_grant_for_an_identity_unlinked_meanwhile_is_voided(
    parts: Deps, github: Servers
) -> None:
    grant = at_github(github[0], HOUR)
    gone = Identity(user_id=uuid4(), provider=Provider.GITHUB, subject=uuid4().hex)

    with pytest.raises(Unlinked):
        await keep_grant(parts, gone, USE, grant, UNKNOWN)

    assert github[0].revoked == [grant.access_token]
    assert await ProviderToken.of_identity(gone.id, USE) is None


async def test_the_grant_of_a_refused_link_is_voided(parts: Deps, github: Servers) -> None:
    others = await identity_with(parts, Provider.GITHUB, at_github(github[0], HOUR))
    grants = [at_github(github[0], HOUR) for _ in range(2)]
    profiles = [profile_with(Provider.GITHUB, others.subject, grant) for grant in grants]

    with pytest.raises(LinkRefused):
        await sign_in(parts, profiles[0], UNKNOWN, uuid4())
    with pytest.raises(LinkRefused):
        await link_identity(parts, uuid4(), profiles[1], UNKNOWN)

    assert github[0].revoked == [grant.access_token for grant in grants]


async def test_the_grant_of_nobody_is_voided_at_google_too(
    parts: Deps, google: CheatingProvider
) -> None:
    grant = Grant("access", "refresh-1", now() + HOUR, ())
    known = await identity_with(parts, Provider.GOOGLE, Grant("a", "r", now() + HOUR, ()))

    await void_unkept(parts, profile_with(Provider.GOOGLE, known.subject, grant), UNKNOWN)
    assert google.revoked == [], "it would end what the account has"
    await void_unkept(parts, profile_with(Provider.GOOGLE, uuid4().hex, grant), UNKNOWN)
    assert google.revoked == ["refresh-1"]


async def test_a_renewal_that_comes_too_late_leaves_no_token_behind(
    parts: Deps, github: Servers
) -> None:
    server, _ = github
    identity = await identity_with(parts, Provider.GITHUB, at_github(server, timedelta(seconds=-1)))
    server.delay_seconds = 0.5
    renewing = asyncio.create_task(provider_token(parts, identity))
    await asyncio.sleep(0.2)
    await revoke_tokens(parts, identity, None, UNKNOWN)

    with pytest.raises(ConsentNeeded):
        await renewing

    assert server.tokens == {}


async def test_the_audit_log_says_whether_the_provider_was_told(
    parts: Deps, github: Servers, google: CheatingProvider
) -> None:
    gone = at_github(github[0], HOUR)
    github[0].forget(gone.access_token)
    at = await identity_with(parts, Provider.GITHUB, gone)
    goo = await identity_with(parts, Provider.GOOGLE, Grant("a", "r", now() + HOUR, ()))
    unknown = parts.settings.model_copy(update={"github_client_secret": SecretStr("wrong")})

    await revoke_tokens(parts, at, None, UNKNOWN)
    assert await told(at) == ["true"], "one that is gone is as good as revoked"
    await keep_grant(parts, at, USE, at_github(github[0], HOUR), UNKNOWN)
    await revoke_tokens(replace(parts, settings=unknown), at, None, UNKNOWN)
    assert await told(at) == ["false", "true"], "GitHub says 401"
    google.metadata_change = {"revocation_endpoint": None}
    await revoke_tokens(parts, goo, None, UNKNOWN)
    assert await told(goo) == ["false"], "there is nobody to tell"
