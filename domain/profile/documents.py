"""Accounts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from beanie import Document
from pydantic import Field
from pymongo import ASCENDING, IndexModel, ReturnDocument

from domain.core.clock import now
from domain.core.ids import new_id
from domain.core.language import Language


class User(Document):
    """A person. `email` is kept in lower case."""

    id: UUID = Field(default_factory=new_id)  # type: ignore[assignment]  # beanie's own way to another id type
    email: str
    name: str
    avatar_url: str | None = None
    language: Language = Language.EN
    location: str | None = None
    prefers_remote: bool | None = None
    """None until the person has said."""
    target_roles: list[str] = []
    created_at: datetime = Field(default_factory=now)

    class Settings:
        name = "users"
        indexes = [IndexModel([("email", ASCENDING)], name="email", unique=True)]

    @classmethod
    async def ensure(cls, email: str, name: str) -> Self:
        """The account of this address, made now if there is none."""
        fresh = cls(email=email.lower(), name=name).model_dump(by_alias=True, mode="python")
        row = await cls.get_pymongo_collection().find_one_and_update(
            {"email": email.lower()},
            {"$setOnInsert": {key: value for key, value in fresh.items() if key != "revision_id"}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        user: Self = cls.model_validate(row)
        return user

    @classmethod
    async def by_ids(cls, ids: Sequence[UUID]) -> dict[UUID, Self]:
        """Those of the accounts that exist."""
        return {user.id: user async for user in cls.find({"_id": {"$in": list(set(ids))}})}

    @classmethod
    async def change(cls, id: UUID, fields: dict[str, object]) -> Self | None:
        """Set some fields, and only those; None when the account is gone."""
        if not fields:
            return await cls.get(id)
        row = await cls.get_pymongo_collection().find_one_and_update(
            {"_id": id}, {"$set": fields}, return_document=ReturnDocument.AFTER
        )
        return cls.model_validate(row) if row else None
