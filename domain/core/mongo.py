"""MongoDB: the client, and the explicit list of what lies in it."""

import contextlib

from beanie import Document, init_beanie
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

from domain.account.documents import AccountDeletion, DataExport
from domain.auth.audit import AuditEvent
from domain.auth.session_documents import Session
from domain.auth.token_documents import RevokedToken, SpentRefreshToken
from domain.core.closed_accounts import ClosedAccount
from domain.core.dead_letters import DeadLetter
from domain.core.owned_files import OwnedFile
from domain.core.settings import Settings
from domain.cv.documents import CV, CVText
from domain.gap_analysis.documents import GapAnalysis
from domain.job_postings.documents import Job
from domain.profile.documents import OUTDATED_INDEXES, User
from domain.sign_in.documents import Consent, DeletedIdentity, Identity
from domain.sign_in.flow_documents import PendingLink, SignInCode
from domain.sign_in.token_documents import ProviderToken

DOCUMENTS: list[type[Document]] = [
    User,
    CV,
    CVText,
    Job,
    GapAnalysis,
    DeadLetter,
    OwnedFile,
    ClosedAccount,
    Session,
    SpentRefreshToken,
    RevokedToken,
    AuditEvent,
    DataExport,
    AccountDeletion,
    Identity,
    DeletedIdentity,
    ProviderToken,
    PendingLink,
    SignInCode,
    Consent,
]

Client = AsyncMongoClient[dict[str, object]]


def open_client(settings: Settings) -> Client:
    """A client whose every operation ends in bounded time, whatever became of the server."""
    return AsyncMongoClient(
        settings.mongodb_uri,
        uuidRepresentation="standard",
        tz_aware=True,
        serverSelectionTimeoutMS=5000,
        socketTimeoutMS=20_000,
        appname="careergraph",
    )


async def bind_documents(client: Client, settings: Settings) -> AsyncDatabase[dict[str, object]]:
    """Bind the documents to the database and make their indexes."""
    database = client.get_database(
        settings.mongodb_database, codec_options=CodecOptions(tz_aware=True, uuid_representation=4)
    )
    await init_beanie(database=database, document_models=DOCUMENTS)
    await _drop_outdated_indexes()
    return database


async def _drop_outdated_indexes() -> None:
    """After the new ones are there, so that nothing is unguarded in between."""
    users = User.get_pymongo_collection()
    for name in OUTDATED_INDEXES:
        with contextlib.suppress(OperationFailure):  # it is gone already
            await users.drop_index(name)
