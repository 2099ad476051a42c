"""Checks that input of several capabilities goes through."""

from collections.abc import Sequence

from domain.core.errors import InputRule, InvalidInput
from domain.core.text import clean_line


def check_length(value: str, path: Sequence[str], most: int) -> None:
    """Raises InvalidInput for more than `most` characters."""
    if len(value) > most:
        raise InvalidInput(InputRule.TOO_LONG, path, limit=most)


def check_count(values: Sequence[object], path: Sequence[str], most: int) -> None:
    """Raises InvalidInput for more than `most` values."""
    if len(values) > most:
        raise InvalidInput(InputRule.TOO_MANY, path, limit=most)


def checked_line(value: str, path: Sequence[str], most: int) -> str:
    """A one-line field, cleaned: not blank, and of at most `most` characters as it came.

    The length is checked before anything is done with the text. Raises InvalidInput.
    """
    check_length(value, path, most)
    line = clean_line(value)
    if not line:
        raise InvalidInput(InputRule.BLANK, path)
    return line
