"""Bodies of requests: what is no request, what is too large, what comes from a form elsewhere."""

import asyncio
import json
from collections.abc import AsyncIterator
from random import randrange

import httpx2
import pytest

from domain.core.deps import Deps
from graph.execution import NEW_TEXT_COST
from graph.http import BYTES_PER_POINT
from tests.client import Client
from tests.graph.endpoint import (
    JSON,
    RENAME,
    RESPONSE_JSON,
    VIEWER,
    Endpoint,
    code_of,
    endpoint_with,
)


@pytest.fixture
def endpoint(client: Client) -> Endpoint:
    return Endpoint(client)


BODIES = {
    "empty": b"",
    "null": b"null",
    "number": b"5",
    "string": b'"{ viewer { name } }"',
    "cut off": b'{"query": "{ viewer',
    "no UTF-8": b'{"query": "\xff"}',
    "UTF-16": '{"query": "{ viewer { name } }"}'.encode("utf-16"),
    "half a surrogate pair": b'{"query": "{ a }", "variables": {"a": "\\ud800"}}',
    "deep array": b"[" * 20_000,
    "deep object": b'{"a":' * 20_000,
    "deep variables": b'{"query": "{ a }", "variables": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
    "5,000 digits": b'{"query": "{ a }", "variables": {"a": ' + b"9" * 5_000 + b"}}",
    "NaN": b'{"query": "{ a }", "variables": {"a": NaN}}',
    "Infinity": b'{"query": "{ a }", "variables": {"a": Infinity}}',
    "name twice": b'{"query": "{ a }", "query": "{ b }"}',
    "no query": b'{"variables": {}}',
    "query of a wrong kind": b'{"query": {"a": 1}}',
    "variables of a wrong kind": b'{"query": "{ a }", "variables": [1]}',
    "operationName of a wrong kind": b'{"query": "{ a }", "operationName": {}}',
    "extensions of a wrong kind": b'{"query": "{ a }", "extensions": 1}',
    "documentId of a wrong kind": b'{"documentId": [1]}',
}


@pytest.mark.parametrize("accept", [RESPONSE_JSON, JSON])
@pytest.mark.parametrize("content", BODIES.values(), ids=BODIES)
async def test_body_that_is_no_request_is_400_whatever_the_type(
    endpoint: Endpoint, content: bytes, accept: str
) -> None:
    response = await endpoint.send("POST", content, accept=accept)

    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"


async def test_values_that_nothing_could_store_are_the_clients_mistake(endpoint: Endpoint) -> None:
    """Numbers beyond 64 bits, and beyond what Python prints, in each place a value can stand."""
    query = "query ($n: Int, $id: ID!) { jobs(first: $n) { nodes { id } } node(id: $id) { id } }"
    for number in ("9" * 30, "9" * 4_200, "-" + "9" * 30, "1e999", "0.1"):
        body = f'{{"query": "{query}", "variables": {{"n": {number}, "id": {number}}}}}'
        response = await endpoint.send("POST", body.encode(), accept=RESPONSE_JSON)
        assert response.status_code == 400, number
        assert "INTERNAL_SERVER_ERROR" not in response.text


@pytest.mark.parametrize(
    ("headers", "status", "says"),
    [
        ({"content_type": "text/plain"}, 415, "application/json"),
        ({"content_type": "application/x-www-form-urlencoded"}, 415, "application/json"),
        ({"content_type": "application/json; charset=utf-16"}, 415, "UTF-8"),
        ({"content_type": "application/graphql"}, 415, "application/json"),
        ({"content_encoding": "gzip"}, 415, "gzip"),
        ({"content_type": "multipart/form-data; boundary=x"}, 400, "requestCVUpload"),
    ],
)
async def test_body_of_another_type_runs_nothing(
    endpoint: Endpoint, headers: dict[str, str], status: int, says: str
) -> None:
    """Forms of other sites come as the first two and the last: browsers send those unasked."""
    body = json.dumps({"query": RENAME, "variables": {"name": "Ran"}}).encode()
    response = await endpoint.send("POST", body, **headers)

    assert response.status_code == status
    assert code_of(response) in ("UNSUPPORTED_MEDIA_TYPE", "BAD_REQUEST")
    assert says in response.text
    assert await endpoint.name() == "Somebody"


