"""What is told of operations that take too much."""

from graphql import GraphQLError, OperationDefinitionNode

from graph.cost import Cost
from graph.document_limits import limit_error


def too_costly(most: int, cost: Cost, operation: OperationDefinitionNode) -> GraphQLError:
    return limit_error(
        "QUERY_TOO_COSTLY", most, cost.cost, operation,
        f"This operation costs {cost.cost:,} points; at most {most:,} are accepted. Ask for "
        "smaller pages or fewer fields.",
    )  # fmt: skip


def too_costly_together(most: int, together: int) -> GraphQLError:
    return limit_error(
        "QUERY_TOO_COSTLY", most, together, None,
        f"The batch costs {together:,} points with this operation; at most {most:,} are accepted "
        "for all of it. Send the operation by itself.",
    )  # fmt: skip


def timed_out(seconds: float) -> GraphQLError:
    return GraphQLError(
        f"The operation took longer than {seconds:.3g} s and was ended. Ask for smaller pages or "
        "fewer fields; a mutation may have been done nevertheless.",
        extensions={"code": "OPERATION_TIMEOUT"},
    )


def not_begun(seconds: float) -> GraphQLError:
    return GraphQLError(
        f"The operations before this one took the {seconds:g} s that a batch may take, and it was "
        "not begun. Send it again, in a smaller batch.",
        extensions={"code": "OPERATION_TIMEOUT"},
    )
