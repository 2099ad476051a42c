"""Cancelling, retrying and listing gap analyses."""

import asyncio
import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.core.deps import Deps
from domain.core.failures import FailureReason, failure
from domain.core.language import Language
from domain.gap_analysis.documents import GapAnalysis
from graph import ids
from tests.client import Client, Json, payloads, subscribe
from tests.conftest import SignIn, running_worker
from tests.graph.analyses import (
    CANCEL,
    POSTING,
    RETRY,
    STATUS,
    SUBMIT,
    ended,
    events_of,
    id_of,
    item,
    model_worker,
    one,
    put_analysis,
    refusal_in,
    stored,
    stored_cv,
    submitted,
    user_id_of,
)
from tests.graph.cvs import execute
from tests.model_script import items_reply

LIST = """
query ($first: Int, $after: String, $last: Int, $before: String, $status: GapAnalysisStatus) {
  viewer {
    gapAnalyses(first: $first, after: $after, last: $last, before: $before, status: $status) {
      nodes { id status }
      edges { cursor node { id status } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      totalCount
    }
  }
}
"""


@pytest.fixture(autouse=True)
async def _nothing_waits(deps: Deps) -> None:
    """No analysis of an earlier test is left for this test's worker, and so for its model."""
    await GapAnalysis.delete_all()


async def cancel(client: Client, id: str) -> Json:
    payload: Json = (await client.data(CANCEL, input={"gapAnalysisId": id}))["cancelGapAnalysis"]
    return payload


async def retry(client: Client, id: str) -> Json:
    payload: Json = (await client.data(RETRY, input={"gapAnalysisId": id}))["retryGapAnalysis"]
    return payload


async def failed(deps: Deps, client: Client, **fields: Any) -> GapAnalysis:
    reason = failure(FailureReason.MODEL_UNAVAILABLE, Language.EN)
    return await put_analysis(deps, client, "FAILED", failure=reason, **fields)


async def test_a_pending_analysis_is_cancelled_and_never_runs(client: Client, deps: Deps) -> None:
    cv_id = await stored_cv(deps, client)
    made = await submitted(client, cv_id, language="HE")

    cancelled = (await cancel(client, made["id"]))["gapAnalysis"]
    async with running_worker(deps):
        other = await submitted(client, cv_id)
        await ended(client, other["id"])

    assert (cancelled["status"], cancelled["message"]) == ("FAILED", None)
    assert cancelled["failure"] == {
        "code": "CANCELLED", "message": "הניתוח בוטל.", "isRetryable": True,
    }  # fmt: skip
    assert cancelled["failedAt"] is not None
    assert cancelled["result"] is None
    assert await one(client, made["id"]) == cancelled


async def test_what_a_worker_writes_after_a_cancellation_is_dropped(
    client: Client, deps: Deps
) -> None:
    made = await submitted(client, await stored_cv(deps, client))
    gates = [asyncio.Event(), asyncio.Event()]
    questions = [
        item("Have you planned the work of your colleagues?"),
        item("Have you led a team?"),
    ]
    async with model_worker(deps) as server, client.socket() as socket:
        server.script(items_reply(questions, gates))
        await subscribe(socket, "1", STATUS, {"id": made["id"]})
        stream = payloads(socket, "1")
        gates[0].set()
        seen: Json = {"questions": []}
        while not seen["questions"]:
            seen = (await anext(stream))["data"]["gapAnalysisStatus"]["gapAnalysis"]
        cancelled = await cancel(client, made["id"])
        rest = [payload["data"]["gapAnalysisStatus"] async for payload in stream]
        gates[1].set()

    assert cancelled["errors"] == []
    assert [event["gapAnalysis"]["status"] for event in rest] == ["FAILED"]
    assert rest[0]["gapAnalysis"]["failure"]["code"] == "CANCELLED"
    # The worker has ended by now, and its second question came to nothing.
    assert await one(client, made["id"]) == cancelled["gapAnalysis"]
    assert len(cancelled["gapAnalysis"]["questions"]) == 1


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED"])
async def test_a_final_analysis_cannot_be_cancelled(
    client: Client, deps: Deps, status: str
) -> None:
    analysis = await put_analysis(deps, client, status)

    error = refusal_in(await cancel(client, id_of(analysis)))

    assert (error["__typename"], error["code"]) == ("InvalidStateError", "INVALID_STATE")
    assert status in error["message"]
    assert (await stored(id_of(analysis))).version == analysis.version


