"""Who people are to the providers they sign in with, and what they agreed to."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from beanie import Document
from pydantic import Field
from pymongo import ASCENDING, IndexModel

from domain.auth.tokens import CLOCK_SKEW
from domain.core.clock import now
from domain.core.ids import new_id
from domain.sign_in.rules import ConsentKind, tombstone_key

TOMBSTONE_LIFE = timedelta(days=1)


class Identity(Document):
    """One of the ways into an account: a provider's subject. A subject has one account."""

    id: UUID = Field(default_factory=new_id)  # type: ignore[assignment]  # beanie's own way to another id type
    user_id: UUID
    provider: str
    """`google`, `github`, or the address of an external issuer."""
    subject: str
    email: str | None = None
    email_verified: bool = False
    name: str | None = None
    """What the provider calls the person, so that they can tell two identities apart."""
    linked_at: datetime = Field(default_factory=now)
    last_used_at: datetime = Field(default_factory=now)

    class Settings:
        name = "identities"
        indexes = [
            IndexModel(
                [("provider", ASCENDING), ("subject", ASCENDING)], name="subject", unique=True
            ),
            IndexModel([("user_id", ASCENDING)], name="of_user"),
        ]

    @classmethod
    async def of_subject(cls, provider: str, subject: str) -> Self | None:
        """The identity of a provider's subject."""
        return await cls.find_one({"provider": provider, "subject": subject})

    @classmethod
    async def of_user(cls, user_id: UUID) -> list[Self]:
        """The user's identities, oldest first."""
        return await cls.find({"user_id": user_id}).sort("_id").to_list()

    @classmethod
    async def theirs(cls, user_id: UUID, id: UUID) -> Self | None:
        """One of the user's identities; None when absent or somebody else's."""
        return await cls.find_one({"_id": id, "user_id": user_id})

    @classmethod
    async def leading(cls, ids: Collection[UUID]) -> dict[UUID, UUID]:
        """Which of these there are, each with its user."""
        found = cls.get_pymongo_collection().find({"_id": {"$in": list(ids)}}, {"user_id": 1})
        return {row["_id"]: row["user_id"] async for row in found}

    async def seen(self, email: str | None, email_verified: bool, name: str | None) -> None:
        """Note that it was used, and what the provider says about it now."""
        said = {"email": email, "email_verified": email_verified, "name": name}
        await self.get_pymongo_collection().update_one(
            {"_id": self.id}, {"$set": {**said, "last_used_at": now()}}
        )

    @classmethod
    async def of_user_for_export(cls, user_id: UUID) -> list[dict[str, Any]]:
        """What is kept, for the user's own eyes. Tokens lie elsewhere and are not for export."""
        rows = await cls.of_user(user_id)
        return [row.model_dump(mode="json", exclude={"user_id", "revision_id"}) for row in rows]

    @classmethod
    async def delete_of_user(cls, user_id: UUID) -> int:
        """Delete the user's identities; how many there were.

        Tombstones come first: whoever finds an identity gone finds its tombstone too.
        """
        deleted = 0
        while rows := await cls.of_user(user_id):
            await DeletedIdentity.remember(rows)
            ids = {"_id": {"$in": [row.id for row in rows]}}
            deleted += (await cls.get_pymongo_collection().delete_many(ids)).deleted_count
        return deleted


class DeletedIdentity(Document):
    """A tombstone, so that a token issued before the deletion cannot make the account again."""

    id: str  # type: ignore[assignment]  # beanie's own way to another id type
    """`tombstone_key`, a digest: it tells nothing about whom it stands for."""
    deleted_at: datetime

    class Settings:
        name = "deleted_identities"
        indexes = [
            IndexModel(
                [("deleted_at", ASCENDING)],
                name="life",
                expireAfterSeconds=int(TOMBSTONE_LIFE.total_seconds()),
            )
        ]

    @classmethod
    async def remember(cls, identities: Sequence[Identity]) -> None:
        """Leave a tombstone for each."""
        for identity in identities:
            key = tombstone_key(identity.provider, identity.subject)
            await cls.get_pymongo_collection().update_one(
                {"_id": key}, {"$set": {"deleted_at": now()}}, upsert=True
            )

    @classmethod
    async def refuses(cls, provider: str, subject: str, issued_at: datetime) -> bool:
        """Whether a token issued then may not make an account for this subject.

        Tombstones last a day, so neither may a token older than that; and the issuer's clock may
        be ahead of ours.
        """
        if issued_at <= now() - TOMBSTONE_LIFE:
            return True
        stone = await cls.get(tombstone_key(provider, subject))
        return stone is not None and issued_at <= stone.deleted_at + CLOCK_SKEW


class Consent(Document):
    """One agreement to one version of a text. Kept after it is withdrawn, with both times."""

    id: UUID = Field(default_factory=new_id)  # type: ignore[assignment]  # beanie's own way to another id type
    user_id: UUID
    kind: ConsentKind
    text_version: str
    given_at: datetime = Field(default_factory=now)
    withdrawn_at: datetime | None = None

    class Settings:
        name = "consents"
        indexes = [
            IndexModel(
                [("user_id", ASCENDING), ("kind", ASCENDING), ("text_version", ASCENDING)],
                name="in_force",
                unique=True,
                partialFilterExpression={"withdrawn_at": None},
            ),
            IndexModel([("user_id", ASCENDING), ("_id", ASCENDING)], name="of_user"),
        ]

    @classmethod
    async def of_user(cls, user_id: UUID) -> list[Self]:
        """All that the user ever agreed to, oldest first."""
        return await cls.find({"user_id": user_id}).sort("_id").to_list()

    @classmethod
    async def in_force(cls, user_id: UUID, kind: ConsentKind) -> Self | None:
        """The newest agreement of this kind that was not withdrawn."""
        query = {"user_id": user_id, "kind": kind.value, "withdrawn_at": None}
        return await cls.find(query).sort("-_id").first_or_none()

    @classmethod
    async def withdraw(cls, user_id: UUID, kind: ConsentKind) -> int:
        """Withdraw all agreements of this kind; how many were in force."""
        query = {"user_id": user_id, "kind": kind.value, "withdrawn_at": None}
        change = {"$set": {"withdrawn_at": now()}}
        return (await cls.get_pymongo_collection().update_many(query, change)).modified_count

    @classmethod
    async def of_user_for_export(cls, user_id: UUID) -> list[dict[str, Any]]:
        """What is kept, for the user's own eyes."""
        rows = await cls.of_user(user_id)
        return [row.model_dump(mode="json", exclude={"user_id", "revision_id"}) for row in rows]

    @classmethod
    async def delete_of_user(cls, user_id: UUID) -> int:
        """Delete the user's consents; how many there were."""
        result = await cls.get_pymongo_collection().delete_many({"user_id": user_id})
        return result.deleted_count
