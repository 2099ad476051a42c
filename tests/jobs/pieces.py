"""What tests of the delivery layer share: accepted work, its bodies, and a Redis that may die."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from cli.local.servers import local_servers
from cli.local.supervisor import Supervisor
from domain.clients.queue import ArqQueue
from domain.core.clock import now
from domain.core.dead_letters import DeadLetter
from domain.core.delivery import Claim, accepted
from domain.core.deps import Deps, open_redis
from domain.core.events import Changes
from domain.core.language import Language
from domain.cv import actions as cv_actions
from domain.cv.documents import CV, CVStatus, CVText
from domain.cv.parsing.parse import parse_cv
from domain.gap_analysis import actions
from domain.gap_analysis.documents import GapAnalysis, GapAnalysisStatus
from domain.job_postings.posting import Posting
from jobs.delivery_work import Work

LEASE = timedelta(seconds=30)
PATIENCE_SECONDS = 20.0


class NoQueue:
    """A queue that drops every wake-up, and remembers it."""

    def __init__(self) -> None:
        self.dropped: list[tuple[UUID, timedelta]] = []

    async def wake(self, work: str, id: UUID, wake_up: str, defer: timedelta = timedelta()) -> None:
        self.dropped.append((id, defer))


def quick(deps: Deps, **settings: object) -> Deps:
    """The same parts with other settings."""
    return replace(deps, settings=deps.settings.model_copy(update=settings))


async def parsed_cv(deps: Deps, user_id: UUID) -> CV:
    """A CV that is ready for analyses."""
    text = "Dana Levi\n\nExperience\nDeveloper at Acme, 2019 - 2024\nBuilt services in Python.\n"
    cv = CV(
        user_id=user_id, filename="cv.md", content_type="text/markdown", size_bytes=len(text),
        status=CVStatus.PARSED, parsed=parse_cv(text, deps.extractor),
    )  # fmt: skip
    await cv.insert()
    await CVText.put(cv.id, user_id, text)
    return cv


async def accepted_analysis(deps: Deps) -> GapAnalysis:
    """An analysis that was accepted and that nobody was woken for."""
    user_id = uuid4()
    cv = await parsed_cv(deps, user_id)
    posting = Posting(
        company_name="Acme", role_title="Developer", requirements=["Python", "Kubernetes", "SQL"],
    )  # fmt: skip
    analysis = GapAnalysis(
        user_id=user_id, cv_id=cv.id, posting=posting, language=Language.EN,
        delivery=accepted(now()),
    )  # fmt: skip
    await analysis.insert()
    return analysis


async def stored(analysis: GapAnalysis) -> GapAnalysis:
    """The analysis as it lies in MongoDB now."""
    found = await GapAnalysis.get(analysis.id)
    assert found is not None
    return found


async def accepted_cv(deps: Deps, text: str) -> CV:
    """A CV that was accepted as text."""
    return await cv_actions.create_cv(deps, uuid4(), text, None, None)


async def letters_of(id: UUID) -> list[DeadLetter]:
    """The dead letters of one document."""
    return await DeadLetter.find({"document_id": id}).to_list()


async def due_again(analysis: GapAnalysis) -> None:
    """Put the next attempt's time into the past, for tests that do not want to wait."""
    update = {"$set": {"delivery.due_at": now()}}
    await GapAnalysis.get_pymongo_collection().update_one({"_id": analysis.id}, update)


Body = Callable[[Deps, Claim], Awaitable[None]]


def work_of(run: Body) -> Work:
    """Work on gap analyses with another body."""
    return Work(GapAnalysis, run, actions.fail, actions.repeat, actions.pause)


async def complete(deps: Deps, claim: Claim) -> None:
    """The quickest body that brings an analysis to its end."""
    fields = {"status": GapAnalysisStatus.COMPLETED, "completed_at": now()}
    analysis = await GapAnalysis.get(claim.id)
    assert analysis is not None
    if await analysis.close(claim, fields):
        await deps.changes.announce(GapAnalysis, claim.id)


def failing(error: BaseException) -> Body:
    async def run(_deps: Deps, _claim: Claim) -> None:
        raise error

    return run


async def until(
    condition: Callable[[], Awaitable[bool]], patience: float = PATIENCE_SECONDS
) -> None:
    """Wait for a condition in a server or another process, which nothing here can await."""
    async with asyncio.timeout(patience):
        while not await condition():  # noqa: ASYNC110  # there is no event to wait for
            await asyncio.sleep(0.02)


async def final(analysis: GapAnalysis) -> GapAnalysis:
    """The analysis in its final state, once it is there."""

    async def is_final() -> bool:
        return (await stored(analysis)).status.is_final

    await until(is_final)
    return await stored(analysis)


@dataclass(frozen=True)
class OwnRedis:
    """Parts over a Redis of their own, which a test may kill; it is started again in 0.5 s."""

    deps: Deps
    processes: Supervisor

    def kill(self) -> None:
        pid = self.processes.pid("redis")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def own_redis(deps: Deps, folder: Path, **settings: object) -> AsyncIterator[OwnRedis]:
    env = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    env["MONGODB_URI"] = deps.settings.mongodb_uri
    async with local_servers(folder, env, lambda line: None) as servers:
        own = quick(deps, redis_url=servers.redis_url, **settings)
        redis, queue = open_redis(own.settings), ArqQueue(own.settings.redis_url)
        changes = Changes(redis, own.settings.reread_seconds)
        async with changes.running():
            yield OwnRedis(
                replace(own, redis=redis, queue=queue, changes=changes), servers.processes
            )
        await queue.aclose()
        await redis.aclose()