async def test_cancelled_twice_at_once_it_ends_once(client: Client, deps: Deps) -> None:
    made = await submitted(client, await stored_cv(deps, client))

    answers = await asyncio.gather(*(cancel(client, made["id"]) for _ in range(5)))

    codes = sorted(error["code"] for answer in answers for error in answer["errors"])
    assert codes == ["INVALID_STATE"] * 4
    [event] = await events_of(client, made["id"])
    assert event["cursor"] == "2"


async def test_a_failed_analysis_is_repeated_as_a_new_one(client: Client, deps: Deps) -> None:
    made = await submitted(client, await stored_cv(deps, client), language="HE")
    old = (await cancel(client, made["id"]))["gapAnalysis"]

    new = (await retry(client, made["id"]))["gapAnalysis"]
    async with running_worker(deps):
        final = await ended(client, new["id"])

    assert new["id"] != old["id"]
    assert (new["status"], new["retryOf"]) == ("PENDING", old["id"])
    assert (new["jobPosting"], new["language"], new["cv"]) == (
        old["jobPosting"], "HE", old["cv"],
    )  # fmt: skip
    assert (final["status"], final["retryOf"]) == ("COMPLETED", old["id"])
    assert await one(client, old["id"]) == old


async def test_asking_again_for_a_retry_gives_the_same_one(client: Client, deps: Deps) -> None:
    old = id_of(await failed(deps, client))

    at_once = await asyncio.gather(*(retry(client, old) for _ in range(20)))
    later = await retry(client, old)

    assert [answer["errors"] for answer in [*at_once, later]] == [[]] * 21
    assert len({answer["gapAnalysis"]["id"] for answer in [*at_once, later]}) == 1
    assert await GapAnalysis.find({"user_id": user_id_of(deps, client)}).count() == 2


async def test_a_retry_that_failed_can_be_retried_itself(client: Client, deps: Deps) -> None:
    old = id_of(await failed(deps, client))
    second = (await retry(client, old))["gapAnalysis"]
    await cancel(client, second["id"])

    third = (await retry(client, second["id"]))["gapAnalysis"]
    again = (await retry(client, old))["gapAnalysis"]

    assert (third["status"], third["retryOf"]) == ("PENDING", second["id"])
    assert (again["id"], again["status"]) == (second["id"], "FAILED")


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING", "COMPLETED"])
async def test_only_a_failed_analysis_can_be_retried(
    client: Client, deps: Deps, status: str
) -> None:
    analysis = await put_analysis(deps, client, status)

    error = refusal_in(await retry(client, id_of(analysis)))

    assert (error["__typename"], error["code"]) == ("InvalidStateError", "INVALID_STATE")
    assert status in error["message"]


async def test_retries_count_as_submits_and_repeats_do_not(client: Client, deps: Deps) -> None:
    limits = {"submits_per_minute": 10, "submit_burst": 3}
    strict = replace(deps, settings=deps.settings.model_copy(update=limits))
    olds = [id_of(await failed(deps, client)) for _ in range(3)]
    cv_id = await stored_cv(deps, client)
    input = {"cvId": cv_id, "jobPosting": POSTING}

    async def retried(old: str) -> Json:
        answer = await execute(strict, client, RETRY, input={"gapAnalysisId": old})
        payload: Json = answer["retryGapAnalysis"]
        return payload

    taken = [await retried(old) for old in (olds[0], olds[0], olds[0], olds[1])]
    taken.append((await execute(strict, client, SUBMIT, input=input))["submitGapAnalysis"])
    refused = refusal_in(await retried(olds[2]))

    assert [payload["errors"] for payload in taken] == [[]] * 5
    assert refused["code"] == "RATE_LIMIT_EXCEEDED"
    assert refused["retryAfter"] >= 1


