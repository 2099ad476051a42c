"""`python -m tests.hostile`: thousands of hostile inputs over HTTP and sockets.

Exits with 1 when one of them got a 5xx, a masked bug, a connection that was dropped without an
answer, or a socket that ended without a close frame (1006); or when the server then serves nobody.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.client import Client
from tests.hostile.frames import Frame, Scripts
from tests.hostile.operations import Operations, read_schema
from tests.hostile.requests import Requests
from tests.hostile.target import Target, running_target
from tests.hostile.wire import Outcome, over_http, over_socket

_AT_ONCE = 8
_SOCKET_SHARE = 0.3
_LEAST_SHARE_WITH_DATA = 0.1
"""Below that, the inputs no longer reach what lies behind coercion and ownership."""


@dataclass
class Tally:
    """What came of the inputs."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    gave_data: int = 0
    slowest: float = 0.0

    def note(self, outcome: Outcome, given: bytes | list[Frame], seconds: float) -> None:
        self.outcomes[outcome.name] += 1
        self.gave_data += outcome.gave_data
        self.slowest = max(self.slowest, seconds)
        if outcome.fault:
            self.faults.append(f"{outcome.fault}\n    {str(given)[:2000]}")


async def run(seed: int, inputs: int, data: Path) -> Tally:
    """Send so many inputs, drawn from the seed, to servers of this run's own."""
    tally, draw = Tally(), random.Random(seed)
    async with running_target(data) as target:
        tasks = iter(range(inputs))
        async with asyncio.TaskGroup() as senders:
            for _ in range(_AT_ONCE):
                sender = _send(target, random.Random(draw.random()), tasks, tally)
                senders.create_task(sender)
        answer = await Client(target.doors[0].url, await target.token()).data("{ viewer { name } }")
        assert answer["viewer"], "the server serves nobody any more"
    return tally


async def _send(target: Target, draw: random.Random, tasks: Iterator[int], tally: Tally) -> None:
    schema = read_schema()
    for _ in tasks:
        person, door = draw.choice(target.people[:-1]), draw.choice(target.doors)
        operations = Operations(schema, target.ids(person), target.cursors, draw)
        # A new session each time: among the inputs are mutations that end sessions.
        authorization = f"Bearer {await target.token(person.user_id)}"
        began = time.monotonic()
        if draw.random() < _SOCKET_SHARE:
            script = Scripts(authorization, operations, draw).any()
            tally.note(await over_socket(door, script), script, time.monotonic() - began)
        else:
            request = Requests(door.host, authorization, operations, draw).any()
            tally.note(await over_http(door, request), request, time.monotonic() - began)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--inputs", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hostile-") as data:
        tally = asyncio.run(run(options.seed, options.inputs, Path(data)))
    for name, count in tally.outcomes.most_common():
        sys.stdout.write(f"{count:>7,}  {name}\n")
    for fault in tally.faults[:20]:
        sys.stdout.write(f"FAULT {fault}\n")
    total, seconds = sum(tally.outcomes.values()), time.monotonic() - began
    sys.stdout.write(
        f"{total:,} inputs, {tally.gave_data:,} of them gave data, {len(tally.faults)} faults, "
        f"the slowest took {tally.slowest:.1f} s, seed {options.seed}, {seconds:.0f} s\n"
    )
    if tally.gave_data < total * _LEAST_SHARE_WITH_DATA:
        sys.stdout.write("Too few inputs get past the first checks: mend the generators.\n")
        return 1
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
