"""Claude through the anthropic SDK."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import TypeVar

import httpx2
from anthropic import AsyncAnthropic, AsyncStream, transform_schema
from anthropic.types import OutputConfigParam, RawMessageStreamEvent, StopReason
from pydantic import BaseModel, ValidationError

from domain.clients.claude_errors import translated
from domain.clients.language_model import (
    ItemT,
    ModelAnswerUnreadable,
    ModelRefused,
    ModelUnavailable,
)
from domain.clients.streamed_items import StreamedItems, list_shape, unreadable

MAX_TOKENS_LIMIT = 21_333
"""The SDK refuses to wait for a longer answer that is not streamed."""
_CONNECT_SECONDS = 5.0

T = TypeVar("T")


class Claude:
    """`LanguageModel` over the Messages API.

    `timeout_seconds` bounds a whole call, from the request to the end of the answer, tries
    included. `max_tokens` bounds an answer. `max_retries` is how often the SDK itself tries again
    after a passing fault; it sleeps as long as the server asks, so 0 where the caller can wait
    without holding a worker. Raises ValueError when `max_tokens` is over `MAX_TOKENS_LIMIT`.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str | None,
        model: str,
        timeout_seconds: float,
        max_tokens: int,
        max_retries: int = 0,
    ) -> None:
        if not 0 < max_tokens <= MAX_TOKENS_LIMIT:
            raise ValueError(f"max_tokens must be 1 to {MAX_TOKENS_LIMIT}, got {max_tokens!r}")
        connect = min(_CONNECT_SECONDS, timeout_seconds)
        self._client = AsyncAnthropic(
            api_key=api_key,
            base_url=base_url,
            timeout=httpx2.Timeout(timeout_seconds, connect=connect),
            max_retries=max_retries,
        )
        self._model = model
        self._timeout_seconds = timeout_seconds
        self._max_tokens = max_tokens

    @property
    def name(self) -> str:
        return self._model

    async def aclose(self) -> None:
        """Close the connections. Calls still running fail with ModelUnavailable."""
        await self._client.close()

    async def answer(self, *, system: str, prompt: str, shape: type[ItemT]) -> ItemT:
        """One whole answer in the given shape."""
        whole = self._whole_text(system, prompt, shape)
        text, stop_reason = await _before(self._deadline(), whole, "")
        _check_stop(stop_reason, text)
        try:
            return shape.model_validate_json(text)
        except ValidationError as error:
            raise unreadable(error, text) from error

    async def stream_items(
        self, *, system: str, prompt: str, item: type[ItemT]
    ) -> AsyncGenerator[ItemT, None]:
        """Each item of a list as soon as its JSON is complete."""
        items = StreamedItems(item)
        async with aclosing(self._pieces(system, prompt, list_shape(item))) as pieces:
            async for piece in pieces:
                for complete in items.feed(piece):
                    yield complete
        items.finish()

    async def _whole_text(
        self, system: str, prompt: str, shape: type[BaseModel]
    ) -> tuple[str, StopReason | None]:
        # Not `messages.parse`: it loses the text of an answer that does not fit, and takes the
        # words of a refusal for a malformed answer.
        message = await self._client.messages.create(
            model=self._model,
            max_tokens=self._max_tokens,
            system=system,
            messages=[{"role": "user", "content": prompt}],
            output_config=_output(shape),
        )
        text = "".join(block.text for block in message.content if block.type == "text")
        return text, message.stop_reason

    async def _pieces(
        self, system: str, prompt: str, shape: type[BaseModel]
    ) -> AsyncGenerator[str, None]:
        """The text of an answer as it arrives; it ends only after a whole one."""
        deadline, text, stop_reason = self._deadline(), "", None
        stream = await _before(deadline, self._stream(system, prompt, shape), text)
        try:
            # The time limit is set anew round each step: one held across a `yield` would strike
            # the caller instead.
            while event := await _before(deadline, _next(stream), text):
                piece, stop = event
                stop_reason = stop or stop_reason
                if piece:
                    text += piece
                    yield piece
        finally:
            await stream.close()
        _check_stop(stop_reason, text)

    async def _stream(
        self, system: str, prompt: str, shape: type[BaseModel]
    ) -> AsyncStream[RawMessageStreamEvent]:
        return await self._client.messages.create(
            model=self._model,
            max_tokens=self._max_tokens,
            system=system,
            messages=[{"role": "user", "content": prompt}],
            output_config=_output(shape),
            stream=True,
        )

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._timeout_seconds


def _output(shape: type[BaseModel]) -> OutputConfigParam:
    return {"format": {"type": "json_schema", "schema": transform_schema(shape)}}


async def _before(deadline: float, call: Awaitable[T], answer: str) -> T:
    """One call of the SDK, ended at `deadline` (loop time), its errors made ours."""
    try:
        async with asyncio.timeout_at(deadline):
            return await call
    except Exception as error:
        # The SDK names no closed list of what it raises: a stream lets through HTTP, JSON and
        # attribute errors as they come.
        raise translated(error, answer) from error


async def _next(
    stream: AsyncStream[RawMessageStreamEvent],
) -> tuple[str, StopReason | None] | None:
    """The text and the stop reason that the next event carries; None at the message's end."""
    while (event := await anext(stream, None)) is not None:
        if event.type == "message_stop":
            return None
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            return event.delta.text, None
        if event.type == "message_delta":
            return "", event.delta.stop_reason
    raise ModelUnavailable("the stream ended before the message did")


def _check_stop(stop_reason: StopReason | None, answer: str) -> None:
    """Raise unless the model ended its answer by itself and said something."""
    if stop_reason == "refusal":
        raise ModelRefused("the model declined to answer")
    if stop_reason not in ("end_turn", "stop_sequence"):
        raise ModelAnswerUnreadable(f"the answer stopped for {stop_reason!r}", answer)
    if not answer.strip():
        raise ModelAnswerUnreadable("the answer is empty", answer)
