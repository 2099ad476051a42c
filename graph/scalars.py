"""Scalars of the schema, each with the text that specifies it."""

import contextlib
from datetime import UTC, datetime
from typing import NewType
from uuid import UUID

import strawberry
from strawberry.types.scalar import ScalarDefinition

URL = NewType("URL", str)


def _instant(value: datetime) -> str:
    text = value.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


# graphql-core tells clients the messages of what these raise, so they raise nothing but our own.
def _read_instant(value: object) -> datetime:
    if isinstance(value, str):
        with contextlib.suppress(ValueError, OverflowError):  # the latter where the calendar ends
            instant = datetime.fromisoformat(value)
            if instant.tzinfo is not None:
                return instant.astimezone(UTC)
    raise ValueError("a DateTime is a string with an offset, such as 2026-11-20T09:30:00Z")


def _read_uuid(value: object) -> UUID:
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return UUID(value)
    raise ValueError("a UUID is a string such as 0b5f1c1e-6a0f-4c8e-9d8e-3f2a1b4c5d6e")


def _read_url(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a URL is a string")
    return value


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="RFC 3339 instant, always in UTC.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=_instant,
        parse_value=_read_instant,
    ),
    UUID: strawberry.scalar(
        name="UUID",
        description="RFC 9562 UUID.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc9562",
        serialize=str,
        parse_value=_read_uuid,
    ),
    URL: strawberry.scalar(
        name="URL",
        description="Absolute http or https URL.",
        specified_by_url="https://url.spec.whatwg.org/",
        serialize=str,
        parse_value=_read_url,
    ),
}
