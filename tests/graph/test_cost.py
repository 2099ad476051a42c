"""What operations cost. Pure: no server, no database."""

from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    build_schema,
    get_introspection_query,
    get_operation_ast,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

from domain.core.settings import load_settings
from graph.cost import (
    CEILING,
    LIST_SIZE,
    LIST_SIZES,
    MUTATION_COST,
    PRICES,
    Cost,
    CostCounter,
)
from graph.execution import MOST_COST, Executor, Params, RequestRefused
from graph.schema import make_schema
from tests.growth import assert_linear

OURS = Executor(make_schema(), load_settings())

SCHEMA: GraphQLSchema = build_schema("""
    interface Node { id: ID! }
    type Query {
      viewer: User
      node(id: ID!): Node
      jobRecommendations(first: Int): JobConnection!
      nodes(ids: [ID!]!): [Node]!
      posts(first: Int, last: Int): JobConnection!
    }
    type Mutation { rename(name: String!): RenamePayload! }
    type Subscription { status(id: ID!): Event! }
    type RenamePayload { viewer: User }
    type Event { user: User }
    type User implements Node {
      id: ID! name: String friends(first: Int): UserConnection!
      pets: [Pet!]! questions: [Pet!] errors: [Pet!]! tags: [String!]!
    }
    interface Pet { owner: User owners(first: Int): UserConnection! }
    type Dog implements Pet { owner: User owners(first: Int): UserConnection! }
    type UserConnection { edges: [UserEdge!]! nodes: [User!]! totalCount: Int pageInfo: PageInfo! }
    type UserEdge { node: User! cursor: String! }
    type PageInfo { endCursor: String }
    type Job implements Node { id: ID! applicants(first: Int): UserConnection! }
    type JobConnection { edges: [JobEdge!]! nodes: [Job!]! }
    type JobEdge { node: Job! cursor: String! }
""")


def cost(query: str, variables: dict[str, Any] | None = None) -> Cost:
    document = parse(query)
    operation = get_operation_ast(document)
    assert operation is not None
    counter = CostCounter(SCHEMA, document, variables or {}, page_size=20, page_max=100)
    return counter.count(operation)


def test_scalars_are_free_but_no_operation_is() -> None:
    assert cost("{ __typename }") == Cost(1, 0)
    assert cost("{ viewer { id name } }") == Cost(1, 0)


def test_page_costs_itself_and_its_nodes() -> None:
    assert cost("{ posts(first: 5) { nodes { id } } }") == Cost(6, 5)
    assert cost("{ posts(last: 5) { nodes { id } } }") == Cost(6, 5)
    assert cost("{ posts(first: 5) { edges { cursor } } }") == Cost(6, 0)
    assert cost("{ posts(first: 5) { edges { node { id } } } }") == Cost(11, 5)


def test_page_without_a_size_counts_as_the_default_and_a_huge_one_as_the_largest() -> None:
    assert cost("{ posts { nodes { id } } }") == Cost(21, 20)
    assert cost("{ posts(first: null) { nodes { id } } }") == Cost(21, 20)
    assert cost("{ posts(first: 100000) { nodes { id } } }") == Cost(101, 100)
    assert cost(f"{{ posts(first: {'9' * 5000}) {{ nodes {{ id }} }} }}") == Cost(101, 100)
    assert cost("{ posts(first: -5) { nodes { id } } }").nodes == 0


def test_fields_with_work_behind_them_have_a_price() -> None:
    price = PRICES["jobRecommendations"]
    assert cost("{ jobRecommendations(first: 5) { nodes { id } } }") == Cost(6 + price, 5)
    counted = cost("{ posts(first: 5) { nodes { id applicants { totalCount } } } }")
    assert counted == Cost(1 + 5 * (1 + 1 + PRICES["totalCount"]), 5)


def test_nested_pages_multiply() -> None:
    query = "{ posts(first: 10) { nodes { applicants(first: 7) { nodes { id } } } } }"

    assert cost(query) == Cost(1 + 10 * (1 + 1 + 7), 10 * (1 + 7))


