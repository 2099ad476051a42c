"""No answer is larger than a server can make and send."""

import asyncio
import time
from typing import Any

import pytest

from domain.auth.caller import UNKNOWN
from domain.core.deps import Deps
from domain.core.settings import load_settings
from graph.answer_size import MOST_ANSWER_BYTES
from graph.context import ANONYMOUS, Context, make_context
from graph.execution import Executor, Params
from tests.client import Client, payloads, subscribe
from tests.graph.analyses import id_of, posting_of, put_analysis
from tests.graph.endpoint import RESPONSE_JSON, Endpoint
from tests.graph.failing_schema import ENDED, SCHEMA

RUN = Executor(SCHEMA, load_settings())
HALF = MOST_ANSWER_BYTES // 2
LONG = "All of it. " * 90_000
EIGHTFOLD = " ".join(f"a{i}: description" for i in range(8))
DESCRIPTIONS = f"""
    query ($ids: [ID!]!) {{
      nodes(ids: $ids) {{ ... on GapAnalysis {{ jobPosting {{ {EIGHTFOLD} }} }} }}
    }}
"""


@pytest.fixture
def context(deps: Deps) -> Context:
    return make_context(deps, ANONYMOUS, UNKNOWN)


async def answer(context: Context, query: str) -> dict[str, Any]:
    return await RUN.execute(RUN.prepare(Params(query)), context)


def is_too_large(answer: dict[str, Any]) -> bool:
    if "errors" not in answer:
        return False
    assert answer["data"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["ANSWER_TOO_LARGE"]
    return True


@pytest.mark.parametrize(
    ("query", "too_large"),
    [
        (f"{{ text(size: {MOST_ANSWER_BYTES - 100}) }}", False),
        (f"{{ text(size: {MOST_ANSWER_BYTES}) }}", True),
        (f"{{ a: text(size: {HALF}) b: text(size: {HALF - 200}) }}", False),
        (f"{{ a: text(size: {HALF}) b: text(size: {HALF}) }}", True),
        (f"{{ a: later(size: {HALF}) b: later(size: {HALF}) c: inner {{ name }} }}", True),
        (f'{{ text(size: {HALF}, letter: "א") }}', True),
        (f'{{ text(size: {HALF - 100}, letter: "א") }}', False),
        ("{ text(size: 0, times: 10000) }", False),
        ("{ text(size: 0, times: 1000000) }", True),
    ],
)
async def test_answer_is_given_up_when_it_gets_too_large(
    context: Context, query: str, too_large: bool
) -> None:
    assert is_too_large(await answer(context, query)) is too_large


async def test_answer_is_given_up_at_once_and_nothing_of_it_goes_on(context: Context) -> None:
    ENDED.clear()
    fields = " ".join(f"a{i}: text(size: 1, times: 1000000)" for i in range(9))
    began = time.monotonic()

    found = await answer(context, f'{{ linger(name: "x") later(size: {2 * HALF}) }}')
    assert is_too_large(await answer(context, f"{{ {fields} }}"))

    assert is_too_large(found)
    assert time.monotonic() - began < 5
    while ENDED != ["x"]:
        assert time.monotonic() - began < 10
        await asyncio.sleep(0.01)


async def test_each_event_is_an_answer(context: Context) -> None:
    """The second event is as large as may be, the third is too large."""
    query = f"subscription {{ ticks(count: 3) {{ text(size: {HALF + 9}) number }} }}"
    found = [event async for event in RUN.subscribe(RUN.prepare(Params(query)), context)]

    assert [is_too_large(event) for event in found] == [False, False, True]


async def test_stored_text_asked_for_often_is_refused_over_http_and_socket(
    deps: Deps, client: Client
) -> None:
    analysis = await put_analysis(deps, client, "COMPLETED", posting=posting_of(description=LONG))
    some, many = ({"ids": [id_of(analysis)] * count} for count in (1, 20))
    endpoint = Endpoint(client)

    right = (await endpoint.post({"query": DESCRIPTIONS, "variables": some})).json()
    wrong = await endpoint.post({"query": DESCRIPTIONS, "variables": many}, accept=RESPONSE_JSON)
    batch = [{"query": DESCRIPTIONS, "variables": some}] * 3
    told = [is_too_large(one) for one in (await endpoint.post(batch)).json()]

    [node] = right["data"]["nodes"]
    assert {len(text) for text in node["jobPosting"].values()} == {len(LONG)}
    assert is_too_large(wrong.json())
    assert told == [False, False, True]
    async with client.socket() as socket:
        await subscribe(socket, "1", DESCRIPTIONS, many)
        assert [is_too_large(one) async for one in payloads(socket, "1")] == [True]


async def test_id_asked_for_twice_is_there_twice(deps: Deps, client: Client) -> None:
    analysis = await put_analysis(deps, client, "COMPLETED")
    ids = [id_of(analysis), "nothing", id_of(analysis)]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    data = await client.data(query, ids=ids)

    assert data["nodes"] == [{"id": ids[0]}, None, {"id": ids[0]}]
