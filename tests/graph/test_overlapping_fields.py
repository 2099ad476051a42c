"""Merging of fields: the verdicts of graphql-core's own rule, without its growth."""

from random import Random

import pytest
from graphql import (
    DocumentNode,
    NoFragmentCyclesRule,
    OverlappingFieldsCanBeMergedRule,
    build_schema,
    parse,
    validate,
)
from hypothesis import event, given, settings
from hypothesis import strategies as st

from graph.overlapping_fields import MOST_PAIRS, OverlappingFields
from tests.growth import assert_linear

SCHEMA = build_schema("""
    interface Pet { id: ID! name: String owner: Person friends(first: Int): [Pet!]! }
    type Dog implements Pet {
      id: ID! name: String owner: Person friends(first: Int): [Pet!]!
      barks: Boolean! size: Int! best: Pet mate: Dog age(in: Unit, of: Of): Int
    }
    type Cat implements Pet {
      id: ID! name: String owner: Person friends(first: Int): [Pet!]!
      meows: Boolean! size: String best: Pet mate: Cat age(in: Unit, of: Of): Int
    }
    type Fish { id: ID size: Int best: Dog age(in: Unit, of: Of): Int! }
    union Animal = Dog | Cat | Fish
    enum Unit { YEARS DAYS }
    input Of { days: Int months: Int inner: Of list: [Int] }
    type Person { id: ID! name: String! pet: Pet animal: Animal pets: [Pet] animals: [Animal!] }
    type Query { pet: Pet animal: Animal person: Person dog: Dog cat: Cat }
""")

ON = (
    "",
    "@include(if: true)",
    "on Pet",
    "on Dog",
    "on Dog",
    "on Cat",
    "on Cat",
    "on Fish",
    "on Animal",
)
TYPES = ("Query", "Pet", "Dog", "Cat", "Fish", "Animal", "Person")
LEAVES = ("id", "name", "size", "barks", "meows", "__typename", "shoes")
BRANCHES = ("best", "mate", "owner", "pet", "animal", "pets", "animals", "dog", "friends", "none")
ARGUMENTS = ("", "", "", "(first: 1)", "(first: 2)", '(first: "1")', "(first: $n)")
AGES = (
    "", "", "", "(in: YEARS)", "(in: YEARS, of: {days: 1})", "(of: {days: 1}, in: YEARS)",
    "(of: {days: 1, months: 2})", "(of: {months: 2, days: 1})", "(of: {list: [1, 2]})",
    "(of: {list: [2, 1]})", "(of: {inner: {days: 1}})", "(of: null)",
)  # fmt: skip
FRAGMENTS = ("A", "B", "C")


def selections(random: Random, depth: int, fragments: tuple[str, ...]) -> str:
    return " ".join(_selection(random, depth, fragments) for _ in range(random.randint(1, 4)))


def _selection(random: Random, depth: int, fragments: tuple[str, ...]) -> str:
    alias = random.choice(("", "", "", "", "", "", "x: ", "size: "))
    kind = random.random()
    if depth == 0 or kind < 0.3:
        return alias + random.choice(LEAVES)
    if kind < 0.4:
        return f"{alias}age{random.choice(AGES)}"
    if fragments and kind < 0.5:
        return f"...{random.choice(fragments)}"
    inner = selections(random, depth - 1, fragments)
    if kind < 0.7:
        return f"... {random.choice(ON)} {{ {inner} }}"
    name = random.choice(BRANCHES)
    return f"{alias}{name}{random.choice(ARGUMENTS) if name == 'friends' else ''} {{ {inner} }}"


def document(random: Random, cyclic: bool = False) -> str:
    """A query and up to three fragments, all used."""
    names = FRAGMENTS[: random.randint(0, 3)]
    query = selections(random, random.randint(2, 4), names)
    fragments = []
    for number, name in enumerate(names):
        inner = selections(random, random.randint(1, 3), names if cyclic else names[number + 1 :])
        fragments.append(f"fragment {name} on {random.choice(TYPES)} {{ {inner} }}")
        query += "" if f"...{name}" in query else f" ...{name}"
    return "\n".join([f"query ($n: Int) {{ {query} }}", *fragments])


def is_valid(text: str, *rules: type) -> bool:
    return not validate(SCHEMA, parse(text), rules)


@given(st.randoms(use_true_random=True))
@settings(max_examples=500)
def test_verdict_is_that_of_graphql_core(random: Random) -> None:
    text = document(random)
    verdict = is_valid(text, OverlappingFieldsCanBeMergedRule)
    event(f"valid: {verdict}")

    assert is_valid(text, OverlappingFields) == verdict, text


@given(st.randoms(use_true_random=True))
@settings(max_examples=100)
def test_verdict_on_cycles_is_that_of_graphql_core_together_with_its_own_rule(
    random: Random,
) -> None:
    text = document(random, cyclic=True)
    verdict = is_valid(text, NoFragmentCyclesRule, OverlappingFieldsCanBeMergedRule)

    assert is_valid(text, NoFragmentCyclesRule, OverlappingFields) == verdict, text


