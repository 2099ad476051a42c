"""A posting as its file gives it, before cleaning, and what can be wrong with it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from domain.core.language import Language


class RowError(ValueError):
    """A row that cannot be imported. Its text is one line: what is wrong, what is expected."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The texts of one row, HTML and all.

    `company_key`, `role_key` and `url_key` are the row's own names for these fields, for messages.
    `identifier` is the employer's own, unique within the company.
    """

    company_name: str
    company_key: str
    role_title: str
    role_key: str
    description: str | None
    requirements: list[str]
    responsibilities: list[str]
    nice_to_have: list[str]
    language: Language | None
    source_url: str | None
    url_key: str
    location: str | None
    is_remote: bool | None
    posted_at: datetime | None
    identifier: str | None


def kind_of(value: object) -> str:
    """The JSON kind of `value` with its article, as words for a message."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def instant(text: str, key: str) -> datetime:
    """An ISO 8601 date, or date and time, as an instant in UTC.

    A date is its midnight, and a time without an offset is read as UTC. Raises RowError naming
    `key` for any other text.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RowError(
            f"{key} is not a date; expected ISO 8601, such as 2026-10-05T09:00:00Z"
        ) from None
