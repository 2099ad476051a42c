"""A schema of resolvers that fail, linger and do not listen, for tests of execution."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.permission import BasePermission


class Bug(Exception):
    pass


ENDED: list[str] = []
"""What has ended, in that order."""


async def _linger(name: str, seconds: float = 60) -> str:
    try:
        await asyncio.sleep(seconds)
    finally:
        ENDED.append(name)
    return name


@strawberry.type
class Inner:
    name: str = "inner"

    @strawberry.field
    def broken(self) -> str:
        raise Bug("the password is swordfish")


@strawberry.type
class Query:
    inner: Inner = strawberry.field(resolver=lambda: Inner())

    @strawberry.field
    def add(self, one: int, other: int = 1) -> int:
        return one + other

    @strawberry.field
    def broken(self) -> str | None:
        raise Bug("the password is swordfish")

    @strawberry.field
    def nothing(self) -> str:
        return None  # type: ignore[return-value]  # the bug that is tested

    @strawberry.field
    def refused(self) -> str | None:
        raise GraphQLError("Not today.", extensions={"code": "CLOSED"})

    @strawberry.field
    async def linger(self, name: str, seconds: float = 60) -> str | None:
        return await _linger(name, seconds)

    @strawberry.field
    def text(self, size: int, times: int = 1, letter: str = "a") -> list[str]:
        return [letter * size] * times

    @strawberry.field
    async def later(self, size: int) -> str | None:
        await asyncio.sleep(0)
        return "a" * size

    @strawberry.field
    async def deaf(self) -> str | None:
        """Loses the first request to end, as MongoDB's driver may."""
        try:
            return await _linger("deaf once")
        except asyncio.CancelledError:
            return await _linger("deaf twice")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def change(self, by: int) -> int:
        await asyncio.sleep(0)
        return by


class Closed(BasePermission):
    def has_permission(self, source: Any, info: Any, **kwargs: Any) -> bool:
        raise GraphQLError("Sign in first.", extensions={"code": "UNAUTHENTICATED"})


class Broken(BasePermission):
    def has_permission(self, source: Any, info: Any, **kwargs: Any) -> bool:
        raise Bug("swordfish")


async def _once() -> AsyncGenerator[int, None]:
    yield 1


@strawberry.type
class Tick:
    number: int

    @strawberry.field
    def text(self, size: int) -> str | None:
        return "a" * size * self.number

    @strawberry.field
    async def slow(self) -> str | None:
        return await _linger(f"tick {self.number}")

    @strawberry.field
    def odd(self) -> bool | None:
        if self.number == 1:
            raise Bug("swordfish")
        return False


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self, count: int, then: str = "") -> AsyncGenerator[Tick, None]:
        try:
            for number in range(count):
                yield Tick(number=number)
            if then == "bug":
                raise Bug("swordfish")
            if then == "refusal":
                raise GraphQLError("No more.", extensions={"code": "CLOSED"})
        finally:
            ENDED.append("ticks")

    closed = strawberry.subscription(permission_classes=[Closed])(_once)
    unready = strawberry.subscription(permission_classes=[Broken])(_once)


SCHEMA = strawberry.Schema(Query, Mutation, Subscription)
