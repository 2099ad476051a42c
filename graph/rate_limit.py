"""The viewer's budget of operation cost."""

import math
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta

import strawberry
from graphql import GraphQLError, OperationDefinitionNode, get_operation_ast
from strawberry.extensions import SchemaExtension

from domain.core.clock import now
from domain.core.rate_limit import Bucket, take
from graph.context import Context, Info
from graph.cost import Cost, CostCounter


@dataclass(frozen=True, slots=True)
class Spent:
    """What an operation took from the viewer's budget, and what that left, in points."""

    cost: Cost
    remaining: int


# Each operation runs in a task of its own, on a socket too, and its resolvers see what it set.
_spent: ContextVar[Spent | None] = ContextVar("spent", default=None)


@strawberry.type(description="The viewer's cost budget.")
class RateLimit:
    cost: int = strawberry.field(description="Points that this operation costs.")
    limit: int = strawberry.field(description="Points that may be spent in a minute.")
    remaining: int
    used: int
    node_count: int = strawberry.field(description="Nodes that this operation may return at most.")
    reset_at: datetime = strawberry.field(description="When the budget is whole again.")


@strawberry.type
class RateLimitQuery:
    @strawberry.field(
        description="What this operation costs and what is left in the viewer's window. Null "
        "without a valid session."
    )
    async def rate_limit(self, info: Info) -> RateLimit | None:
        spent = _spent.get()
        if spent is None:
            return None
        limit = info.context.deps.settings.cost_per_minute
        used = limit - spent.remaining
        return RateLimit(
            cost=spent.cost.cost, limit=limit, remaining=spent.remaining, used=used,
            node_count=spent.cost.nodes,
            reset_at=now() + timedelta(seconds=60 * used / limit),
        )  # fmt: skip


class CostBudget(SchemaExtension):
    """Takes what each operation costs from its viewer's budget, before it runs."""

    async def on_execute(self) -> AsyncIterator[None]:
        context: Context = self.execution_context.context
        operation = self._operation()
        if operation is None or context.session.user_id is None:
            yield
            return
        cost = self._count(context, operation)
        remaining = await _spend(context, str(context.session.user_id), cost)
        _spent.set(Spent(cost, remaining))
        yield

    def _operation(self) -> OperationDefinitionNode | None:
        document = self.execution_context.graphql_document
        if document is None:
            return None
        return get_operation_ast(document, self.execution_context.operation_name)

    def _count(self, context: Context, operation: OperationDefinitionNode) -> Cost:
        execution = self.execution_context
        assert execution.graphql_document is not None  # noqa: S101  # `_operation` found it
        counter = CostCounter(
            execution.schema._schema, execution.graphql_document, execution.variables or {},
            context.deps.settings.page_size_default, context.deps.settings.page_size_max,
        )  # fmt: skip
        return counter.count(operation)


async def _spend(context: Context, user_id: str, cost: Cost) -> int:
    """What is left after this operation. Raises a GraphQLError when it is not enough."""
    limit = context.deps.settings.cost_per_minute
    if cost.cost > limit:
        raise GraphQLError(
            f"This operation costs {cost.cost:,} points, and no more than {limit:,} may be spent "
            "in a minute. Ask for smaller pages or fewer fields.",
            extensions={"code": "RATE_LIMIT_EXCEEDED"},
        )
    bucket = Bucket("cost", per_minute=limit, burst=limit)
    taken = await take(context.deps.redis, bucket, user_id, cost.cost)
    if taken.wait_seconds > 0:
        seconds = max(1, math.ceil(taken.wait_seconds))
        raise GraphQLError(
            f"This operation costs {cost.cost:,} points and {taken.remaining:,} of {limit:,} are "
            f"left. Ask for smaller pages, or try again in {seconds} s.",
            extensions={"code": "RATE_LIMIT_EXCEEDED", "retryAfter": seconds},
        )
    return taken.remaining
