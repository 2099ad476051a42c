"""MongoDB: the client, and the explicit list of what lies in it."""

from beanie import Document, init_beanie
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from domain.core.dead_letters import DeadLetter
from domain.core.settings import Settings
from domain.cv.documents import CV, CVText
from domain.gap_analysis.documents import GapAnalysis
from domain.job_postings.documents import Job
from domain.profile.documents import User

DOCUMENTS: list[type[Document]] = [
    User,
    CV,
    CVText,
    Job,
    GapAnalysis,
    DeadLetter,
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
    return database
