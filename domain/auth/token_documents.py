"""What is remembered of tokens that are over, by their hashes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from beanie import Document
from pymongo import ASCENDING, IndexModel


@dataclass(frozen=True, slots=True)
class Ended:
    """Tokens that must be refused: those of a session, or an external one, until they expire."""

    key: UUID | str
    revoked_at: datetime
    until: datetime


class SpentRefreshToken(Document):
    """A refresh token that was replaced, by its hash: who presents it later has a stolen one, or
    was robbed. Kept for as long as it would have been good."""

    id: bytes  # type: ignore[assignment]  # beanie's own way to another id type
    session_id: UUID
    expires_at: datetime

    class Settings:
        name = "spent_refresh_tokens"
        indexes = [
            IndexModel([("session_id", ASCENDING)], name="session"),
            IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
        ]

    @classmethod
    async def note(cls, hash: bytes, session_id: UUID, expires_at: datetime) -> None:
        """Remember a token that is about to be replaced."""
        fields = {"session_id": session_id, "expires_at": expires_at}
        await cls.get_pymongo_collection().update_one({"_id": hash}, {"$set": fields}, upsert=True)

    @classmethod
    async def knows(cls, hash: bytes, session_id: UUID) -> bool:
        """Whether this was once a token of this session."""
        return await cls.find_one({"_id": hash, "session_id": session_id}) is not None


class RevokedToken(Document):
    """An external issuer's token that its holder has signed out of, until it expires."""

    id: str  # type: ignore[assignment]  # beanie's own way to another id type
    """As `Revocations` knows the token."""
    revoked_at: datetime
    expires_at: datetime

    class Settings:
        name = "revoked_tokens"
        indexes = [
            IndexModel([("revoked_at", ASCENDING)], name="revoked"),
            IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
        ]

    @classmethod
    async def put(cls, key: str, expires_at: datetime) -> None:
        """Remember this token until then."""
        # By the clock of MongoDB, as in Session.
        change = {"$set": {"expires_at": expires_at}, "$currentDate": {"revoked_at": True}}
        await cls.get_pymongo_collection().update_one({"_id": key}, change, upsert=True)

    @classmethod
    async def is_revoked(cls, key: str) -> bool:
        """Whether this token was signed out of."""
        return await cls.find_one({"_id": key}) is not None

    @classmethod
    async def revoked_since(cls, at: datetime) -> list[Ended]:
        """Those revoked at or after a moment of MongoDB's clock."""
        rows = await cls.find({"revoked_at": {"$gte": at}}).to_list()
        return [Ended(row.id, row.revoked_at, row.expires_at) for row in rows]
