"""Sessions and every query for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from beanie import Document
from pydantic import BaseModel, Field
from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument, UpdateOne

from domain.auth.refresh_rules import Family
from domain.auth.token_documents import Ended, SpentRefreshToken
from domain.core.clock import now
from domain.core.ids import new_id

MOST_SHOWN = 100
ACCESS_TOKENS_KEPT = 200
"""A session that has more alive ends the older ones through the poll of Revocations alone."""
_SLACK = timedelta(minutes=5)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_NOBODY = UUID(int=0)


class SignInMethod(StrEnum):
    """How somebody showed who they are."""

    GOOGLE = "GOOGLE"
    GITHUB = "GITHUB"
    EXTERNAL = "EXTERNAL"
    LOCAL = "LOCAL"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as a good access token says. Without a session, an external issuer gave it."""

    user_id: UUID
    session_id: UUID | None
    token_id: str
    expires_at: datetime
    method: SignInMethod
    identity_id: UUID | None = None
    """The way in that an external issuer's token came by."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in or a refresh gives. Sessions for local work have no refresh token."""

    access_token: str
    access_expires_at: datetime
    refresh_token: str | None
    refresh_expires_at: datetime
    session_id: UUID
    user_id: UUID


class AccessToken(BaseModel):
    """One access token of a session; `token_id` is its `jti`."""

    token_id: str
    expires_at: datetime


class Successor(BaseModel):
    """The present refresh token, sealed for the holder of the one before it."""

    nonce: bytes
    data: bytes


