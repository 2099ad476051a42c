"""Sending hostile inputs, and judging what comes back."""

import asyncio
import json
import re
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.hostile.frames import Frame
from tests.hostile.target import Door

_PATIENCE = 20.0
_ABNORMAL = 1006
_DATA = re.compile(rb'"data": ?\{"[^"]*": ?(null|.)')


@dataclass(frozen=True)
class Outcome:
    """How the server took an input. `fault` says what it must not have done."""

    name: str
    fault: str | None = None
    gave_data: bool = False
    """Whether something was executed and gave more than null."""


async def over_http(door: Door, request: bytes) -> Outcome:
    """The answer's status. An input that the server cannot read as HTTP gets a status as well."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    answer = b""
    try:
        writer.write(request)
        async with asyncio.timeout(_PATIENCE):
            while more := await reader.read(1_000_000):
                answer += more
    except TimeoutError:
        return Outcome("no answer", f"no answer within {_PATIENCE:g} s")
    except ConnectionError:
        if not answer:
            return Outcome("reset", "the connection was reset before any answer")
    finally:
        writer.close()
    return _judged(answer)


def _judged(answer: bytes) -> Outcome:
    line = answer.partition(b"\r\n")[0].decode("latin-1")
    status = line.split(" ")[1] if line.startswith("HTTP/1.1 ") else ""
    if not status:
        return Outcome("dropped", f"the connection was dropped: {answer[:100]!r}")
    if status.startswith("5"):
        return Outcome(status, f"status {status}: {answer[-500:]!r}")
    if b"INTERNAL_SERVER_ERROR" in answer:
        return Outcome("bug", f"a masked bug: {answer[-500:]!r}")
    return Outcome(status, gave_data=_has_data(answer))


def _has_data(answer: bytes) -> bool:
    """Whether an answer has a value that is not null right under its `data`."""
    found = _DATA.search(answer)
    return found is not None and found[1] != b"null"


async def over_socket(door: Door, script: list[Frame]) -> Outcome:
    """The close code, or `open` when the socket still answers a ping after the script."""
    protocols = ["graphql-transport-ws"]
    try:
        async with connect(
            f"ws://{door.host}/graphql", host="127.0.0.1", port=door.port, max_size=None,
            subprotocols=protocols,  # type: ignore[arg-type]  # Subprotocol is a NewType of str
        ) as socket:  # fmt: skip
            return await _play(socket, script)
    except InvalidStatus as error:
        status = str(error.response.status_code)
        return Outcome(f"socket {status}", "refused with 5xx" if status[0] == "5" else None)


async def _play(socket: ClientConnection, script: list[Frame]) -> Outcome:
    try:
        async with asyncio.timeout(_PATIENCE):
            for frame in script:
                if isinstance(frame, tuple):
                    await socket.send(frame[0], text=True)
                else:
                    await socket.send(frame)
            await socket.send(json.dumps({"type": "ping", "payload": {"last": True}}))
            return await _last(socket)
    except (ConnectionClosed, AttributeError):
        # The second is websockets' own: it aborts a transport that asyncio has closed already.
        code = socket.close_code or _ABNORMAL
        fault = f"closed with {code}" if code in (_ABNORMAL, 1011, 4500) else None
        return Outcome(f"socket {code}", fault)
    except TimeoutError:
        return Outcome("socket silent", "neither a pong nor a close")


async def _last(socket: ClientConnection) -> Outcome:
    """Reads up to the pong of our last ping."""
    gave_data = False
    while True:
        message = await socket.recv()
        assert isinstance(message, str)
        gave_data = gave_data or _has_data(message.encode())
        if "INTERNAL_SERVER_ERROR" in message:
            return Outcome("socket bug", f"a masked bug: {message[:500]}")
        if json.loads(message)["type"] == "pong":
            return Outcome("socket open", gave_data=gave_data)
