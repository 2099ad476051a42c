"""Scalars of the schema, each with the text that specifies it."""

from datetime import UTC, datetime
from typing import NewType
from uuid import UUID

import strawberry
from strawberry.types.scalar import ScalarDefinition

URL = NewType("URL", str)


def _instant(value: datetime) -> str:
    text = value.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _read_instant(value: str) -> datetime:
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError("a DateTime needs an offset, for example 2026-11-20T09:30:00Z")
    return instant.astimezone(UTC)


def _read_url(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a URL is a string")  # graphql-core reports ValueErrors
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
        parse_value=UUID,
    ),
    URL: strawberry.scalar(
        name="URL",
        description="Absolute http or https URL.",
        specified_by_url="https://url.spec.whatwg.org/",
        serialize=str,
        parse_value=_read_url,
    ),
}