class Session(Document):
    """One sign-in and all tokens that come of it, its family.

    A row lives until none of its tokens could be good any more. Revoking sets `revoked_at`, by
    the clock of MongoDB: processes that poll for it need not agree on the time.
    """

    id: UUID = Field(default_factory=new_id)  # type: ignore[assignment]  # beanie's own way to another id type
    user_id: UUID
    method: SignInMethod
    identity_id: UUID | None = None
    """The way in that it was opened by; it ends with that. None for local work."""
    device: str
    address: str | None
    """Where its tokens were last renewed from."""
    created_at: datetime = Field(default_factory=now)
    last_used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    current_hash: bytes | None
    previous_hash: bytes | None = None
    rotated_at: datetime | None = None
    successor: Successor | None = None
    access_tokens: list[AccessToken]
    access_until: datetime
    """When the last of the access tokens ends."""
    delete_at: datetime

    class Settings:
        name = "sessions"
        indexes = [
            IndexModel([("user_id", ASCENDING), ("last_used_at", DESCENDING)], name="user"),
            IndexModel(
                [("revoked_at", ASCENDING)],
                name="revoked",
                partialFilterExpression={"revoked_at": {"$gt": _LONG_AGO}},
            ),
            IndexModel([("delete_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
        ]

    @classmethod
    def opened(
        cls, id: UUID, user_id: UUID, method: SignInMethod, device: str, address: str | None,
        at: datetime, expires_at: datetime, refresh_hash: bytes | None, access: AccessToken,
        identity_id: UUID | None = None,
    ) -> Self:  # fmt: skip
        """A session that is not stored yet. Without `refresh_hash` it cannot be refreshed."""
        return cls(
            id=id, user_id=user_id, method=method, identity_id=identity_id,
            device=device, address=address,
            created_at=at, last_used_at=at, expires_at=expires_at, current_hash=refresh_hash,
            access_tokens=[access], access_until=access.expires_at,
            delete_at=max(expires_at, access.expires_at) + _SLACK,
        )  # fmt: skip

    @property
    def family(self) -> Family:
        """What decides over a refresh token."""
        return Family(
            self.current_hash, self.previous_hash, self.rotated_at, self.expires_at, self.revoked_at
        )

    @classmethod
    async def of_user(cls, id: UUID, user_id: UUID) -> Self | None:
        """A live session of this user; None when it is absent, ended or somebody else's."""
        return await cls.find_one({"_id": id, "user_id": user_id, **_live()})

    @classmethod
    async def live_of_user(cls, user_id: UUID) -> list[Self]:
        """The user's live sessions, newest use first; at most 100."""
        found = cls.find({"user_id": user_id, **_live()})
        return await found.sort("-last_used_at", "-_id").limit(MOST_SHOWN).to_list()

    @classmethod
    async def is_live(cls, id: UUID) -> bool:
        """Whether tokens of this session may be accepted."""
        return await cls.find_one({"_id": id, "revoked_at": None}) is not None

    @classmethod
    async def rotate(
        cls, id: UUID, presented: bytes, fresh: bytes, successor: Successor,
        at: datetime, expires_at: datetime, access: AccessToken, address: str | None,
    ) -> bool:  # fmt: skip
        """Replace the refresh token if it still is `presented`, in one step; True when done.

        Of several that try at once, one succeeds.
        """
        change = {
            "current_hash": fresh, "previous_hash": presented, "rotated_at": at,
            "successor": successor.model_dump(), "last_used_at": at, "expires_at": expires_at,
            "delete_at": {"$max": [expires_at, access.expires_at, "$delete_at"]},
            **_with_access(access),
        }  # fmt: skip
        if address is not None:
            change["address"] = {"$literal": address}
        query = {"_id": id, "current_hash": presented, **_live()}
        done = await cls.get_pymongo_collection().update_one(query, [{"$set": change}])
        return done.modified_count == 1

    @classmethod
    async def add_access(cls, id: UUID, presented: bytes, access: AccessToken) -> bool:
        """One more access token, while `presented` still is the token just replaced."""
        query = {"_id": id, "previous_hash": presented, **_live()}
        change = [{"$set": _with_access(access)}]
        done = await cls.get_pymongo_collection().update_one(query, change)
        return done.modified_count == 1

    @classmethod
    async def revoke(cls, id: UUID, user_id: UUID) -> Self | None:
        """End a live session of this user; as it is then, or None where there was none."""
        row = await cls.get_pymongo_collection().find_one_and_update(
            {"_id": id, "user_id": user_id, **_live()},
            [{"$set": _REVOKED}],
            return_document=ReturnDocument.AFTER,
        )
        return cls.model_validate(row) if row else None

    @classmethod
    async def revoke_of_user(
        cls, user_id: UUID, keep: UUID | None, identity_id: UUID | None = None
    ) -> int:
        """End all live sessions of this user but `keep`, or those of one way in. How many."""
        query = {"user_id": user_id, "_id": {"$ne": keep}, **_live()}
        if identity_id is not None:
            query["identity_id"] = identity_id
        done = await cls.get_pymongo_collection().update_many(query, [{"$set": _REVOKED}])
        return done.modified_count

    @classmethod
    async def revoked_of_user(cls, user_id: UUID) -> list[Self]:
        """The user's revoked sessions that have access tokens which would still be good."""
        query = {"user_id": user_id, "revoked_at": {"$gt": _LONG_AGO}}
        return await cls.find({**query, "access_until": {"$gt": now()}}).to_list()

    @classmethod
    async def revoked_since(cls, at: datetime) -> list[Ended]:
        """Those revoked at or after a moment of MongoDB's clock."""
        query = {"revoked_at": {"$gte": max(at, _LONG_AGO + timedelta(days=1))}}
        found = cls.get_pymongo_collection().find(query, {"revoked_at": 1, "access_until": 1})
        return [Ended(row["_id"], row["revoked_at"], row["access_until"]) async for row in found]

    @classmethod
    async def note_uses(cls, uses: Mapping[UUID, datetime]) -> None:
        """Move the last use of these sessions forward."""
        changes = [UpdateOne({"_id": id}, {"$max": {"last_used_at": at}})
                   for id, at in uses.items()]  # fmt: skip
        if changes:
            await cls.get_pymongo_collection().bulk_write(changes, ordered=False)

    @classmethod
    async def of_user_for_export(cls, user_id: UUID) -> list[dict[str, Any]]:
        """The user's sessions, live or not, oldest first, ready for JSON and without secrets."""
        shown = {"id", "method", "device", "address", "created_at", "last_used_at",
                 "expires_at", "revoked_at"}  # fmt: skip
        rows = await cls.find({"user_id": user_id}).sort("_id").to_list()
        return [row.model_dump(mode="json", include=shown) for row in rows]

    @classmethod
    async def delete_of_user(cls, user_id: UUID) -> int:
        """Forget the user's sessions; how many those were.

        What stays of each, until its access tokens have expired, is that it was revoked: so every
        process refuses them, also one that starts later. Nothing in that leads to a person.
        """
        sessions = cls.get_pymongo_collection()
        ids = [row["_id"] async for row in sessions.find({"user_id": user_id}, {"_id": 1})]
        change: dict[str, Any] = {**_REVOKED, "user_id": _NOBODY, "identity_id": None,
                  "device": "", "address": None, "access_tokens": [],
                  "created_at": "$$NOW", "last_used_at": "$$NOW"}  # fmt: skip
        done = await sessions.update_many({"_id": {"$in": ids}}, [{"$set": change}])
        spent = SpentRefreshToken.get_pymongo_collection()
        await spent.delete_many({"session_id": {"$in": ids}})
        return done.modified_count


_REVOKED = {
    "revoked_at": {"$ifNull": ["$revoked_at", "$$NOW"]},
    "current_hash": None,
    "previous_hash": None,
    "successor": None,
    "delete_at": {"$add": ["$access_until", int(_SLACK.total_seconds() * 1000)]},
}


def _live() -> dict[str, Any]:
    return {"revoked_at": None, "expires_at": {"$gt": now()}}


def _with_access(access: AccessToken) -> dict[str, Any]:
    """The list of access tokens with this one and without those that have expired."""
    alive = {"$filter": {"input": "$access_tokens",
                         "cond": {"$gt": ["$$this.expires_at", "$$NOW"]}}}  # fmt: skip
    tokens = {"$concatArrays": [alive, [access.model_dump()]]}
    return {
        "access_tokens": {"$slice": [tokens, -ACCESS_TOKENS_KEPT]},
        "access_until": {"$max": ["$access_until", access.expires_at]},
    }
