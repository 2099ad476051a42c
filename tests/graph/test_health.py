"""What orchestrators ask."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from pymongo import AsyncMongoClient
from starlette.applications import Starlette

from domain.clients.queue import WORKER_HEALTH_KEY
from domain.core.deps import Deps, open_redis
from graph import health
from tests.client import Client
from tests.jobs.pieces import until


async def get(client: Client, path: str) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=client.base_url) as http:
        return await http.get(path)


async def ready_with(deps: Deps) -> tuple[int, dict[str, Any]]:
    """What /health/ready answers over these parts."""
    app = Starlette(routes=health.ROUTES)
    app.state.deps = deps
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://health") as http:
        response = await http.get("/health/ready")
    return response.status_code, response.json()


@pytest.fixture
async def without_redis(deps: Deps) -> AsyncIterator[Deps]:
    settings = deps.settings.model_copy(update={"redis_url": "unix:///nowhere/redis.sock"})
    redis = open_redis(settings)
    yield replace(deps, redis=redis)
    await redis.aclose()


@pytest.fixture
async def without_mongodb(deps: Deps) -> AsyncIterator[Deps]:
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient("mongodb://127.0.0.1:9")
    yield replace(deps, database=client.get_database("nothing"))
    await client.close()


async def test_live_says_only_that_the_process_answers(nobody: Client) -> None:
    response = await get(nobody, "/health/live")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_ready_is_ok_with_everything_there(deps: Deps, nobody: Client, worker: None) -> None:
    async def has_reported() -> bool:
        return bool(await deps.redis.exists(WORKER_HEALTH_KEY))

    await until(has_reported)
    response = await get(nobody, "/health/ready")

    assert (response.status_code, response.json()["status"]) == (200, "ok")
    for name in ("mongodb", "redis", "worker"):
        check = response.json()["checks"][name]
        assert check["status"] == "ok"
        assert 0 <= check["milliseconds"] < 2000


async def test_workers_report_does_not_outlive_it_for_long(deps: Deps, worker: None) -> None:
    async def has_reported() -> bool:
        return bool(await deps.redis.exists(WORKER_HEALTH_KEY))

    await until(has_reported)

    assert 0 < await deps.redis.ttl(WORKER_HEALTH_KEY) <= 15


async def test_ready_is_degraded_without_a_worker(deps: Deps, nobody: Client) -> None:
    await deps.redis.delete(WORKER_HEALTH_KEY)

    response = await get(nobody, "/health/ready")

    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    worker = response.json()["checks"]["worker"]
    assert worker["status"] == "down"
    assert "careergraph worker" in worker["problem"]


async def test_ready_is_degraded_without_redis(without_redis: Deps) -> None:
    status, body = await ready_with(without_redis)

    assert (status, body["status"]) == (200, "degraded")
    assert body["checks"]["mongodb"]["status"] == "ok"
    assert body["checks"]["redis"]["status"] == "down"
    assert "nowhere" not in str(body)  # addresses are nobody's business


async def test_ready_is_down_without_mongodb_and_says_so_in_time(without_mongodb: Deps) -> None:
    status, body = await ready_with(without_mongodb)

    assert (status, body["status"]) == (503, "down")
    check = body["checks"]["mongodb"]
    assert check["status"] == "down"
    assert check["milliseconds"] < 3000
    assert body["checks"]["redis"]["status"] == "ok"
