"""CVs: what was brought, what was read from it, and every query for them."""

from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self
from uuid import UUID

from beanie import Document
from pydantic import Field
from pymongo import DESCENDING, IndexModel

from domain.core.clock import now
from domain.core.delivery import DELIVERY_INDEX, RETRY_INDEX, Delivery
from domain.core.failures import Failure
from domain.core.idempotency import IDEMPOTENCY_INDEX, MadeOnce
from domain.core.pagination import Page, PageRequest, newest_first
from domain.cv.parsing.parsed_cv import ParsedCV

CURSOR_ORDER = "cvs"
FEW = 20
"""How many are read at a time where all of a person's are gone through."""
MOST_MATCHED = 20
"""How many of a person's CVs matching looks at, newest first."""


class CVStatus(StrEnum):
    AWAITING_UPLOAD = "AWAITING_UPLOAD"
    PARSING = "PARSING"
    PARSED = "PARSED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        return self in (CVStatus.PARSED, CVStatus.FAILED)


class CV(MadeOnce):
    """One CV of one person. The file itself lies in GridFS under `file_id`."""

    work_name: ClassVar[str] = "parse_cv"

    filename: str
    content_type: str
    size_bytes: int
    file_id: UUID | None = None
    """None until the file has arrived."""
    status: CVStatus
    parsed: ParsedCV | None = None
    failure: Failure | None = None
    created_at: datetime = Field(default_factory=now)
    changed_at: datetime = Field(default_factory=now)
    parsed_at: datetime | None = None

    class Settings:
        name = "cvs"
        indexes = [
            IndexModel([("user_id", DESCENDING), ("_id", DESCENDING)], name="user"),
            DELIVERY_INDEX,
            RETRY_INDEX,
            IDEMPOTENCY_INDEX,
        ]

    @classmethod
    async def page(cls, user_id: UUID, request: PageRequest) -> Page[Self]:
        """A user's CVs, newest first. Raises InvalidInput for a bad cursor."""
        return await newest_first(cls, {"user_id": user_id}, CURSOR_ORDER, request)

    @classmethod
    async def ids_of_user(cls, user_id: UUID) -> list[UUID]:
        """The ids of a user's CVs."""
        rows = cls.get_pymongo_collection().find({"user_id": user_id}, {"_id": 1})
        return [row["_id"] async for row in rows]

    @classmethod
    async def file_ids_of_user(cls, user_id: UUID) -> list[UUID]:
        """The ids of the files that a user's CVs refer to, each once."""
        query = {"user_id": user_id, "file_id": {"$ne": None}}
        ids: list[UUID] = await cls.get_pymongo_collection().distinct("file_id", query)
        return ids

    @classmethod
    async def each_of_user(cls, user_id: UUID) -> AsyncIterator[Self]:
        """A user's CVs, oldest first, a few in memory at a time."""
        rows = cls.get_pymongo_collection().find({"user_id": user_id}).sort("_id", 1)
        async for row in rows.batch_size(FEW):
            yield cls.model_validate(row)

    @classmethod
    async def delete_of_user(cls, user_id: UUID) -> int:
        """Delete a person's CVs, but neither their texts nor their files; gives how many."""
        return (await cls.get_pymongo_collection().delete_many({"user_id": user_id})).deleted_count

    @classmethod
    async def matching_parts(cls, user_id: UUID, cv_id: UUID | None = None) -> list[ParsedCV]:
        """What matching needs of a user's newest parsed CVs, or of one of them; no other part."""
        query: dict[str, Any] = {"user_id": user_id, "status": CVStatus.PARSED}
        if cv_id is not None:
            query["_id"] = cv_id
        fields = ("language", "skills", "languages", "experience.role")
        projection = {f"parsed.{field}": 1 for field in fields}
        rows = cls.get_pymongo_collection().find(query, projection)
        newest = rows.sort("_id", -1).limit(MOST_MATCHED)
        return [ParsedCV.model_validate(row["parsed"]) async for row in newest]

    @classmethod
    async def skills_of_user(cls, user_id: UUID, cv_id: UUID | None = None) -> list[str]:
        """Skill ids from all of a user's parsed CVs, newest CV first, or from one of them."""
        query: dict[str, Any] = {"user_id": user_id, "status": CVStatus.PARSED}
        if cv_id is not None:
            query["_id"] = cv_id
        rows = cls.get_pymongo_collection().find(query, {"parsed.skills": 1}).sort("_id", -1)
        found = [skill async for row in rows for skill in row["parsed"]["skills"]]
        return list(dict.fromkeys(found))

    @classmethod
    async def begin_parsing(cls, id: UUID, file_id: UUID, delivery: Delivery) -> Self | None:
        """Note that the file has arrived; None when this CV awaits none (any more)."""
        update = {
            "$set": {
                "file_id": file_id,
                "status": CVStatus.PARSING,
                "delivery": delivery.model_dump(),
                "changed_at": now(),
            },
            "$inc": {"version": 1},
        }
        query = {"_id": id, "status": CVStatus.AWAITING_UPLOAD}
        result = await cls.get_pymongo_collection().update_one(query, update)
        return await cls.get(id) if result.modified_count else None


class CVText(Document):
    """A parsed CV's text with contact details taken out, under the CV's own id.

    It lies apart so that lists of CVs do not carry it along.
    """

    id: UUID  # type: ignore[assignment]  # beanie's own way to another id type
    user_id: UUID | None = None
    """Whose it is. None in texts that were saved before this was noted."""
    text: str

    class Settings:
        name = "cv_texts"
        indexes = [IndexModel([("user_id", DESCENDING)], name="user")]

    @classmethod
    async def put(cls, id: UUID, user_id: UUID, text: str) -> None:
        """Save the text, in place of any earlier one."""
        update = {"$set": {"user_id": user_id, "text": text}}
        await cls.get_pymongo_collection().update_one({"_id": id}, update, upsert=True)

    @classmethod
    async def delete_without_cv(cls, id: UUID) -> None:
        """Delete the text if there is no CV of this id."""
        if await CV.find_one({"_id": id}) is None:
            await cls.get_pymongo_collection().delete_one({"_id": id})

    @classmethod
    async def delete_of_user(cls, user_id: UUID) -> int:
        """Delete a person's texts; gives how many there were. To be called before the CVs go."""
        ids = await CV.ids_of_user(user_id)
        query = {"$or": [{"user_id": user_id}, {"_id": {"$in": ids}}]}
        return (await cls.get_pymongo_collection().delete_many(query)).deleted_count
