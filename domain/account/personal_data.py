"""Everything that holds something about a person: what an export tells of it and what a deletion
does with it.

Each document of `domain.core.mongo.DOCUMENTS` is in exactly one of the three lists here; a test
sees to that, so that no later capability forgets it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from beanie import Document

from domain.account import contents
from domain.account.contents import Records, listed
from domain.account.documents import AccountDeletion, DataExport
from domain.auth import audit
from domain.auth.audit import AuditEvent
from domain.auth.keys import VERIFIES_FOR
from domain.auth.session_documents import Session
from domain.auth.token_documents import RevokedToken, SpentRefreshToken
from domain.core import closed_accounts
from domain.core.closed_accounts import ClosedAccount
from domain.core.dead_letters import DeadLetter
from domain.core.owned_files import OwnedFile
from domain.cv.documents import CV, CVText
from domain.cv.files import delete_files_of_user
from domain.gap_analysis.documents import GapAnalysis
from domain.job_postings.documents import Job
from domain.profile.documents import User
from domain.sign_in.documents import TOMBSTONE_LIFE, Consent, DeletedIdentity, Identity
from domain.sign_in.flow_documents import PendingLink, SignInCode
from domain.sign_in.token_documents import ProviderToken

RECEIPT_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One kind of data that goes with the person.

    `kind` names it in the export and in the receipt. `records` is what the export holds of it;
    None where another kind's records hold it or it says nothing that they do not.
    """

    kind: str
    document: type[Document]
    delete: Callable[[UUID], Awaitable[int]]
    records: Records | None
    owner: str = "user_id"
    """The field that names the person."""

    async def count(self, user_id: UUID) -> int:
        """How much there is of a person's."""
        return await self.document.find({self.owner: user_id}).count()


# In the order of deletion. Files and texts go before the CVs that lead to older ones of them.
# Documents with work to be done go before what their workers leave, and the account goes last.
PERSONAL: list[PersonalData] = [
    PersonalData(
        "files", OwnedFile, delete_files_of_user, listed(OwnedFile.of_user_for_export)
    ),
    PersonalData("cv-texts", CVText, CVText.delete_of_user, None),
    PersonalData("cvs", CV, CV.delete_of_user, contents.cvs),
    PersonalData(
        "gap-analyses", GapAnalysis, GapAnalysis.delete_of_user, contents.gap_analyses
    ),
    PersonalData(
        "data-exports", DataExport, DataExport.delete_of_user,
        listed(DataExport.of_user_for_export),
    ),
    PersonalData("dead-letters", DeadLetter, DeadLetter.delete_of_user, None),
    PersonalData(
        "sessions", Session, Session.delete_of_user, listed(Session.of_user_for_export)
    ),
    PersonalData("sign-in-codes", SignInCode, SignInCode.delete_of_user, None),
    PersonalData(
        "provider-tokens", ProviderToken, ProviderToken.delete_of_user,
        listed(ProviderToken.of_user_for_export),
    ),
    PersonalData(
        "identities", Identity, Identity.delete_of_user, listed(Identity.of_user_for_export)
    ),
    PersonalData(
        "consents", Consent, Consent.delete_of_user, listed(Consent.of_user_for_export)
    ),
    PersonalData("profile", User, User.delete_of_user, contents.profile, owner="_id"),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """What outlives the account, why, and for how long after the deletion was done."""

    kind: str
    document: type[Document] | None
    """None for what is left of documents of the first list."""
    life: timedelta
    english: str
    hebrew: str
    records: Records | None = None


KEPT: list[Kept] = [
    Kept(
        "audit-events", AuditEvent, audit.KEPT,
        "What was done with the account, when and from where, to look into misuse. Rows name the "
        "account by its id, with the network address and the browser of each act.",
        "מה נעשה בחשבון, מתי ומאיפה, לצורך בירור של שימוש לרעה. החשבון מופיע ברישום במספר הזיהוי "
        "שלו, לצד כתובת הרשת והדפדפן של כל פעולה.",
        listed(AuditEvent.of_user_for_export),
    ),
    Kept(
        "deletion", AccountDeletion, RECEIPT_KEPT,
        "This receipt.",
        "הקבלה הזאת.",
    ),
    Kept(
        "ended-sessions", None, VERIFIES_FOR,
        "The random ids of ended sessions, without the account's, so that their tokens stay "
        "refused until they have expired.",
        "מספרי הזיהוי האקראיים של ההתחברויות שהסתיימו, בלי זה של החשבון, כדי שהאסימונים שלהן "
        "יידחו עד שיפוג תוקפם.",
    ),
    Kept(
        "closed-account", ClosedAccount, closed_accounts.KEPT,
        "The account's id, so that nothing can be made for it by anything that was under way.",
        "מספר הזיהוי של החשבון, כדי ששום פעולה שהייתה בתהליך לא תיצור עבורו דבר.",
    ),
    Kept(
        "deleted-identity", DeletedIdentity, TOMBSTONE_LIFE,
        "A digest of each sign-in's name at its provider, so that an old sign-in cannot bring the "
        "account back.",
        "תמצית (hash) של שם הכניסה אצל כל ספק, כדי שכניסה ישנה לא תחזיר את החשבון.",
    ),
]  # fmt: skip

EXEMPT: dict[type[Document], str] = {
    Job: "postings of employers, the same for everybody",
    SpentRefreshToken: "hashes of random tokens, deleted with the sessions that they name",
    RevokedToken: "ids of tokens, until those expire",
    PendingLink: "of no account yet, sealed for the browser it came from, gone in 15 minutes",
}
"""Documents that hold nothing about a person, and why that is so."""

EXPORTED: list[tuple[str, Records]] = [
    (data.kind, data.records) for data in PERSONAL if data.records is not None
] + [(kept.kind, kept.records) for kept in KEPT if kept.records is not None]
"""What an export holds, by the name of its file."""
