"""Rankings for a long life and a large catalogue: made once, and others are served meanwhile."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from domain.core.clock import now
from domain.core.deps import Deps
from domain.core.errors import NotFound
from domain.core.language import Language
from domain.cv.parsing.parsed_cv import Experience, ParsedCV
from domain.job_postings.documents import Job
from domain.job_postings.posting import Posting
from graph import ids
from graph.loaders import Loaders
from tests.client import Client
from tests.graph.analyses import stored_cv, user_id_of
from tests.graph.cvs import execute

JOBS, CVS, ENTRIES = 2_000, 20, 100
MOST_SECONDS = 1.0
"""A fiftieth of it is usual; one role after another against each job took three."""
ALIASES = "{ a: jobRecommendations(first: 1) { totalCount } b: jobRecommendations { totalCount } }"

_draw = random.Random(1)


def _title() -> str:
    return " ".join(f"word{_draw.randrange(300)}" for _ in range(4))


@pytest.fixture(scope="module", autouse=True)
async def _catalogue(deps: Deps, _clean: None) -> None:
    skills = list(deps.catalogue)
    await Job.insert_many(
        [
            Job(
                external_id=str(number), posting=Posting(company_name="A", role_title=_title()),
                company_key="a", listed_at=now(), digest="", required_skills=skills[:10],
            )
            for number in range(JOBS)
        ]
    )  # fmt: skip


@pytest.fixture
async def veteran(client: Client, deps: Deps) -> Client:
    """Somebody with 2,000 roles."""
    for _ in range(CVS):
        held = [Experience(role=_title()) for _ in range(ENTRIES)]
        skills = list(deps.catalogue)[:200]
        parsed = ParsedCV(language=Language.EN, skills=skills, experience=held)
        await stored_cv(deps, client, parsed=parsed)
    return client


@asynccontextmanager
async def longest_stall() -> AsyncIterator[list[float]]:
    """Fills in for how long, in seconds, nothing else could run."""
    longest = [0.0]

    async def tick() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            longest[0] = max(longest[0], time.perf_counter() - began)

    ticking = asyncio.create_task(tick())
    yield longest
    ticking.cancel()


async def test_others_are_served_while_jobs_are_ranked(veteran: Client, deps: Deps) -> None:
    async with longest_stall() as stall:
        found = await execute(deps, veteran, ALIASES)
    assert found["a"]["totalCount"] == found["b"]["totalCount"] == JOBS
    assert stall[0] < MOST_SECONDS


async def test_fields_of_one_operation_share_a_ranking(client: Client, deps: Deps) -> None:
    cv_id = ids.decode_as("CV", await stored_cv(deps, client))
    load = Loaders(deps, user_id_of(deps, client)).ranking_by_cv.load

    one, same, all_cvs, missing = await asyncio.gather(
        load(cv_id), load(cv_id), load(None), load(uuid4()), return_exceptions=True
    )

    assert one is same is not all_cvs
    assert isinstance(all_cvs, list)
    assert len(all_cvs) == JOBS
    assert isinstance(missing, NotFound)
    assert await load(cv_id) is not one  # a socket lives long: its next operation ranks anew
