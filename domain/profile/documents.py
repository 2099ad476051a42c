"""Accounts."""

import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from beanie import Document
from pydantic import Field
from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from domain.core.clock import now
from domain.core.ids import new_id
from domain.core.language import Language

NAME_MAX = 200
OUTDATED_INDEXES = ["email"]
"""Of the time when every account had an address. It would allow only one without."""


class User(Document):
    """A person. `email` is kept in lower case, and only once it was verified; None without one."""

    id: UUID = Field(default_factory=new_id)  # type: ignore[assignment]  # beanie's own way to another id type
    email: str | None = None
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
        indexes = [
            IndexModel(
                [("email", ASCENDING)],
                name="email_of_one",
                unique=True,
                # Over strings, said in a way that the query planner sees an address to be one of.
                partialFilterExpression={"email": {"$gt": ""}},
            )
        ]

    @classmethod
    async def ensure(cls, email: str, name: str) -> Self:
        """The account of this address, made now if there is none."""
        while (user := await cls.of_email(email)) is None:
            with contextlib.suppress(DuplicateKeyError):  # somebody else makes it right now
                await cls(email=email.lower(), name=name).insert()
        return user

    @classmethod
    async def of_email(cls, email: str) -> Self | None:
        """The account that has this address."""
        return await cls.find_one({"email": email.lower()})

    @classmethod
    async def take_email(cls, id: UUID, email: str) -> bool:
        """Give an account without an address this one; False when it has one, or another account
        has this one."""
        try:
            done = await cls.get_pymongo_collection().update_one(
                {"_id": id, "email": None}, {"$set": {"email": email.lower()}}
            )
        except DuplicateKeyError:
            return False
        return done.modified_count == 1

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

    @classmethod
    async def delete_of_user(cls, user_id: UUID) -> int:
        """Delete the account itself; 1, or 0 when it was gone."""
        return (await cls.get_pymongo_collection().delete_one({"_id": user_id})).deleted_count
