"""The shape of a language model as this project uses one, and what can go wrong with it."""

from collections.abc import AsyncGenerator
from typing import Protocol, TypeVar

from pydantic import BaseModel

ItemT = TypeVar("ItemT", bound=BaseModel)


class LanguageModelError(Exception):
    """A model call failed. The message is for logs; nothing of it is shown to clients."""


class ModelUnavailable(LanguageModelError):
    """A passing fault (429, 529, another 5xx, no connection). Trying again may succeed."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds that the server asked to wait, where it did."""


class ModelRejected(LanguageModelError):
    """The server will not take this request or this key (400, 401, 403, 404, 413): final."""


class ModelRefused(LanguageModelError):
    """The model declined to answer: final."""


class ModelTimeout(LanguageModelError):
    """The call ran past its time limit."""


class ModelAnswerUnreadable(LanguageModelError):
    """The answer is cut, malformed or of another shape than asked for."""

    def __init__(self, message: str, answer: str) -> None:
        super().__init__(message)
        self.answer = answer
        """The whole answer, for the debug log only."""


class LanguageModel(Protocol):
    """Answers in the shape of a pydantic model. Raises `LanguageModelError`s and nothing else."""

    @property
    def name(self) -> str:
        """The model's id, as results name it."""

    async def answer(self, *, system: str, prompt: str, shape: type[ItemT]) -> ItemT:
        """One whole answer."""

    def stream_items(
        self, *, system: str, prompt: str, item: type[ItemT]
    ) -> AsyncGenerator[ItemT, None]:
        """A list of items, each as soon as the model has finished writing it.

        An item that does not fit `item` raises ModelAnswerUnreadable when the stream reaches it.
        """