async def test_bad_multipart_map_is_400(endpoint: Endpoint) -> None:
    part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    body = part.format("operations", "[]") + part.format("map", "7") + "--x--\r\n"
    response = await endpoint.send(
        "POST", body.encode(), content_type="multipart/form-data; boundary=x"
    )

    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


async def test_body_over_10_mb_is_413_announced_or_not(endpoint: Endpoint) -> None:
    size = 10 * 1024 * 1024 + 1

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(size // 65_536 + 1):
            yield b" " * 65_536

    headers = {"content-type": JSON, "accept": RESPONSE_JSON}
    async with httpx2.AsyncClient(headers=headers) as http:
        address = f"{endpoint.client.base_url}/graphql"
        for content in (b" " * size, chunks()):
            response = await http.post(address, content=content)
            assert (response.status_code, code_of(response)) == (413, "PAYLOAD_TOO_LARGE")
            assert response.headers["content-type"].startswith(RESPONSE_JSON)


async def test_chunked_body_without_end_is_cut_at_the_bound(endpoint: Endpoint) -> None:
    """The client never finishes; the answer does not wait for it."""
    host, _, port = endpoint.client.base_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    for _ in range(11):
        writer.write(chunk)
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.close()


async def test_body_of_10_mb_is_read(endpoint: Endpoint) -> None:
    padding = " " * (10 * 1024 * 1024 - 100)
    content = json.dumps({"query": VIEWER}).encode() + padding.encode()

    assert (await endpoint.send("POST", content)).status_code == 200


COMMAS = "Python, SQL, and [much] {more}, " * 30_000


async def test_text_with_many_commas_is_one_value(endpoint: Endpoint) -> None:
    query = "query ($text: ID!) { node(id: $text) { id } }"
    response = await endpoint.post({"query": query, "variables": {"text": COMMAS + '"\\'}})

    assert response.json() == {"data": {"node": None}}


@pytest.mark.parametrize("accept", [RESPONSE_JSON, JSON])
@pytest.mark.parametrize("unit", ["[]", "{}", "1", '""', '"\\\\\\""', "[[[1]]]"])
async def test_many_values_are_refused_before_they_are_made(
    endpoint: Endpoint, unit: str, accept: str
) -> None:
    values = f"[{','.join([unit] * (9_000_000 // (len(unit) + 1)))}]"
    body = f'{{"query": "{{ __typename }}", "variables": {{"a": {values}}}}}'
    for content in (body, f"[{body}]"):
        response = await endpoint.send("POST", content.encode(), accept=accept)
        assert (response.status_code, code_of(response)) == (400, "TOO_MANY_VALUES")


async def test_large_body_is_charged_to_its_address(deps: Deps, client: Client) -> None:
    size = 3 * 1024 * 1024
    small = json.dumps({"query": "{ __typename }"}).encode()
    budget = NEW_TEXT_COST + size // BYTES_PER_POINT + 20
    somewhere = f"127.{randrange(1, 250)}.{randrange(250)}.{randrange(1, 250)}"
    transport = httpx2.AsyncHTTPTransport(local_address=somewhere)
    async with (
        endpoint_with(deps, client, address_cost_per_minute=budget) as endpoint,
        httpx2.AsyncClient(transport=transport, headers={"content-type": JSON}) as http,
    ):
        address = f"{endpoint.client.base_url}/graphql"
        for content in (small, small.ljust(size)):
            assert (await http.post(address, content=content)).status_code == 200
        response = await http.post(address, content=b"[" * size)  # nothing of it is read
        assert (response.status_code, code_of(response)) == (429, "RATE_LIMIT_EXCEEDED")
        assert int(response.headers["retry-after"]) >= 1
        assert (await http.post(address, content=small)).status_code == 200
