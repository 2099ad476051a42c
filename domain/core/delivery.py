"""Documents that background work brings to a final state, and the lease that guards each.

The document is the job: it is written before anything is queued, a worker claims it by one
compare-and-set, and every later write names the claim, so that a worker that lost its lease
changes nothing any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import UUID, uuid4

from asgi_correlation_id import correlation_id
from beanie import Document
from pydantic import BaseModel, Field
from pymongo import ASCENDING, IndexModel, ReturnDocument

from domain.core.clock import now
from domain.core.ids import new_id


class Delivery(BaseModel):
    """Where the background work on a document stands."""

    is_open: bool = False
    """True from acceptance to the final state."""
    attempts: int = 0
    token: UUID | None = None
    leased_until: datetime | None = None
    due_at: datetime | None = None
    """Not to be claimed before."""
    first_due_at: datetime | None = None
    """When the work was accepted."""
    request_id: str | None = None
    """The request that brought it, for the worker's log lines."""


def accepted(at: datetime) -> Delivery:
    """The delivery of work that is to be done from now on."""
    return Delivery(is_open=True, due_at=at, first_due_at=at, request_id=correlation_id.get())


class NotYet(Exception):
    """The work waits for other work; it is to be claimed again in `seconds`, no attempt counted."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt's right to write to a document."""

    id: UUID
    attempt: int
    token: UUID
    accepted_at: datetime | None = None
    request_id: str | None = None
    user_id: UUID | None = None
    """Whose work it is."""

    def fence(self) -> dict[str, Any]:
        """The filter that every write of this attempt carries."""
        return {
            "_id": self.id,
            "delivery.is_open": True,
            "delivery.attempts": self.attempt,
            "delivery.token": self.token,
        }


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

RETRY_INDEX = IndexModel(
    [("retry_of", ASCENDING)],
    name="retry_of",
    unique=True,
    partialFilterExpression={"retry_of": {"$type": "binData"}},
)
"""Makes sure that failed work is repeated by one document at most."""

DELIVERY_INDEX = IndexModel(
    [("delivery.due_at", ASCENDING)],
    name="open_work",
    partialFilterExpression={"delivery.is_open": True},
)

CLOSED: Mapping[str, Any] = {
    "delivery.is_open": False,
    "delivery.token": None,
    "delivery.leased_until": None,
}
"""What a final write sets beside its own fields."""


class Deliverable(Document):
    """A document that background work brings to a final state."""

    id: UUID = Field(default_factory=new_id)  # type: ignore[assignment]  # beanie's own way to another id type
    version: int = 1
    """Counts the changes that subscribers see; it only grows."""
    delivery: Delivery = Delivery()
    retry_of: UUID | None = None
    """The failed document whose work this one repeats."""

    work_name: ClassVar[str]
    """The name that this kind of work is queued under."""

    @classmethod
    async def retry_of_document(cls, id: UUID) -> Self | None:
        """The document that repeats the work of this one, if there is one."""
        # The planner takes the partial index only for a query that implies its condition.
        return await cls.find_one({"retry_of": {"$eq": id, "$type": "binData"}})

    @classmethod
    async def versions(cls, ids: Sequence[UUID]) -> dict[UUID, int]:
        """The present version of each document that exists."""
        rows = cls.get_pymongo_collection().find({"_id": {"$in": list(ids)}}, {"version": 1})
        return {row["_id"]: row["version"] async for row in rows}

    @classmethod
    async def claim(cls, id: UUID, lease: timedelta) -> Claim | None:
        """Take the lease of a document whose work is due; None when there is nothing to take."""
        at, token = now(), uuid4()
        row = await cls.get_pymongo_collection().find_one_and_update(
            {"_id": id, **_claimable(at)},
            {
                "$set": {"delivery.token": token, "delivery.leased_until": at + lease},
                "$inc": {"delivery.attempts": 1},
            },
            projection={"delivery": 1, "user_id": 1},
            return_document=ReturnDocument.AFTER,
        )
        if row is None:
            return None
        delivery = Delivery.model_validate(row["delivery"])
        return Claim(
            id, delivery.attempts, token, delivery.first_due_at,
            request_id=delivery.request_id, user_id=row.get("user_id"),
        )  # fmt: skip

    @classmethod
    async def renew(cls, claim: Claim, lease: timedelta) -> bool:
        """Lengthen a claim's lease; False when the claim is no longer good."""
        update = {"$set": {"delivery.leased_until": now() + lease}}
        result = await cls.get_pymongo_collection().update_one(claim.fence(), update)
        return result.matched_count == 1

    @classmethod
    async def hand_back(cls, claim: Claim, due_at: datetime, is_counted: bool) -> bool:
        """Give the lease up with the work unfinished, to be claimed again at `due_at`.

        `is_counted` False takes the attempt back, for a worker that was told to stop.
        """
        update: dict[str, Any] = {
            "$set": {
                "delivery.token": None,
                "delivery.leased_until": None,
                "delivery.due_at": due_at,
            }
        }
        if not is_counted:
            update["$inc"] = {"delivery.attempts": -1}
        result = await cls.get_pymongo_collection().update_one(claim.fence(), update)
        return result.matched_count == 1

    @classmethod
    async def overdue(cls, since: datetime, limit: int) -> list[tuple[UUID, int]]:
        """Ids and attempts of open work that nobody holds and that was due before `since`.

        A lease that has run out counts from that moment: its worker is gone, so no wake-up comes.
        """
        due = _claimable(now()) | {"delivery.due_at": {"$lte": since}}
        rows = (
            cls.get_pymongo_collection()
            .find(due, {"delivery.attempts": 1})
            .sort("delivery.due_at", ASCENDING)
            .limit(limit)
        )
        return [(row["_id"], row["delivery"]["attempts"]) async for row in rows]

    @classmethod
    async def open_work(cls) -> tuple[int, datetime | None]:
        """How many documents are not final, and when the oldest of them was accepted."""
        pipeline: list[dict[str, Any]] = [
            # A range of times, not null, so that the partial index serves: it holds open work only.
            {"$match": {"delivery.is_open": True, "delivery.due_at": {"$gt": _LONG_AGO}}},
            {
                "$group": {
                    "_id": None,
                    "count": {"$sum": 1},
                    "oldest": {"$min": "$delivery.first_due_at"},
                }
            },
        ]
        cursor = await cls.get_pymongo_collection().aggregate(pipeline)
        rows = await cursor.to_list()
        return (rows[0]["count"], rows[0]["oldest"]) if rows else (0, None)

    @classmethod
    async def claimed(cls, claim: Claim) -> Self | None:
        """The document, while the claim is good."""
        return await cls.find_one(claim.fence())

    @classmethod
    async def write(
        cls, claim: Claim, update: Mapping[str, Any], version: int | None = None
    ) -> Self | None:
        """One fenced write that subscribers will see; None when the claim is no longer good.

        With `version`, the document must also still be at that version.
        """
        fence = claim.fence() if version is None else {**claim.fence(), "version": version}
        row = await cls.get_pymongo_collection().find_one_and_update(
            fence,
            {**update, "$inc": {"version": 1, **update.get("$inc", {})}},
            return_document=ReturnDocument.AFTER,
        )
        return cls.model_validate(row) if row else None


def _claimable(at: datetime) -> dict[str, Any]:
    return {
        "delivery.is_open": True,
        "delivery.due_at": {"$lte": at},
        "$or": [{"delivery.leased_until": None}, {"delivery.leased_until": {"$lt": at}}],
    }
