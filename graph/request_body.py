"""What a request to `/graphql` holds: read within bounds and checked, before anything is run.

The shape is that of a "well-formed GraphQL-over-HTTP request":
https://graphql.github.io/graphql-over-http/draft/#sec-Request
"""

import asyncio
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from jiter import from_json
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from domain.core.settings import MEBIBYTE
from graph.execution import Params
from graph.variable_limits import MOST_VALUES

MOST_BYTES = 10 * MEBIBYTE
MOST_SECONDS = 30.0
"""How long a body may take to arrive."""
_JSON = "application/json"
_UTF_8 = ("utf-8", "utf8")
_MOST_MARKS = 2 * MOST_VALUES + 100
_LONGEST_NUMBER = 18
_LONGEST_REASON = 200
_MOST_FIELDS = 50
_NAMES = frozenset({"query", "variables", "operationName", "extensions", "documentId"})
_SEND = 'Send a JSON object such as {"query": "{ viewer { name } }", "variables": {}}.'

T = TypeVar("T")


class HTTPRefused(Exception):
    """A request that holds nothing to run: the answer's status, code and headers."""

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


async def read_body(
    headers: Headers, receive: Receive, most_seconds: float = MOST_SECONDS
) -> bytes:
    """The body, of 10 MB and 30 s at most. Raises HTTPRefused; ClientDisconnect when cut off."""
    _check_type(headers)
    announced = headers.get("content-length", "0")
    if announced.isdecimal() and _exceeds(announced):
        raise _too_large()
    try:
        async with asyncio.timeout(most_seconds):
            return await _received(receive)
    except TimeoutError:
        message = f"The body did not arrive within {most_seconds:g} s. Send it again."
        raise HTTPRefused(408, "REQUEST_TIMEOUT", message, {"connection": "close"}) from None


def check_values(text: bytes) -> None:
    """Refuse JSON of more values than variables may hold, before any of them is made.

    Brackets and commas outside of strings are counted: each value brings one of each at most. A
    text that is no JSON is counted right as far as it would be read. Raises HTTPRefused.
    """
    if _marks(text) <= _MOST_MARKS:
        return
    bare = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    if bare.count(b'"') > 4 * _MOST_MARKS:  # a mark has two strings at most, as in {"a": "b"}
        raise _too_many()
    if _marks(b"".join(bare.split(b'"')[::2])) > _MOST_MARKS:
        raise _too_many()


def _marks(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def read_json(text: bytes, what: str = "The body") -> Any:
    """JSON as RFC 8259 has it and every peer reads it alike. Raises HTTPRefused.

    Refused are also what parsers differ on or stumble over: a name twice in one object, half of
    a surrogate pair, NaN, nesting beyond 200 levels and numbers beyond 4,300 digits.
    """
    try:
        return from_json(text, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="keys")
    except ValueError as error:
        reason = str(error)[:_LONGEST_REASON]
        raise _malformed(f"{what} is not valid JSON in UTF-8: {reason}. {_SEND}") from None


def params_of(entry: Any) -> Params:
    """One operation's parameters. Properties of other names are ignored, as the specification
    has it. Raises HTTPRefused."""
    if not isinstance(entry, dict):
        raise _malformed(f"A request is a JSON object, not {_kind(entry)}. {_SEND}")
    query = _optional(entry, "query", str)
    document_id = _optional(entry, "documentId", str)
    variables = _optional(entry, "variables", dict)
    operation_name = _optional(entry, "operationName", str)
    _optional(entry, "extensions", dict)
    if query is None and document_id is None:
        raise _malformed(
            "The request has neither `query`, the text of a GraphQL document, nor `documentId`, "
            f"the name of a trusted one. {_SEND}"
        )
    return Params(query, variables, operation_name, document_id)


def params_of_address(query_string: bytes) -> Params:
    """The parameters of a GET, from its address; empty ones count as absent. Raises HTTPRefused."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        message = (
            "The parameters in the address are not URL-encoded UTF-8. Encode them, or use POST."
        )
        raise _malformed(message) from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found and name in _NAMES:
            raise _malformed(f"The address has the parameter `{name}` more than once. Send one.")
        found[name] = value
    for name in ("variables", "extensions"):
        if name in found:
            found[name] = read_json(found[name].encode(), f"The parameter `{name}`")
    return params_of(found)


def _check_type(headers: Headers) -> None:
    content_type = headers.get("content-type")
    if content_type != _JSON:
        _check_unusual_type(content_type or "")
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", ""):
        message = (
            f"Bodies in the encoding {encoding[:40]!r} are not read. Send it without encoding."
        )
        raise HTTPRefused(415, "UNSUPPORTED_MEDIA_TYPE", message, {"accept-encoding": "identity"})


def _check_unusual_type(content_type: str) -> None:
    name, *parameters = (part.strip() for part in content_type.lower().split(";"))
    if name == "multipart/form-data":
        raise _malformed(
            "Files are not sent inside GraphQL, so there is no multipart request here. Ask for an "
            "address with the mutation `requestCVUpload` and PUT the file there."
        )
    charsets = [value.strip('"') for key, _, value in (p.partition("=") for p in parameters)
                if key.strip() == "charset"]  # fmt: skip
    if name != _JSON or any(charset not in _UTF_8 for charset in charsets):
        given = f"not {content_type[:80]!r}" if content_type else "and there was none"
        message = (
            f"Send the header `Content-Type: application/json`, with a body in UTF-8; {given}."
        )
        raise HTTPRefused(415, "UNSUPPORTED_MEDIA_TYPE", message, {"accept": _JSON})


async def _received(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size, is_more = 0, True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MOST_BYTES:
            raise _too_large()
        is_more = message.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _exceeds(announced: str) -> bool:
    return len(announced) > _LONGEST_NUMBER or int(announced) > MOST_BYTES


def _too_large() -> HTTPRefused:
    message = (
        f"The body is larger than {MOST_BYTES // MEBIBYTE} MB. Send less in one request; files go "
        "to the address that the mutation `requestCVUpload` gives."
    )
    return HTTPRefused(413, "PAYLOAD_TOO_LARGE", message, {"connection": "close"})


def _too_many() -> HTTPRefused:
    message = (
        f"The body holds more than {MOST_VALUES:,} values, which is the most that is accepted. "
        "Split the request into several."
    )
    return HTTPRefused(400, "TOO_MANY_VALUES", message)


def _malformed(message: str) -> HTTPRefused:
    return HTTPRefused(400, "BAD_REQUEST", message)


def _optional(entry: dict[str, Any], name: str, kind: type[T]) -> T | None:
    """A parameter that may be absent or null, which are the same."""
    value = entry.get(name)
    if value is None or isinstance(value, kind):
        return value
    wanted = "a string" if kind is str else "an object"
    raise _malformed(f"`{name}` is {wanted} or null, not {_kind(value)}. {_SEND}")


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
    return "an object"
