"""Reading a list of items out of JSON while it is being written."""

import re
from types import GenericAlias
from typing import Any, Generic

from pydantic import BaseModel, ValidationError, create_model

from domain.clients.language_model import ItemT, ModelAnswerUnreadable

_LIST_OPENING = re.compile(r'\s*\{\s*"items"\s*:\s*\[')
_ITEM_DEPTH = 3  # inside the object and its list


def list_shape(item: type[BaseModel]) -> type[BaseModel]:
    """The shape `{"items": [item, …]}`: structured output has an object at its root."""
    fields: dict[str, Any] = {"items": (GenericAlias(list, (item,)), ...)}
    return create_model(f"{item.__name__}List", **fields)


class StreamedItems(Generic[ItemT]):
    """Takes the text of a `list_shape` answer in pieces and gives its items as they close.

    Every character is looked at once, and the whole answer is checked once more at the end.
    """

    def __init__(self, item: type[ItemT]) -> None:
        self._item = item
        self._whole = list_shape(item)
        self._begun = 0
        self._depth = 0
        self._in_string = False
        self._is_escaped = False
        self.text = ""

    def feed(self, piece: str) -> list[ItemT]:
        """The items that `piece` completes. Raises ModelAnswerUnreadable."""
        offset = len(self.text)
        self.text += piece
        complete: list[ItemT] = []
        for position, char in enumerate(piece, offset):
            if self._in_string:
                self._step_in_string(char)
            elif char == '"':
                self._in_string = True
            elif char in "[{":
                self._open(position)
            elif char in "]}":
                complete.extend(self._close(position))
        return complete

    def finish(self) -> None:
        """Raises ModelAnswerUnreadable unless the text is one whole list of items."""
        try:
            self._whole.model_validate_json(self.text)
        except ValidationError as error:
            raise unreadable(error, self.text) from error

    def _step_in_string(self, char: str) -> None:
        if self._is_escaped:
            self._is_escaped = False
        elif char == "\\":
            self._is_escaped = True
        elif char == '"':
            self._in_string = False

    def _open(self, position: int) -> None:
        self._depth += 1
        if self._depth == _ITEM_DEPTH:
            self._begun = position
        is_list = self._depth == _ITEM_DEPTH - 1
        if is_list and not _LIST_OPENING.fullmatch(self.text, 0, position + 1):
            raise ModelAnswerUnreadable("the answer is not a list of items", self.text)

    def _close(self, position: int) -> list[ItemT]:
        self._depth -= 1
        if self._depth != _ITEM_DEPTH - 1:
            return []
        try:
            return [self._item.model_validate_json(self.text[self._begun : position + 1])]
        except ValidationError as error:
            raise unreadable(error, self.text) from error


def unreadable(error: ValidationError, answer: str) -> ModelAnswerUnreadable:
    """The error for an answer that is no JSON or of another shape; its message quotes nothing."""
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    places = [
        f"{'.'.join(map(str, fault['loc'])) or 'answer'}: {fault['type']}" for fault in faults
    ]
    return ModelAnswerUnreadable("; ".join(places[:5]), answer)
