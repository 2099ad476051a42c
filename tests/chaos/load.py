"""People who bring CVs and ask for gap analyses, and who ask again until they are answered."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

import httpx2

from tests.chaos.kinds import Kind
from tests.client import Client, Json

_PATIENCE_SECONDS = 90.0
_ASK_AGAIN_SECONDS = 0.7
_LARGEST_GROUP = 6
_AT_ONCE_TWICE = 0.2
_AROUND_A_KILL = 0.7
_BEFORE_SECONDS = 4.0
_AFTER_SECONDS = 2.0

CV_TEXT = """# Noa Levi

## Experience

### Backend Developer, Tidewater Payments
2020 - Present

- Built REST APIs in Python and Django over PostgreSQL.
- Runs services in Docker on Kubernetes, with Redis for caching.

## Skills

Python, Django, FastAPI, Git
"""
POSTING: Json = {
    "companyName": "Northwind",
    "roleTitle": "Senior Backend Developer",
    "requirements": ["Terraform in production", "Kafka", "Experience with GraphQL", "Python"],
    "niceToHave": ["Leading a small team"],
}


@dataclass(frozen=True)
class PlannedAsk:
    """One thing to ask for, `at` so many seconds."""

    at: float
    person: int
    key: UUID
    choice: float
    """0 to 1: which of the person's CVs."""
    is_doubled: bool
    """Whether it is asked for twice at the same time."""


def plan_asks(
    draw: random.Random, total: int, people: int, kills: Sequence[float]
) -> list[PlannedAsk]:
    """`total` asks in small groups, in order: most around a kill, when work under way is hit and
    servers are away, the others at any time between the first and the last."""
    asks: list[PlannedAsk] = []
    while len(asks) < total:
        at = draw.uniform(min(kills), max(kills))
        if draw.random() < _AROUND_A_KILL:
            at = max(0.0, draw.choice(kills) + draw.uniform(-_BEFORE_SECONDS, _AFTER_SECONDS))
        group = draw.randint(1, _LARGEST_GROUP)
        for _ in range(min(group, total - len(asks))):
            key = UUID(int=draw.getrandbits(128), version=4)
            is_doubled = draw.random() < _AT_ONCE_TWICE
            asks.append(PlannedAsk(at, draw.randrange(people), key, draw.random(), is_doubled))
    return sorted(asks, key=lambda ask: ask.at)


def plan_first_cvs(draw: random.Random, people: int) -> list[PlannedAsk]:
    """One for each person, at once."""
    keys = [UUID(int=draw.getrandbits(128), version=4) for _ in range(people)]
    return [PlannedAsk(0.0, person, key, 0.0, False) for person, key in enumerate(keys)]


@dataclass
class Asked:
    """What came of asking under one key. Accepted, refused, or neither: then nobody answered."""

    kind: Kind
    key: str
    ids: set[str] = field(default_factory=set)
    refusal: str | None = None
    faults: list[str] = field(default_factory=list)
    """What went wrong before there was an answer."""


async def ask(kind: Kind, doors: Sequence[Client], input: Json, asked: Asked) -> None:
    """Ask at one door after the other, always with the same key, until one answers."""
    began = asyncio.get_running_loop().time()
    for turn in count():
        try:
            answer = await doors[turn % len(doors)].post(kind.mutation, input=input)
        except (httpx2.HTTPError, ValueError) as error:
            asked.faults.append(type(error).__name__)
        else:
            if "errors" not in answer:
                _note(asked, kind, answer["data"][kind.field])
                return
            asked.faults.append(str(answer["errors"][0]["message"]))
        if asyncio.get_running_loop().time() - began > _PATIENCE_SECONDS:
            return
        await asyncio.sleep(_ASK_AGAIN_SECONDS)


async def ask_as_planned(
    kind: Kind, doors: Sequence[Client], input: Json, plan: PlannedAsk
) -> Asked:
    """Ask once, or twice at the same time at two doors."""
    asked = Asked(kind, str(plan.key))
    whole = {**input, "idempotencyKey": asked.key}
    again = [tuple(reversed(doors))] if plan.is_doubled else []
    await asyncio.gather(*(ask(kind, order, whole, asked) for order in (doors, *again)))
    return asked


def _note(asked: Asked, kind: Kind, payload: Json) -> None:
    if payload["errors"]:
        asked.refusal = f"{payload['errors'][0]['code']}: {payload['errors'][0]['message']}"
    else:
        asked.ids.add(payload[kind.made]["id"])
