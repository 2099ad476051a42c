"""What people agreed to: given to one version of a text, at a time, until withdrawn."""

from typing import TYPE_CHECKING
from uuid import UUID

from pymongo.errors import DuplicateKeyError

from domain.auth.audit import AuditAction, record
from domain.auth.caller import Caller
from domain.core.closed_accounts import ClosedAccount
from domain.core.errors import AccountClosed, InputRule, InvalidInput, NeededForAccount
from domain.sign_in.consent_texts import current_version
from domain.sign_in.documents import Consent, Identity
from domain.sign_in.rules import ConsentKind, Provider, TokenUse
from domain.sign_in.voiding import revoke_tokens

if TYPE_CHECKING:
    from domain.core.deps import Deps


async def give_consent(
    deps: "Deps", user_id: UUID, kind: ConsentKind, text_version: str, caller: Caller
) -> Consent:
    """Record an agreement; one that is in force already stays as it is.

    Raises InvalidInput when the version is not the current one: people agree to what they read;
    and AccountClosed.
    """
    if text_version != current_version(kind):
        raise InvalidInput(InputRule.OUTDATED_CONSENT_TEXT, ["input", "textVersion"])
    consent = Consent(user_id=user_id, kind=kind, text_version=text_version)
    try:
        await consent.insert()
    except DuplicateKeyError:
        return await Consent.in_force(user_id, kind) or consent
    if await ClosedAccount.has(user_id):
        await consent.delete()
        raise AccountClosed
    await record(AuditAction.CONSENT_GIVEN, caller, user_id, kind=kind, text_version=text_version)
    return consent


async def withdraw_consent(
    deps: "Deps", user_id: UUID, kind: ConsentKind, caller: Caller
) -> list[Consent]:
    """Withdraw an agreement, and end what it allowed. The user's consents as they are now.

    Raises NeededForAccount for the privacy policy: there is no account without it.
    """
    if kind is ConsentKind.PRIVACY_POLICY:
        raise NeededForAccount
    if await Consent.withdraw(user_id, kind):
        await record(AuditAction.CONSENT_WITHDRAWN, caller, user_id, kind=kind)
    # Tokens go even when no consent was in force: nothing allows them then.
    for identity in await Identity.of_user(user_id):
        if identity.provider == Provider.GITHUB:
            await revoke_tokens(deps, identity, TokenUse.REPOSITORIES, caller)
    return await Consent.of_user(user_id)
