"""Workers end to end: real queue, real processes, and servers that die."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from redis.exceptions import RedisError

from domain.clients.claude import Claude
from domain.clients.queue import QUEUE_NAME, ArqQueue
from domain.core.deps import Deps, open_redis
from domain.core.events import Changes
from domain.core.language import Language
from domain.gap_analysis import actions
from domain.gap_analysis.documents import GapAnalysis, GapAnalysisStatus
from domain.job_postings.posting import Posting
from jobs.worker import work
from tests.conftest import running_worker, with_model
from tests.jobs.pieces import (
    NoQueue,
    accepted_analysis,
    final,
    own_redis,
    parsed_cv,
    quick,
    stored,
    until,
)
from tests.model_script import Hang, items_reply, rate_limited
from tests.model_server import ModelServer, running_model_server

COMPLETED = GapAnalysisStatus.COMPLETED
SMALL = {
    "lease_seconds": 1.0,
    "heartbeat_seconds": 0.3,
    "sweep_seconds": 0.3,
    "sweep_after_seconds": 0.3,
    "worker_grace_seconds": 0.2,
}


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with running_model_server() as server:
        yield server


@asynccontextmanager
async def over_model(deps: Deps, server: ModelServer) -> AsyncIterator[Deps]:
    """The same parts with Claude at the scripted server."""
    claude = Claude(
        api_key="test", base_url=server.base_url, model="scripted", timeout_seconds=60,
        max_tokens=8192, max_retries=0,
    )  # fmt: skip
    yield with_model(deps, claude)
    await claude.aclose()


async def submit(deps: Deps) -> GapAnalysis:
    """What the submitGapAnalysis mutation does."""
    user_id = uuid4()
    cv = await parsed_cv(deps, user_id)
    posting = Posting(company_name="Acme", role_title="Developer", requirements=["Kubernetes"])
    return await actions.submit(deps, user_id, cv.id, posting, Language.EN, None)


async def test_submitted_work_is_done_soon(deps: Deps, worker: None) -> None:
    analysis = await submit(quick(deps, sweep_after_seconds=60.0))

    async with asyncio.timeout(5):
        assert (await final(analysis)).status is COMPLETED


async def test_lost_wake_up_is_made_good_by_the_sweeper(deps: Deps) -> None:
    lossy = replace(quick(deps, **SMALL), queue=NoQueue())
    analysis = await submit(lossy)

    async with running_worker(lossy):
        assert (await final(analysis)).status is COMPLETED


@pytest.mark.parametrize("kind", ["refusing", "silent"])
async def test_submit_without_redis_is_accepted_within_two_seconds(deps: Deps, kind: str) -> None:
    async with _broken_redis(kind) as url:
        broken = quick(deps, redis_url=url)
        redis, queue = open_redis(broken.settings), ArqQueue(url)
        broken = replace(broken, redis=redis, queue=queue, changes=Changes(redis, 3))
        async with asyncio.timeout(2):
            analysis = await submit(broken)
        await queue.aclose()
        await redis.aclose()

    assert (await stored(analysis)).status is GapAnalysisStatus.PENDING
    async with running_worker(quick(deps, **SMALL)):
        assert (await final(analysis)).status is COMPLETED


@asynccontextmanager
async def _broken_redis(kind: str) -> AsyncIterator[str]:
    """Nothing that listens, or something that takes connections and never answers."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    if kind == "refusing":
        server.close()
    yield f"redis://127.0.0.1:{port}/0"
    server.close()
    await server.wait_closed()


async def test_worker_without_redis_works_from_mongodb_alone(deps: Deps) -> None:
    analysis = await accepted_analysis(deps)

    async with _broken_redis("refusing") as url:
        redis, queue = open_redis(quick(deps, redis_url=url).settings), ArqQueue(url)
        alone = replace(
            quick(deps, redis_url=url, **SMALL),
            redis=redis, queue=queue, changes=Changes(redis, 3),
        )  # fmt: skip
        async with running_worker(alone):
            assert (await final(analysis)).status is COMPLETED
        await queue.aclose()
        await redis.aclose()


async def test_redis_killed_under_a_working_worker(
    deps: Deps, model: ModelServer, tmp_path: Path
) -> None:
    """What runs goes on; what comes meanwhile is done; wake-ups work again afterwards."""
    gate = asyncio.Event()
    model.script(items_reply([], gates=[gate]))
    async with (
        own_redis(deps, tmp_path, **SMALL | {"sweep_after_seconds": 1.0}) as redis,
        over_model(redis.deps, model) as over,
        running_worker(over),
    ):
        running = await submit(over)
        await until(lambda: _is_processing(running))
        redis.kill()
        meanwhile = await submit(over)
        gate.set()
        first, second = await final(running), await final(meanwhile)
        await until(lambda: _is_listened_to(over))
        afterwards = await final(await submit(over))
        await until(lambda: _is_listened_to(over))

    assert {first.status, second.status, afterwards.status} == {COMPLETED}
    assert first.delivery.attempts == 1


