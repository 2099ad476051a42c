"""Killing processes with -9, and freezing some for a while, at random moments."""

import asyncio
import os
import random
import shutil
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from redis.asyncio import Redis
from redis.exceptions import RedisError

from cli.local.polling import until
from tests.chaos.fleet import COMPRESSED, WEBS, WORKERS, Fleet

_SETTLED_AFTER = 4.0
"""A process hit again sooner would mostly die while it still starts, and hurt nobody."""
_MARK = "chaos:before"
_REDIS_LOADS_WITHIN = 20.0
_POLL = 0.05


class Target(StrEnum):
    WORKER = "worker"
    REDIS = "redis"
    REDIS_EMPTIED = "redis emptied"
    MONGOD = "mongod"
    WEB = "web"
    FROZEN_WORKER = "frozen worker"
    FROZEN_REDIS = "frozen redis"
    FROZEN_MONGOD = "frozen mongod"

    @property
    def processes(self) -> tuple[str, ...]:
        """Names of the processes of which one is to be hit."""
        return {
            Target.WORKER: WORKERS,
            Target.FROZEN_WORKER: WORKERS,
            Target.WEB: WEBS,
            Target.MONGOD: ("mongod",),
            Target.FROZEN_MONGOD: ("mongod",),
        }.get(self, ("redis",))

    @property
    def outage(self) -> tuple[float, float]:
        """Seconds for which it is gone, at least and at most, beside its restart."""
        lease = COMPRESSED["lease_seconds"]
        return {
            Target.REDIS: (0.0, 6.0),
            Target.REDIS_EMPTIED: (0.0, 6.0),
            Target.FROZEN_WORKER: (lease + 1, lease + 4),  # it wakes up to find its lease lost
            Target.FROZEN_REDIS: (1.0, 6.0),
            Target.FROZEN_MONGOD: (1.0, 6.0),
        }.get(self, (0.0, 0.0))

    @property
    def is_frozen(self) -> bool:
        return self in (Target.FROZEN_WORKER, Target.FROZEN_REDIS, Target.FROZEN_MONGOD)


@dataclass(frozen=True)
class PlannedKill:
    """A kill `at` so many seconds; what it hits stays away for at least `outage` seconds."""

    at: float
    target: Target
    outage: float


def plan_kills(
    draw: random.Random, counts: Counter[Target], begin: float, end: float
) -> list[PlannedKill]:
    """So many kills of each target, at random moments between `begin` and `end`, in order."""
    kills = []
    for target, count in counts.items():
        for _ in range(count):
            at, outage = draw.uniform(begin, end), draw.uniform(*target.outage)
            kills.append(PlannedKill(at, target, outage))
    return sorted(kills, key=lambda kill: kill.at)


@dataclass
class Killer:
    """Carries a plan out and keeps count; `log` gets a line for each kill."""

    fleet: Fleet
    draw: random.Random
    log: Callable[[str], None]
    done: Counter[Target] = field(default_factory=Counter)
    worker_hits: list[float] = field(default_factory=list)
    """When workers died or froze, in seconds since the epoch."""
    _hit_at: dict[str, float] = field(default_factory=dict)
    _locks: defaultdict[tuple[str, ...], asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )

    async def carry_out(self, plan: Sequence[PlannedKill]) -> None:
        """Kill as planned, counted from now; late where a victim is not up again in time."""
        async with asyncio.TaskGroup() as kills:
            for kill in plan:
                kills.create_task(self._kill_later(kill))

    async def _kill_later(self, kill: PlannedKill) -> None:
        await asyncio.sleep(kill.at)
        if kill.target is Target.FROZEN_WORKER:  # other workers may die meanwhile, or this one
            await self._hit(kill)
        else:
            async with self._locks[kill.target.processes]:
                await self._hit(kill)
        self.done[kill.target] += 1

    async def _hit(self, kill: PlannedKill) -> None:
        name = await self._victim(kill.target)
        if kill.target.is_frozen:
            await self._freeze(name, kill.outage)
        elif kill.target is Target.REDIS_EMPTIED:
            await self._kill_and_empty(name, kill.outage)
        else:
            self._send(name, signal.SIGKILL)
            await self._hold_down(name, kill.outage)

    async def _freeze(self, name: str, seconds: float) -> None:
        pid = self.fleet.pid(name)
        self._send(name, signal.SIGSTOP)
        self._hit_at[name] += seconds  # nothing else hits it meanwhile
        await asyncio.sleep(seconds)
        if self.fleet.pid(name) == pid:
            self._send(name, signal.SIGCONT)

    async def _kill_and_empty(self, name: str, outage: float) -> None:
        await self._mark_redis()
        self._send(name, signal.SIGKILL)
        await self._empty_redis()
        await self._hold_down(name, outage)
        await self._require_empty()

    async def _mark_redis(self) -> None:
        """Leave a key to miss afterwards. A Redis that was killed before may still be loading."""
        async with Redis.from_url(self.fleet.settings.redis_url) as redis:
            async with asyncio.timeout(_REDIS_LOADS_WITHIN):
                while True:
                    try:
                        await redis.set(_MARK, 1)
                    except RedisError:
                        await asyncio.sleep(0.1)
                    else:
                        return

    async def _victim(self, target: Target) -> str:
        """One of the target's processes that has been up for a while, as soon as there is one."""
        while True:
            settled = time.monotonic() - _SETTLED_AFTER
            names = [
                name
                for name in target.processes
                if self.fleet.pid(name) and self._hit_at.get(name, 0) < settled
            ]
            if names:
                return self.draw.choice(names)
            await asyncio.sleep(_POLL)

    def _send(self, name: str, number: signal.Signals) -> None:
        pid = self.fleet.pid(name)
        if pid is None:
            raise RuntimeError(f"{name} died by itself just when it was to be hit")
        os.kill(pid, number)
        self._hit_at[name] = time.monotonic()
        if name in WORKERS and number is not signal.SIGCONT:
            self.worker_hits.append(time.time())
        self.log(f"sent {number.name} to {name} (pid {pid})")

    async def _hold_down(self, name: str, seconds: float) -> None:
        """Kill it again whenever it is restarted before its outage is over."""
        until = time.monotonic() + seconds
        dead = self.fleet.pid(name)
        while time.monotonic() < until:
            if self.fleet.pid(name) not in (None, dead):
                dead = self.fleet.pid(name)
                self._send(name, signal.SIGKILL)
            await asyncio.sleep(_POLL)

    async def _empty_redis(self) -> None:
        """Remove all that the dead server wrote. The supervisor waits half a second at least."""
        await until(self._redis_is_down)
        for entry in (self.fleet.data / "redis").iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        self.log("emptied redis")

    async def _redis_is_down(self) -> bool:
        return self.fleet.pid("redis") is None

    async def _require_empty(self) -> None:
        """Wait until it is back; raises RuntimeError when it kept what was in it."""
        while True:
            try:
                async with Redis.from_url(self.fleet.settings.redis_url) as redis:
                    if await redis.exists(_MARK):
                        raise RuntimeError("Redis came back with its data")
                    return
            except (RedisError, OSError):
                await asyncio.sleep(_POLL)
