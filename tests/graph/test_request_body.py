"""What counts as a request: bodies, parameters and their bounds, without a server."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from graph.request_body import (
    MOST_BYTES,
    HTTPRefused,
    params_of,
    params_of_address,
    read_body,
    read_json,
)

TYPED = {"content-type": "application/json"}
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


def arriving(*messages: Message) -> Receive:
    left: Iterator[Message] = iter(messages)

    async def receive() -> Message:
        return next(left)

    return receive


def chunk(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_body_comes_whole_however_it_is_cut() -> None:
    whole = await read_body(Headers(TYPED), arriving(chunk(b'{"a": 1}')))
    cut = arriving(chunk(b'{"a"', more=True), chunk(b"", more=True), chunk(b": 1}"))

    assert whole == await read_body(Headers(TYPED), cut) == b'{"a": 1}'


async def test_body_of_the_largest_size_is_taken_and_one_byte_more_is_not() -> None:
    half = b" " * (MOST_BYTES // 2)
    fits = arriving(chunk(half, more=True), chunk(half))
    over = arriving(chunk(half, more=True), chunk(half, more=True), chunk(b" ", more=True))

    assert len(await read_body(Headers(TYPED), fits)) == MOST_BYTES
    with pytest.raises(HTTPRefused) as refused:
        await read_body(Headers(TYPED), over)
    assert (refused.value.status, refused.value.code) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("length", [str(MOST_BYTES + 1), "9" * 5_000])
async def test_body_announced_too_large_is_refused_before_it_is_read(length: str) -> None:
    with pytest.raises(HTTPRefused) as refused:
        await read_body(Headers({**TYPED, "content-length": length}), arriving())
    assert refused.value.status == 413


async def test_body_that_stalls_is_given_up() -> None:
    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("nothing arrives")

    with pytest.raises(HTTPRefused) as refused:
        await read_body(Headers(TYPED), receive, most_seconds=0.05)
    assert (refused.value.status, refused.value.code) == (408, "REQUEST_TIMEOUT")


async def test_client_that_leaves_is_no_request() -> None:
    leaving = arriving(chunk(b"{", more=True), {"type": "http.disconnect"})
    with pytest.raises(ClientDisconnect):
        await read_body(Headers(TYPED), leaving)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", 'Application/JSON;Charset="UTF-8"',
     "application/json; charset=utf8", "application/json; profile=x", "application/json;;;"],
)  # fmt: skip
async def test_json_in_utf_8_is_taken_however_it_is_named(content_type: str) -> None:
    headers = Headers({"content-type": content_type})
    assert await read_body(headers, arriving(chunk(b"{}"))) == b"{}"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 415),
        ({"content-type": ""}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "application/graphql"}, 415),
        ({"content-type": "application/json; charset=utf-16"}, 415),
        ({"content-type": "application/jsonx"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 400),
        ({**TYPED, "content-encoding": "gzip"}, 415),
        ({**TYPED, "content-encoding": "identity, br"}, 415),
    ],
)
async def test_other_bodies_are_refused_unread(headers: dict[str, str], status: int) -> None:
    with pytest.raises(HTTPRefused) as refused:
        await read_body(Headers(headers), arriving())
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "EOF"),
        (b"{", "EOF"),
        (b"[" * 100_000, "recursion limit"),
        (b'{"a":' * 100_000, "recursion limit"),
        (b"\xff\xfe{}", "expected value"),
        (b'"\xed\xa0\xbd"', "unicode"),
        (b'"\\ud800"', "escape"),
        (b"9" * 5_000, "out of range"),
        (b"NaN", "expected value"),
        (b"[Infinity]", "expected value"),
        (b"[-Infinity]", "invalid number"),
        (b'{"query": "a", "query": "b"}', 'duplicate key "query"'),
        (b"{} {}", "trailing"),
        (b"\xef\xbb\xbf{}", "expected value"),
        (b"{'a': 1}", "key must be a string"),
    ],
    ids=range(15),
)
def test_what_is_not_plain_json_is_told_why(text: bytes, says: str) -> None:
    with pytest.raises(HTTPRefused) as refused:
        read_json(text)
    assert refused.value.status == 400
    assert says in str(refused.value)
    assert len(str(refused.value)) < 500


@given(st.binary(max_size=60))
def test_bytes_are_json_as_python_has_it_or_are_refused(text: bytes) -> None:
    try:
        value = read_json(text)
    except HTTPRefused:
        return
    assert json.loads(text) == value


@given(JSON_VALUES)
def test_json_comes_back_as_it_was_sent(value: Any) -> None:
    assert read_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (None, "not null"),
        (5, "not a number"),
        (True, "not a boolean"),
        ("{ viewer { name } }", "not a string"),
        ([], "not an array"),
        ({}, "neither `query`"),
        ({"qeury": "{ a }"}, "neither `query`"),
        ({"query": None, "documentId": None}, "neither `query`"),
        ({"query": 5}, "`query` is a string"),
        ({"query": ["{ a }"]}, "`query` is a string"),
        ({"query": "{ a }", "variables": []}, "`variables` is an object"),
        ({"query": "{ a }", "variables": "{}"}, "`variables` is an object"),
        ({"query": "{ a }", "operationName": 0}, "`operationName` is a string"),
        ({"query": "{ a }", "operationName": False}, "`operationName` is a string"),
        ({"query": "{ a }", "extensions": "x"}, "`extensions` is an object"),
        ({"documentId": 7}, "`documentId` is a string"),
    ],
)
def test_parameters_of_a_wrong_kind_are_named(entry: Any, says: str) -> None:
    with pytest.raises(HTTPRefused) as refused:
        params_of(entry)
    assert refused.value.status == 400
    assert says in str(refused.value)


def test_null_is_as_good_as_absent_and_other_properties_are_ignored() -> None:
    nulls = {"variables": None, "operationName": None, "extensions": None, "documentId": None}
    entry: dict[str, Any] = {"query": "{ a }", "id": 7, "": [], **nulls}

    assert params_of(entry) == params_of({"query": "{ a }"})


def test_address_holds_the_same_parameters() -> None:
    params = params_of_address(b"query=%7B+a+%7D&variables=%7B%22n%22%3A1%7D&operationName=Q&x=1")

    assert (params.query, params.variables) == ("{ a }", {"n": 1})
    assert (params.operation_name, params.document_id) == ("Q", None)


def test_empty_parameter_of_an_address_is_as_good_as_absent() -> None:
    given_empty = b"query=%7Ba%7D&variables=&operationName=&extensions=&documentId="
    assert params_of_address(given_empty) == params_of_address(b"query=%7Ba%7D")


@pytest.mark.parametrize(
    "query_string",
    [
        b"",
        b"query=",
        b"query=%ff",
        b"query=\xff",
        b"query=a&query=b",
        b"query=a&variables=5",
        b"query=a&variables=%7B",
        b"query=a&extensions=[]",
        b"query=a" + b"&a=1" * 60,
    ],
)
def test_address_that_is_no_request_is_refused(query_string: bytes) -> None:
    with pytest.raises(HTTPRefused) as refused:
        params_of_address(query_string)
    assert refused.value.status == 400
