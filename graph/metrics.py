"""Figures for a Prometheus server: what is under way, how old it is, what was given up.

They are counted in MongoDB at each request, so every process gives the same.
"""

import pymongo
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pymongo.errors import PyMongoError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from domain.account.documents import AccountDeletion, DataExport
from domain.core.clock import now
from domain.core.dead_letters import DeadLetter
from domain.core.delivery import Deliverable
from domain.core.deps import Deps
from domain.cv.documents import CV
from domain.gap_analysis.documents import GapAnalysis
from graph.perimeter import is_from_inside

WORKS: list[type[Deliverable]] = [CV, GapAnalysis, DataExport, AccountDeletion]
_ANSWER_SECONDS = 5.0


async def metrics(request: Request) -> Response:
    """The figures in Prometheus' text format; 503 while MongoDB does not answer.

    In production only callers of the own network find them.
    """
    deps: Deps = request.app.state.deps
    if deps.settings.production and not is_from_inside(request):
        return PlainTextResponse("Not Found", status_code=404)
    registry = CollectorRegistry()
    try:
        with pymongo.timeout(_ANSWER_SECONDS):
            await _count_letters(registry)
            await _count_open_work(registry)
    except PyMongoError as error:
        return PlainTextResponse(f"no answer ({type(error).__name__})\n", status_code=503)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


async def _count_letters(registry: CollectorRegistry) -> None:
    letters = Gauge(
        "careergraph_dead_letters",
        "Jobs that were given up and whose letters are kept.",
        ["work", "code"],
        registry=registry,
    )
    for (work, code), count in (await DeadLetter.counts()).items():
        letters.labels(work, code).set(count)


async def _count_open_work(registry: CollectorRegistry) -> None:
    count = Gauge(
        "careergraph_open_work",
        "Jobs that were accepted and are not final.",
        ["work"],
        registry=registry,
    )
    oldest = Gauge(
        "careergraph_oldest_open_work_seconds",
        "Since the acceptance of the oldest job that is not final; 0 without one.",
        ["work"],
        registry=registry,
    )
    at = now()
    for document in WORKS:
        number, since = await document.open_work()
        count.labels(document.work_name).set(number)
        age = max((at - since).total_seconds(), 0.0) if since else 0.0
        oldest.labels(document.work_name).set(age)


ROUTES = [Route("/metrics", metrics)]
