"""Letting people in: who signs in, which ways lead to an account, and whom a token speaks for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from domain.auth.audit import AuditAction, record
from domain.auth.caller import Caller
from domain.auth.session_documents import Asker, SignInMethod, Tokens
from domain.auth.sessions import TokenRevoked, open_session, revoke_session, verify_access
from domain.core.clock import now
from domain.core.closed_accounts import ClosedAccount
from domain.core.errors import AccountClosed, DomainError, LastWayIn, Missing, NotFound
from domain.profile.documents import User
from domain.sign_in.accounts import account_name, insert_account
from domain.sign_in.consent_texts import current_version
from domain.sign_in.documents import Consent, DeletedIdentity, Identity
from domain.sign_in.external import user_of_external
from domain.sign_in.profiles import ProviderProfile
from domain.sign_in.provider_tokens import keep_grant, revoke_tokens
from domain.sign_in.rules import ConsentKind, TokenUse

if TYPE_CHECKING:
    from domain.core.deps import Deps

_TRIES = 3
"""Each that fails means that somebody else's came between."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose account it is; `is_new` when it was made just now."""

    user_id: UUID
    identity: Identity
    is_new: bool


@dataclass(frozen=True, slots=True)
class LinkNeeded:
    """Nobody has said yet that this way leads to the account: the one that has this verified
    address, or the one that is signed in."""

    email: str


class LinkReason(StrEnum):
    """Why an identity cannot lead to an account."""

    OF_ANOTHER_ACCOUNT = "OF_ANOTHER_ACCOUNT"
    EMAIL_UNVERIFIED = "EMAIL_UNVERIFIED"
    EMAIL_OF_ANOTHER_ACCOUNT = "EMAIL_OF_ANOTHER_ACCOUNT"


class LinkRefused(DomainError):
    """An identity cannot be linked to this account."""

    def __init__(self, reason: LinkReason) -> None:
        super().__init__(reason)
        self.reason = reason


async def sign_in(
    deps: "Deps", profile: ProviderProfile, caller: Caller, user_id: UUID | None = None
) -> SignedIn | LinkNeeded:
    """Find the account that a provider's word leads to, or make one.

    `user_id` is who is signed in already: nobody else's account is entered over theirs, and none
    is made. Raises AccountClosed; with `user_id`, LinkRefused.
    """
    if user_id is not None:
        await check_linkable(user_id, profile)
    for _ in range(_TRIES):
        identity = await Identity.of_subject(profile.provider, profile.subject)
        if identity is not None:
            return await _welcome(deps, identity, profile, caller)
        if user_id is not None:
            return LinkNeeded(profile.email or "")
        try:
            return await _make_account(deps, profile, caller)
        except DuplicateKeyError:
            email = profile.verified_email
            if email is None or await User.of_email(email) is None:
                continue
            # Perhaps the same person's other request made it just now.
            if await Identity.of_subject(profile.provider, profile.subject) is None:
                return LinkNeeded(email)
    raise AccountClosed


async def _make_account(deps: "Deps", profile: ProviderProfile, caller: Caller) -> SignedIn:
    email = profile.verified_email
    user = User(email=email, name=account_name(profile.name, email), avatar_url=profile.avatar_url)
    identity = profile.identity_of(user.id)
    consent = Consent(
        user_id=user.id,
        kind=ConsentKind.PRIVACY_POLICY,
        text_version=current_version(ConsentKind.PRIVACY_POLICY),
    )
    await insert_account(deps, user, identity, consent, caller)
    await keep_grant(deps, identity, TokenUse.SIGN_IN, profile.grant, caller)
    return SignedIn(user.id, identity, is_new=True)


async def _welcome(
    deps: "Deps", identity: Identity, profile: ProviderProfile, caller: Caller
) -> SignedIn:
    if await ClosedAccount.has(identity.user_id):
        raise AccountClosed
    await identity.seen(profile.email, profile.email_verified, profile.name)
    if profile.verified_email is not None:
        await User.take_email(identity.user_id, profile.verified_email)
    await keep_grant(deps, identity, TokenUse.SIGN_IN, profile.grant, caller)
    return SignedIn(identity.user_id, identity, is_new=False)