def test_multiplication_is_cut_at_the_ceiling() -> None:
    query = "id"
    for _ in range(12):
        query = f"friends(first: 100) {{ nodes {{ {query} }} }}"

    assert cost(f"{{ viewer {{ {query} }} }}") == Cost(CEILING, CEILING)


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query ($n: Int) { posts(first: $n) { nodes { id } } }", {"n": 50}),
        ("query ($n: Int = 50) { posts(first: $n) { nodes { id } } }", {}),
        ("query ($n: Int = 5) { posts(first: $n) { nodes { id } } }", {"n": 50}),
    ],
)
def test_variables_and_their_defaults_count(query: str, variables: dict[str, Any]) -> None:
    assert cost(query, variables) == Cost(51, 50)


def test_variable_of_another_type_is_left_to_validation() -> None:
    query = "query ($n: Int) { posts(first: $n) { nodes { id } } }"
    values: list[object] = ["many", None, [], 1.5]
    for value in values:
        assert cost(query, {"n": value}) == Cost(21, 20)


def test_nodes_count_by_their_ids() -> None:
    assert cost('{ nodes(ids: ["a", "b", "c"]) { id } }') == Cost(3, 3)
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert cost(query, {"ids": ["a"] * 40}) == Cost(40, 40)


def test_one_id_without_brackets_is_a_list_of_one() -> None:
    assert cost('{ nodes(ids: "a") { id } }') == Cost(1, 1)
    assert cost("query ($id: [ID!]!) { nodes(ids: $id) { id } }", {"id": "a"}) == Cost(1, 1)
    assert cost("{ nodes(ids: []) { id } }") == Cost(1, 0)


def test_lists_that_are_no_pages_multiply_by_a_size_that_is_assumed() -> None:
    assert cost("{ viewer { tags } }").cost == 1
    assert cost("{ viewer { pets { owner { id } } } }") == Cost(1 + LIST_SIZE * 2, 0)
    assert cost("{ viewer { questions { owner { id } } } }") == Cost(
        1 + LIST_SIZES["questions"] * 2, 0
    )
    assert cost("{ viewer { errors { __typename } } }").cost == 2
    nested = "{ viewer { pets { owners(first: 3) { nodes { id } } } } }"
    assert cost(nested) == Cost(1 + LIST_SIZE * (1 + 1 + 3), LIST_SIZE * 3)


def test_fields_of_an_interface_count_by_their_types() -> None:
    assert cost(
        "{ viewer { friends { nodes { pets { owner { pets { owner { id } } } } } } } }"
    ) == (Cost(1 + 1 + 20 * (1 + LIST_SIZE * (1 + 1 + LIST_SIZE * 2)), 20))


def test_introspection_has_a_price_and_nothing_else() -> None:
    assert cost(get_introspection_query()).cost == PRICES["__schema"]
    assert cost('{ __type(name: "User") { fields { name } } }').cost == PRICES["__type"]
    assert cost("{ __typename viewer { __typename } }").cost == 1


def test_page_size_reaches_into_fragments_and_not_below() -> None:
    spread = "{ posts(first: 9) { ...A ... { ...A } } } fragment A on JobConnection { ...B } "
    spread += "fragment B on JobConnection { nodes { ...C } }"
    spread += "fragment C on Job { applicants(first: 2) { nodes { id } } }"

    assert cost(spread) == Cost(1 + 2 * 9 * (1 + 1 + 2), 2 * 9 * (1 + 2))


def test_fragments_count_at_each_use() -> None:
    one = "{ posts(first: 10) { nodes { id } } }"
    spread = "{ a: posts(first: 10) { ...P } b: posts(first: 3) { ...P } } "
    spread += "fragment P on JobConnection { nodes { id } }"

    assert cost(one).cost == 11
    assert cost(spread).cost == 11 + 4
    assert cost("{ ...Q ...Q } fragment Q on Query { viewer { id } }").cost == 2
    inline = "{ ... on Query { viewer { id } } ... @include(if: true) { viewer { id } } }"
    assert cost(inline).cost == 2


