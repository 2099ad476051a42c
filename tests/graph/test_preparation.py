"""What is done with a request before anything is executed. Pure: no server, no database."""

import time
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationType, get_introspection_query

from domain.core.settings import load_settings
from graph.execution import MOST_COST, Executor, Params, Prepared, RequestRefused
from graph.schema import make_schema
from tests.graph.test_graphiql_examples import OPERATIONS

USUAL = Executor(make_schema(), load_settings())


def prepare(query: str, operation_name: str | None = None, **variables: Any) -> Prepared:
    return USUAL.prepare(Params(query, variables, operation_name))


def refusal(query: str | None, run: Executor = USUAL, **params: Any) -> list[tuple[str, str]]:
    """Code and message of each error; nothing but a bad request has them here."""
    with pytest.raises(RequestRefused) as refused:
        run.prepare(Params(query, **params))
    assert refused.value.status == 400
    return [((one.extensions or {})["code"], one.message) for one in refused.value.errors]


def test_operation_is_found_by_its_name() -> None:
    text = """
        query A { viewer { id } }
        mutation B { updateProfile(input: {}) { viewer { id } } }
        subscription C { cvStatus(id: 1) { cursor } }
    """

    kinds = {name: prepare(text, name).kind for name in "ABC"}

    assert kinds == {
        "A": OperationType.QUERY, "B": OperationType.MUTATION, "C": OperationType.SUBSCRIPTION,
    }  # fmt: skip
    assert prepare("query A { viewer { id } }").kind is OperationType.QUERY
    assert prepare("query A { viewer { id } }", "").kind is OperationType.QUERY


@pytest.mark.parametrize("name", [None, "C", ""])
def test_operation_that_is_not_there_or_not_named(name: str | None) -> None:
    text = "query A { viewer { id } } query B { viewer { id } }"

    [(code, message)] = refusal(text, operation_name=name)

    assert code == "OPERATION_RESOLUTION_FAILURE"
    assert ("operationName" in message) == (not name)


def test_nothing_to_run_is_told() -> None:
    assert refusal(None)[0][0] == "BAD_REQUEST"
    assert refusal("")[0][0] == "GRAPHQL_PARSE_FAILED"
    assert refusal("# nothing")[0][0] == "GRAPHQL_PARSE_FAILED"


@pytest.mark.parametrize(
    "variables",
    [{}, {"one": "1"}, {"one": 1.5}, {"one": None}, {"one": [1]}, {"one": 2**40}, {"one": {}}],
)
def test_variables_of_another_type_are_refused(variables: dict[str, Any]) -> None:
    text = "query ($one: Int!, $other: Int = 3) { jobs(first: $one, last: $other) { totalCount } }"

    [(code, message)] = refusal(text, variables=variables)

    assert code == "BAD_USER_INPUT"
    assert "'$one'" in message
    assert prepare(text, one=2).executor.variable_values.coerced == {"one": 2, "other": 3}


def test_variables_hold_a_bounded_number_of_values() -> None:
    text = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    began = time.process_time()

    for ids in (["x"] * 1_000_000, [["x"] * 100] * 10_000, [{"a": ["x"] * 9_999}]):
        [(code, message)] = refusal(text, variables={"ids": ids})
        assert code == "TOO_MANY_VALUES"
        assert "10,000" in message

    assert time.process_time() - began < 0.5
    assert refusal(text, variables={"ids": ["x"] * 1_001})[0][0] == "QUERY_TOO_COSTLY"


def test_deep_variables_are_refused() -> None:
    value: object = "x"
    for _ in range(3_000):
        value = [value]
    text = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    assert refusal(text, variables={"ids": value})[0][0] == "BAD_USER_INPUT"
    assert refusal(text, variables={"ids": {"a": value}})[0][0] == "BAD_USER_INPUT"


def test_cost_is_bounded_with_variables_resolved() -> None:
    text = "query ($n: Int) { jobs(first: $n) { nodes { GAPS } } }".replace(
        "GAPS", " ".join(f"{alias}: skillsGap {{ coverage }}" for alias in "abcd")
    )

    assert USUAL.prepare(Params(text, {"n": 10})).cost.cost == 1 + 10 * 13
    [(code, message)] = refusal(text, variables={"n": 90})
    assert code == "QUERY_TOO_COSTLY"
    assert f"{1 + 90 * 13:,} points" in message
    assert f"{MOST_COST:,}" in message


@pytest.mark.parametrize("text", OPERATIONS)
def test_examples_of_the_playground_are_within_all_limits(text: str) -> None:
    checked = USUAL._documents.read(text)

    [operation] = checked.operations.values()
    assert USUAL._cost(checked, operation, {}).cost <= 200


def test_usual_questions_are_within_all_limits(project: Path) -> None:
    readme = (project / "README.md").read_text("utf-8")
    first = readme.partition("```graphql\n")[2].partition("```")[0]
    whole = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True,
        input_value_deprecation=True, one_of=True,
    )  # fmt: skip

    assert USUAL.prepare(Params(first)).cost.cost < 100
    assert USUAL.prepare(Params(get_introspection_query())).cost.cost < 200
    assert USUAL.prepare(Params(whole)).cost.cost < 200


def test_introspection_and_suggestions_are_off_in_production() -> None:
    run = Executor(make_schema(), load_settings(production=True))

    assert refusal("{ __schema { queryType { name } } }", run)[0][0] == "INTROSPECTION_DISABLED"
    assert run.prepare(Params("{ __typename }")).cost.cost == 1
    [(_, message)] = refusal("{ viewer { nam } }", run)
    assert message == "Cannot query field 'nam' on type 'User'."
    text = "query ($by: JobOrder) { jobs(orderBy: $by) { totalCount } }"
    told = refusal(text, run, variables={"by": {"fild": "X", "direction": "DESC"}})
    assert "Did you mean" not in str(told)
