"""`python -m tests.chaos`: everything is killed at random, and all that was accepted must end.

Exits with 1 when something accepted was lost or done twice, or when a follower missed its end.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domain.core.mongo import open_client
from tests.chaos.crowd import Crowd, doors_of
from tests.chaos.fleet import Fleet, running_fleet
from tests.chaos.kills import Killer, PlannedKill, Target, plan_kills
from tests.chaos.load import PlannedAsk, plan_asks, plan_first_cvs
from tests.chaos.report import Run, judge, report_lines
from tests.chaos.stored import Orphans, read_stored, rescue_times

_PEOPLE = 6
_QUIET = 3.0
"""Seconds before the first kill."""

Log = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much of everything in how many seconds, and the seconds that the rest may take to end."""

    submits: int
    cvs: int
    kills: Counter[Target]
    seconds: float
    patience: float


SHORT = Size(
    100, 8,
    Counter({Target.WORKER: 7, Target.REDIS: 1, Target.REDIS_EMPTIED: 1, Target.MONGOD: 1,
             Target.WEB: 2, Target.FROZEN_WORKER: 1}),
    seconds=75, patience=60,
)  # fmt: skip
FULL = Size(
    300, 24,
    Counter({Target.WORKER: 22, Target.REDIS: 3, Target.REDIS_EMPTIED: 1, Target.MONGOD: 2,
             Target.WEB: 4, Target.FROZEN_WORKER: 4, Target.FROZEN_REDIS: 2,
             Target.FROZEN_MONGOD: 2}),
    seconds=270, patience=120,
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What is to happen when, all of it from one seed."""

    kills: list[PlannedKill]
    cvs: list[PlannedAsk]
    submits: list[PlannedAsk]


def plan_of(draw: random.Random, size: Size, submits: int) -> Plan:
    """The plan of a run of this size with so many submits."""
    kills = plan_kills(draw, size.kills, _QUIET, _QUIET + size.seconds)
    moments = [kill.at for kill in kills]
    return Plan(
        kills,
        plan_first_cvs(draw, _PEOPLE) + plan_asks(draw, size.cvs, _PEOPLE, moments),
        plan_asks(draw, submits, _PEOPLE, moments),
    )


async def run(seed: int, size: Size, submits: int, data: Path, log: Log) -> Run:
    """One run on the folder `data`, and what it left behind."""
    draw = random.Random(seed)
    plan = plan_of(draw, size, submits)
    async with running_fleet(data, seed, log) as fleet, open_client(fleet.settings) as client:
        database = client[fleet.settings.mongodb_database]
        crowd = Crowd(await doors_of(fleet, _PEOPLE))
        killer, orphans = Killer(fleet, draw, log), Orphans()
        async with asyncio.TaskGroup() as watching:
            watchers = [
                watching.create_task(crowd.keep_following()),
                watching.create_task(orphans.look_out(database)),
            ]
            await _act(plan, crowd, killer)
            log("all asked, all killed; waiting for the rest to end")
            await crowd.settle(size.patience)
            for watcher in watchers:
                watcher.cancel()
        return Run(
            asked=crowd.asked, stored=await read_stored(database), followed=crowd.followed,
            kills=killer.done, submits_promised=submits, kills_promised=size.kills,
            rescues=_rescues(fleet, orphans, killer),
        )  # fmt: skip


async def _act(plan: Plan, crowd: Crowd, killer: Killer) -> None:
    async with asyncio.TaskGroup() as acts:
        acts.create_task(killer.carry_out(plan.kills))
        for cv in plan.cvs:
            acts.create_task(crowd.bring_cv(cv))
        for submit in plan.submits:
            acts.create_task(crowd.submit(submit))


def _rescues(fleet: Fleet, orphans: Orphans, killer: Killer) -> list[float]:
    settings = fleet.settings
    return rescue_times(
        list(orphans.leases.values()), killer.worker_hits,
        settings.lease_seconds, settings.heartbeat_seconds,
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--submits", type=int, help="how many, at least")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--short", action="store_true", help="under three minutes, for CI")
    options = parser.parse_args()
    size = SHORT if options.short else FULL
    began = time.monotonic()

    def log(line: str) -> None:
        sys.stdout.write(f"[{time.monotonic() - began:6.1f}] {line}\n")
        sys.stdout.flush()

    log(f"seed {options.seed}")
    data = Path(tempfile.mkdtemp(prefix="chaos-"))
    done = asyncio.run(run(options.seed, size, options.submits or size.submits, data, log))
    verdict = judge(done)
    seconds = time.monotonic() - began
    sys.stdout.write("\n".join(report_lines(done, verdict, seconds)) + "\n")
    if verdict.is_good:
        shutil.rmtree(data)
        return 0
    sys.stdout.write(f"The servers' logs are in {data / 'logs'}; the seed was {options.seed}.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
