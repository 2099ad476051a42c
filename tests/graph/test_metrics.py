"""The figures of GET /metrics."""

from datetime import timedelta

import httpx2
import pymongo
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from domain.core.clock import now
from domain.core.dead_letters import DeadLetter
from domain.core.delivery import accepted
from domain.core.deps import Deps
from domain.core.failures import FailureCode
from domain.core.ids import new_id
from domain.gap_analysis.documents import GapAnalysis
from graph import metrics
from jobs.worker import WORKS
from tests.client import Client
from tests.graph.analyses import put_analysis

Figures = dict[tuple[str, ...], float]


@pytest.fixture(autouse=True)
async def _nothing_there(deps: Deps) -> None:
    await GapAnalysis.delete_all()
    await DeadLetter.delete_all()


async def figures(nobody: Client) -> Figures:
    """Each sample by its name, its work and, where it has one, its code."""
    async with httpx2.AsyncClient(base_url=nobody.base_url) as http:
        response = await http.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items(), reverse=True))): (
            sample.value
        )
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def test_with_nothing_to_do_all_is_zero(deps: Deps, nobody: Client) -> None:
    assert await figures(nobody) == {
        (f"careergraph_{name}", work.document.work_name): 0
        for name in ("open_work", "oldest_open_work_seconds")
        for work in WORKS
    }


async def test_letters_are_counted_by_work_and_code(deps: Deps, nobody: Client) -> None:
    codes = [FailureCode.TIMEOUT, FailureCode.TIMEOUT, FailureCode.LLM_API_ERROR]
    for code in codes:
        await DeadLetter(
            work="run_gap_analysis", document_id=new_id(), code=code, cause="BUG", attempts=1,
            accepted_at=now(),
        ).keep()  # fmt: skip

    found = await figures(nobody)

    assert found["careergraph_dead_letters", "run_gap_analysis", "TIMEOUT"] == 2
    assert found["careergraph_dead_letters", "run_gap_analysis", "LLM_API_ERROR"] == 1


async def test_open_work_is_counted_from_its_acceptance(
    deps: Deps, client: Client, nobody: Client
) -> None:
    for seconds in (5, 90):
        delivery = accepted(now() - timedelta(seconds=seconds))
        delivery.due_at = now() + timedelta(days=1)  # waits for another attempt
        await put_analysis(deps, client, "PENDING", delivery=delivery)
    await put_analysis(deps, client, "COMPLETED")

    found = await figures(nobody)

    assert found["careergraph_open_work", "run_gap_analysis"] == 2
    assert found["careergraph_open_work", "parse_cv"] == 0
    assert 90 <= found["careergraph_oldest_open_work_seconds", "run_gap_analysis"] < 100


async def test_open_work_is_counted_through_its_partial_index(deps: Deps, client: Client) -> None:
    await put_analysis(deps, client, "PENDING")
    open_ones = {"delivery.is_open": True, "delivery.due_at": {"$gt": now() - timedelta(days=9)}}
    plan = await GapAnalysis.get_pymongo_collection().find(open_ones).explain()

    assert plan["queryPlanner"]["winningPlan"]["inputStage"]["indexName"] == "open_work"


async def test_without_an_answer_from_mongodb_there_are_no_figures(deps: Deps) -> None:
    app = Starlette(routes=metrics.ROUTES)
    app.state.deps = deps
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://metrics") as http:
        with pymongo.timeout(0.000_001):  # too short for any answer
            response = await http.get("/metrics")

    assert response.status_code == 503
    assert "careergraph" not in response.text