async def _is_processing(analysis: GapAnalysis) -> bool:
    return (await stored(analysis)).status is GapAnalysisStatus.PROCESSING


async def _is_listened_to(deps: Deps) -> bool:
    """Whether every wake-up was taken from the queue."""
    try:
        return bool(await deps.redis.zcard(QUEUE_NAME) == 0)
    except (RedisError, OSError):
        return False


async def test_stopped_worker_hands_back_and_another_finishes(
    deps: Deps, model: ModelServer
) -> None:
    model.script(Hang())
    deps = quick(deps, **SMALL | {"sweep_after_seconds": 60.0})
    stop = asyncio.Event()
    async with over_model(deps, model) as over:
        first = asyncio.create_task(work(over, stop))
        analysis = await submit(over)
        await until(lambda: _is_processing(analysis))
        stop.set()
        async with asyncio.timeout(3):
            await first
        assert (await stored(analysis)).delivery.attempts == 0
        async with running_worker(over):
            ended = await final(analysis)

    assert (ended.status, ended.delivery.attempts) == (COMPLETED, 1)


async def test_transient_model_fault_waits_as_asked_with_the_slot_free(
    deps: Deps, model: ModelServer
) -> None:
    model.script(rate_limited("3"))
    deps = quick(deps, **SMALL, worker_concurrency=1)
    async with over_model(deps, model) as over, running_worker(over):
        waiting = await submit(over)
        await until(lambda: _has_failed_once(waiting))
        other = await final(await submit(over))
        ended = await final(waiting)

    assert other.status is COMPLETED
    assert other.completed_at is not None
    assert ended.completed_at is not None
    assert other.completed_at < ended.completed_at
    assert (ended.status, ended.delivery.attempts) == (COMPLETED, 2)
    assert ended.completed_at - ended.created_at >= timedelta(seconds=3)


async def _has_failed_once(analysis: GapAnalysis) -> bool:
    delivery = (await stored(analysis)).delivery
    return delivery.attempts == 1 and delivery.token is None


async def test_killed_worker_process_is_made_good_by_another(
    deps: Deps, model: ModelServer
) -> None:
    model.script(Hang())
    deps = quick(deps, **SMALL)
    analysis = await accepted_analysis(deps)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "worker",
        env=_worker_environment(deps, model), stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await until(lambda: _was_asked(model))
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    async with running_worker(deps):
        ended = await final(analysis)

    assert (ended.status, ended.delivery.attempts) == (COMPLETED, 2)
    assert ended.engine == "RULES"
    assert len(model.requests) == 1


async def _was_asked(model: ModelServer) -> bool:
    return bool(model.requests)


async def test_worker_process_told_to_stop_hands_back_and_ends_well(
    deps: Deps, model: ModelServer
) -> None:
    model.script(Hang())
    deps = quick(deps, **SMALL)
    analysis = await accepted_analysis(deps)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "worker",
        env=_worker_environment(deps, model), stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    await until(lambda: _was_asked(model))
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        assert await process.wait() == 0

    handed_back = (await stored(analysis)).delivery
    assert (handed_back.attempts, handed_back.token, handed_back.is_open) == (0, None, True)


def _worker_environment(deps: Deps, model: ModelServer) -> dict[str, str]:
    small = {f"CAREERGRAPH_{name.upper()}": str(value) for name, value in SMALL.items()}
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | small | {
        "MONGODB_URI": deps.settings.mongodb_uri,
        "REDIS_URL": deps.settings.redis_url,
        "CAREERGRAPH_MONGODB_DATABASE": deps.settings.mongodb_database,
        "CAREERGRAPH_DATA_DIR": str(deps.settings.data_dir),
        "ANTHROPIC_API_KEY": "test",
        "ANTHROPIC_BASE_URL": model.base_url,
    }  # fmt: skip


async def test_wake_ups_of_one_name_are_queued_once(deps: Deps) -> None:
    analysis = await accepted_analysis(deps)
    defer = timedelta(minutes=10)

    for name in ("a", "a", "b"):
        await deps.queue.wake(GapAnalysis.work_name, analysis.id, name, defer)

    queued = await deps.redis.zrange(QUEUE_NAME, 0, -1)
    assert len([one for one in queued if str(analysis.id) in one]) == 2
