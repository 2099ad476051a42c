"""Following a document live: its state now, then each change, then the end."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import structlog
from pymongo.errors import PyMongoError

from domain.core.delivery import Deliverable
from domain.core.events import Changes
from domain.core.tasks import heed_cancellation

log = structlog.get_logger()

_PAUSE_SECONDS = 1.0


DocumentT = TypeVar("DocumentT")


@dataclass(frozen=True, slots=True)
class Seen(Generic[DocumentT]):
    """A document as of one version. `cursor` resumes behind it."""

    document: DocumentT
    cursor: str
    is_snapshot: bool
    occurred_at: datetime


FollowedT = TypeVar("FollowedT", bound=Deliverable)


async def follow(
    changes: Changes,
    first: FollowedT,
    load: Callable[[], Awaitable[FollowedT | None]],
    is_final: Callable[[FollowedT], bool],
) -> AsyncGenerator[FollowedT, None]:
    """The document now and after each change, with growing versions, until it is final or gone.

    `first` proves that the follower may see it; it is loaded again once its changes are watched,
    so that none falls in between. A database that is away for a while only delays what comes.
    """
    async with changes.watch(type(first), first.id) as watch:
        while True:
            try:
                document = await load()
            except PyMongoError as error:
                log.warning("followed document not read", id=str(first.id), error=str(error))
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            heed_cancellation()
            if document is None:
                return
            if document.version > watch.seen_version:
                watch.seen_version = document.version
                yield document
                if is_final(document):
                    return
            await watch.changed()


def version_in(cursor: str | None) -> int | None:
    """The version that a cursor names; None when it names none."""
    is_number = cursor is not None and len(cursor) < 10 and cursor.isascii() and cursor.isdigit()
    return int(cursor) if cursor and is_number else None
