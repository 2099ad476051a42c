"""What is no message of graphql-transport-ws: it is answered with a close frame, always."""

import json
from typing import Any

import pytest

from tests.client import Client, raw_socket, receive, send, subscribe
from tests.graph.sockets import (
    BINARY,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    closing,
    frame,
    wire,
)

QUERY = "{ viewer { name } }"
LARGE = 64 * 1024


def subscription(payload: object = None, **other: Any) -> str:
    payload = {"query": QUERY} if payload is None else payload
    return json.dumps({"type": "subscribe", "id": "1", "payload": payload} | other)


def with_query(**other: object) -> str:
    return subscription({"query": QUERY, **other})


MALFORMED = {
    "nothing": "",
    "blank": " ",
    "not JSON": "not JSON",
    "null": "null",
    "an array": "[]",
    "a number": "5",
    "text": '"ping"',
    "cut off": '{"type": "ping"',
    "followed by more": '{"type": "ping"} {}',
    "deep arrays": "[" * 50_000,
    "deep objects": '{"a":' * 10_000,
    "deep variables": subscription()[:-1] + ', "v": ' + "[" * 5_000 + "]" * 5_000 + "}",
    "NaN": '{"type": "ping", "payload": {"a": NaN}}',
    "a number of 5,000 digits": '{"type": "ping", "payload": {"a": ' + "9" * 5_000 + "}}",
    "half a surrogate pair in the type": '{"type": "\\ud800"}',
    "half a surrogate pair in the id": '{"type": "complete", "id": "\\udc00"}',
    "half a surrogate pair in a variable": with_query(variables={"a": "\ud83d"}),
    "a key twice": '{"type": "ping", "type": "pong"}',
    "empty": "{}",
    "without a type": '{"id": "1"}',
    "a type that is null": '{"type": null}',
    "a type that is a number": '{"type": 5}',
    "a type that is an object": '{"type": {}}',
    "a type that is empty": '{"type": ""}',
    "an unknown type": '{"type": "dance"}',
    "a type of the older protocol": '{"type": "start", "id": "1"}',
    "a type that servers send": '{"type": "next", "id": "1", "payload": {}}',
    "an ack": '{"type": "connection_ack"}',
    "an init with text": '{"type": "connection_init", "payload": "Bearer"}',
    "a ping with an array": '{"type": "ping", "payload": []}',
    "a ping with a number": '{"type": "ping", "payload": 0}',
    "a pong with text": '{"type": "pong", "payload": "x"}',
    "a complete without an id": '{"type": "complete"}',
    "a complete of a number": '{"type": "complete", "id": 1}',
    "a subscribe without an id": json.dumps({"type": "subscribe", "payload": {"query": QUERY}}),
    "an id that is null": subscription(id=None),
    "an id that is a number": subscription(id=1),
    "an id that is an array": subscription(id=["1"]),
    "an id that is empty": subscription(id=""),
    "an id that is blank": subscription(id=" \t"),
    "an id too long": subscription(id="x" * 129),
    "without a payload": '{"type": "subscribe", "id": "1"}',
    "a payload that is null": '{"type": "subscribe", "id": "1", "payload": null}',
    "a payload that is text": subscription(QUERY),
    "a payload that is an array": subscription([QUERY]),
    "a payload without a query": subscription({}),
    "a query that is null": subscription({"query": None}),
    "a query that is a number": subscription({"query": 5}),
    "a query that is an object": subscription({"query": {}}),
    "variables that are text": with_query(variables="{}"),
    "variables that are an array": with_query(variables=[]),
    "an operationName that is a number": with_query(operationName=1),
    "a documentId that is a number": with_query(documentId=1),
    "extensions that are text": with_query(extensions="x"),
    "extensions that are an array": with_query(extensions=[]),
}  # fmt: skip


@pytest.mark.parametrize("message", MALFORMED.values(), ids=MALFORMED)
async def test_malformed_message_closes_with_4400(client: Client, message: str) -> None:
    async with client.socket() as socket:
        await socket.send(message)
        assert await closing(socket) == (4400, [])
        assert socket.close_reason


@pytest.mark.parametrize("message", ["not JSON", "null", '{"type": 5}', '{"type": "subscribe"}'])
async def test_malformed_message_before_the_init_closes_with_4400(
    nobody: Client, message: str
) -> None:
    async with raw_socket(nobody.base_url) as socket:
        await socket.send(message)
        assert await closing(socket) == (4400, [])


async def test_binary_message_closes_with_4400(client: Client) -> None:
    async with client.socket() as socket:
        await socket.send(json.dumps({"type": "ping"}).encode())
        assert await closing(socket) == (4400, [])


