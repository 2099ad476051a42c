"""Bounds on a document's shape. Pure: texts in, errors out."""

import pytest
from graphql import get_introspection_query, parse

from graph.document_limits import (
    MOST_ALIASES,
    MOST_DEPTH,
    MOST_DIRECTIVES,
    MOST_FIELDS,
    MOST_MUTATIONS,
    MOST_NESTING,
    broken_limits,
)
from tests.growth import assert_linear


def broken(text: str, introspection: bool = True) -> list[tuple[str, int, int]]:
    """Code, limit and actual of each error, whose message tells both numbers."""
    found = []
    for error in broken_limits(parse(text), introspection):
        told = error.extensions or {}
        assert f"{told['limit']:,}" in error.message
        assert f"{told['actual']:,}" in error.message
        found.append((told["code"], told["limit"], told["actual"]))
    return found


def deep(levels: int, innermost: str = "name") -> str:
    return "{ a" * (levels - 1) + f"{{ {innermost} }}" + "}" * (levels - 1)


def test_depth_counts_fields_in_fields() -> None:
    assert broken(deep(MOST_DEPTH)) == []
    assert broken(deep(MOST_DEPTH + 1)) == [("QUERY_TOO_DEEP", 10, 11)]
    assert broken("{ a { b } c { d { e } } }") == []


def test_depth_goes_through_fragments_which_are_no_level_themselves() -> None:
    spread = f"{deep(MOST_DEPTH, '...F')} fragment F on T {{ ... on T {{ name }} }}"
    one_more = f"{deep(MOST_DEPTH, '...F')} fragment F on T {{ a {{ name }} }}"

    assert broken(spread) == []
    assert broken(one_more) == [("QUERY_TOO_DEEP", 10, 11)]


def test_every_operation_is_held_to_the_limits_and_named() -> None:
    text = f"query Good {{ a }} query Bad {deep(12)} {deep(11).replace('{ a', 'query C { a', 1)}"

    [first, second] = broken_limits(parse(text), introspection=True)

    assert "'Bad'" in first.message
    assert "'C'" in second.message


def test_introspection_is_as_deep_as_it_must_be() -> None:
    full = get_introspection_query(
        descriptions=True, specified_by_url=True, directive_is_repeatable=True,
        schema_description=True, input_value_deprecation=True, one_of=True, type_depth=20,
    )  # fmt: skip
    assert broken(full) == []
    assert broken(f"{{ a {{ __schema {deep(30)} }} }}") == []


@pytest.mark.parametrize("name", ["fields", "interfaces", "possibleTypes", "inputFields"])
def test_lists_of_the_schema_in_one_another_are_bounded(name: str) -> None:
    def nested(levels: int) -> str:
        inner = "name"
        for _ in range(levels):
            inner = f"{name} {{ type {{ {inner} }} }}"
        return inner

    assert broken(f"{{ __schema {{ types {{ {nested(2)} }} }} }}") == []
    assert broken(f"{{ __schema {{ types {{ {nested(3)} }} }} }}") == [("QUERY_TOO_DEEP", 2, 3)]
    assert broken(f'{{ __type(name: "T") {{ {nested(4)} }} }}') == [("QUERY_TOO_DEEP", 2, 4)]
    spread = f"{{ __schema {{ types {{ {name} {{ ...F }} }} }} }} fragment F on T {{ {nested(2)} }}"
    assert broken(spread) == [("QUERY_TOO_DEEP", 2, 3)]
    inside = f"{{ ...F }} fragment F on Query {{ __schema {{ types {{ {nested(3)} }} }} }}"
    assert broken(inside) == [("QUERY_TOO_DEEP", 2, 3)]
    assert broken(f"{{ a {{ {nested(4)} }} }}") == []  # somebody's own field of that name


def test_aliases_count_at_each_use_of_a_fragment() -> None:
    def aliased(count: int) -> str:
        return " ".join(f"a{number}: name" for number in range(count))

    assert broken(f"{{ {aliased(MOST_ALIASES)} }}") == []
    assert broken(f"{{ {aliased(16)} }}") == [("TOO_MANY_ALIASES", 15, 16)]
    spread = f"{{ b {{ ...F }} c {{ ...F }} }} fragment F on T {{ {aliased(8)} }}"
    assert broken(spread) == [("TOO_MANY_ALIASES", 15, 16)]
    assert broken(f"query A {{ {aliased(9)} }} query B {{ {aliased(9)} }}") == []


