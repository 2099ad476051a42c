"""A bound on the size of an answer, counted while it is made."""

from typing import Any

from graphql import GraphQLError, GraphQLLeafType, GraphQLOutputType, Undefined
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

MOST_ANSWER_BYTES = 16 * 1024 * 1024
VALUE_BYTES = 64
"""What each value counts beside its text, as its name, its punctuation and the work it makes."""


class AnswerTooLarge(GraphQLError):
    """An operation asks for more than one answer may hold."""

    def __init__(self) -> None:
        super().__init__(
            f"The answer would be larger than {MOST_ANSWER_BYTES // 1024**2} MB, so it was not "
            "made. Ask for smaller pages or fewer long texts; a mutation may have been done "
            "nevertheless.",
            extensions={"code": "ANSWER_TOO_LARGE", "limit": MOST_ANSWER_BYTES},
        )


class BoundedExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor of one operation, which gives up when the answer gets too large.

    `size` is counted up to now. Each event of a subscription has a copy of its own, which begins
    where the subscription is: at nothing.
    """

    size: int = 0

    def complete_leaf_value(  # type: ignore[override]  # graphql-core's is static, and called on self
        self, return_type: GraphQLLeafType, result: Any
    ) -> Any:
        value = return_type.coerce_output_value(result)
        if value is None or value is Undefined:
            return super().complete_leaf_value(return_type, result)  # which tells what is wrong
        size = self.size + VALUE_BYTES
        if isinstance(value, str):
            size += len(value) if value.isascii() else len(value.encode(errors="replace"))
        self.size = size
        if size > MOST_ANSWER_BYTES:
            raise AnswerTooLarge
        return value

    def handle_field_error(
        self,
        raw_error: Exception,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        path: Path,
    ) -> None:
        """No field stands for this error with a null of its own: it ends the operation."""
        if isinstance(raw_error, AnswerTooLarge):
            raise raw_error
        super().handle_field_error(raw_error, return_type, field_details_list, path)
