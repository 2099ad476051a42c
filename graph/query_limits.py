"""Bounds on a query's text, checked before anything else is done with it.

Parsing and validation work on the text of anybody, signed in or not, and keep what they made of
it for the next time; so it is small or refused.
"""

from collections.abc import Iterator

from graphql import GraphQLError
from strawberry.extensions import SchemaExtension

MOST_CHARACTERS = 64 * 1024
MOST_TOKENS = 1_000


class QueryLimits(SchemaExtension):
    """Refuses a query of too many characters or tokens. Large values belong in variables."""

    def on_operation(self) -> Iterator[None]:
        length = len(self.execution_context.query or "")
        if length > MOST_CHARACTERS:
            raise GraphQLError(
                f"The query has {length:,} characters; at most {MOST_CHARACTERS:,} are accepted. "
                "Send large values as variables.",
                extensions={"code": "QUERY_TOO_LARGE"},
            )
        self.execution_context.parse_options["max_tokens"] = MOST_TOKENS
        yield