@pytest.mark.parametrize(
    "text",
    [
        "{{ a {} }}",
        "{{ a {{ b {} }} }}",
        "{{ ...F {} }} fragment F on T {{ a }}",
        "{{ ... {} {{ a }} }}",
        "{{ ... on T {} {{ a }} }}",
        "query {} {{ a }}",
        "query ($v: Int {}) {{ a }}",
        "{{ ...F }} fragment F on T {} {{ a }}",
        "{{ ...F }} fragment F on T {{ a {} }}",
    ],
)
def test_directives_are_bounded_wherever_they_stand(text: str) -> None:
    directives = ["@include(if: true)"] * (MOST_DIRECTIVES + 1)

    assert broken(text.format(" ".join(directives[1:]))) == []
    assert broken(text.format(" ".join(directives))) == [("TOO_MANY_DIRECTIVES", 5, 6)]


def test_mutations_are_bounded_and_reads_are_not() -> None:
    six = "a b c d e f"
    assert len(six.split()) == MOST_MUTATIONS + 1

    assert broken("mutation { a b c d e { f } }") == []
    assert broken(f"{{ {six} }}") == []
    assert broken(f"mutation {{ a {{ {six} }} }}") == []
    for text in (six, "a a a a a a", f"... {{ {six} }}"):
        assert broken(f"mutation {{ {text} }}") == [("TOO_MANY_MUTATIONS", 5, 6)]
    spread = "mutation { ...F ... on M { ...F } } fragment F on M { a b c }"
    assert broken(spread) == [("TOO_MANY_MUTATIONS", 5, 6)]


def test_field_uses_are_bounded_over_all_operations() -> None:
    fragments = "fragment F on T { " + "...G " * 100 + "} fragment G on T { " + "name " * 50 + "}"
    assert MOST_FIELDS == 100 * 50

    assert broken(f"{{ ...F }} {fragments}") == []
    assert broken(f"{{ ...F id }} {fragments}") == [("QUERY_TOO_COMPLEX", 5_000, 5_001)]
    two = f"query A {{ ...F }} query B {{ id }} {fragments}"
    assert broken(two) == [("QUERY_TOO_COMPLEX", 5_000, 5_001)]


def test_selection_sets_in_one_another_are_bounded() -> None:
    def inline(levels: int) -> str:
        return "{ ... " * (levels - 1) + "{ id }" + " }" * (levels - 1)

    assert broken(inline(MOST_NESTING)) == []
    assert broken(inline(MOST_NESTING + 1)) == [("QUERY_TOO_DEEP", 50, 51)]


def test_introspection_that_is_off_is_refused_and_type_names_are_not() -> None:
    for text in (
        "{ __schema { types { name } } }",
        '{ a: __type(name: "T") { name } }',
        "{ ...F } fragment F on Query { ... { __schema { types { name } } } }",
    ):
        assert broken_limits(parse(text), introspection=True) == []
        [error] = broken_limits(parse(text), introspection=False)
        assert error.extensions == {"code": "INTROSPECTION_DISABLED"}
        assert "schema.graphql" in error.message
    assert broken_limits(parse("{ __typename a { __typename } }"), introspection=False) == []


def test_cycles_of_fragments_are_left_to_validation() -> None:
    for text in (
        "{ ...A } fragment A on T { a ...A }",
        "{ ...A } fragment A on T { a { ...B } } fragment B on T { b { ...A } }",
        "{ ...Nowhere }",
        "{ a } fragment A on T { ...B } fragment B on T { ...A }",
    ):
        assert broken(text) == []
    mixed = "{ ...A } fragment A on T { ...A " + "name " * 50 + "...B } fragment B on T { a }"
    assert broken(mixed) == []


def test_errors_are_few_however_many_operations_break_limits() -> None:
    text = " ".join(f"query Q{number} {deep(11)}" for number in range(30))

    assert len(broken_limits(parse(text), introspection=True)) == 10


def doubling(fragments: int, body: str = "...F{0} ...F{0}") -> str:
    """Each fragment spreads the next one twice: 2^fragments uses in a text of linear size."""
    parts = ["{viewer{...F0}}"]
    parts += [f"fragment F{n} on User{{{body.format(n + 1)}}}" for n in range(fragments)]
    return "".join([*parts, f"fragment F{fragments} on User{{name}}"])


@pytest.mark.parametrize(
    "body",
    [
        "...F{0} ...F{0}",
        "a{{...F{0}}} b{{...F{0}}}",
        "...{{...F{0}}} ... on User{{...F{0}}}",
        "a:id ...F{0} b:id ...F{0}",
        "fields{{...F{0}}} __schema{{fields{{...F{0}}}}}",
    ],
)
def test_nested_fragments_take_linear_time(body: str) -> None:
    codes = {code for code, _, _ in broken(doubling(30, body))}

    assert "QUERY_TOO_COMPLEX" in codes
    assert_linear(lambda size: broken_limits(parse(doubling(size, body)), True), 200)
