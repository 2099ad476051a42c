"""Claude against the scripted model server, through the real SDK and real HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from domain.clients.claude import MAX_TOKENS_LIMIT, Claude
from domain.clients.language_model import (
    LanguageModel,
    LanguageModelError,
    ModelAnswerUnreadable,
    ModelRefused,
    ModelRejected,
    ModelTimeout,
    ModelUnavailable,
)
from tests.model_script import (
    Ending,
    Fault,
    Hang,
    Raw,
    Reply,
    Step,
    broken_off,
    cut_by_max_tokens,
    items_reply,
    json_reply,
    malformed,
    overloaded,
    rate_limited,
    refusal,
    server_error,
)
from tests.model_server import ModelServer, running_model_server


class Colour(BaseModel):
    name: str = Field(min_length=1, max_length=20)
    tone: Literal["LIGHT", "DARK"]


RED = {"name": "red", "tone": "DARK"}
PINK = {"name": 'pi"n]k}', "tone": "LIGHT"}
BLUE = {"name": "כחול", "tone": "DARK"}
TWO = items_reply([RED, PINK])


def claude(base_url: str, timeout_seconds: float = 5.0, max_retries: int = 0) -> Claude:
    return Claude(
        api_key="a-key", base_url=base_url, model="claude-sonnet-5-5",
        timeout_seconds=timeout_seconds, max_tokens=1000, max_retries=max_retries,
    )  # fmt: skip


@asynccontextmanager
async def talking(
    *steps: Step, timeout_seconds: float = 5.0, max_retries: int = 0
) -> AsyncIterator[tuple[Claude, ModelServer]]:
    async with running_model_server() as server:
        server.script(*steps)
        model = claude(server.base_url, timeout_seconds, max_retries)
        try:
            yield model, server
        finally:
            await model.aclose()


async def answer(model: LanguageModel) -> Colour:
    return await model.answer(system="Rules.", prompt="Name a colour.", shape=Colour)


async def stream(model: LanguageModel) -> list[Colour]:
    items = model.stream_items(system="Rules.", prompt="Name colours.", item=Colour)
    return [item async for item in items]


both_ways = pytest.mark.parametrize("streamed", [False, True], ids=["answer", "stream"])


async def failures(
    *steps: Step, streamed: bool, timeout_seconds: float = 5.0
) -> list[LanguageModelError]:
    """What a call raises for each step."""
    errors = []
    async with talking(*steps, timeout_seconds=timeout_seconds) as (model, _):
        for _ in steps:
            with pytest.raises(LanguageModelError) as caught:
                await _run(model, streamed)
            errors.append(caught.value)
    return errors


async def failure(step: Step, streamed: bool, timeout_seconds: float = 5.0) -> LanguageModelError:
    return (await failures(step, streamed=streamed, timeout_seconds=timeout_seconds))[0]


async def _run(model: Claude, streamed: bool) -> None:
    await (stream(model) if streamed else answer(model))


async def test_an_answer_comes_in_the_shape_asked_for() -> None:
    async with talking(json_reply(BLUE)) as (model, server):
        assert await answer(model) == Colour(name="כחול", tone="DARK")
    request = server.requests[0]
    assert request.headers["authorization"] == "Bearer a-key"
    assert request.body["model"] == model.name == "claude-sonnet-5-5"
    assert request.body["max_tokens"] == 1000
    assert request.body["system"] == "Rules."
    assert request.body["messages"] == [{"role": "user", "content": "Name a colour."}]
    output = request.body["output_config"]["format"]
    assert output["type"] == "json_schema"
    assert output["schema"]["additionalProperties"] is False
    assert "stream" not in request.body or request.body["stream"] is False


async def test_items_come_while_the_model_still_writes() -> None:
    gates = [asyncio.Event() for _ in range(4)]
    async with talking(items_reply([RED, PINK, BLUE], gates)) as (model, server):
        items = model.stream_items(system="", prompt="Name colours.", item=Colour)
        seen = []
        for gate in gates[:3]:
            gate.set()
            seen.append((await asyncio.wait_for(anext(items), 2)).model_dump())
        assert seen == [RED, PINK, BLUE]
        gates[3].set()
        assert await anext(items, None) is None
    schema = server.requests[0].body["output_config"]["format"]["schema"]
    assert schema["properties"]["items"]["type"] == "array"
    assert server.requests[0].body["stream"] is True


async def test_a_list_may_be_empty() -> None:
    async with talking(items_reply([])) as (model, _):
        assert await stream(model) == []


async def test_one_client_serves_many_calls_at_once() -> None:
    async with talking(*[TWO] * 20) as (model, server):
        lists = await asyncio.gather(*[stream(model) for _ in range(20)])
    assert [len(items) for items in lists] == [2] * 20
    assert len(server.requests) == 20


@both_ways
async def test_a_rate_limit_carries_the_time_to_wait(streamed: bool) -> None:
    headers = [None, "7", "0.5", "86400", "soon", "-1"]
    errors = await failures(*map(rate_limited, headers), streamed=streamed)
    assert [type(error) for error in errors] == [ModelUnavailable] * len(headers)
    waits = [error.retry_after for error in errors if isinstance(error, ModelUnavailable)]
    assert waits == [None, 7.0, 0.5, 600.0, None, None]
    assert "rate_limit_error" in str(errors[0])
    assert "req_fault" in str(errors[0])


@both_ways
async def test_passing_faults(streamed: bool) -> None:
    steps = [overloaded(), server_error(), Fault(503, "api_error"), Fault(504, "timeout_error"),
             Fault(408, "timeout_error"), Fault(409, "conflict_error")]  # fmt: skip
    errors = await failures(*steps, streamed=streamed)
    assert [type(error) for error in errors] == [ModelUnavailable] * len(steps)


@both_ways
async def test_final_faults(streamed: bool) -> None:
    steps = [Fault(status, "some_error") for status in (400, 401, 402, 403, 404, 413, 422)]
    errors = await failures(*steps, streamed=streamed)
    assert [type(error) for error in errors] == [ModelRejected] * len(steps)


@both_ways
async def test_refusal(streamed: bool) -> None:
    assert isinstance(await failure(refusal(), streamed), ModelRefused)


UNREADABLE = [
    malformed(),
    cut_by_max_tokens(),
    Reply(TWO.parts, stop_reason="max_tokens"),
    Reply(TWO.parts, stop_reason="pause_turn"),
    Reply(['{"items": [{"name": "red"'], stop_reason="end_turn"),
    Reply([""]),
    Reply(["I would say red."]),
    json_reply({"name": "red"}),
    json_reply({"items": [{"name": "red", "tone": "LOUD"}]}),
    json_reply({"items": [{"name": "", "tone": "DARK"}]}),
    json_reply({"colours": [RED]}),
    json_reply([RED]),
    json_reply({"items": ["red"]}),
    Reply(['{"items": [[[[[[[[']),
    Reply(["[" * 5000]),
    Reply(['{"items": []}}']),
    Reply(['{"name": "\\ud800", "tone": "DARK"}']),
]


@both_ways
async def test_unreadable_answers(streamed: bool) -> None:
    errors = await failures(*UNREADABLE, streamed=streamed)
    for step, error in zip(UNREADABLE, errors, strict=True):
        assert isinstance(error, ModelAnswerUnreadable), step
        assert "".join(step.parts).startswith(error.answer)


async def test_a_response_that_is_no_message() -> None:
    steps = [Raw("<html>Bad gateway</html>", "text/html"), Raw("{ not JSON"), Raw("[]")]
    answers = await failures(*steps, streamed=False)
    assert [type(error) for error in answers] == [ModelAnswerUnreadable] * 3
    # Asked for a stream, it is one that broke off before its first event.
    streams = await failures(*steps, streamed=True)
    assert [type(error) for error in streams] == [ModelUnavailable] * 3


async def test_an_unreadable_answer_is_kept_whole_and_stays_out_of_the_message() -> None:
    text = '{"name": "secret", "tone": "LOUD"}'
    error = await failure(Reply([text]), streamed=False)
    assert isinstance(error, ModelAnswerUnreadable)
    assert error.answer == text
    assert "tone" in str(error)
    assert "secret" not in str(error)
    assert "LOUD" not in str(error)


async def test_items_before_an_unfit_one_are_given() -> None:
    async with talking(items_reply([RED, {"name": "x" * 21, "tone": "DARK"}])) as (model, _):
        items = model.stream_items(system="", prompt="", item=Colour)
        assert (await anext(items)).name == "red"
        with pytest.raises(ModelAnswerUnreadable):
            await anext(items)


async def test_a_field_that_was_not_asked_for_is_dropped() -> None:
    async with talking(items_reply([{**RED, "score": 0.99}])) as (model, _):
        assert [item.model_dump() for item in await stream(model)] == [RED]


@pytest.mark.parametrize("ending", [Ending.CONNECTION_CUT, Ending.WITHOUT_STOP])
async def test_a_stream_that_breaks_off(ending: Ending) -> None:
    async with talking(broken_off(TWO, ending)) as (model, _):
        items = model.stream_items(system="", prompt="", item=Colour)
        assert [(await anext(items)).name, (await anext(items)).name] == ["red", 'pi"n]k}']
        with pytest.raises(ModelUnavailable):
            await anext(items)


async def test_an_answer_whose_connection_is_cut() -> None:
    step = broken_off(json_reply(RED), Ending.CONNECTION_CUT)
    assert isinstance(await failure(step, streamed=False), ModelUnavailable)


@pytest.mark.parametrize(
    ("error_type", "expected"),
    [
        ("overloaded_error", ModelUnavailable),
        ("rate_limit_error", ModelUnavailable),
        ("api_error", ModelUnavailable),
        ("invalid_request_error", ModelRejected),
        ("authentication_error", ModelRejected),
    ],
)
async def test_an_error_event_in_a_stream(
    error_type: str, expected: type[LanguageModelError]
) -> None:
    error = await failure(broken_off(TWO, Ending.ERROR_EVENT, error_type), streamed=True)
    assert type(error) is expected


@both_ways
async def test_a_server_that_says_nothing(streamed: bool) -> None:
    began = time.monotonic()
    assert isinstance(await failure(Hang(), streamed, timeout_seconds=0.2), ModelTimeout)
    assert time.monotonic() - began < 2


async def test_a_stream_that_falls_silent() -> None:
    step = broken_off(TWO, Ending.HANG)
    assert isinstance(await failure(step, streamed=True, timeout_seconds=0.3), ModelTimeout)


async def test_the_time_limit_is_for_the_whole_call_not_for_each_event() -> None:
    slow = Reply(['{"items": ['] + [" "] * 50 + ["]}"], seconds_between=0.05)
    assert isinstance(await failure(slow, streamed=True, timeout_seconds=0.4), ModelTimeout)


async def test_a_slow_reader_is_not_struck_by_the_time_limit_in_its_own_code() -> None:
    async with talking(TWO, timeout_seconds=0.3) as (model, _):
        items = model.stream_items(system="", prompt="", item=Colour)
        await anext(items)
        await asyncio.sleep(0.5)  # would raise here if the limit were held across the yield
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await items.aclose()


async def test_no_server() -> None:
    model = claude("http://127.0.0.1:9")
    try:
        for call in (answer, stream):
            with pytest.raises(ModelUnavailable):
                await call(model)
    finally:
        await model.aclose()


@both_ways
async def test_cancelling_a_call_is_a_cancellation(streamed: bool) -> None:
    async with talking(Hang()) as (model, server):
        task = asyncio.create_task(_run(model, streamed))
        while not server.requests:  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_the_sdk_retries_as_often_as_told() -> None:
    async with talking(overloaded(), rate_limited("0.01"), TWO, max_retries=2) as (model, server):
        assert len(await stream(model)) == 2
    assert len(server.requests) == 3


async def test_the_sdks_waiting_counts_against_the_time_limit() -> None:
    async with talking(rate_limited("3600"), timeout_seconds=0.3, max_retries=2) as (model, _):
        with pytest.raises(ModelTimeout):
            await stream(model)


async def test_a_stream_left_early_gives_its_connection_back() -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    gates[0].set()
    async with talking(items_reply([RED, PINK], gates), json_reply(RED)) as (model, _):
        items = model.stream_items(system="", prompt="", item=Colour)
        await anext(items)
        await items.aclose()
        assert (await answer(model)).name == "red"


def test_a_token_limit_that_the_sdk_would_refuse() -> None:
    with pytest.raises(ValueError, match="max_tokens"):
        Claude(
            api_key="a-key", base_url=None, model="claude-sonnet-5-5",
            timeout_seconds=1, max_tokens=MAX_TOKENS_LIMIT + 1,
        )  # fmt: skip