@pytest.mark.parametrize("change", [cancel, retry])
async def test_others_absent_ones_and_nonsense_look_the_same(
    client: Client, sign_in: SignIn, deps: Deps, change: Any
) -> None:
    stranger = await sign_in()
    for others in (await put_analysis(deps, stranger, "PENDING"), await failed(deps, stranger)):
        wrong = [id_of(others), ids.encode("GapAnalysis", uuid4()), "nonsense"]
        refused = [json.dumps(await change(client, id)).replace(id, "ID") for id in wrong]

        assert len(set(refused)) == 1
        error = refusal_in(json.loads(refused[0]))
        assert (error["__typename"], error["code"]) == ("NotFoundError", "JOB_NOT_FOUND")
        assert (error["path"], error["missingId"]) == (["input", "gapAnalysisId"], "ID")
        assert (await stored(id_of(others))).version == others.version


@pytest.mark.parametrize("query", [CANCEL, RETRY])
async def test_nobody_changes_nothing(
    nobody: Client, client: Client, deps: Deps, query: str
) -> None:
    id = id_of(await put_analysis(deps, client, "PENDING"))
    answer = await nobody.post(query, input={"gapAnalysisId": id})
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def page(client: Client, **arguments: Any) -> Json:
    connection: Json = (await client.data(LIST, **arguments))["viewer"]["gapAnalyses"]
    assert [edge["node"] for edge in connection["edges"]] == connection["nodes"]
    return connection


def id_list(connection: Json) -> list[str]:
    return [node["id"] for node in connection["nodes"]]


async def test_analyses_are_paged_newest_first_in_both_directions(
    client: Client, sign_in: SignIn, deps: Deps
) -> None:
    made = [id_of(await put_analysis(deps, client, "COMPLETED")) for _ in range(5)][::-1]
    await put_analysis(deps, await sign_in(), "COMPLETED")

    first = await page(client, first=2)
    newer = id_of(await put_analysis(deps, client, "PENDING"))
    second = await page(client, first=2, after=first["pageInfo"]["endCursor"])
    third = await page(client, first=2, after=second["pageInfo"]["endCursor"])
    back = await page(client, last=2, before=third["pageInfo"]["startCursor"])

    assert [id_list(one) for one in (first, second, third)] == [made[:2], made[2:4], made[4:]]
    assert id_list(back) == made[2:4]
    assert id_list(await page(client)) == [newer, *made]
    assert [one["pageInfo"]["hasNextPage"] for one in (first, second, third)] == [True, True, False]
    assert back["pageInfo"]["hasPreviousPage"] is True
    assert (first["totalCount"], second["totalCount"]) == (5, 6)


async def test_analyses_are_listed_by_status(client: Client, deps: Deps) -> None:
    statuses = ["COMPLETED", "FAILED", "COMPLETED", "PENDING", "PROCESSING", "COMPLETED"]
    made = [id_of(await put_analysis(deps, client, status)) for status in statuses]

    completed = await page(client, status="COMPLETED", first=2)
    rest = await page(client, status="COMPLETED", first=2, after=completed["pageInfo"]["endCursor"])
    failures = await page(client, status="FAILED", last=5)

    assert id_list(completed) == [made[5], made[2]]
    assert (id_list(rest), rest["pageInfo"]["hasNextPage"]) == ([made[0]], False)
    assert (completed["totalCount"], failures["totalCount"]) == (3, 1)
    assert id_list(failures) == [made[1]]


async def test_cursors_of_other_lists_are_refused(client: Client, deps: Deps) -> None:
    await stored_cv(deps, client)
    cvs = await client.data("{ viewer { cvs { pageInfo { endCursor } } } }")

    for cursor in ("", "nonsense", cvs["viewer"]["cvs"]["pageInfo"]["endCursor"]):
        answer = await client.post(LIST, after=cursor)
        assert answer["errors"][0]["extensions"]["code"] == "VALIDATION_ERROR"