@pytest.mark.parametrize(
    "text",
    [
        "{ pet { name name } }",
        "{ pet { name ... { name } ...F ...F } } fragment F on Pet { name }",
        "{ pet { ... on Dog { x: barks } ... on Cat { x: meows } } }",
        "{ animal { ... on Dog { x: name } ... on Cat { x: size } } }",
        "{ animal { ... on Dog { age(in: YEARS) } ... on Cat { age(in: DAYS) } } }",
        "{ dog { age(of: {days: 1, months: 2}) age(of: {months: 2, days: 1}) } }",
        "query ($n: Int) { pet { friends(first: $n) { id } friends(first: $n) { name } } }",
        "{ animal { ... on Dog { mate { x: name } } ... on Cat { mate { x: size } } } }",
        "{ a: pet { x: name } b: pet { x: id } }",
    ],
)
def test_fields_that_can_be_merged(text: str) -> None:
    assert is_valid(text, OverlappingFieldsCanBeMergedRule)
    assert is_valid(text, OverlappingFields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ pet { x: name x: id } }", "'pet.x' conflict because 'name' and 'id' are different"),
        (
            "{ pet { ...A ...B } } fragment A on Pet { x: name } fragment B on Dog { x: id }",
            "'pet.x' conflict because 'name' and 'id' are different",
        ),
        ("{ dog { age(in: DAYS) age } }", "'dog.age' conflict because they have differing arg"),
        ("{ dog { age(of: {days: 1}) age(of: {days: 2}) } }", "differing arguments"),
        ('{ pet { friends(first: 1) { id } friends(first: "1") { id } } }', "differing arguments"),
        (
            "query ($a: Int) { pet { friends(first: $a) { id } friends(first: 1) { id } } }",
            "differing arguments",
        ),
        (
            "{ animal { ... on Dog { size } ... on Cat { size } } }",
            "'animal.size' conflict because they return conflicting types 'Int!' and 'String'",
        ),
        (
            "{ animal { ... on Dog { x: friends { id } } ... on Cat { x: mate { id } } } }",
            "conflicting types '[Pet!]!' and 'Cat'",
        ),
        (
            "{ animal { ... on Dog { x: best { y: name } } ... on Cat { x: best { y: id } } } }",
            "'animal.x.y' conflict because they return conflicting types 'String' and 'ID!'",
        ),
        (
            "{ pet { owner { x: name } ... on Dog { owner { x: id } } } }",
            "'pet.owner.x' conflict because 'name' and 'id' are different",
        ),
        ("query A { pet { id } } query B { pet { x: id x: name } }", "'pet.x' conflict"),
    ],
)
def test_fields_that_cannot_be_merged(text: str, message: str) -> None:
    assert not is_valid(text, OverlappingFieldsCanBeMergedRule)

    [error] = validate(SCHEMA, parse(text), [OverlappingFields])

    assert message in error.message
    assert "Use different aliases" in error.message
    assert error.locations is not None
    assert len(error.locations) == 2


def test_conflict_is_told_once_however_often_it_is_reached() -> None:
    text = "{ pet { ...F ...F } pet { ...F } } fragment F on Pet { x: id x: name x: id }"

    assert len(validate(SCHEMA, parse(text), [OverlappingFields])) == 1


def test_time_grows_with_the_document_where_pairs_grow_with_its_square() -> None:
    def same(count: int) -> str:
        return "{ pet { " + "owner { pet { name } } " * count + "} }"

    def exclusive(count: int) -> str:
        parts = ("... on Dog { size } ... on Cat { size: name } " for _ in range(count))
        return "{ animal { " + "".join(parts) + "} }"

    def literals(count: int) -> str:
        return "{ dog { " + f"age(of: {{list: [{'1 ' * count}]}}) " * 20 + "} }"

    for text in (same, exclusive, literals):
        parsed = {size: parse(text(size)) for size in (300, 1200)}

        def run(size: int, parsed: dict[int, DocumentNode] = parsed) -> object:
            return validate(SCHEMA, parsed[size], [OverlappingFields])

        assert_linear(run, 300)


def test_fields_that_differ_under_many_types_are_bounded() -> None:
    """The only pairs there are: under types that exclude one another, and yet not alike."""

    def differing(count: int) -> str:
        uses = (
            f"... on {on} {{ best {{ ... on {inner} {{ age(of: {{days: {number}}}) }} }} }}"
            for number in range(count)
            for on, inner in (("Dog", "Cat"),)
        )
        return "{ animal { " + " ".join(uses) + " } }"

    [error] = validate(SCHEMA, parse(differing(300)), [OverlappingFields])

    assert MOST_PAIRS < 300 * 299 // 2
    assert "too many ways" in error.message
