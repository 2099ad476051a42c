"""Budgets of operation cost: one for each user, one for each address."""

import math
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

import strawberry
from graphql import GraphQLError

from domain.auth.caller import Caller
from domain.core.clock import now
from domain.core.rate_limit import Bucket, Taken, take_from_all
from graph.context import Context, Info
from graph.cost import Cost


@dataclass(frozen=True, slots=True)
class Spent:
    """What an operation took from the viewer's budget, and what that left, in points."""

    cost: Cost
    remaining: int


# Set before an operation's tasks begin, on a socket too: its resolvers see their own operation's.
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


class BudgetExceeded(GraphQLError):
    """An operation costs more than is left, or more than there ever is."""


async def spend(context: Context, cost: Cost) -> None:
    """Take an operation's cost from its user's and its address's budget, before it runs.

    Nobody in particular has the address's alone. Raises BudgetExceeded, and has taken nothing then.
    """
    _spent.set(None)
    budgets = _budgets(context)
    for bucket, _ in budgets:
        if cost.cost > bucket.burst:
            raise _never_fits(cost, bucket)
    if not budgets:
        return
    taken = await take_from_all(context.deps.redis, budgets, cost.cost)
    slowest = max(range(len(taken)), key=lambda index: taken[index].wait_seconds)
    if taken[slowest].wait_seconds > 0:
        raise _exceeded(cost, budgets[slowest][0], taken[slowest])
    if context.session.user_id is not None:
        _spent.set(Spent(cost, taken[0].remaining))


async def charge_address(context: Context, points: int) -> None:
    """Take points from the budget of the caller's address alone. Raises BudgetExceeded."""
    budget = _address_budget(context)
    if budget is None:
        return
    [taken] = await take_from_all(context.deps.redis, [budget], points)
    if taken.wait_seconds > 0:
        raise _exceeded(Cost(points, 0), budget[0], taken)


def _budgets(context: Context) -> list[tuple[Bucket, str]]:
    """The buckets to take from and their owners; a user's comes first."""
    settings = context.deps.settings
    found = []
    if context.session.user_id is not None:
        per_minute = settings.cost_per_minute
        found.append((Bucket("cost", per_minute, per_minute), str(context.session.user_id)))
    address = _address_budget(context)
    return found if address is None else [*found, address]


def _address_budget(context: Context) -> tuple[Bucket, str] | None:
    if context.caller.address is None:
        return None
    per_minute = context.deps.settings.address_cost_per_minute
    return Bucket("address-cost", per_minute, per_minute), network_of(context.caller.address)


def network_of(address: str) -> str:
    """What one customer of a provider is likely to have: an IPv4 address, or an IPv6 /64 (RFC 6177
    speaks of at least that). IPv4 written as IPv6 is IPv4; what is no address stands for itself."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> 64 << 64)}/64"


def network_of_caller(caller: Caller) -> str:
    """The same of where a request comes from."""
    return network_of(caller.address) if caller.address else "unknown"


def _whose(bucket: Bucket) -> str:
    return "you" if bucket.name == "cost" else "your network address"


def _never_fits(cost: Cost, bucket: Bucket) -> BudgetExceeded:
    return BudgetExceeded(
        f"This operation costs {cost.cost:,} points, and no more than {bucket.burst:,} may be "
        f"spent in a minute by {_whose(bucket)}. Ask for smaller pages or fewer fields.",
        extensions={"code": "RATE_LIMIT_EXCEEDED"},
    )


def _exceeded(cost: Cost, bucket: Bucket, taken: Taken) -> BudgetExceeded:
    seconds = max(1, math.ceil(taken.wait_seconds))
    return BudgetExceeded(
        f"This operation costs {cost.cost:,} points and {taken.remaining:,} of {bucket.burst:,} "
        f"are left to {_whose(bucket)}. Ask for smaller pages, or try again in {seconds} s.",
        extensions={"code": "RATE_LIMIT_EXCEEDED", "retryAfter": seconds},
    )
