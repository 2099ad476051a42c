"""Providers' tokens: sealed at rest, renewed before they end, given up when they are revoked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import structlog

from domain.auth.audit import AuditAction, record
from domain.auth.caller import UNKNOWN, Caller
from domain.clients.identity_providers import (
    Grant,
    ProviderRefused,
    ProviderUnavailable,
)
from domain.core.clock import now
from domain.core.closed_accounts import ClosedAccount
from domain.core.errors import AccountClosed, DomainError
from domain.core.secrets import SealBroken, SecretKeyMissing
from domain.sign_in.documents import Identity
from domain.sign_in.rules import (
    ACCOUNT_PATH,
    REPOSITORIES_PATH,
    Provider,
    TokenUse,
    with_query,
)
from domain.sign_in.token_documents import ProviderToken
from domain.sign_in.voiding import (
    open_grant,
    provider_of,
    revoke_tokens,
    seal_grant,
    void_orphan,
    void_replaced,
)

if TYPE_CHECKING:
    from domain.core.deps import Deps
    from domain.core.settings import Settings

log = structlog.get_logger()
T = TypeVar("T")

_POLL_SECONDS = 0.1
_WAIT_SECONDS = 20.0
"""For another process that renews the same token; its own calls end before."""


class ConsentNeeded(DomainError):
    """The provider does not let us in for this person any more. They have to go to `url`."""

    def __init__(self, provider: str, url: str) -> None:
        super().__init__(f"{provider} asks for consent at {url}")
        self.provider = provider
        self.url = url


class Unlinked(DomainError):
    """The way in was taken away while somebody came in by it."""


def consent_url(settings: "Settings", provider: str, use: TokenUse) -> str | None:
    """Where a person lets us in again; None for external issuers, which have no such page here."""
    if provider not in list(Provider):
        return None
    if use is TokenUse.REPOSITORIES:
        return settings.public_url + REPOSITORIES_PATH
    address = f"{settings.public_url}/auth/{provider}"
    return with_query(address, consent="again", return_to=ACCOUNT_PATH)


async def keep_grant(
    deps: "Deps", identity: Identity, use: TokenUse, grant: Grant, caller: Caller
) -> None:
    """Seal and keep what a sign-in brought.

    Google gives a refresh token with the first consent only, so an earlier one stays in use.
    What it replaces is voided at the provider, where that leaves the new one alone. Raises
    AccountClosed, Unlinked.
    """
    if grant.refresh_token is None:
        earlier = await _earlier_refresh_token(deps, identity, use)
        grant = Grant(grant.access_token, earlier, grant.expires_at, grant.scopes)
    sealed = seal_grant(deps.secrets, identity.id, grant)
    replaced = await ProviderToken.keep(
        identity.id, identity.user_id, use, sealed, list(grant.scopes), grant.expires_at
    )
    await _check_still_leads(deps, identity, caller)
    await record(
        AuditAction.PROVIDER_TOKEN_SEALED, caller, identity.user_id,
        provider=identity.provider, use=use, key_id=sealed.key_id,
    )  # fmt: skip
    await void_replaced(deps, identity, replaced, grant, caller)


async def _check_still_leads(deps: "Deps", identity: Identity, caller: Caller) -> None:
    """Take tokens back that nobody else would: the way in went while they were being kept."""
    is_closed = await ClosedAccount.has(identity.user_id)
    if is_closed or await Identity.theirs(identity.user_id, identity.id) is None:
        await revoke_tokens(deps, identity, None, caller)
        raise AccountClosed if is_closed else Unlinked


async def _earlier_refresh_token(deps: "Deps", identity: Identity, use: TokenUse) -> str | None:
    token = await ProviderToken.of_identity(identity.id, use)
    if token is None or token.needs_consent:
        return None
    try:
        return open_grant(deps.secrets, token).refresh_token
    except (SecretKeyMissing, SealBroken):
        return None


async def provider_token(deps: "Deps", identity: Identity, use: TokenUse = TokenUse.SIGN_IN) -> str:
    """An access token that is good for 5 minutes at least, renewed if need be.

    Raises ConsentNeeded, or ProviderUnavailable when it has ended and cannot be renewed now.
    """
    give_up = asyncio.get_running_loop().time() + _WAIT_SECONDS
    while asyncio.get_running_loop().time() < give_up:
        token = await ProviderToken.of_identity(identity.id, use)
        if token is None or token.needs_consent:
            raise _consent_needed(deps, identity, use)
        grant = await _open_and_reseal(deps, identity, token)
        if not token.is_due(now()):
            return grant.access_token
        if await token.claim_renewal():
            renewed = await _renewed(deps, identity, token, grant)
            if renewed is not None:
                return renewed
        elif not token.is_expired(now()):
            return grant.access_token
        await asyncio.sleep(_POLL_SECONDS)
    raise ProviderUnavailable(f"the renewal of a token of {identity.provider} does not end")


async def using_token(
    deps: "Deps", identity: Identity, use: TokenUse, call: Callable[[str], Awaitable[T]]
) -> T:
    """What `call` gives with an access token.

    When it raises ProviderRefused (401), the token is renewed and tried once more. Raises
    ConsentNeeded, ProviderUnavailable.
    """
    for _ in range(2):
        token = await ProviderToken.of_identity(identity.id, use)
        access_token = await provider_token(deps, identity, use)
        try:
            return await call(access_token)
        except ProviderRefused:
            if token is not None:
                await _after_refusal(deps, identity, token)
    token = await ProviderToken.of_identity(identity.id, use)
    if token is not None:
        await _give_up(identity, token)
    raise _consent_needed(deps, identity, use)


async def _open_and_reseal(deps: "Deps", identity: Identity, token: ProviderToken) -> Grant:
    try:
        grant = open_grant(deps.secrets, token)
    except (SecretKeyMissing, SealBroken) as error:
        # Not marked: a key that is missing here may come back.
        log.error("provider token cannot be opened", token_id=str(token.id), error=str(error))
        raise _consent_needed(deps, identity, token.use) from error
    fresh = seal_grant(deps.secrets, identity.id, grant)
    if fresh.key_id != token.sealed.key_id:
        await token.reseal(fresh)
    return grant


async def _renewed(
    deps: "Deps", identity: Identity, token: ProviderToken, grant: Grant
) -> str | None:
    """The renewed access token; None when the token was replaced by somebody else's meanwhile."""
    provider = provider_of(deps.settings, identity.provider)
    if grant.refresh_token is None or provider is None:
        return await _without_renewal(deps, identity, token, grant)
    try:
        fresh = await provider.refresh(grant)
    except ProviderRefused:
        if await _give_up(identity, token):
            raise _consent_needed(deps, identity, token.use) from None
        return None
    except ProviderUnavailable:
        await token.release_renewal()
        if token.is_expired(now()):
            raise
        return grant.access_token
    sealed = seal_grant(deps.secrets, identity.id, fresh)
    if not await token.replace_grant(sealed, list(fresh.scopes), fresh.expires_at):
        await void_orphan(deps, identity, token.use, fresh)
        return None
    await record(
        AuditAction.PROVIDER_TOKEN_REFRESHED, UNKNOWN, identity.user_id,
        provider=identity.provider, use=token.use,
    )  # fmt: skip
    return fresh.access_token


