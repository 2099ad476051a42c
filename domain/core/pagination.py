"""Pages by keyset: a cursor names the last row seen, so inserts do not shift what follows."""

import base64
import json
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from beanie import Document

from domain.core.errors import InputRule, InvalidInput

T = TypeVar("T")
DocumentT = TypeVar("DocumentT", bound=Document)
Key = tuple[Any, ...]
Direction = int
"""1 for ascending, -1 for descending, as in MongoDB."""
CURSOR_MAX = 512
"""Characters; ours have some 150."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Relay's four arguments, checked: `size` rows after or before a key."""

    size: int
    is_backward: bool = False
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows in the list's order, with the key of each."""

    rows: list[T]
    keys: list[Key]
    has_next: bool
    has_previous: bool
    count: Callable[[], Awaitable[int]]
    """Counts the whole list; called only when somebody asks."""


def page_request(
    first: int | None, after: str | None, last: int | None, before: str | None,
    *, default: int, most: int,
) -> PageRequest:  # fmt: skip
    """Raises InvalidInput for a size outside 0..most, or for `first` together with `last`."""
    if first is not None and last is not None:
        raise InvalidInput(InputRule.FIRST_AND_LAST, ["last"])
    field, size = ("last", last) if last is not None else ("first", first)
    size = default if size is None else size
    if not 0 <= size <= most:
        raise InvalidInput(InputRule.BAD_PAGE_SIZE, [field], limit=most)
    return PageRequest(size, is_backward=last is not None, after=after, before=before)


def encode_cursor(order: str, key: Key) -> str:
    """An opaque cursor for a key of the list ordered by `order`."""
    text = json.dumps([order, *map(_plain, key)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, order: str, types: Sequence[type], field: str) -> Key:
    """The key in a cursor of this order; `types` are those of its parts.

    Raises InvalidInput for anything that `encode_cursor` did not make for this order.
    """
    try:
        if len(cursor) > CURSOR_MAX:
            raise ValueError("longer than any cursor")
        padded = cursor + "=" * (-len(cursor) % 4)
        name, *parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if name != order or len(parts) != len(types):
            raise ValueError("a cursor of another list")
        key = tuple(_typed(part, kind) for part, kind in zip(parts, types, strict=True))
        if encode_cursor(order, key) != cursor:
            raise ValueError("another spelling of a cursor")
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidInput(InputRule.BAD_CURSOR, [field]) from error
    return key


def keyset_filter(fields: Sequence[tuple[str, Direction]], key: Key, *, after: bool) -> Any:
    """The MongoDB filter for rows that come after (or before) `key` in the given sort."""
    alternatives = []
    for index, (name, direction) in enumerate(fields):
        operator = "$gt" if (direction == 1) == after else "$lt"
        equal = {fields[i][0]: key[i] for i in range(index)}
        alternatives.append({**equal, name: {operator: key[index]}})
    return {"$or": alternatives}


def page_of(
    rows: list[T],
    request: PageRequest,
    key: Callable[[T], Key],
    count: Callable[[], Awaitable[int]],
) -> Page[T]:
    """The page in `size + 1` fetched rows, fetched in reverse when the request is backward."""
    has_more, rows = len(rows) > request.size, rows[: request.size]
    if request.is_backward:
        rows.reverse()
        has_next, has_previous = request.before is not None, has_more
    else:
        has_next, has_previous = has_more, request.after is not None
    return Page(rows, [key(row) for row in rows], has_next, has_previous, count)


async def newest_first(
    document: type[DocumentT],
    query: dict[str, Any],
    order: str,
    request: PageRequest,
    without: Sequence[str] = (),
) -> Page[DocumentT]:
    """A page of the documents that match, by descending id: ids grow with time.

    The fields named in `without` are not fetched; they have their defaults then.

    Raises InvalidInput for a cursor of another order.
    """
    bounds = [query]
    for field, cursor in (("after", request.after), ("before", request.before)):
        if cursor is not None:
            key = decode_cursor(cursor, order, [UUID], field)
            bounds.append(keyset_filter([("_id", -1)], key, after=field == "after"))
    found = (
        document.get_pymongo_collection()
        .find({"$and": bounds}, dict.fromkeys(without, 0) or None)
        .sort("_id", 1 if request.is_backward else -1)
        .limit(request.size + 1)
    )
    rows = [document.model_validate(row) async for row in found]
    return page_of(rows, request, lambda row: (row.id,), lambda: document.find(query).count())


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.hex
    return value.isoformat() if isinstance(value, datetime) else float(value)


def _typed(value: Any, kind: type) -> Any:
    if kind is float and isinstance(value, float) and math.isfinite(value):
        return value
    if kind is UUID and isinstance(value, str):
        return UUID(hex=value)
    if kind is datetime and isinstance(value, str):
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)  # overflows at either end of time
    raise TypeError(f"{value!r} is no {kind.__name__}")
