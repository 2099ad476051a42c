"""Doing a thing once, however often it is asked for under one key."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel
from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from domain.core.clock import now
from domain.core.closed_accounts import ClosedAccount
from domain.core.delivery import Deliverable
from domain.core.errors import AccountClosed, IdempotencyKeyMismatch


class Idempotency(BaseModel):
    """The key a document was made under, and a digest of the input it was made from."""

    key: str
    fingerprint: str


IDEMPOTENCY_INDEX = IndexModel(
    [("user_id", ASCENDING), ("idempotency.key", ASCENDING)],
    name="idempotency_key",
    unique=True,
    partialFilterExpression={"idempotency.key": {"$exists": True}},
)


def fingerprint(operation: str, values: Mapping[str, Any]) -> str:
    """SHA-256 of an operation's input, the same for equal values in any order of keys."""
    text = json.dumps([operation, values], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


class MadeOnce(Deliverable):
    """A document of one user that a client may ask for under an idempotency key."""

    user_id: UUID
    created_at: datetime
    idempotency: Idempotency | None = None

    @classmethod
    async def of_user(cls, id: UUID, user_id: UUID) -> Self | None:
        """The document, if it is this user's; None when it is absent or somebody else's."""
        return await cls.find_one({"_id": id, "user_id": user_id})

    @classmethod
    async def by_ids(cls, ids: Sequence[UUID], user_id: UUID) -> dict[UUID, Self]:
        """Those of the documents that are this user's."""
        found = cls.find({"_id": {"$in": list(ids)}, "user_id": user_id})
        return {made.id: made async for made in found}

    @classmethod
    async def made_before(
        cls, user_id: UUID, idempotency: Idempotency | None, life: timedelta
    ) -> Self | None:
        """What this key made within its life, if anything. Frees a key that has outlived it.

        Raises IdempotencyKeyMismatch when the key was used with other input.
        """
        if idempotency is None:
            return None
        query = {"user_id": user_id, "idempotency.key": idempotency.key}
        row = await cls.get_pymongo_collection().find_one(query)
        if row is None:
            return None
        made: Self = cls.model_validate(row)
        if made.created_at < now() - life:
            query["_id"] = made.id
            await cls.get_pymongo_collection().update_one(query, {"$set": {"idempotency": None}})
            return None
        if made.idempotency != idempotency:
            raise IdempotencyKeyMismatch
        return made

    async def insert_unless_closed(self) -> None:
        """Insert this. Raises AccountClosed, with nothing left behind, if the owner is leaving."""
        await self.insert()
        if await ClosedAccount.has(self.user_id):
            await self.delete()
            raise AccountClosed

    async def insert_once(self, life: timedelta) -> tuple[Self, bool]:
        """Insert this, or find what a concurrent call with its key inserted; True when inserted.

        Raises IdempotencyKeyMismatch or AccountClosed.
        """
        try:
            await self.insert_unless_closed()
        except DuplicateKeyError:
            before = await self.made_before(self.user_id, self.idempotency, life)
            if before is None:
                raise
            return before, False
        return self, True
