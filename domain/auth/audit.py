"""The audit log: who did what, when and from where. Rows are added and read, never changed."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, NoReturn, Self
from uuid import UUID

import pymongo
import structlog
from asgi_correlation_id import correlation_id
from beanie import Document
from beanie.odm.queries.find import FindMany, FindOne
from pydantic import Field
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import PyMongoError

from domain.auth.caller import Caller
from domain.core.clock import now
from domain.core.ids import new_id

log = structlog.get_logger()

KEPT = timedelta(days=400)
"""A year of history to look back on, and a month to do it in."""
_DETAIL_MAX = 500
_WRITE_SECONDS = 5.0


class AuditAction(StrEnum):
    """What is recorded."""

    SIGNED_IN = "SIGNED_IN"
    SIGN_IN_REFUSED = "SIGN_IN_REFUSED"
    SIGNED_OUT = "SIGNED_OUT"
    SESSION_REVOKED = "SESSION_REVOKED"
    REFRESH_REUSED = "REFRESH_REUSED"
    TOKEN_ISSUED = "TOKEN_ISSUED"  # noqa: S105  # a name
    IDENTITY_LINKED = "IDENTITY_LINKED"
    IDENTITY_UNLINKED = "IDENTITY_UNLINKED"
    CONSENT_GIVEN = "CONSENT_GIVEN"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    PROVIDER_TOKEN_SEALED = "PROVIDER_TOKEN_SEALED"  # noqa: S105  # a name
    PROVIDER_TOKEN_REFRESHED = "PROVIDER_TOKEN_REFRESHED"  # noqa: S105  # a name
    PROVIDER_TOKEN_REVOKED = "PROVIDER_TOKEN_REVOKED"  # noqa: S105  # a name
    KEYS_ROTATED = "KEYS_ROTATED"
    EXPORT_REQUESTED = "EXPORT_REQUESTED"
    EXPORT_DOWNLOADED = "EXPORT_DOWNLOADED"
    DELETION_REQUESTED = "DELETION_REQUESTED"
    DELETION_DONE = "DELETION_DONE"


class AppendOnly(TypeError):
    """Code of ours tried to change or delete a row of the audit log."""


def _closed(*_args: object, **_more: object) -> NoReturn:
    raise AppendOnly("rows of the audit log are added and read, never changed or deleted")


class _Rows(FindMany["AuditEvent"]):
    update = upsert = update_many = delete = delete_many = _closed


class _Row(FindOne["AuditEvent"]):
    update = upsert = update_one = replace_one = delete = delete_one = _closed


class AuditEvent(Document):
    """One row. It can be inserted and read: all that Beanie has for changing and deleting is
    closed, on the rows and on queries for them. MongoDB removes rows once they are 400 days old.
    """

    _find_many_query_class: ClassVar[type] = _Rows
    _find_one_query_class: ClassVar[type] = _Row

    id: UUID = Field(default_factory=new_id)  # type: ignore[assignment]  # beanie's own way to another id type
    at: datetime = Field(default_factory=now)
    action: AuditAction
    user_id: UUID | None
    address: str | None
    user_agent: str | None
    request_id: str | None
    details: dict[str, str] = {}
    """What was done it to: names, kinds and ids; never a token, a secret or a person's text."""

    class Settings:
        name = "audit_events"
        indexes = [
            IndexModel([("user_id", ASCENDING), ("_id", DESCENDING)], name="user"),
            IndexModel(
                [("at", DESCENDING)], name="expiry", expireAfterSeconds=int(KEPT.total_seconds())
            ),
        ]

    @classmethod
    async def newest(cls, limit: int, user_id: UUID | None = None) -> list[Self]:
        """The latest rows, newest first, in the order of their ids; of one user, if given."""
        query: dict[str, Any] = {} if user_id is None else {"user_id": user_id}
        return await cls.find(query).sort("-_id").limit(limit).to_list()

    @classmethod
    async def of_user_for_export(cls, user_id: UUID) -> list[dict[str, Any]]:
        """All that is recorded of a user, oldest first, ready for JSON."""
        rows = await cls.find({"user_id": user_id}).sort("_id").to_list()
        return [row.as_json() for row in rows]

    def as_json(self) -> dict[str, Any]:
        """This row with values that JSON knows."""
        row: dict[str, Any] = self.model_dump(mode="json", exclude={"revision_id"})
        return row

    save = save_changes = replace = update = delete = _closed  # the others call these


async def record(
    action: AuditAction, caller: Caller, user_id: UUID | None = None, **details: str
) -> None:
    """Add a row about what has just been done. Never fails.

    When MongoDB does not take the row, the row goes to the log whole, as an error. What was done
    stays done: it has happened, and its own document says so.
    """
    event = AuditEvent(
        action=action,
        user_id=user_id,
        address=caller.address,
        user_agent=caller.user_agent,
        request_id=correlation_id.get(),
        details={name: value[:_DETAIL_MAX] for name, value in details.items()},
    )
    try:
        with pymongo.timeout(_WRITE_SECONDS):
            await event.insert()
    except PyMongoError as error:
        log.error("audit event not stored", audit_event=event.as_json(), error=str(error))
