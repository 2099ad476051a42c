"""From text to document: codes, bounds, time, and what is kept."""

import contextlib
import time

import pytest
from graphql import Source, get_introspection_query
from hypothesis import given
from hypothesis import strategies as st

from graph.documents import (
    KEPT_DOCUMENTS,
    MOST_BYTES,
    DocumentRefused,
    Documents,
    IndexedSource,
)
from graph.schema import make_schema
from tests.graph.test_document_limits import doubling

SCHEMA = make_schema()._schema
MOST_SECONDS = 0.05


def documents(suggestions: bool = True, introspection: bool = True) -> Documents:
    return Documents(SCHEMA, suggestions, introspection)


def refusal(text: str, suggestions: bool = True) -> list[tuple[str, str]]:
    """Code and message of each error."""
    with pytest.raises(DocumentRefused) as refused:
        documents(suggestions).read(text)
    return [((one.extensions or {})["code"], one.message) for one in refused.value.errors]


def test_document_in_order_has_its_operations() -> None:
    found = documents().read("query A { viewer { name } } query B { viewer { id } }")

    assert list(found.operations) == ["A", "B"]
    assert list(documents().read("{ viewer { name } }").operations) == [None]


def test_text_over_64_kb_is_refused_in_bytes() -> None:
    name = "x" * (MOST_BYTES - len('{ node(id: "") { id } }'))

    documents().read(f'{{ node(id: "{name}") {{ id }} }}')
    [(code, message)] = refusal(f'{{ node(id: "{name}x") {{ id }} }}')
    assert code == "QUERY_TOO_LARGE"
    assert "65,537 bytes" in message
    assert "65,536" in message
    hebrew = "א" * (MOST_BYTES // 2)
    assert refusal(f'{{ node(id: "{hebrew}") {{ id }} }}')[0][0] == "QUERY_TOO_LARGE"


def test_tokens_are_bounded_and_comments_are_none() -> None:
    fitting = "{ viewer { " + "name " * (1_000 - 5) + "} }"

    documents().read(fitting)
    documents().read("# about the query\n" * 900 + fitting)
    for text in (fitting.replace("name", "name name", 1), "# x\n" * 1_001 + "{ viewer { id } }"):
        [(code, message)] = refusal(text)
        assert code == "TOO_MANY_TOKENS"
        assert "1,000" in message


@pytest.mark.parametrize(
    "text", ["", "{", "{ viewer { name }", "query ($) { a }", "\ud800", "{ a }}"]
)
def test_syntax_error_has_its_code_and_place(text: str) -> None:
    [(code, message)] = refusal(text)

    assert code == "GRAPHQL_PARSE_FAILED"
    assert message.startswith("Syntax Error: ")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{ shoes }", "GRAPHQL_VALIDATION_FAILED"),
        ("type A { a: Int }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer { x: name x: id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer { name @skip(if: 1) } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer { ...A } } fragment A on User { ...A }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer { name } } fragment A on User { name }", "GRAPHQL_VALIDATION_FAILED"),
        ("{a{a{a{a{a{a{a{a{a{a{a{a}}}}}}}}}}}}", "QUERY_TOO_DEEP"),
        ("{a" * 300 + "}" * 300, "QUERY_TOO_DEEP"),
        ("{ node(id: " + "[" * 300 + "]" * 300 + ") { id } }", "QUERY_TOO_DEEP"),
    ],
)
def test_each_fault_has_a_code(text: str, code: str) -> None:
    assert {found for found, _ in refusal(text)} == {code}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{ viewer { nam } }", "'name'"),
        ("{ viewer }", "'viewer {"),
        ("{ node(idd: 1) { id } }", "'id'?"),
        ("{ node(id: 1) { ... on Usr { id } } }", "'User'"),
        ("{ jobs(orderBy: {fild: TITLE}) { totalCount } }", "'field'?"),
        ("query ($a: JobFiltr) { jobs(filter: $a) { totalCount } }", "'JobFilter'"),
    ],
)
def test_names_are_suggested_unless_that_is_switched_off(text: str, name: str) -> None:
    told = " ".join(message for _, message in refusal(text))
    kept_back = " ".join(message for _, message in refusal(text, suggestions=False))

    assert name in told.partition("Did you mean")[2]
    assert "Did you mean" not in kept_back
    assert name not in kept_back


def test_introspection_can_be_switched_off() -> None:
    text = get_introspection_query(one_of=True, specified_by_url=True, schema_description=True)

    documents().read(text)
    with pytest.raises(DocumentRefused) as refused:
        documents(introspection=False).read(text)
    assert refused.value.errors[0].extensions == {"code": "INTROSPECTION_DISABLED"}
    documents(introspection=False).read("{ __typename }")


def test_messages_that_quote_the_query_are_cut() -> None:
    [(_, message)] = refusal("{ " + "x" * 60_000 + " }")

    assert len(message) < 1_100


