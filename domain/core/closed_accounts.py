"""Accounts that are being deleted, or were: nothing may be made for them any more."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from beanie import Document
from pydantic import Field
from pymongo import ASCENDING, IndexModel

from domain.core.clock import now

KEPT = timedelta(days=31)
"""Longer than any session of ours lasts. After that nothing speaks for the account."""


class ClosedAccount(Document):
    """The mark of one account, under its own id.

    Whoever makes something for a person inserts it first and looks for the mark then, and takes
    it back when it is there. The deletion sets the mark first and deletes then. So whichever way
    the two fall, one of them sees the other.
    """

    id: UUID  # type: ignore[assignment]  # beanie's own way to another id type
    closed_at: datetime = Field(default_factory=now)

    class Settings:
        name = "closed_accounts"
        indexes = [
            IndexModel(
                [("closed_at", ASCENDING)],
                name="closed_at",
                expireAfterSeconds=int(KEPT.total_seconds()),
            )
        ]

    @classmethod
    async def close(cls, user_id: UUID) -> None:
        """Set the mark; one that is there keeps its time."""
        update = {"$setOnInsert": {"closed_at": now()}}
        await cls.get_pymongo_collection().update_one({"_id": user_id}, update, upsert=True)

    @classmethod
    async def among(cls, user_ids: Collection[UUID]) -> set[UUID]:
        """Which of these accounts are closed."""
        found = cls.get_pymongo_collection().find({"_id": {"$in": list(user_ids)}}, {"_id": 1})
        return {row["_id"] async for row in found}

    @classmethod
    async def has(cls, user_id: UUID) -> bool:
        """Whether the account is closed."""
        return await cls.get_pymongo_collection().find_one({"_id": user_id}, {"_id": 1}) is not None
