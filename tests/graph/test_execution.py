"""The pipeline from a request's parts to its answers, without a transport."""

import asyncio
import time
from contextlib import aclosing
from typing import Any

import pytest
from structlog.testing import capture_logs

from domain.auth.caller import UNKNOWN
from domain.core.deps import Deps
from domain.core.settings import load_settings
from graph.context import ANONYMOUS, Context, make_context
from graph.execution import Executor, Params, RequestRefused
from tests.graph.failing_schema import ENDED, SCHEMA, Bug

QUICK_SECONDS = 0.3


def executor() -> Executor:
    return Executor(SCHEMA, load_settings(), QUICK_SECONDS)


@pytest.fixture
def context(deps: Deps) -> Context:
    return make_context(deps, ANONYMOUS, UNKNOWN)


@pytest.fixture(autouse=True)
def _nothing_ended() -> None:
    ENDED.clear()


async def answer(context: Context, query: str, **variables: Any) -> dict[str, Any]:
    run = executor()
    return await run.execute(run.prepare(Params(query, variables)), context)


async def events(context: Context, query: str, **variables: Any) -> list[dict[str, Any]]:
    run = executor()
    prepared = run.prepare(Params(query, variables))
    return [payload async for payload in run.subscribe(prepared, context)]


async def test_data_comes_back_and_errors_only_where_there_are_some(context: Context) -> None:
    text = "query ($one: Int!) { add(one: $one) inner { name } }"

    assert await answer(context, text, one=2) == {"data": {"add": 3, "inner": {"name": "inner"}}}
    assert await answer(context, "mutation { a: change(by: 2) b: change(by: 3) }") == {
        "data": {"a": 2, "b": 3}
    }


async def test_one_document_serves_many_at_once(context: Context) -> None:
    run = executor()
    text = "query ($one: Int!) { add(one: $one) broken }"

    async def ask(one: int) -> dict[str, Any]:
        return await run.execute(run.prepare(Params(text, {"one": one})), context)

    answers = await asyncio.gather(*(ask(one) for one in range(20)))

    assert [found["data"]["add"] for found in answers] == list(range(1, 21))
    assert {len(found["errors"]) for found in answers} == {1}


@pytest.mark.parametrize(
    ("text", "path", "data"),
    [
        ("{ broken }", ["broken"], {"broken": None}),
        ("{ nothing }", ["nothing"], None),
        ("{ inner { broken } }", ["inner", "broken"], None),
    ],
)
async def test_bug_is_masked_and_logged(
    context: Context, text: str, path: list[str], data: object
) -> None:
    with capture_logs() as logs:
        found = await answer(context, text)

    assert found["data"] == data
    [error] = found["errors"]
    assert error["path"] == path
    assert error["locations"] == [{"line": 1, "column": text.index(path[-1]) + 1}]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "requestId" in error["extensions"]
    assert "swordfish" not in str(found)
    [logged] = logs
    assert (logged["log_level"], logged["path"]) == ("error", path)
    assert isinstance(logged["exc_info"], Bug | TypeError)


async def test_errors_made_for_clients_are_told_as_they_are(context: Context) -> None:
    with capture_logs() as logs:
        found = await answer(context, "{ refused }")

    [error] = found["errors"]
    assert (error["message"], error["extensions"]) == ("Not today.", {"code": "CLOSED"})
    assert logs == []


async def test_operation_that_takes_too_long_is_ended_and_told(context: Context) -> None:
    began = time.monotonic()

    found = await answer(context, '{ linger(name: "a") }')
    await asyncio.sleep(0.05)

    assert QUICK_SECONDS <= time.monotonic() - began < QUICK_SECONDS + 1
    assert found["data"] is None
    [error] = found["errors"]
    assert error["extensions"] == {"code": "OPERATION_TIMEOUT"}
    assert "0.3 s" in error["message"]
    assert ENDED == ["a"]


async def test_operation_that_does_not_hear_its_end_keeps_nobody_waiting(context: Context) -> None:
    began = time.monotonic()

    found = await answer(context, "{ deaf }")

    assert time.monotonic() - began < QUICK_SECONDS + 1
    assert found["errors"][0]["extensions"] == {"code": "OPERATION_TIMEOUT"}
    while ENDED != ["deaf once", "deaf twice"]:  # the second request to end comes by itself
        assert time.monotonic() - began < 10
        await asyncio.sleep(0.05)


async def test_operation_ends_with_the_task_that_asked_for_it(context: Context) -> None:
    asking = asyncio.create_task(answer(context, '{ linger(name: "b") }'))
    await asyncio.sleep(0.05)

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.sleep(0.05)

    assert ENDED == ["b"]


async def test_events_come_one_by_one(context: Context) -> None:
    found = await events(context, "subscription ($n: Int!) { ticks(count: $n) { number } }", n=3)

    assert found == [{"data": {"ticks": {"number": number}}} for number in range(3)]
    assert ENDED == ["ticks"]


async def test_bug_in_an_event_is_masked_and_the_next_comes(context: Context) -> None:
    with capture_logs() as logs:
        found = await events(context, "subscription { ticks(count: 3) { odd } }")

    assert [event["data"]["ticks"]["odd"] for event in found] == [False, None, False]
    assert found[1]["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "swordfish" not in str(found)
    assert len(logs) == 1


async def test_bug_of_the_source_is_masked_and_the_last_event(context: Context) -> None:
    with capture_logs() as logs:
        found = await events(context, 'subscription { ticks(count: 1, then: "bug") { number } }')

    assert found[0] == {"data": {"ticks": {"number": 0}}}
    assert found[1]["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert len(found) == 2
    assert "swordfish" not in str(found)
    assert isinstance(logs[0]["exc_info"], Bug)


async def test_refusal_of_the_source_is_told(context: Context) -> None:
    found = await events(context, 'subscription { ticks(count: 0, then: "refusal") { number } }')

    assert [event["errors"][0]["extensions"] for event in found] == [{"code": "CLOSED"}]


async def test_event_that_takes_too_long_is_told_and_ends_the_subscription(
    context: Context,
) -> None:
    found = await events(context, "subscription { ticks(count: 3) { slow } }")
    await asyncio.sleep(0.05)

    assert [event["errors"][0]["extensions"] for event in found] == [{"code": "OPERATION_TIMEOUT"}]
    assert set(ENDED) == {"tick 0", "ticks"}


async def test_waiting_for_an_event_takes_as_long_as_it_takes(context: Context) -> None:
    run = executor()
    prepared = run.prepare(Params("subscription { ticks(count: 2) { number } }"))
    async with aclosing(run.subscribe(prepared, context)) as source:
        await anext(source)
        await asyncio.sleep(2 * QUICK_SECONDS)
        assert await anext(source) == {"data": {"ticks": {"number": 1}}}


async def test_source_ends_when_nobody_listens_any_more(context: Context) -> None:
    run = executor()
    prepared = run.prepare(Params("subscription { ticks(count: 9) { number } }"))

    async with aclosing(run.subscribe(prepared, context)) as source:
        await anext(source)
        assert ENDED == []

    assert ENDED == ["ticks"]


@pytest.mark.parametrize(
    ("name", "code"), [("closed", "UNAUTHENTICATED"), ("unready", "INTERNAL_SERVER_ERROR")]
)
async def test_source_that_cannot_be_opened_is_a_refusal(
    context: Context, name: str, code: str
) -> None:
    with pytest.raises(RequestRefused) as refused:
        await events(context, f"subscription {{ {name} }}")

    [error] = refused.value.errors
    assert (error.extensions or {})["code"] == code
    assert "swordfish" not in error.message
    assert error.path == [name]