async def enter(deps: "Deps", user_id: UUID, method: SignInMethod, caller: Caller) -> Tokens:
    """Open a session of somebody whom a provider has vouched for. Raises AccountClosed."""
    tokens = await open_session(deps, user_id, method, caller)
    if await ClosedAccount.has(user_id):
        await revoke_session(deps, user_id, tokens.session_id, caller)
        raise AccountClosed
    return tokens


async def check_linkable(user_id: UUID, profile: ProviderProfile) -> None:
    """Raises LinkRefused when this identity neither leads to this account nor may."""
    identity = await Identity.of_subject(profile.provider, profile.subject)
    if identity is not None:
        if identity.user_id != user_id:
            raise LinkRefused(LinkReason.OF_ANOTHER_ACCOUNT)
        return
    if profile.verified_email is None:
        raise LinkRefused(LinkReason.EMAIL_UNVERIFIED)
    owner = await User.of_email(profile.verified_email)
    if owner is not None and owner.id != user_id:
        raise LinkRefused(LinkReason.EMAIL_OF_ANOTHER_ACCOUNT)


async def link_identity(
    deps: "Deps", user_id: UUID, profile: ProviderProfile, caller: Caller
) -> Identity:
    """Let an identity lead to an account, whose owner has confirmed that.

    Raises LinkRefused, AccountClosed.
    """
    await check_linkable(user_id, profile)
    identity = profile.identity_of(user_id)
    try:
        await identity.insert()
    except DuplicateKeyError:
        found = await Identity.of_subject(profile.provider, profile.subject)
        if found is None or found.user_id != user_id:
            raise LinkRefused(LinkReason.OF_ANOTHER_ACCOUNT) from None
        return found
    if await ClosedAccount.has(user_id):
        await identity.delete()
        raise AccountClosed
    await record(AuditAction.IDENTITY_LINKED, caller, user_id, provider=identity.provider)
    if profile.verified_email is not None:
        await User.take_email(user_id, profile.verified_email)
    await keep_grant(deps, identity, TokenUse.SIGN_IN, profile.grant, caller)
    return identity


async def unlink_identity(
    deps: "Deps", user_id: UUID, identity_id: UUID, caller: Caller
) -> list[Identity]:
    """Take a way into the account away, with its tokens; the ones that are left.

    Raises NotFound; LastWayIn, since nobody could come in again.
    """
    identity = await Identity.theirs(user_id, identity_id)
    if identity is None:
        raise NotFound(Missing.IDENTITY, ["input", "identityId"], identity_id)
    # A token of an external issuer, issued before, must not make an account of its own.
    await DeletedIdentity.remember([identity])
    await _delete_unless_last(deps, identity)
    await revoke_tokens(deps, identity, None, caller)
    await record(AuditAction.IDENTITY_UNLINKED, caller, user_id, provider=identity.provider)
    return await Identity.of_user(user_id)


async def _delete_unless_last(deps: "Deps", identity: Identity) -> None:
    async def delete(session: AsyncClientSession) -> None:
        identities = Identity.get_pymongo_collection()
        theirs = {"user_id": identity.user_id}
        # A write to each makes two that run at once collide; the second then counts again.
        change = {"$set": {"unlink_tried_at": now()}}
        found = await identities.update_many(theirs, change, session=session)
        if found.matched_count < 2:
            raise LastWayIn
        await identities.delete_one({"_id": identity.id}, session=session)

    async with deps.database.client.start_session() as session:
        await session.with_transaction(delete)


async def authenticate(deps: "Deps", token: str) -> Asker:
    """Who asks with this access token: ours, or one of a configured external issuer.

    Raises InvalidToken, or IssuerUnavailable when an external issuer's keys cannot be had.
    """
    if not deps.external_issuers.may_have_issued(token):
        return await verify_access(deps, token)
    external = await deps.external_issuers.verify(token, now())
    asker = Asker(
        user_id=await user_of_external(deps, external),
        session_id=None,
        token_id=external.token_id,
        expires_at=external.expires_at,
        method=SignInMethod.EXTERNAL,
    )
    if await deps.revocations.is_revoked(asker):
        raise TokenRevoked("its holder has signed out of it")
    return asker
