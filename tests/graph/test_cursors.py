"""Cursors of every connection, genuine ones changed a little: a page, or a clear refusal."""

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.account.documents import DataExport, WorkStatus
from domain.core.clock import now
from domain.core.delivery import accepted
from domain.core.deps import Deps
from domain.core.language import Language
from tests.client import Client, Json
from tests.graph.analyses import put_analysis, stored_cv, user_id_of
from tests.graph.cvs import import_seed

PAGE = "first: 1, after: $after) { nodes { id } pageInfo { endCursor } totalCount }"
CONNECTIONS = {
    "jobs, newest first": "jobs(" + PAGE,
    "jobs, oldest first": "jobs(orderBy: {field: POSTED_AT, direction: ASC}, " + PAGE,
    "jobs, nearest first": 'jobs(filter: {query: "experience"}, ' + PAGE,
    "jobRecommendations": "jobRecommendations(" + PAGE,
    "cvs": "viewer { cvs(" + PAGE + " }",
    "gapAnalyses": "viewer { gapAnalyses(" + PAGE + " }",
    "dataExports": "viewer { dataExports(" + PAGE + " }",
}
ODD = [
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+00:00",
    "9999-12-31T23:59:59.999999+00:00", "2026-11-20T09:30:00", "0" * 32, "f" * 32, "\x00", "$gt",
    "\ud800", "", None, True, 0, -1, 0.5, 1e308, -1e308, 5e-324, float("nan"), float("inf"),
    2**63, -(2**63) - 1, 10**400, [], {}, {"$gt": ""}, [["x"]],
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
async def _seed(deps: Deps, _clean: None) -> None:
    await import_seed(deps)


@pytest.fixture
async def owner(client: Client, deps: Deps) -> Client:
    """Somebody with a page of everything."""
    await stored_cv(deps, client)
    await put_analysis(deps, client, "COMPLETED")
    await DataExport(
        user_id=user_id_of(deps, client), language=Language.EN, status=WorkStatus.COMPLETED,
        delivery=accepted(now()),
    ).insert()  # fmt: skip
    return client


async def page(client: Client, connection: str, after: str | None) -> Json:
    query = "query ($after: String) { " + CONNECTIONS[connection] + " }"
    return await client.post(query, after=after)


def cursor_in(answer: Json) -> str:
    [found] = answer["data"].values()
    found = found if "pageInfo" in found else next(iter(found.values()))
    cursor: str = found["pageInfo"]["endCursor"]
    return cursor


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def changed(data: st.DataObject, cursor: str) -> str:
    """The cursor with one of its parts changed, or with other characters in it."""
    if data.draw(st.booleans()):
        parts: list[Any] = json.loads(base64.urlsafe_b64decode(cursor + "=="))
        for place in data.draw(st.sets(st.integers(1, len(parts) - 1), min_size=1)):
            odd = st.sampled_from(ODD) | st.floats() | st.datetimes().map(str)
            parts[place] = data.draw(odd)
        return encoded(parts)
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(cursor))] * 2)))
    letters = st.text(st.characters(codec="utf-8"), max_size=4)
    return cursor[:start] + data.draw(letters) + cursor[end:]


@pytest.mark.parametrize("connection", CONNECTIONS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_a_changed_cursor_is_refused_or_gives_a_page(
    owner: Client, connection: str, data: st.DataObject
) -> None:
    cursor = changed(data, cursor_in(await page(owner, connection, None)))
    answer = await page(owner, connection, cursor)
    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    assert codes <= {"VALIDATION_ERROR"}, (cursor, answer)
    assert codes or "pageInfo" in json.dumps(answer["data"])


@pytest.mark.parametrize("instant", ODD[:2])
async def test_an_instant_at_the_end_of_time_is_refused(owner: Client, instant: str) -> None:
    after = encoded(["jobs/listed_at/-1", instant, "0" * 32])
    [error] = (await page(owner, "jobs, newest first", after))["errors"]
    assert error["extensions"]["code"] == "VALIDATION_ERROR"
