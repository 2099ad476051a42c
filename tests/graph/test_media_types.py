"""Which type an Accept header asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.media_types import JSON, RESPONSE_JSON, answer_type, prefers_page

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("  ", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/graphql-response+json", RESPONSE_JSON),
        ("Application/GraphQL-Response+JSON", RESPONSE_JSON),
        ("application/graphql-response+json, application/json;q=0.9", RESPONSE_JSON),
        ("application/json;q=0.9, application/graphql-response+json", RESPONSE_JSON),
        ("application/json, application/graphql-response+json", RESPONSE_JSON),
        ("application/graphql-response+json;q=0.5, application/json", JSON),
        ("application/graphql-response+json;q=0.5, */*", JSON),
        ("application/graphql-response+json, */*", RESPONSE_JSON),
        ("application/json, */*", JSON),
        ("application/json;q=0, */*", RESPONSE_JSON),
        ("application/json;q=0, application/*;q=0.1", RESPONSE_JSON),
        ("*/*;q=0.1, application/*;q=0", None),
        ("application/graphql-response+json; charset=utf-8", RESPONSE_JSON),
        ('application/json; charset="UTF-8"', JSON),
        ("application/json; charset=utf-16", None),
        ("application/json;q=0", None),
        ("application/json;q=0.000", None),
        ("text/html", None),
        ("text/html, image/png;q=0.5", None),
        (FIREFOX, JSON),
        ("application/json;q=nan", JSON),
        ("application/json;q=2", JSON),
        ("text/event-stream, application/graphql-response+json;q=0.2", RESPONSE_JSON),
    ],
)
def test_type_is_the_one_that_is_wanted_most(accept: str | None, expected: str | None) -> None:
    assert answer_type(accept) == expected


@given(st.text(alphabet=';,=/*q.01 "aé\t', max_size=400))
def test_no_header_is_too_odd(accept: str) -> None:
    assert answer_type(accept) in (JSON, RESPONSE_JSON, None)
    assert prefers_page(accept) in (True, False)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (FIREFOX, True),
        ("text/html", True),
        ("text/html, application/json;q=0.5", True),
        ("text/html, application/json", False),
        ("text/html;q=0, */*", False),
        ("*/*", False),
        (None, False),
    ],
)
def test_page_is_for_who_wants_one_more_than_data(accept: str | None, expected: bool) -> None:
    assert prefers_page(accept) is expected
