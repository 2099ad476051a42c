"""Revoked tokens are refused by every process within 5 s, whatever becomes of Redis."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.auth.caller import UNKNOWN
from domain.auth.revocations import Revocations
from domain.auth.session_documents import Asker, Session, SignInMethod
from domain.auth.sessions import (
    open_session,
    revoke_all_sessions,
    revoke_external_token,
    revoke_session,
    sign_out,
)
from domain.auth.token_documents import RevokedToken
from domain.core.clock import now
from domain.core.deps import Deps, open_redis
from tests.jobs.pieces import OwnRedis, own_redis, quick, until

NEVER = 3600.0
WITHIN = 5.0
"""Seconds in which everybody has to refuse."""


async def signed_in(deps: Deps) -> Asker:
    tokens = await open_session(deps, uuid4(), SignInMethod.GOOGLE, UNKNOWN)
    verified = deps.signers.access.verify(tokens.access_token, now())
    return Asker(
        tokens.user_id, tokens.session_id, verified.token_id, verified.expires_at,
        SignInMethod.GOOGLE,
    )  # fmt: skip


async def revoke(deps: Deps, asker: Asker) -> None:
    assert asker.session_id is not None
    assert await revoke_session(deps, asker.user_id, asker.session_id, UNKNOWN)


def external() -> Asker:
    """One with a token of an external issuer."""
    ends = now() + timedelta(minutes=30)
    return Asker(uuid4(), None, uuid4().hex, ends, SignInMethod.EXTERNAL)


@asynccontextmanager
async def process(deps: Deps, poll_seconds: float | None = None) -> AsyncIterator[Deps]:
    """Parts as another process on the same Redis has them."""
    redis = open_redis(deps.settings)
    its = Revocations(redis) if poll_seconds is None else Revocations(redis, poll_seconds)
    async with its.running():
        yield replace(deps, redis=redis, revocations=its)
    await redis.aclose()


async def refused_after(deps: Deps, asker: Asker) -> float:
    """Seconds until this process refuses."""
    started = time.monotonic()
    await until(lambda: deps.revocations.is_revoked(asker), WITHIN)
    return time.monotonic() - started


async def test_the_process_that_revokes_and_those_that_ask_redis_refuse_at_once(
    deps: Deps,
) -> None:
    asker, other = await signed_in(deps), await signed_in(deps)
    async with process(deps, NEVER) as another:
        assert not await another.revocations.is_revoked(asker)

        await revoke(deps, asker)

        assert deps.revocations.knows(asker)
        assert await another.revocations.is_revoked(asker)
        assert not another.revocations.knows(asker)
        for one in (deps, another):
            assert not await one.revocations.is_revoked(other)


async def test_redis_keeps_a_revoked_token_for_what_is_left_of_its_life(deps: Deps) -> None:
    asker = await signed_in(deps)
    await revoke(deps, asker)

    left = await deps.redis.pttl(f"careergraph:revoked:{asker.token_id}")

    life = (asker.expires_at - now()).total_seconds() * 1000
    assert life - 5000 < left <= life + 1000


async def test_a_process_that_does_not_see_redis_reads_of_it_from_mongodb(deps: Deps) -> None:
    """For sockets too, which ask what the process knows."""
    asker = await signed_in(deps)
    nowhere = quick(deps, redis_url="unix:///nowhere/redis.sock")
    async with process(nowhere) as blind, process(deps) as seeing:
        await revoke(deps, asker)

        assert await refused_after(blind, asker) < 0.5  # MongoDB is asked for each request
        await until(lambda: _knows(blind, asker), WITHIN)
        await until(lambda: _knows(seeing, asker), WITHIN)


async def _knows(deps: Deps, asker: Asker) -> bool:
    return deps.revocations.knows(asker)


@pytest.fixture
async def redis(deps: Deps, tmp_path: Path) -> AsyncIterator[OwnRedis]:
    async with own_redis(deps, tmp_path) as own:
        yield own


async def test_what_is_revoked_while_redis_is_down_is_refused_everywhere_also_afterwards(
    redis: OwnRedis,
) -> None:
    asker, other = await signed_in(redis.deps), await signed_in(redis.deps)
    async with process(redis.deps) as one, process(redis.deps) as another:
        assert not await another.revocations.is_revoked(asker)
        redis.kill()

        await revoke(one, asker)

        assert await refused_after(another, asker) < WITHIN
        assert not await another.revocations.is_revoked(other)
        await until(lambda: _answers(another.redis))
        assert not await another.redis.exists(f"careergraph:revoked:{asker.token_id}")
        await asyncio.sleep(2)  # by now it is asked again
        assert await another.revocations.is_revoked(asker)
        assert not await another.revocations.is_revoked(other)


async def test_a_redis_that_lost_everything_gives_no_token_its_life_back(
    redis: OwnRedis,
) -> None:
    asker = await signed_in(redis.deps)
    async with process(redis.deps) as one, process(redis.deps) as another:
        await revoke(one, asker)
        await redis.deps.redis.flushall()

        assert await refused_after(another, asker) < WITHIN


async def test_redis_alone_is_not_believed_by_a_process_whose_polls_fail(
    redis: OwnRedis,
) -> None:
    """Here because it never polls: so it asks MongoDB for each request."""
    asker = await signed_in(redis.deps)
    async with process(redis.deps, NEVER) as behind:
        await revoke(redis.deps, asker)
        await redis.deps.redis.flushall()
        assert not await behind.revocations.is_revoked(asker)

        assert await refused_after(behind, asker) < WITHIN


async def test_a_redis_that_hangs_costs_its_timeout_once_and_is_asked_again_later(
    redis: OwnRedis,
) -> None:
    live, ended = await signed_in(redis.deps), await signed_in(redis.deps)
    async with process(redis.deps) as one:
        with stopped(redis):
            started = time.monotonic()
            for _ in range(50):
                assert not await one.revocations.is_revoked(live)
            await revoke(one, ended)
            assert await one.revocations.is_revoked(ended)
            took = time.monotonic() - started
        assert took < 2.5

        async def is_asked() -> bool:
            return await hits(redis.deps.redis, one, live) > 0

        await until(is_asked, WITHIN)


async def hits(redis: Redis, deps: Deps, asker: Asker) -> int:
    """How many EXISTS one question makes Redis answer."""
    before = (await redis.info("commandstats")).get("cmdstat_exists", {}).get("calls", 0)
    await deps.revocations.is_revoked(asker)
    after = (await redis.info("commandstats")).get("cmdstat_exists", {}).get("calls", 0)
    return int(after) - int(before)


@contextmanager
def stopped(redis: OwnRedis) -> Iterator[None]:
    """Redis takes connections and answers nothing."""
    pid = redis.processes.pid("redis")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def _answers(redis: Redis) -> bool:
    try:
        return bool(await redis.ping())
    except (RedisError, OSError):
        return False


async def test_a_process_that_starts_later_knows_what_was_revoked_before(deps: Deps) -> None:
    asker, token = await signed_in(deps), external()
    await revoke(deps, asker)
    await revoke_external_token(deps, token, UNKNOWN)

    async with process(deps, NEVER) as later:
        assert later.revocations.knows(asker)
        assert later.revocations.knows(token)


async def test_without_redis_a_session_that_is_gone_is_refused(deps: Deps) -> None:
    asker = await signed_in(deps)
    nowhere = quick(deps, redis_url="unix:///nowhere/redis.sock")
    async with process(nowhere) as blind:
        assert not await blind.revocations.is_revoked(asker)
        await Session.get_pymongo_collection().delete_one({"_id": asker.session_id})

        assert await blind.revocations.is_revoked(asker)


async def test_every_access_token_of_a_session_is_named_to_redis(deps: Deps) -> None:
    one = await signed_in(deps)
    two = await open_session(deps, one.user_id, SignInMethod.GITHUB, UNKNOWN)
    other = deps.signers.access.verify(two.access_token, now()).token_id

    await revoke_all_sessions(deps, one.user_id, UNKNOWN)

    keys = [f"careergraph:revoked:{id}" for id in (one.token_id, other)]
    assert await deps.redis.exists(*keys) == 2


@pytest.mark.parametrize("redis_url", [None, "unix:///nowhere/redis.sock"])
async def test_an_external_issuers_token_is_revoked_by_itself(
    deps: Deps, redis_url: str | None
) -> None:
    mine, other = external(), external()
    where = deps if redis_url is None else quick(deps, redis_url=redis_url)
    async with process(where) as another:
        assert not await another.revocations.is_revoked(mine)

        await sign_out(deps, mine, UNKNOWN)

        assert await refused_after(another, mine) < WITHIN
        assert not await another.revocations.is_revoked(other)
        await until(lambda: _knows(another, mine), WITHIN)


async def test_what_has_expired_is_forgotten(deps: Deps) -> None:
    token = replace(external(), expires_at=now() + timedelta(seconds=0.4))
    async with process(deps, 0.1) as one:
        await revoke_external_token(one, token, UNKNOWN)
        assert one.revocations.knows(token)

        await until(lambda: _forgot(one, token), WITHIN)


async def _forgot(deps: Deps, asker: Asker) -> bool:
    return not deps.revocations.knows(asker)


async def test_polling_reads_an_index_and_no_session_that_lives(deps: Deps) -> None:
    asker = await signed_in(deps)
    await revoke(deps, asker)
    query = {"revoked_at": {"$gte": now() - timedelta(seconds=30)}}

    for document in (Session, RevokedToken):
        cursor = document.get_pymongo_collection().find(query)
        plan = await cursor.explain()
        stages = repr(plan["queryPlanner"]["winningPlan"])
        assert "'indexName': 'revoked'" in stages, stages
        examined = plan["executionStats"]["totalDocsExamined"]
        assert examined == plan["executionStats"]["nReturned"]
