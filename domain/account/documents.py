"""Exports of a person's data, deletions of accounts, and every query for them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self
from uuid import UUID

from pydantic import Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from domain.core.clock import now
from domain.core.delivery import CLOSED, DELIVERY_INDEX, RETRY_INDEX, Claim, Deliverable
from domain.core.failures import Failure
from domain.core.idempotency import IDEMPOTENCY_INDEX, MadeOnce
from domain.core.language import Language
from domain.core.pagination import Page, PageRequest, newest_first

CURSOR_ORDER = "data_exports"


class WorkStatus(StrEnum):
    """Where an export or a deletion stands. It never goes back."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        return self in (WorkStatus.COMPLETED, WorkStatus.FAILED)


ONE_OPEN_INDEX = IndexModel(
    [("user_id", ASCENDING)],
    name="one_open",
    unique=True,
    partialFilterExpression={"delivery.is_open": True},
)
"""Makes sure that a person has one at most that is not final."""


class DataExport(MadeOnce):
    """A copy of all of one person's data, made at their wish. Its file lies in GridFS."""

    work_name: ClassVar[str] = "export_data"

    language: Language
    status: WorkStatus = WorkStatus.PENDING
    progress_percent: int = 0
    message: str | None = None
    file_id: UUID | None = None
    size_bytes: int | None = None
    failure: Failure | None = None
    created_at: datetime = Field(default_factory=now)
    changed_at: datetime = Field(default_factory=now)
    completed_at: datetime | None = None
    expires_at: datetime | None = None
    """When it is removed, file and all. None until it is final."""

    class Settings:
        name = "data_exports"
        indexes = [
            IndexModel([("user_id", DESCENDING), ("_id", DESCENDING)], name="user"),
            IndexModel(
                [("expires_at", ASCENDING)],
                name="expiry",
                partialFilterExpression={"expires_at": {"$type": "date"}},
            ),
            ONE_OPEN_INDEX,
            DELIVERY_INDEX,
            RETRY_INDEX,
            IDEMPOTENCY_INDEX,
        ]

    @classmethod
    async def page(cls, user_id: UUID, request: PageRequest) -> Page[Self]:
        """A user's exports, newest first. Raises InvalidInput for a bad cursor."""
        return await newest_first(cls, {"user_id": user_id}, CURSOR_ORDER, request)

    @classmethod
    async def open_of_user(cls, user_id: UUID) -> Self | None:
        """The user's export that is not final, if there is one."""
        return await cls.find_one({"user_id": user_id, "delivery.is_open": True})

    @classmethod
    async def asked_for_since(cls, user_id: UUID, since: datetime) -> list[datetime]:
        """When the user asked for the exports made since then that still exist, oldest first."""
        query = {"user_id": user_id, "created_at": {"$gt": since}}
        rows = cls.get_pymongo_collection().find(query, {"created_at": 1}).sort("created_at", 1)
        return [row["created_at"] async for row in rows]

    @classmethod
    async def of_user_for_export(cls, user_id: UUID) -> list[dict[str, Any]]:
        """When the user asked for exports, oldest first, ready for JSON."""
        shown = {"id", "status", "created_at", "completed_at", "expires_at", "size_bytes"}
        rows = await cls.find({"user_id": user_id}).sort("_id").to_list()
        return [row.model_dump(mode="json", include=shown) for row in rows]

    @classmethod
    async def expired(cls, at: datetime, limit: int) -> list[Self]:
        """Exports whose time was over at an instant."""
        query = {"expires_at": {"$lt": at, "$type": "date"}}
        return await cls.find(query).limit(limit).to_list()

    @classmethod
    async def delete_of_user(cls, user_id: UUID) -> int:
        """Delete a person's exports, but not their files; gives how many there were."""
        return (await cls.get_pymongo_collection().delete_many({"user_id": user_id})).deleted_count

    @classmethod
    async def change(cls, claim: Claim, fields: Mapping[str, Any]) -> bool:
        """One fenced, visible change; False when the claim is lost."""
        update = {"$set": {**fields, "changed_at": now()}}
        return await cls.write(claim, update) is not None

    @classmethod
    async def close(cls, claim: Claim, fields: Mapping[str, Any]) -> bool:
        """One fenced, visible change to a final state; False when the claim is lost."""
        return await cls.change(claim, {**fields, **CLOSED})


class AccountDeletion(Deliverable):
    """The removal of one account. What is left of it when all is gone is the receipt."""

    work_name: ClassVar[str] = "delete_account"

    user_id: UUID
    status: WorkStatus = WorkStatus.PENDING
    requested_at: datetime = Field(default_factory=now)
    quiet_since: datetime = Field(default_factory=now)
    """When the last session of the account was ended."""
    found: dict[str, int] | None = None
    """How much of each kind there was, counted before anything was deleted."""
    completed_at: datetime | None = None
    failed_at: datetime | None = None
    expires_at: datetime | None = None
    """When MongoDB removes the receipt. None until all is gone."""

    class Settings:
        name = "account_deletions"
        indexes = [
            IndexModel([("user_id", ASCENDING)], name="user"),
            IndexModel([("completed_at", ASCENDING)], name="completed"),
            IndexModel([("status", ASCENDING), ("failed_at", ASCENDING)], name="status_failed"),
            IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
            ONE_OPEN_INDEX,
            DELIVERY_INDEX,
            RETRY_INDEX,
        ]

    @classmethod
    async def open_of_user(cls, user_id: UUID) -> Self | None:
        """The deletion of this account that is under way."""
        return await cls.find_one({"user_id": user_id, "delivery.is_open": True})

    @classmethod
    async def newest_of_retries(cls, id: UUID) -> Self | None:
        """The deletion of this id, or the last of those that repeat it."""
        found = await cls.get(id)
        while found is not None and (again := await cls.retry_of_document(found.id)) is not None:
            found = again
        return found

    @classmethod
    async def given_up(cls, before: datetime) -> list[Self]:
        """Deletions that failed before an instant and that nothing repeats yet."""
        found = await cls.find(
            {"status": WorkStatus.FAILED, "failed_at": {"$lt": before}, "expires_at": None}
        ).to_list()
        return [one for one in found if await cls.retry_of_document(one.id) is None]

    @classmethod
    async def completed_since(cls, at: datetime) -> list[Self]:
        """Deletions that ended after an instant."""
        return await cls.find({"completed_at": {"$gt": at}}).to_list()

    @classmethod
    async def change(cls, claim: Claim, fields: Mapping[str, Any]) -> bool:
        """One fenced change; False when the claim is lost."""
        return await cls.write(claim, {"$set": dict(fields)}) is not None

    @classmethod
    async def close(cls, claim: Claim, fields: Mapping[str, Any]) -> bool:
        """One fenced change to a final state; False when the claim is lost."""
        return await cls.change(claim, {**fields, **CLOSED})

    @classmethod
    async def expire_failed(cls, user_id: UUID, at: datetime) -> None:
        """Let the failed tries of a deletion that has succeeded go with its receipt."""
        query = {"user_id": user_id, "status": WorkStatus.FAILED}
        await cls.get_pymongo_collection().update_many(query, {"$set": {"expires_at": at}})

    @classmethod
    async def add_found(cls, id: UUID, more: Mapping[str, int]) -> None:
        """Add to the counts what came to light after the end."""
        added = {f"found.{kind}": count for kind, count in more.items()}
        await cls.get_pymongo_collection().update_one({"_id": id}, {"$inc": added})
