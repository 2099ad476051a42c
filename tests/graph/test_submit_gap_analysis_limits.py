"""Asking for a gap analysis again and again: under one key, and more often than allowed."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.core.clock import now
from domain.core.deps import Deps, open_redis
from domain.gap_analysis.documents import GapAnalysis
from tests.client import Client
from tests.conftest import SignIn, free_port
from tests.graph.analyses import (
    ERRORS,
    POSTING,
    SUBMIT,
    input_of,
    one,
    refusal_in,
    stored,
    stored_cv,
    submit,
    submit_at,
    submitted,
    user_id_of,
)
from tests.graph.cvs import execute


@pytest.fixture
async def cv_id(deps: Deps, client: Client) -> str:
    return await stored_cv(deps, client)


@pytest.fixture
def strict(deps: Deps) -> Deps:
    """The parts with the limits that a server has by default."""
    limits = {"submits_per_minute": 10, "submit_burst": 3}
    return replace(deps, settings=deps.settings.model_copy(update=limits))


async def test_one_key_and_input_make_one_analysis(
    client: Client, cv_id: str, sign_in: SignIn, deps: Deps
) -> None:
    key = str(uuid4())
    first = await submitted(client, cv_id, idempotencyKey=key)
    again = await submitted(client, cv_id, idempotencyKey=key.upper())
    spaced = {**POSTING, "companyName": " Northwind ", "description": "<!-- none -->"}
    same_words = await submitted(client, cv_id, spaced, idempotencyKey=key)
    stranger = await sign_in()
    others = await submitted(stranger, await stored_cv(deps, stranger), idempotencyKey=key)
    keyless = await submitted(client, cv_id)

    assert again == same_words == first
    assert len({first["id"], others["id"], keyless["id"]}) == 3


async def test_a_key_with_other_input_is_a_mismatch(client: Client, cv_id: str, deps: Deps) -> None:
    key = str(uuid4())
    first = await submitted(client, cv_id, idempotencyKey=key)
    other_cv = await stored_cv(deps, client)
    refused = [
        await submit(client, cv_id, {**POSTING, "roleTitle": "CTO"}, idempotencyKey=key),
        await submit(client, cv_id, idempotencyKey=key, language="HE"),
        await submit(client, other_cv, idempotencyKey=key),
    ]

    for payload in refused:
        error = refusal_in(payload)
        assert error["__typename"] == "IdempotencyKeyError"
        assert error["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
        assert error["path"] == ["input", "idempotencyKey"]
    assert await submitted(client, cv_id, idempotencyKey=key) == first


async def test_a_key_that_is_no_uuid_is_an_error(client: Client, cv_id: str) -> None:
    answer = await client.post(SUBMIT, input=input_of(cv_id, idempotencyKey="mine"))
    assert "UUID" in answer["errors"][0]["message"]


async def test_a_hundred_calls_at_once_with_one_key_make_one_analysis_and_count_once(
    client: Client, cv_id: str, strict: Deps
) -> None:
    input = input_of(cv_id, idempotencyKey=str(uuid4()))

    payloads = await asyncio.gather(*(submit_at(strict, client, input) for _ in range(100)))
    later = await submit_at(strict, client, input_of(cv_id))

    assert [payload["errors"] for payload in payloads] == [[]] * 100
    assert len({payload["gapAnalysis"]["id"] for payload in payloads}) == 1
    assert later["errors"] == []
    user_id = user_id_of(strict, client)
    assert await GapAnalysis.find({"user_id": user_id}).count() == 2


async def test_a_hundred_requests_over_http_with_one_key_make_one_analysis(
    client: Client, cv_id: str, deps: Deps
) -> None:
    key = str(uuid4())

    made = await asyncio.gather(*(submitted(client, cv_id, idempotencyKey=key) for _ in range(100)))

    assert len({analysis["id"] for analysis in made}) == 1
    assert await GapAnalysis.find({"user_id": user_id_of(deps, client)}).count() == 1


@pytest.mark.parametrize(("hours", "is_free"), [(23.9, False), (24.1, True)])
async def test_a_key_lives_for_a_day(
    client: Client, cv_id: str, hours: float, is_free: bool
) -> None:
    key = str(uuid4())
    first = await submitted(client, cv_id, idempotencyKey=key)
    old = await stored(first["id"])
    await old.set({"created_at": now() - timedelta(hours=hours)})

    other = await submit(client, cv_id, {**POSTING, "roleTitle": "CTO"}, idempotencyKey=key)

    if is_free:
        assert other["errors"] == []
        assert other["gapAnalysis"]["id"] != first["id"]
        assert (await one(client, first["id"]))["id"] == first["id"]
    else:
        assert refusal_in(other)["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"


async def test_three_submits_at_once_then_one_in_six_seconds(
    client: Client, cv_id: str, strict: Deps, sign_in: SignIn
) -> None:
    answers = [await submit_at(strict, client, input_of(cv_id)) for _ in range(4)]
    stranger = await sign_in()
    others = await submit_at(strict, stranger, input_of(await stored_cv(strict, stranger)))

    assert [answer["errors"] for answer in answers[:3]] == [[], [], []]
    error = refusal_in(answers[3])
    assert (error["__typename"], error["code"]) == ("RateLimitError", "RATE_LIMIT_EXCEEDED")
    assert error["path"] is None
    assert error["retryAfter"] in (5, 6)
    assert str(error["retryAfter"]) in error["message"]
    assert others["errors"] == []


async def test_submits_are_counted_each_not_by_request(
    client: Client, cv_id: str, strict: Deps
) -> None:
    fields = [f"s{index}: submitGapAnalysis(input: $input) {{ {ERRORS} }}" for index in range(5)]
    query = f"mutation ($input: SubmitGapAnalysisInput!) {{ {' '.join(fields)} }}"

    made = await execute(strict, client, query, input=input_of(cv_id))

    kinds = [[error["code"] for error in made[f"s{index}"]["errors"]] for index in range(5)]
    assert kinds == [[], [], [], ["RATE_LIMIT_EXCEEDED"], ["RATE_LIMIT_EXCEEDED"]]


async def test_repeats_under_a_key_do_not_count_even_when_the_limit_is_reached(
    client: Client, cv_id: str, strict: Deps
) -> None:
    keyed = input_of(cv_id, idempotencyKey=str(uuid4()))
    first = await submit_at(strict, client, keyed)
    repeats = [await submit_at(strict, client, keyed) for _ in range(5)]
    others = [await submit_at(strict, client, input_of(cv_id)) for _ in range(3)]
    after = await submit_at(strict, client, keyed)

    assert [repeat["gapAnalysis"]["id"] for repeat in [*repeats, after]] == [
        first["gapAnalysis"]["id"]
    ] * 6
    assert [bool(other["errors"]) for other in others] == [False, False, True]


async def test_a_refused_call_may_come_again_under_its_key(
    client: Client, cv_id: str, strict: Deps
) -> None:
    for _ in range(3):
        await submit_at(strict, client, input_of(cv_id))
    keyed = input_of(cv_id, idempotencyKey=str(uuid4()))

    refused = refusal_in(await submit_at(strict, client, keyed))
    still_refused = refusal_in(await submit_at(strict, client, keyed))
    # As if the time had passed:
    await strict.redis.delete(f"careergraph:limit:gap-analysis:{user_id_of(strict, client)}")
    patient = await submit_at(strict, client, keyed)

    assert refused["code"] == still_refused["code"] == "RATE_LIMIT_EXCEEDED"
    assert patient["errors"] == []


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """A server that takes connections and never answers."""
    closing = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await closing.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    closing.set()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("is_silent", [False, True], ids=["refuses", "never answers"])
async def test_without_redis_a_submit_is_let_through_in_two_seconds(
    client: Client, cv_id: str, strict: Deps, silent_port: int, is_silent: bool
) -> None:
    port = silent_port if is_silent else free_port()
    settings = strict.settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{port}/0"})
    redis = open_redis(settings)
    cut_off = replace(strict, settings=settings, redis=redis)

    begun = time.monotonic()
    answers = [await submit_at(cut_off, client, input_of(cv_id)) for _ in range(4)]
    seconds = time.monotonic() - begun
    await redis.aclose()

    assert [answer["errors"] for answer in answers] == [[]] * 4
    assert seconds / 4 < 2
