"""Providers' tokens, sealed, and every query for them."""

from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from beanie import Document
from pydantic import Field
from pymongo import ASCENDING, IndexModel, ReturnDocument

from domain.core.clock import now
from domain.core.ids import new_id
from domain.core.secrets import Sealed
from domain.sign_in.rules import TokenUse

RENEWED_BEFORE = timedelta(minutes=5)
RENEWAL_LEASE = timedelta(seconds=30)
"""Longer than a renewal's calls can take; then another process may try."""

TRIED_AGAIN_AFTER = timedelta(minutes=2)
"""So that tokens whose provider is down do not keep workers from the others."""


class ProviderToken(Document):
    """What a provider gave for one use of one identity.

    `version` counts the grants kept here. Every change names the version it is about, so of two
    processes that renew at once neither overwrites the other's rotated token.
    """

    id: UUID = Field(default_factory=new_id)  # type: ignore[assignment]  # beanie's own way to another id type
    identity_id: UUID
    user_id: UUID
    use: TokenUse
    sealed: Sealed
    scopes: list[str]
    expires_at: datetime | None
    version: int = 1
    renewing_until: datetime | None = None
    needs_consent: bool = False
    """The provider does not accept it any more; only the person can mend that."""
    kept_at: datetime = Field(default_factory=now)
    tried_at: datetime | None = None
    """When a worker last set out to renew it."""

    class Settings:
        name = "provider_tokens"
        indexes = [
            IndexModel(
                [("identity_id", ASCENDING), ("use", ASCENDING)], name="identity_use", unique=True
            ),
            IndexModel([("user_id", ASCENDING)], name="of_user"),
            IndexModel(
                [("expires_at", ASCENDING)],
                name="due",
                partialFilterExpression={"needs_consent": False},
            ),
        ]

    def is_due(self, at: datetime) -> bool:
        """Whether it is to be renewed."""
        return self.expires_at is not None and self.expires_at - RENEWED_BEFORE <= at

    def is_expired(self, at: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at

    @classmethod
    async def of_identity(cls, identity_id: UUID, use: TokenUse) -> Self | None:
        """The token of one use."""
        return await cls.find_one({"identity_id": identity_id, "use": use.value})

    @classmethod
    async def of_user(cls, user_id: UUID) -> list[Self]:
        """All of a user's tokens."""
        return await cls.find({"user_id": user_id}).to_list()

    @classmethod
    async def keep(
        cls, identity_id: UUID, user_id: UUID, use: TokenUse,
        sealed: Sealed, scopes: list[str], expires_at: datetime | None,
    ) -> Self | None:  # fmt: skip
        """Keep what a sign-in brought, in place of what was there, which is given back."""
        fresh = {
            "user_id": user_id, "sealed": sealed.model_dump(), "scopes": scopes,
            "expires_at": expires_at, "renewing_until": None, "needs_consent": False,
            "kept_at": now(), "tried_at": None,
        }  # fmt: skip
        row = await cls.get_pymongo_collection().find_one_and_update(
            {"identity_id": identity_id, "use": use.value},
            {"$set": fresh, "$inc": {"version": 1}, "$setOnInsert": {"_id": new_id()}},
            upsert=True,
            return_document=ReturnDocument.BEFORE,
        )
        return cls.model_validate(row) if row else None

    @classmethod
    async def due(cls, at: datetime, limit: int) -> list[Self]:
        """Those to be renewed, but for those tried just before; the longest untried first."""
        query = {
            "needs_consent": False,
            "expires_at": {"$lte": at + RENEWED_BEFORE},
            "tried_at": {"$not": {"$gt": at - TRIED_AGAIN_AFTER}},
        }
        return await cls.find(query).sort("tried_at").limit(limit).to_list()

    async def note_try(self) -> None:
        """Remember that a worker sets out to renew it, whatever comes of that."""
        await self._changed(self._as_read(), {"$set": {"tried_at": now()}})

    async def claim_renewal(self) -> bool:
        """Become the one who renews this version; False when somebody else is."""
        query = self._as_read() | {
            "$or": [{"renewing_until": None}, {"renewing_until": {"$lte": now()}}]
        }
        return await self._changed(query, {"$set": {"renewing_until": now() + RENEWAL_LEASE}})

    async def release_renewal(self) -> None:
        """Let somebody else try."""
        await self._changed(self._as_read(), {"$set": {"renewing_until": None}})

    async def replace_grant(
        self, sealed: Sealed, scopes: list[str], expires_at: datetime | None
    ) -> bool:
        """Keep the renewed grant; False when this version was replaced meanwhile."""
        fresh = {
            "sealed": sealed.model_dump(), "scopes": scopes, "expires_at": expires_at,
            "renewing_until": None, "kept_at": now(), "tried_at": None,
        }  # fmt: skip
        return await self._changed(self._as_read(), {"$set": fresh, "$inc": {"version": 1}})

    async def reseal(self, sealed: Sealed) -> bool:
        """Keep the same grant under another key; False when this version was replaced."""
        return await self._changed(self._as_read(), {"$set": {"sealed": sealed.model_dump()}})

    async def mark_refused(self) -> bool:
        """Note that the provider refuses this version; False when it was replaced or marked."""
        query = self._as_read() | {"needs_consent": False}
        return await self._changed(query, {"$set": {"needs_consent": True, "renewing_until": None}})

    async def mark_due(self) -> bool:
        """Have this version renewed at its next use; False when it was replaced."""
        return await self._changed(self._as_read(), {"$set": {"expires_at": now()}})

    @classmethod
    async def take(cls, identity_id: UUID, use: TokenUse | None = None) -> list[Self]:
        """Remove an identity's tokens, of one use or all, and give them for revoking."""
        query = {"identity_id": identity_id} | ({"use": use.value} if use else {})
        taken: list[Self] = []
        while row := await cls.get_pymongo_collection().find_one_and_delete(query):
            taken.append(cls.model_validate(row))
        return taken

    @classmethod
    async def of_user_for_export(cls, user_id: UUID) -> list[dict[str, Any]]:
        """What is kept, for the user's own eyes: what the tokens are for, never the tokens."""
        shown = {"identity_id", "use", "scopes", "expires_at", "needs_consent", "kept_at"}
        return [row.model_dump(mode="json", include=shown) for row in await cls.of_user(user_id)]

    @classmethod
    async def delete_of_user(cls, user_id: UUID) -> int:
        """Delete the user's tokens; how many there were."""
        result = await cls.get_pymongo_collection().delete_many({"user_id": user_id})
        return result.deleted_count

    def _as_read(self) -> dict[str, Any]:
        return {"_id": self.id, "version": self.version}

    async def _changed(self, query: dict[str, Any], change: dict[str, Any]) -> bool:
        row = await self.get_pymongo_collection().find_one_and_update(
            query, change, {"_id": 1}, return_document=ReturnDocument.AFTER
        )
        return row is not None