def test_errors_are_few() -> None:
    assert len(refusal("{ " + "shoes " * 900 + "}")) < 12


def test_document_is_read_once() -> None:
    kept = documents()
    text = "{ viewer { name } }"

    first = kept.read(text)

    assert kept.read(text) is first
    assert kept.read(text + " ") is not first


def test_documents_used_last_are_kept_within_a_bound() -> None:
    kept = documents()
    used, first = kept.read("{ viewer { id } }"), kept.read("query Q { viewer { id } }")
    for number in range(KEPT_DOCUMENTS - 1):
        kept.read(f"query Q{number} {{ viewer {{ id }} }}")
        assert kept.read("{ viewer { id } }") is used

    assert kept.read("query Q { viewer { id } }") is not first


def test_large_documents_are_kept_within_a_bound_of_memory() -> None:
    kept = documents()
    large = "# one token each\n" * 1_000 + "{ viewer { name } }"
    first = last = kept.read(large)

    for number in range(120):
        last = kept.read(large + " " * number)

    assert kept.read(large + " " * 119) is last
    assert kept.read(large) is not first


OPERATIONS = "".join(f"query Q{number}{{...F0}}" for number in range(40))
CHAIN = "".join(f"fragment F{n} on Query{{...F{n + 1} viewer{{id}}}}" for n in range(40))
PLAIN = "{viewer{" + "name " * 995 + "}}"
HOSTILE = {
    "the known attack": doubling(25),
    "in fields": doubling(25, "cvs{{nodes{{...F{0}}}}} cvs{{nodes{{...F{0}}}}}"),
    "in inline fragments": doubling(25, "...{{...F{0}}} ... on User{{...F{0}}}"),
    "with aliases": doubling(25, "a:id ...F{0} b:id ...F{0}"),
    "many operations and fragments": f"{OPERATIONS}{CHAIN}fragment F40 on Query{{viewer{{id}}}}",
    "every fragment in every other": "{viewer{...F0}}"
    + "".join(
        f"fragment F{n} on User{{{' '.join(f'...F{m}' for m in range(17))}}}" for n in range(17)
    ),
    "one call": "{" + 'node(id:"x"){id} ' * 110 + "}",
    "one argument": "{node(" + "id:1 " * 330 + "){id}}",
    "inline fragments": "{node(id:1){" + "...on User{id}" * 160 + "}}",
    "directives": "{viewer{" + "name @skip(if:true) " * 140 + "}}",
    "variables": "query(" + "".join(f"$v{n}:Int " for n in range(240)) + "){viewer{id}}",
    "one variable": "query(" + "$v:Int " * 240 + "){viewer{id}}",
    "unknown fields": "{" + " ".join(f"gapAnalysis{n}" for n in range(900)) + "}",
    "unknown arguments": "{" + " ".join(f"viewer(fist{n}:1){{id}}" for n in range(100)) + "}",
    "unused fragments": "{viewer{id}}" + "".join(f"fragment F{n} on A{{id}}" for n in range(110)),
    "deep lists": "{node(id:" + "[" * 190 + "]" * 190 + "){id}}",
    "deep objects": "{node(id:" + "{a:" * 190 + "1" + "}" * 190 + "){id}}",
    "input fields": "mutation{updateProfile(input:{" + "name:1 " * 320 + "}){errors{__typename}}}",
    "escapes": '{node(id:"' + "\\u0041" * 10_800 + '"){id}}',
    "lines before a mistake": "{viewer{" + "\n" * 64_000 + "shoes hats}}",
    "nothing but lines": "\n" * 65_000,
    "a number": "{jobs(first:" + "9" * 60_000 + "){totalCount}}",
}  # fmt: skip


ATTACKS = [text for name, text in HOSTILE.items() if "...F1" in text]


@pytest.mark.parametrize("text", ATTACKS)
def test_nested_fragments_are_dealt_with_at_once(text: str) -> None:
    """The known attack, 888 characters that take Strawberry's own rules seconds, and its kin."""
    assert min(_seconds(text) for _ in range(3)) < MOST_SECONDS


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_takes_about_as_long_as_a_plain_one_of_its_size(text: str) -> None:
    """In the processor's time; on the machine this was written on, none takes over 30 ms."""
    plain = min(_seconds(PLAIN) for _ in range(3))

    assert min(_seconds(text) for _ in range(3)) < 3 * plain


def _seconds(text: str) -> float:
    reader = documents()
    began = time.process_time()
    with contextlib.suppress(DocumentRefused):
        reader.read(text)
    return time.process_time() - began


def test_known_attack_is_as_long_as_told() -> None:
    assert len(HOSTILE["the known attack"]) == 888


@given(st.text("a\n\r"))
def test_places_are_told_as_graphql_core_tells_them(text: str) -> None:
    source, indexed = Source(text), IndexedSource(text)

    for position in range(len(text) + 1):
        assert indexed.get_location(position) == source.get_location(position)