async def test_payload_may_be_null_and_unknown_members_are_passed_over(client: Client) -> None:
    async with client.socket() as socket:
        await send(socket, type="ping", payload=None, more=[1])
        assert await receive(socket) == {"type": "pong"}
        await socket.send(with_query(variables=None, operationName=None, extensions={"a": 1}))
        assert (await receive(socket))["type"] == "next"


async def test_longest_reason_is_cut_between_characters(client: Client) -> None:
    """A close frame holds 123 bytes of it."""
    async with client.socket() as socket:
        for _ in range(2):
            await subscribe(socket, "א" * 128, 'subscription { cvStatus(id: "x") { cursor } }')
        code, _ = await closing(socket)

    assert code == 4409
    assert socket.close_reason is not None
    assert len(socket.close_reason.encode()) in (122, 123)


async def test_message_of_the_largest_size_is_read(client: Client) -> None:
    async with client.socket() as socket:
        message = '{"type": "ping", "payload": {"a": ""}}'
        await socket.send(message.replace('""', f'"{"x" * (LARGE - len(message))}"'))
        assert await receive(socket) == {"type": "pong"}


async def test_larger_message_closes_with_1009(client: Client) -> None:
    async with client.socket() as socket:
        await socket.send("x" * (LARGE + 1))
        assert (await closing(socket))[0] == 1009


async def test_message_of_20_mb_closes_with_1009_while_it_is_sent(client: Client) -> None:
    async with wire(client.base_url) as socket:
        await socket.initialise(client.headers)
        await socket.send(TEXT, b"x" * 20_000_000)
        assert await socket.closing() == 1009


async def test_fragments_add_up_to_one_message_and_one_bound(client: Client) -> None:
    async with wire(client.base_url) as socket:
        await socket.send(TEXT, b'{"type":', fin=False)
        await socket.send(CONTINUATION, b"", fin=False)
        await socket.send(PING, b"between")
        await socket.send(CONTINUATION, b'"ping"}')
        assert await socket.receive() == (PONG, b"between")
        assert await socket.receive() == (TEXT, b'{"type":"pong"}')
        await socket.send(TEXT, b"x" * 40_000, fin=False)
        await socket.send(CONTINUATION, b"x" * 40_000, fin=False)
        assert await socket.closing() == 1009


async def test_hundred_thousand_fragments_of_nothing_are_one_message(client: Client) -> None:
    async with wire(client.base_url) as socket:
        await socket.send(TEXT, b'{"type":"ping"', fin=False)
        for _ in range(100):
            socket.writer.write(frame(CONTINUATION, b"", fin=False) * 1_000)
            await socket.writer.drain()
        await socket.send(CONTINUATION, b"}")
        assert await socket.receive() == (TEXT, b'{"type":"pong"}')


@pytest.mark.parametrize("data", [b"\xff", b"{\xc3\x28}", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
async def test_bad_utf_8_closes_with_4400(client: Client, data: bytes) -> None:
    async with wire(client.base_url) as socket:
        await socket.send(TEXT, data)
        assert await socket.closing() == 4400


async def test_utf_8_is_judged_when_the_message_is_whole(client: Client) -> None:
    async with wire(client.base_url) as socket:
        message = '{"type":"ping","payload":{"a":"א"}}'.encode()
        cut = message.index("א".encode()) + 1
        await socket.send(TEXT, message[:cut], fin=False)
        await socket.send(CONTINUATION, message[cut:])
        assert await socket.receive() == (TEXT, b'{"type":"pong"}')


WRONG_FRAMES = {
    "an unknown opcode": frame(3, b""),
    "a reserved bit": frame(TEXT, b"{}", flags=0x40),
    "a continuation of nothing": frame(CONTINUATION, b"x"),
    "a message within a message": frame(TEXT, b"{", fin=False) + frame(BINARY, b"}"),
    "a ping in fragments": frame(PING, b"x", fin=False),
    "a ping too long": frame(PING, b"x" * 126),
    "no mask": b"\x81\x02{}",
    "a close frame of one byte": frame(8, b"\x03"),
    "a close frame with a reserved code": frame(8, b"\x03\xed"),
}


@pytest.mark.parametrize("data", WRONG_FRAMES.values(), ids=WRONG_FRAMES)
async def test_frame_against_rfc_6455_closes_with_1002(client: Client, data: bytes) -> None:
    async with wire(client.base_url) as socket:
        await socket.initialise(client.headers)
        socket.writer.write(data)
        assert await socket.closing() == 1002


async def test_client_that_floods_on_after_the_fault_is_told_of_it(client: Client) -> None:
    """With its data unread, a plain close would reset the connection and lose the close frame."""
    for data, code in ((b"\xff", 4400), (b"x" * (LARGE + 1), 1009), (b"null", 4400)):
        async with wire(client.base_url) as socket:
            socket.writer.write(frame(TEXT, data))
            socket.writer.write(frame(TEXT, b"x" * 60_000) * 200)
            assert await socket.closing() == code
