"""The worker process: arq wakes it, the sweeper makes good what arq misses."""

import asyncio
import contextlib

import structlog
from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from domain.account.documents import AccountDeletion, DataExport
from domain.clients.queue import QUEUE_NAME, WORKER_HEALTH_KEY, decode_job, encode_job
from domain.core.deps import Deps, open_deps
from domain.core.settings import Settings
from domain.core.tasks import end
from domain.cv.documents import CV
from domain.gap_analysis.documents import GapAnalysis
from jobs.account import ACCOUNT_DELETION, DATA_EXPORT, delete_account, export_data
from jobs.cv import CV_PARSING, parse_cv
from jobs.delivery_work import Work
from jobs.gap_analysis import GAP_ANALYSIS, run_gap_analysis
from jobs.housekeeping import tidy_for_ever
from jobs.runner import Runner
from jobs.sweeper import sweep_for_ever

log = structlog.get_logger()

WORKS: list[Work] = [CV_PARSING, GAP_ANALYSIS, DATA_EXPORT, ACCOUNT_DELETION]
FUNCTIONS = [
    func(parse_cv, name=CV.work_name),
    func(run_gap_analysis, name=GapAnalysis.work_name),
    func(export_data, name=DataExport.work_name),
    func(delete_account, name=AccountDeletion.work_name),
]

_POLL_SECONDS = 0.1
_WAKE_UPS_AT_ONCE = 5
"""A worker without room holds so many back from others."""
_QUEUE_READ_LIMIT = 500
"""More than killed workers may have left marked as in progress at the head of the queue."""
_HEALTH_SECONDS = 5
_RECONNECT_SECONDS = 1.0


async def run_worker(settings: Settings, stop: asyncio.Event) -> None:
    """A worker process: work until `stop` is set."""
    async with open_deps(settings) as deps:
        await work(deps, stop)


async def work(deps: Deps, stop: asyncio.Event) -> None:
    """Work until `stop` is set, then finish or hand back what is under way."""
    runner = Runner(deps)
    tasks = [
        asyncio.create_task(stop.wait()),
        asyncio.create_task(sweep_for_ever(runner, WORKS)),
        asyncio.create_task(tidy_for_ever(deps)),
        asyncio.create_task(_listen_for_ever(deps, runner)),
    ]
    log.info("worker ready", engine=deps.analyst.engine, slots=deps.settings.worker_concurrency)
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await end(*tasks)
    await runner.drain(deps.settings.worker_grace_seconds)
    for task in done:
        task.result()  # raises what ended a loop that should not end: better a new process


async def _listen_for_ever(deps: Deps, runner: Runner) -> None:
    while True:
        worker = _arq_worker(deps, runner)
        try:
            await worker.async_run()
        except (RedisError, OSError, TimeoutError) as error:
            log.warning(
                "no wake-ups from Redis", error=str(error), retry_seconds=_RECONNECT_SECONDS
            )
        finally:
            await _close(worker)
        await asyncio.sleep(_RECONNECT_SECONDS)


def _arq_worker(deps: Deps, runner: Runner) -> Worker:
    settings = deps.settings
    pool = ConnectionPool.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=1)
    redis = ArqRedis(
        connection_pool=pool,
        job_serializer=encode_job,
        job_deserializer=decode_job,
        default_queue_name=QUEUE_NAME,
    )
    return Worker(
        FUNCTIONS,
        queue_name=QUEUE_NAME,
        redis_pool=redis,
        ctx={"runner": runner},
        handle_signals=False,
        max_jobs=_WAKE_UPS_AT_ONCE,
        queue_read_limit=_QUEUE_READ_LIMIT,
        job_timeout=settings.job_timeout_seconds,  # a wake-up only waits for room: the runner works
        keep_result=0,
        max_tries=1,
        poll_delay=_POLL_SECONDS,
        health_check_interval=_HEALTH_SECONDS,
        health_check_key=WORKER_HEALTH_KEY,
        job_serializer=encode_job,
        job_deserializer=decode_job,
        log_results=False,
    )


async def _close(worker: Worker) -> None:
    """Drop arq's own tasks and connections. Not `Worker.close`: it fails when Redis is away."""
    await end(*worker.tasks.values())
    with contextlib.suppress(RedisError, OSError, TimeoutError):
        await worker.pool.aclose(close_connection_pool=True)
