"""Health of this process and of what it depends on, for orchestrators."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pymongo
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from domain.clients.queue import WORKER_HEALTH_KEY
from domain.core.deps import Deps
from graph.perimeter import is_from_inside

_CHECK_SECONDS = 2.0


async def live(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> JSONResponse:
    """503 without MongoDB. Without Redis or a worker what is accepted waits, so that is 200.

    In production the checks themselves are shown to callers of the own network only.
    """
    deps: Deps = request.app.state.deps
    names = ("mongodb", "redis", "worker")
    checks = await asyncio.gather(
        _timed(lambda: _ping_mongo(deps)),
        _timed(lambda: _ping_redis(deps)),
        _timed(lambda: _find_worker(deps)),
    )
    found = dict(zip(names, checks, strict=True))
    is_ready = found["mongodb"]["status"] == "ok"
    is_whole = all(check["status"] == "ok" for check in checks)
    status = "ok" if is_whole else "degraded" if is_ready else "down"
    body: dict[str, Any] = {"status": status}
    if not deps.settings.production or is_from_inside(request):
        body["checks"] = found
    return JSONResponse(body, status_code=200 if is_ready else 503)


async def _timed(check: Callable[[], Awaitable[str | None]]) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            problem = await check()
    except (PyMongoError, RedisError, OSError, TimeoutError) as error:
        problem = f"no answer ({type(error).__name__})"
    result: dict[str, Any] = {"status": "down" if problem else "ok"}
    result["milliseconds"] = round((time.perf_counter() - start) * 1000, 1)
    return result | ({"problem": problem} if problem else {})


async def _ping_mongo(deps: Deps) -> str | None:
    with pymongo.timeout(_CHECK_SECONDS * 0.75):  # before the cancellation of all checks
        await deps.database.command("ping")
    return None


async def _ping_redis(deps: Deps) -> str | None:
    await deps.redis.ping()
    return None


async def _find_worker(deps: Deps) -> str | None:
    if await deps.redis.exists(WORKER_HEALTH_KEY):
        return None
    return "no worker has reported lately; start one with `careergraph worker`"


ROUTES = [Route("/health/live", live), Route("/health/ready", ready)]
