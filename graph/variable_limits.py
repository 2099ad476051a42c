"""A bound on how much the variables of a request hold, checked before they are coerced."""

from collections.abc import Collection, Mapping
from typing import Any

from graphql import GraphQLError

from graph.document_limits import limit_error

MOST_VALUES = 10_000
"""The answers and lists that clients send have a few dozen; long texts are one value each."""


def too_many_values(variables: Mapping[str, Any]) -> GraphQLError | None:
    """An error when lists and objects in the variables hold too many values, however nested."""
    count = count_values(variables)
    if count <= MOST_VALUES:
        return None
    return limit_error(
        "TOO_MANY_VALUES", MOST_VALUES, count, None,
        f"The variables hold {count:,} values or more; at most {MOST_VALUES:,} are accepted. Split "
        "the request into several.",
    )  # fmt: skip


def count_values(variables: Mapping[str, Any]) -> int:
    """How many values lists and objects in the variables hold.

    Counting ends at the limit, so its time is bounded.
    """
    count = 0
    pending: list[Collection[Any]] = [variables.values()]
    while pending and count <= MOST_VALUES:
        values = pending.pop()
        count += len(values)
        if count <= MOST_VALUES:
            pending += [value.values() for value in values if isinstance(value, dict)]
            pending += [value for value in values if isinstance(value, list)]
    return count