def test_fragment_on_an_interface_counts_what_lies_in_it() -> None:
    query = '{ node(id: "x") { ... on Job { applicants(first: 4) { nodes { id } } } } }'

    assert cost(query) == Cost(1 + 1 + 4, 4)


def test_each_mutation_costs_extra_wherever_it_is_written() -> None:
    payload = 'rename(name: "x") { viewer { id } }'
    each = 1 + MUTATION_COST + 1

    assert cost(f"mutation {{ {payload} }}").cost == each
    assert cost(f"mutation {{ a: {payload} b: {payload} }}").cost == 2 * each
    spread = f"mutation {{ ...M }} fragment M on Mutation {{ a: {payload} b: {payload} }}"
    assert cost(spread).cost == 2 * each


def test_subscription_costs_what_it_selects() -> None:
    assert cost('subscription { status(id: "x") { user { id } } }').cost == 2


def test_unknown_and_circular_fragments_do_not_break_the_count() -> None:
    assert cost("{ viewer { ...Nowhere } }").cost == 1
    circle = "{ viewer { ...A } } fragment A on User { id ...B } fragment B on User { ...A }"
    assert cost(circle).cost == 1
    assert cost("{ viewer { shoes { size } } }").cost >= 1
    assert cost("{ viewer { ... on Nothing { id } } }").cost == 1


def nested_fragments(depth: int) -> str:
    """Each fragment spreads the next one twice: 2^depth uses in a text of linear size."""
    parts = ["{viewer{...F0}}"]
    parts += [f"fragment F{i} on User{{...F{i + 1} ...F{i + 1}}}" for i in range(depth)]
    return "".join([*parts, f"fragment F{depth} on User{{friends{{nodes{{id}}}}}}"])


def test_nested_fragments_are_counted_in_linear_time() -> None:
    small, large = nested_fragments(20), nested_fragments(120)
    assert len(small) < 889 < len(large)
    document = parse(large)
    operation = get_operation_ast(document)
    assert operation is not None

    assert CostCounter(SCHEMA, document, {}, 20, 100).count(operation).cost == CEILING
    assert_linear(lambda depth: cost(nested_fragments(depth)), 100)
    assert cost(small).cost == 1 + 2**20 * 21


@given(st.lists(st.integers(0, 100), min_size=1, max_size=4))
def test_cost_grows_with_every_page_and_is_at_least_one(sizes: list[int]) -> None:
    def nested(pages: list[int]) -> str:
        inner = "id"
        for size in reversed(pages):
            inner = f"friends(first: {size}) {{ nodes {{ {inner} }} }}"
        return f"{{ viewer {{ {inner} }} }}"

    larger = [min(size + 1, 100) for size in sizes]
    assert 1 <= cost(nested(sizes)).cost <= cost(nested(larger)).cost <= CEILING


def test_long_texts_have_a_price_at_each_use() -> None:
    analyses = "viewer { gapAnalyses(first: 100) { nodes { jobPosting { TEXTS } } } }"

    def cost_of(texts: str) -> int:
        return OURS.prepare(Params(f"{{ {analyses} }}".replace("TEXTS", texts))).cost.cost

    plain = cost_of("companyName roleTitle language")
    for name in ("description", "requirements", "responsibilities", "niceToHave"):
        assert cost_of(f"companyName {name}") == plain + 100 * PRICES[f"JobPosting.{name}"]
    assert cost_of("a: description") == cost_of("description") < MOST_COST
    with pytest.raises(RequestRefused, match="points"):
        cost_of("description b: description")


def test_texts_of_a_usual_page_are_well_within_the_limit() -> None:
    texts = "description requirements responsibilities niceToHave"
    for query in (
        f"{{ jobs {{ nodes {{ posting {{ companyName {texts} }} }} }} }}",
        f"{{ jobRecommendations {{ nodes {{ job {{ posting {{ {texts} }} }} reasons }} }} }}",
        "{ viewer { cvs { nodes { experience { role description } } } } }",
    ):
        assert OURS.prepare(Params(query)).cost.cost < 500