async def _without_renewal(
    deps: "Deps", identity: Identity, token: ProviderToken, grant: Grant
) -> str | None:
    """A token that cannot be renewed is used up to its end."""
    await token.release_renewal()
    if not token.is_expired(now()):
        return grant.access_token
    if await _give_up(identity, token):
        raise _consent_needed(deps, identity, token.use)
    return None


async def _after_refusal(deps: "Deps", identity: Identity, token: ProviderToken) -> None:
    """Have a refused token renewed, or give it up. One that was replaced meanwhile is let be."""
    if open_grant(deps.secrets, token).refresh_token is not None:
        await token.mark_due()
    elif await _give_up(identity, token):
        raise _consent_needed(deps, identity, token.use)


async def _give_up(identity: Identity, token: ProviderToken) -> bool:
    if not await token.mark_refused():
        return False
    await record(
        AuditAction.PROVIDER_TOKEN_REVOKED, UNKNOWN, identity.user_id,
        provider=identity.provider, use=token.use, by="provider",
    )  # fmt: skip
    return True


def _consent_needed(deps: "Deps", identity: Identity, use: TokenUse) -> ConsentNeeded:
    url = consent_url(deps.settings, identity.provider, use)
    return ConsentNeeded(identity.provider, url or deps.settings.public_url)
