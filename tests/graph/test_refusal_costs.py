"""What refused requests cost the address they come from."""

from typing import Any

import pytest

from domain.auth.caller import Caller
from domain.core.deps import Deps
from graph.context import Session, make_context
from graph.execution import REFUSED_COST, VALUES_PER_POINT, Params, RequestRefused
from tests.graph.test_rate_limit import EXECUTOR, SIXTY, somewhere
from tests.jobs.pieces import quick


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query ($n: Int!) { jobs(first: $n) { totalCount } }", {"n": "many"}),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["x"] * 1_001}),
        ("query A { __typename } query B { __typename }", {}),
    ],
)
async def test_refusal_of_a_remembered_text_is_charged_to_the_address(
    deps: Deps, query: str, variables: dict[str, Any]
) -> None:
    for_values = len(variables.get("ids", ())) // VALUES_PER_POINT
    each = REFUSED_COST + for_values
    small, params = quick(deps, address_cost_per_minute=3 * each), Params(query, variables)
    context = make_context(small, Session(), Caller(somewhere()))
    with pytest.raises(RequestRefused):
        EXECUTOR.prepare(params)

    statuses = []
    for _ in range(4):
        with pytest.raises(RequestRefused) as refused:
            await EXECUTOR.begin(params, context)
        statuses.append(refused.value.status)

    assert statuses == [400, 400, 400, 429]


async def test_what_is_not_refused_is_prepared_for_nothing(deps: Deps) -> None:
    small = quick(deps, address_cost_per_minute=1)
    EXECUTOR.prepare(Params(SIXTY))
    await EXECUTOR.begin(Params(SIXTY), make_context(small, Session(), Caller(somewhere())))


async def test_many_values_are_charged_before_they_are_coerced(deps: Deps) -> None:
    small, query = (
        quick(deps, address_cost_per_minute=50),
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
    )
    EXECUTOR.prepare(Params(query, {"ids": []}))
    params = Params(query, {"ids": ["x"] * 51 * VALUES_PER_POINT})

    with pytest.raises(RequestRefused) as refused:
        await EXECUTOR.begin(params, make_context(small, Session(), Caller(somewhere())))

    assert refused.value.status == 429
