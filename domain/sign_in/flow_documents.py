"""What a sign-in leaves on the server between two requests."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from beanie import Document
from pydantic import Field
from pymongo import ASCENDING, IndexModel

from domain.auth.session_documents import SignInMethod
from domain.core.clock import now
from domain.core.ids import new_id
from domain.core.secrets import Sealed

PENDING_LINK_LIFE = timedelta(minutes=15)
CODE_LIFE = timedelta(seconds=60)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """256 random bits for a browser or an app to hold; only their hash is kept here."""
    return secrets.token_urlsafe(32)


class PendingLink(Document):
    """An identity that waits for its person to say that it is to lead to their account, or that
    there is to be one.

    The browser it came through holds the secret; the profile and its tokens are sealed.
    """

    id: UUID = Field(default_factory=new_id)  # type: ignore[assignment]  # beanie's own way to another id type
    secret_hash: str
    sealed_profile: Sealed
    expires_at: datetime

    class Settings:
        name = "pending_links"
        indexes = [
            IndexModel([("secret_hash", ASCENDING)], name="secret", unique=True),
            IndexModel([("expires_at", ASCENDING)], name="life", expireAfterSeconds=0),
        ]

    @classmethod
    async def add(cls, id: UUID, secret: str, sealed_profile: Sealed) -> None:
        """Keep one for a quarter of an hour. `id` went into its seal."""
        life = now() + PENDING_LINK_LIFE
        await cls(
            id=id, secret_hash=_hash(secret), sealed_profile=sealed_profile, expires_at=life
        ).insert()

    @classmethod
    async def held_by(cls, secret: str) -> Self | None:
        """The one whose secret this is, while it lasts."""
        return await cls.find_one({"secret_hash": _hash(secret), "expires_at": {"$gt": now()}})

    @classmethod
    async def take(cls, secret: str) -> Self | None:
        """The same, and it is gone: of two who take it one gets it."""
        query = {"secret_hash": _hash(secret), "expires_at": {"$gt": now()}}
        row = await cls.get_pymongo_collection().find_one_and_delete(query)
        return cls.model_validate(row) if row else None


class SignInCode(Document):
    """A code that an app exchanges for tokens, once, with the verifier of its challenge."""

    id: UUID = Field(default_factory=new_id)  # type: ignore[assignment]  # beanie's own way to another id type
    code_hash: str
    user_id: UUID
    method: SignInMethod
    identity_id: UUID | None = None
    """The way in; the code ends with it."""
    code_challenge: str
    expires_at: datetime

    class Settings:
        name = "sign_in_codes"
        indexes = [
            IndexModel([("code_hash", ASCENDING)], name="code", unique=True),
            IndexModel([("user_id", ASCENDING)], name="of_user"),
            IndexModel([("expires_at", ASCENDING)], name="life", expireAfterSeconds=0),
        ]

    @classmethod
    async def make(
        cls, user_id: UUID, method: SignInMethod, code_challenge: str,
        identity_id: UUID | None = None,
    ) -> str:  # fmt: skip
        """A new code, good for a minute."""
        code = new_secret()
        await cls(
            code_hash=_hash(code), user_id=user_id, method=method, identity_id=identity_id,
            code_challenge=code_challenge, expires_at=now() + CODE_LIFE,
        ).insert()  # fmt: skip
        return code

    @classmethod
    async def take(cls, code: str) -> Self | None:
        """What the code stands for, and it is spent, whatever comes of it."""
        query = {"code_hash": _hash(code), "expires_at": {"$gt": now()}}
        row = await cls.get_pymongo_collection().find_one_and_delete(query)
        return cls.model_validate(row) if row else None

    @classmethod
    async def delete_of_identity(cls, user_id: UUID, identity_id: UUID) -> None:
        """Delete the codes that came by one of the user's ways in."""
        query = {"user_id": user_id, "identity_id": identity_id}
        await cls.get_pymongo_collection().delete_many(query)

    @classmethod
    async def of_user_for_export(cls, user_id: UUID) -> list[dict[str, Any]]:
        """Nothing: a code says nothing about a person and is gone in a minute."""
        return []

    @classmethod
    async def delete_of_user(cls, user_id: UUID) -> int:
        """Delete the user's codes; how many there were."""
        result = await cls.get_pymongo_collection().delete_many({"user_id": user_id})
        return result.deleted_count
