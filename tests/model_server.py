"""A scripted model server: the Messages API over real HTTP, with every way it can go wrong.

In a test, with the steps of tests/model_script.py:

    async with running_model_server() as server:
        server.script(rate_limited("2"), items_reply([{"question": ...}]))

Each request takes the next step of the script; when none is left, it gets a sensible fixed answer.
As a process, for a manual try or a chaos program: `python -m tests.model_server --port 8099`.
"""

import argparse
import asyncio
import json
import socket
import sys
from collections import deque
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.model_script import (
    Answers,
    Ending,
    Fault,
    Hang,
    Raw,
    Reply,
    Step,
    faulty_answers,
    sensible_answers,
)

_PIECE_CHARACTERS = 12
_USAGE = {"input_tokens": 100, "output_tokens": 50}


@dataclass(frozen=True)
class RecordedRequest:
    headers: dict[str, str]
    body: dict[str, Any]


class _ConnectionCut(Exception):
    """Makes the HTTP server drop the connection in the middle of a response."""


class ModelServer:
    """The server's behaviour. `base_url` is set while it runs."""

    def __init__(self, default: Answers | None = None) -> None:
        self.base_url = ""
        self.requests: list[RecordedRequest] = []
        self.app = Starlette(routes=[Route("/v1/messages", self._messages, methods=["POST"])])
        self._steps: deque[Step] = deque()
        self._default = default or sensible_answers()
        self._closing = asyncio.Event()

    def script(self, *steps: Step) -> None:
        """Answer the next requests with these steps, one each."""
        self._steps.extend(steps)

    def close(self) -> None:
        """Let go of every request that hangs or waits at a gate."""
        self._closing.set()

    async def _messages(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(RecordedRequest(dict(request.headers), body))
        step = _objection(request, body) or (
            self._steps.popleft() if self._steps else self._default(body)
        )
        if isinstance(step, Hang):
            await self._closing.wait()
            return Response(status_code=503)
        if isinstance(step, Fault):
            return _error_response(step)
        if isinstance(step, Raw):
            return Response(step.body, media_type=step.content_type)
        headers = {"request-id": f"req_{len(self.requests)}"}
        if body.get("stream"):
            events = self._events(step, body["model"])
            return StreamingResponse(events, media_type="text/event-stream", headers=headers)
        return await self._whole(step, body["model"], headers)

    async def _whole(self, reply: Reply, model: str, headers: dict[str, str]) -> Response:
        message = _message(model, "".join(reply.parts), reply.stop_reason)
        if reply.ending is Ending.CONNECTION_CUT:
            text = json.dumps(message)
            half = _cut_after([text[: len(text) // 2]])
            return StreamingResponse(half, media_type="application/json", headers=headers)
        if reply.ending is Ending.HANG:
            await self._closing.wait()
        return JSONResponse(message, headers=headers)

    async def _events(self, reply: Reply, model: str) -> AsyncIterator[str]:
        start = _message(model, None, None)
        yield _event("message_start", message=start)
        block = {"type": "text", "text": ""}
        yield _event("content_block_start", index=0, content_block=block)
        yield _event("ping")
        for number, part in enumerate(reply.parts):
            await self._wait_for_turn(reply, number)
            for begin in range(0, len(part), _PIECE_CHARACTERS):
                piece = {"type": "text_delta", "text": part[begin : begin + _PIECE_CHARACTERS]}
                yield _event("content_block_delta", index=0, delta=piece)
        match reply.ending:
            case Ending.CONNECTION_CUT:
                raise _ConnectionCut
            case Ending.ERROR_EVENT:
                yield _event("error", error={"type": reply.error_type, "message": "scripted"})
            case Ending.HANG:
                await self._closing.wait()
            case Ending.WHOLE:
                delta = {"stop_reason": reply.stop_reason, "stop_sequence": None}
                yield _event("content_block_stop", index=0)
                yield _event("message_delta", delta=delta, usage=_USAGE)
                yield _event("message_stop")

    async def _wait_for_turn(self, reply: Reply, number: int) -> None:
        if number and reply.seconds_between:
            await asyncio.sleep(reply.seconds_between)
        if number < len(reply.gates):
            opened = asyncio.ensure_future(reply.gates[number].wait())
            closed = asyncio.ensure_future(self._closing.wait())
            await asyncio.wait({opened, closed}, return_when=asyncio.FIRST_COMPLETED)
            opened.cancel()
            closed.cancel()


async def _cut_after(texts: Sequence[str]) -> AsyncIterator[str]:
    for text in texts:
        yield text
    raise _ConnectionCut


def _objection(request: Request, body: dict[str, Any]) -> Fault | None:
    """What the real API would say to a request that is not one."""
    if not (request.headers.get("authorization") or request.headers.get("x-api-key")):
        return Fault(401, "authentication_error")
    needed = ("model", "max_tokens", "messages")
    if "anthropic-version" not in request.headers or any(name not in body for name in needed):
        return Fault(400, "invalid_request_error")
    return None


def _error_response(fault: Fault) -> Response:
    error = {"type": fault.type, "message": "scripted"}
    headers = {"request-id": "req_fault", **fault.headers}
    body = {"type": "error", "error": error, "request_id": "req_fault"}
    return JSONResponse(body, status_code=fault.status, headers=headers)


def _message(model: str, text: str | None, stop_reason: str | None) -> dict[str, Any]:
    return {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [] if text is None else [{"type": "text", "text": text}],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": _USAGE,
    }


def _event(kind: str, **values: object) -> str:
    data = json.dumps({"type": kind, **values}, ensure_ascii=False)
    return f"event: {kind}\ndata: {data}\n\n"


class _QuietServer(uvicorn.Server):
    """uvicorn without signal handlers, as the tests' Ctrl-C stays theirs, and without its clock."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.has_started = asyncio.Event()
        self.is_to_stop = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.has_started.set()

    async def main_loop(self) -> None:
        await self.is_to_stop.wait()


@asynccontextmanager
async def running_model_server() -> AsyncIterator[ModelServer]:
    """A model server on a free loopback port, in the running event loop."""
    model_server = ModelServer()
    # asyncio turns Nagle's delay (40 ms an answer) off only where the protocol is named.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    model_server.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        model_server.app, lifespan="off", log_config=None, log_level="critical",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = _QuietServer(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.has_started.wait()
        yield model_server
    finally:
        model_server.close()
        server.is_to_stop.set()
        await serving


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.model_server", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pace", type=float, default=0.2, help="seconds before each next item")
    parser.add_argument("--faults", type=int, metavar="SEED", help="fail half of the requests")
    options = parser.parse_args()
    if options.faults is None:
        default = sensible_answers(options.pace)
    else:
        default = faulty_answers(options.pace, options.faults)
    sys.stdout.write(f"http://127.0.0.1:{options.port}\n")
    sys.stdout.flush()
    uvicorn.run(
        ModelServer(default).app, host="127.0.0.1", port=options.port, log_level="critical",
        timeout_graceful_shutdown=1,
    )  # fmt: skip


if __name__ == "__main__":
    main()
