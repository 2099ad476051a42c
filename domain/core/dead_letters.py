"""Work that was given up, kept for the operator to look into."""

import contextlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from beanie import Document
from pydantic import Field
from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from domain.core.clock import now
from domain.core.failures import FailureCode
from domain.core.ids import new_id

_START_OF_ID = re.compile(r"[0-9a-fA-F]{1,32}")


class DeadLetter(Document):
    """One job that ended without a result after all that was tried.

    It tells of the job, never of what a person wrote: `cause` is the error's type and message.
    """

    id: UUID = Field(default_factory=new_id)  # type: ignore[assignment]  # beanie's own way to another id type
    work: str
    """The name that this kind of work is queued under."""
    document_id: UUID
    user_id: UUID | None = None
    """Whose work it was, so that the letter goes when the person does."""
    code: FailureCode
    cause: str
    attempts: int
    accepted_at: datetime | None
    died_at: datetime = Field(default_factory=now)
    requeued_as: UUID | None = None
    """The document that repeats the work, once the operator has asked for it."""

    class Settings:
        name = "dead_letters"
        indexes = [
            IndexModel([("work", ASCENDING), ("code", ASCENDING)], name="work_code"),
            IndexModel([("document_id", ASCENDING)], name="document", unique=True),
            IndexModel([("user_id", ASCENDING)], name="user"),
        ]

    async def keep(self) -> None:
        """Save this letter, unless its document has one already."""
        with contextlib.suppress(DuplicateKeyError):
            await self.insert()

    async def note_requeued(self, document_id: UUID) -> None:
        """Remember what repeats the work."""
        await self.set({DeadLetter.requeued_as: document_id})

    @classmethod
    async def delete_of_user(cls, user_id: UUID) -> int:
        """Delete the letters about a person's work; gives how many there were."""
        result = await cls.get_pymongo_collection().delete_many({"user_id": user_id})
        return result.deleted_count

    @classmethod
    async def newest(cls, limit: int) -> list[Self]:
        """The latest ones, newest first."""
        return await cls.find_all().sort("-_id").limit(limit).to_list()

    @classmethod
    async def starting_with(cls, prefix: str) -> Sequence[Self]:
        """Those whose id starts with these hexadecimal digits, as people shorten ids.

        Raises ValueError for anything else.
        """
        digits = prefix.replace("-", "")
        if not _START_OF_ID.fullmatch(digits):  # UUID() takes "0x", "_" and signs too
            raise ValueError(f"{prefix!r} is not the beginning of an id")
        lowest, highest = UUID(hex=digits.ljust(32, "0")), UUID(hex=digits.ljust(32, "f"))
        return await cls.find({"_id": {"$gte": lowest, "$lte": highest}}).to_list()

    @classmethod
    async def counts(cls) -> dict[tuple[str, str], int]:
        """How many there are, by work and code."""
        group = {"$group": {"_id": {"work": "$work", "code": "$code"}, "count": {"$sum": 1}}}
        rows = await cls.aggregate([group]).to_list()
        return {(row["_id"]["work"], row["_id"]["code"]): row["count"] for row in rows}
