"""Providers' tokens: how they are sealed, and voided when nobody is to use them any more."""

import json
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from domain.auth.audit import AuditAction, record
from domain.auth.caller import Caller
from domain.clients.identity_providers import (
    Grant,
    ProviderUnavailable,
    TokenProvider,
    github_of,
    google_of,
)
from domain.core.secrets import SealBroken, SecretKeyMissing
from domain.sign_in.documents import Identity
from domain.sign_in.profiles import ProviderProfile
from domain.sign_in.rules import Provider, TokenUse
from domain.sign_in.token_documents import ProviderToken

if TYPE_CHECKING:
    from domain.core.deps import Deps
    from domain.core.secrets import Sealed, Secrets
    from domain.core.settings import Settings

log = structlog.get_logger()


def provider_of(settings: "Settings", provider: str) -> TokenProvider | None:
    """The client for a provider's tokens; None when this deployment does not have it."""
    match provider:
        case Provider.GOOGLE:
            return google_of(settings)
        case Provider.GITHUB:
            return github_of(settings)
    return None


def _purpose(identity_id: UUID) -> str:
    return f"provider-token:{identity_id}"


def seal_grant(secrets: "Secrets", identity_id: UUID, grant: Grant) -> "Sealed":
    """A grant as it is kept, for this identity alone."""
    data = {"access_token": grant.access_token, "refresh_token": grant.refresh_token}
    return secrets.seal(json.dumps(data).encode(), _purpose(identity_id))


def open_grant(secrets: "Secrets", token: ProviderToken) -> Grant:
    """What was sealed. Raises SecretKeyMissing, SealBroken."""
    data = json.loads(secrets.open(token.sealed, _purpose(token.identity_id)))
    return Grant(scopes=tuple(token.scopes), expires_at=token.expires_at, **data)


async def revoke_tokens(
    deps: "Deps", identity: Identity, use: TokenUse | None, caller: Caller
) -> int:
    """Drop an identity's tokens, of one use or all, and tell the provider, which may not listen.

    How many there were.
    """
    taken = await ProviderToken.take(identity.id, use)
    for token in taken:
        told = not token.needs_consent and await _tell(
            deps, identity.provider, _opened(deps, token)
        )
        await _note(identity.provider, identity.user_id, caller, told, use=token.use)
    return len(taken)


async def void_replaced(
    deps: "Deps", identity: Identity, replaced: ProviderToken | None, kept: Grant, caller: Caller
) -> None:
    """Void what `kept` has taken the place of, at providers where that leaves `kept` alone."""
    provider = provider_of(deps.settings, identity.provider)
    if replaced is None or replaced.needs_consent or not (provider and provider.revokes_singly):
        return
    grant = _opened(deps, replaced)
    if grant is not None and grant.access_token == kept.access_token:
        return
    told = await _tell(deps, identity.provider, grant)
    await _note(identity.provider, identity.user_id, caller, told, use=replaced.use, why="replaced")


async def void_orphan(deps: "Deps", identity: Identity, use: TokenUse, grant: Grant) -> None:
    """Void a renewed grant that came too late to be kept, unless that voids the kept one too."""
    provider = provider_of(deps.settings, identity.provider)
    is_alone = await ProviderToken.of_identity(identity.id, use) is None
    if provider is not None and (is_alone or provider.revokes_singly):
        await _tell(deps, identity.provider, grant)


async def void_unkept(
    deps: "Deps", profile: ProviderProfile, caller: Caller, user_id: UUID | None = None
) -> None:
    """Void what came with a sign-in that led nowhere; `user_id` is who tried it, if known.

    Nothing is done where that would void what the same person gave in another sign-in.
    """
    provider = provider_of(deps.settings, profile.provider)
    if provider is None:
        return
    others = await Identity.of_subject(profile.provider, profile.subject)
    if others is not None and not provider.revokes_singly:
        return
    told = await _tell(deps, profile.provider, profile.grant)
    await _note(profile.provider, user_id, caller, told, why="not kept")


def _opened(deps: "Deps", token: ProviderToken) -> Grant | None:
    try:
        return open_grant(deps.secrets, token)
    except (SecretKeyMissing, SealBroken) as error:
        log.warning("provider token cannot be opened", token_id=str(token.id), error=str(error))
        return None


async def _tell(deps: "Deps", name: str, grant: Grant | None) -> bool:
    """Whether the provider says that the grant is void."""
    provider = provider_of(deps.settings, name)
    if provider is None or grant is None:
        return False
    try:
        return await provider.revoke(grant)
    except ProviderUnavailable as error:
        log.warning("provider not told", provider=name, error=str(error))
        return False


async def _note(
    provider: str, user_id: UUID | None, caller: Caller, told: bool, **details: str
) -> None:
    await record(
        AuditAction.PROVIDER_TOKEN_REVOKED, caller, user_id,
        provider=provider, provider_told=str(told).lower(), **details,
    )  # fmt: skip
