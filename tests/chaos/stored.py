"""What lies in MongoDB, read without the project's own document classes."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from graph import ids
from tests.chaos.kinds import KINDS, STATUS_RANK, Kind, is_final

_LOOK_SECONDS = 0.2

Database = AsyncDatabase[dict[str, Any]]


@dataclass(frozen=True)
class Stored:
    """One document of accepted work. Times are seconds since the epoch."""

    kind: Kind
    id: str
    key: str | None
    status: str
    is_open: bool
    attempts: int
    final_steps: int
    """How many times subscribers were shown an end."""
    goes_back: bool
    repeats_question: bool
    failure: str | None
    began_at: float
    ended_at: float | None

    @property
    def is_settled(self) -> bool:
        return is_final(self.status) and not self.is_open


async def read_stored(database: Database) -> list[Stored]:
    """All accepted work. Raises PyMongoError."""
    return [stored_of(kind, row) for kind in KINDS
            async for row in database[kind.collection].find()]  # fmt: skip


def stored_of(kind: Kind, row: Mapping[str, Any]) -> Stored:
    """A document as `Stored`. A CV keeps no history, so it counts as one step."""
    steps = [step["status"] for step in row.get("history", [{"status": row["status"]}])]
    questions = Counter(question["question"] for question in row.get("questions", []))
    failure = row["failure"]
    ended = _end_of(kind, row)
    return Stored(
        kind=kind,
        id=ids.encode(kind.type, row["_id"]),
        key=(row.get("idempotency") or {}).get("key"),
        status=row["status"],
        is_open=row["delivery"]["is_open"],
        attempts=row["delivery"]["attempts"],
        final_steps=sum(is_final(status) for status in steps),
        goes_back=any(STATUS_RANK[late] < STATUS_RANK[early] for early, late in pairwise(steps)),
        repeats_question=any(number > 1 for number in questions.values()),
        failure=f"{failure['code']} ({failure['message']})" if failure else None,
        began_at=row["created_at"].timestamp(),
        ended_at=ended.timestamp() if ended else None,
    )


def _end_of(kind: Kind, row: Mapping[str, Any]) -> datetime | None:
    if not is_final(row["status"]):
        return None
    end: datetime | None = row.get("completed_at") or row.get("failed_at") or row.get("changed_at")
    return end


@dataclass
class Orphans:
    """Work whose worker is gone: found when its lease has run out, until another worker takes it.

    `leases` has for each such attempt the end of its lease and when it was taken over.
    """

    leases: dict[tuple[UUID, UUID], tuple[float, float | None]] = field(default_factory=dict)

    async def look_out(self, database: Database) -> None:
        """Look a few times a second until cancelled."""
        while True:
            with contextlib.suppress(PyMongoError):  # killed just now
                await self._look(database)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self, database: Database) -> None:
        at = time.time()
        lying = {}
        for kind in KINDS:
            query = {"delivery.is_open": True, "delivery.token": {"$ne": None}}
            async for row in database[kind.collection].find(query, {"delivery": 1}):
                until = row["delivery"]["leased_until"].timestamp()
                if until < at:
                    lying[row["_id"], row["delivery"]["token"]] = until
        for attempt, until in lying.items():
            self.leases.setdefault(attempt, (until, None))
        for attempt, (until, taken) in self.leases.items():
            if taken is None and attempt not in lying:
                self.leases[attempt] = (until, at)


def rescue_times(
    leases: Sequence[tuple[float, float | None]],
    kills: Sequence[float],
    lease_seconds: float,
    heartbeat_seconds: float,
) -> list[float]:
    """Seconds from a worker's death to the moment another took its work over.

    The death is the first kill after the lease's last renewal; leases that no kill explains (a
    database that was away) are left out.
    """
    times = []
    for until, taken in leases:
        renewed = until - lease_seconds
        deaths = [at for at in kills if renewed <= at <= renewed + heartbeat_seconds + 1]
        if deaths and taken is not None:
            times.append(taken - deaths[0])
    return times
