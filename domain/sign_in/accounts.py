"""New accounts: a person and their first way in, made together or not at all."""

from typing import TYPE_CHECKING, Any

from pymongo.asynchronous.client_session import AsyncClientSession

from domain.auth.audit import AuditAction, record
from domain.auth.caller import Caller
from domain.core.text import clean_line
from domain.profile.documents import NAME_MAX, User
from domain.sign_in.documents import Consent, Identity

if TYPE_CHECKING:
    from domain.core.deps import Deps

NAMELESS = "New member"


def account_name(name: str | None, email: str | None) -> str:
    """What to call a new person until they say otherwise."""
    given = clean_line(name or "") or clean_line((email or "").partition("@")[0])
    return given[:NAME_MAX].strip() or NAMELESS


async def insert_account(
    deps: "Deps", user: User, identity: Identity, consent: Consent | None, caller: Caller
) -> None:
    """Insert all of it in one transaction.

    Raises DuplicateKeyError when the identity or the e-mail has an account by now: of those who
    try at once the unique indexes let one through.
    """

    async def insert(session: AsyncClientSession) -> Any:
        await user.insert(session=session)
        await identity.insert(session=session)
        if consent is not None:
            await consent.insert(session=session)

    async with deps.database.client.start_session() as session:
        await session.with_transaction(insert)
    await record(
        AuditAction.IDENTITY_LINKED, caller, user.id, provider=identity.provider, account="new"
    )
    if consent is not None:
        await record(
            AuditAction.CONSENT_GIVEN, caller, user.id,
            kind=consent.kind, text_version=consent.text_version,
        )  # fmt: skip
