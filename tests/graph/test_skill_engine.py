"""The skill engine behind a page: asked once for all jobs, and done without when it fails."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

import pytest

from domain.core.deps import Deps
from domain.skills.engine import LocalSkillEngine, SkillEngine
from domain.skills.gap import SkillsGap
from graph.context import make_context
from graph.schema import make_schema
from tests.client import Client
from tests.conftest import SignIn, running_worker
from tests.graph.cvs import execute, import_seed, parsed_cv, session_of

PLAIN = "query ($first: Int) { jobRecommendations(first: $first) { nodes { id score reasons } } }"
WITH_GAPS = """
query ($first: Int) {
  jobRecommendations(first: $first) {
    nodes { id score reasons skillsGap { coverage } job { skillsGap { coverage } } }
  }
}
"""
JOBS = "query ($first: Int) { jobs(first: $first) { nodes { id skillsGap { coverage } } } }"


@pytest.fixture(scope="module", autouse=True)
async def _seed(deps: Deps, _clean: None) -> None:
    await import_seed(deps)


@pytest.fixture
async def person(sign_in: SignIn, deps: Deps) -> Client:
    """Somebody with a CV."""
    client = await sign_in()
    async with running_worker(deps):
        await parsed_cv(client)
    return client


class Counting(LocalSkillEngine):
    """Notes how many jobs each call asks about."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    async def gaps(self, user: Sequence[str], required: Sequence[Sequence[str]]) -> list[SkillsGap]:
        self.calls.append(len(required))
        return await super().gaps(user, required)


async def test_the_engine_is_asked_once_for_a_page(person: Client, deps: Deps) -> None:
    engine = Counting()

    data = await execute(replace(deps, skill_engine=engine), person, WITH_GAPS, first=50)

    nodes = data["jobRecommendations"]["nodes"]
    assert len(nodes) == 50
    assert all(node["skillsGap"] for node in nodes)
    assert len(engine.calls) == 1
    assert engine.calls[0] <= 50


async def test_the_engine_is_asked_once_for_a_page_of_the_catalogue(
    person: Client, deps: Deps
) -> None:
    engine = Counting()

    data = await execute(replace(deps, skill_engine=engine), person, JOBS, first=50)

    assert all(node["skillsGap"] for node in data["jobs"]["nodes"])
    assert len(engine.calls) == 1


async def test_the_engine_is_not_asked_when_no_gap_is(person: Client, deps: Deps) -> None:
    engine = Counting()
    await execute(replace(deps, skill_engine=engine), person, PLAIN, first=50)
    assert engine.calls == []


class Raising:
    async def gaps(self, user: Sequence[str], required: Sequence[Sequence[str]]) -> list[SkillsGap]:
        raise ConnectionError("the engine is down")


class Hanging:
    async def gaps(self, user: Sequence[str], required: Sequence[Sequence[str]]) -> list[SkillsGap]:
        await asyncio.Event().wait()
        return []


class TooFew(LocalSkillEngine):
    async def gaps(self, user: Sequence[str], required: Sequence[Sequence[str]]) -> list[SkillsGap]:
        return (await super().gaps(user, required))[1:]


class TooMany(LocalSkillEngine):
    async def gaps(self, user: Sequence[str], required: Sequence[Sequence[str]]) -> list[SkillsGap]:
        return await super().gaps(user, [*required, []])


@pytest.mark.parametrize(
    "engine",
    [Raising(), Hanging(), TooFew(), TooMany()],
    ids=["raises", "hangs", "gives too few", "gives too many"],
)
async def test_recommendations_stand_without_an_engine(
    person: Client, deps: Deps, engine: SkillEngine
) -> None:
    context = make_context(replace(deps, skill_engine=engine), await session_of(deps, person))
    expected = (await person.data(PLAIN, first=20))["jobRecommendations"]["nodes"]
    began = monotonic()

    result = await make_schema().execute(WITH_GAPS, {"first": 20}, context_value=context)

    assert monotonic() - began < 3.5
    assert result.errors is None
    assert result.data is not None
    nodes = result.data["jobRecommendations"]["nodes"]
    assert [node["skillsGap"] for node in nodes] == [None] * 20
    assert [(node["id"], node["score"], node["reasons"]) for node in nodes] == [
        (node["id"], node["score"], node["reasons"]) for node in expected
    ]
