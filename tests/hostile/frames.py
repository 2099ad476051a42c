"""What a hostile client sends over a socket."""

import json
import random
from collections.abc import Callable
from typing import Any

from tests.hostile import values
from tests.hostile.operations import Operations

Frame = str | bytes | tuple[bytes]
"""Text, binary, or (in a tuple) bytes that are sent as text whether they are UTF-8 or not."""
TYPES = ["connection_init", "ping", "pong", "subscribe", "complete", "next", "error", "x", ""]


class Scripts:
    """Draws the frames of one socket, from its first on."""

    def __init__(self, authorization: str, operations: Operations, draw: random.Random) -> None:
        self._authorization = authorization
        self._operations = operations
        self._draw = draw

    def any(self) -> list[Frame]:
        """Mostly a good beginning, then operations that are messages at least, or anything."""
        begin: list[Frame] = []
        if self._draw.random() < 0.85:
            payload = {"Authorization": self._authorization} if self._draw.random() < 0.8 else {}
            begin = [json.dumps({"type": "connection_init", "payload": payload})]
        if begin and self._draw.random() < 0.5:
            return [*begin, *(self._subscribe(str(number)) for number in range(5))]
        return begin + [self._frame() for _ in range(self._draw.randrange(1, 5))]

    def _frame(self) -> Frame:
        makers: list[Callable[[], Frame]] = [
            lambda: self._subscribe(self._id()), self._odd_message, self._odd_payload,
            lambda: json.dumps(values.value(self._draw)),
            lambda: self._draw.randbytes(20),
            lambda: (self._draw.choice([b"\xff\xfe", b'"\xc3"', b"\xed\xa0\x80"]),),
            lambda: self._draw.choice(["", "{", "null", "[]", "1" * 5000, "[" * 60_000, "NaN"]),
            lambda: (values.torn(self._draw, json.dumps(self._message()).encode()),),
            lambda: "x" * self._draw.choice([65_536, 70_000, 200_000]),
        ]  # fmt: skip
        return self._draw.choice(makers)()

    def _subscribe(self, id: str) -> str:
        body = self._operations.any(("query", "mutation", "subscription"))
        return json.dumps({"id": id, "type": "subscribe", "payload": body})

    def _odd_message(self) -> str:
        message = self._message()
        for name in ("id", "type", "payload"):
            if self._draw.random() < 0.4:
                message[name] = values.value(self._draw)
        return json.dumps(message)

    def _odd_payload(self) -> str:
        payload = self._operations.any(("query", "subscription"))
        for name in ("query", "variables", "operationName", "extensions", "documentId"):
            if self._draw.random() < 0.4:
                payload[name] = values.value(self._draw)
        return json.dumps({"id": self._id(), "type": "subscribe", "payload": payload})

    def _message(self) -> dict[str, Any]:
        message: dict[str, Any] = {"type": self._draw.choice(TYPES)}
        if self._draw.random() < 0.7:
            message["id"] = self._id()
        if self._draw.random() < 0.5:
            message["payload"] = values.value(self._draw)
        return message

    def _id(self) -> str:
        return self._draw.choice(["1", "2", "3", "x" * 200])
