"""Letting people in: who signs in, which ways lead to an account, and whom a token speaks for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from domain.auth.audit import AuditAction, record
from domain.auth.caller import UNKNOWN, Caller
from domain.auth.session_documents import Asker, SignInMethod, Tokens
from domain.auth.sessions import (
    TokenRevoked,
    open_session,
    revoke_all_sessions,
    revoke_session,
    verify_access,
)
from domain.core.clock import now
from domain.core.closed_accounts import ClosedAccount
from domain.core.errors import AccountClosed, DomainError, LastWayIn, Missing, NotFound
from domain.profile.documents import User
from domain.sign_in.accounts import account_name, insert_account
from domain.sign_in.consent_texts import current_version
from domain.sign_in.documents import Consent, DeletedIdentity, Identity
from domain.sign_in.external import note_first_use, way_in_of_external
from domain.sign_in.flow_documents import SignInCode
from domain.sign_in.profiles import ProviderProfile
from domain.sign_in.provider_tokens import Unlinked, keep_grant
from domain.sign_in.rules import ConsentKind, TokenUse
from domain.sign_in.voiding import revoke_tokens, void_unkept

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
    """Nobody has said yet that this way leads to the account of `user_id`: the one that has the
    verified address, or the one that is signed in. Nobody else may say so."""

    user_id: UUID


@dataclass(frozen=True, slots=True)
class AgreementNeeded:
    """There would be a new account, whose person has not agreed to the privacy policy of today."""


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
    deps: "Deps", profile: ProviderProfile, caller: Caller, user_id: UUID | None = None,
    agreed_to: str | None = None,
) -> SignedIn | LinkNeeded | AgreementNeeded:  # fmt: skip
    """Find the account that a provider's word leads to, or make one.

    `user_id` is who is signed in already: nobody else's account is entered over theirs, and none
    is made. `agreed_to` is the version of the privacy policy that the person was shown.
    Raises AccountClosed, Unlinked; with `user_id`, LinkRefused. What the provider gave is voided
    then.
    """
    try:
        return await _signed_in(deps, profile, caller, user_id, agreed_to)
    except DomainError:
        await void_unkept(deps, profile, caller, user_id)
        raise


async def _signed_in(
    deps: "Deps", profile: ProviderProfile, caller: Caller, user_id: UUID | None,
    agreed_to: str | None,
) -> SignedIn | LinkNeeded | AgreementNeeded:  # fmt: skip
    if user_id is not None:
        await check_linkable(user_id, profile)
    for _ in range(_TRIES):
        identity = await Identity.of_subject(profile.provider, profile.subject)
        if identity is not None:
            return await _welcome(deps, identity, profile, caller)
        if user_id is not None:
            return LinkNeeded(user_id)
        if agreed_to != current_version(ConsentKind.PRIVACY_POLICY):
            owner = await _owner_of_address(profile)
            return LinkNeeded(owner.id) if owner else AgreementNeeded()
        try:
            return await _make_account(deps, profile, caller)
        except DuplicateKeyError:
            owner = await _owner_of_address(profile)
            if owner is None:
                continue
            # Perhaps the same person's other request made it just now.
            if await Identity.of_subject(profile.provider, profile.subject) is None:
                return LinkNeeded(owner.id)
    raise AccountClosed


async def _owner_of_address(profile: ProviderProfile) -> User | None:
    return await User.of_email(profile.verified_email) if profile.verified_email else None


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


async def enter(
    deps: "Deps", user_id: UUID, method: SignInMethod, caller: Caller,
    identity_id: UUID | None = None,
) -> Tokens:  # fmt: skip
    """Open a session of somebody whom a provider has vouched for, by that way in.

    Raises AccountClosed, Unlinked.
    """
    tokens = await open_session(deps, user_id, method, caller, identity_id=identity_id)
    is_closed = await ClosedAccount.has(user_id)
    is_unlinked = identity_id is not None and await Identity.theirs(user_id, identity_id) is None
    if is_closed or is_unlinked:
        await revoke_session(deps, user_id, tokens.session_id, caller)
        raise AccountClosed if is_closed else Unlinked
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

    Raises LinkRefused, AccountClosed, Unlinked. What the provider gave is voided then.
    """
    try:
        return await _linked(deps, user_id, profile, caller)
    except DomainError:
        await void_unkept(deps, profile, caller, user_id)
        raise


async def _linked(
    deps: "Deps", user_id: UUID, profile: ProviderProfile, caller: Caller
) -> Identity:
    await check_linkable(user_id, profile)
    identity = profile.identity_of(user_id)
    try:
        await identity.insert()
    except DuplicateKeyError:
        found = await Identity.of_subject(profile.provider, profile.subject)
        if found is None or found.user_id != user_id:
            raise LinkRefused(LinkReason.OF_ANOTHER_ACCOUNT) from None
        await keep_grant(deps, found, TokenUse.SIGN_IN, profile.grant, caller)
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
    """Take a way into the account away, with its tokens and with the sessions and codes of who
    came in by it; the ones that are left.

    Raises NotFound; LastWayIn, since nobody could come in again.
    """
    identity = await Identity.theirs(user_id, identity_id)
    if identity is None:
        raise NotFound(Missing.IDENTITY, ["input", "identityId"], identity_id)
    # A token of an external issuer, issued before, must not make an account of its own.
    await DeletedIdentity.remember([identity])
    await _delete_unless_last(deps, identity)
    await SignInCode.delete_of_identity(user_id, identity_id)
    await revoke_all_sessions(deps, user_id, caller, identity_id=identity_id)
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


async def authenticate(deps: "Deps", token: str, caller: Caller = UNKNOWN) -> Asker:
    """Who asks with this access token: ours, or one of a configured external issuer.

    Raises InvalidToken, or IssuerUnavailable when an external issuer's keys cannot be had.
    """
    if not deps.external_issuers.may_have_issued(token):
        return await verify_access(deps, token)
    external = await deps.external_issuers.verify(token, now())
    way_in = await way_in_of_external(deps, external, caller)
    asker = Asker(
        user_id=way_in.user_id,
        session_id=None,
        token_id=external.token_id,
        expires_at=external.expires_at,
        method=SignInMethod.EXTERNAL,
        identity_id=way_in.identity_id,
    )
    if await deps.revocations.is_revoked(asker):
        raise TokenRevoked("its holder has signed out of it")
    await note_first_use(deps, asker, external.issuer, caller)
    return asker
