"""Keeps the processes of `careergraph up` running, and stops them in order."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from cli.local.errors import LocalServerError
from cli.local.log_files import MAX_BYTES, shorten
from cli.local.process import ChildProcess, ChildSpec, describe_exit

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STEADY_AFTER = 30.0
LOG_CHECK_EVERY = 60.0


def restart_delay(failures: int) -> float:
    """Seconds to wait before a restart, after `failures` earlier ones in a row."""
    return min(FIRST_DELAY * 2.0 ** min(failures, 16), LONGEST_DELAY)


class Supervisor:
    """Children in the order of their dependencies; leaving its context stops the last one first.

    A child that ends by itself is started again, after 0.5 s, then 1, 2, ... at most 30 s, and
    0.5 s again once it has lived for 30 s. Each change is a line given to `observe`.
    """

    def __init__(self, logs: Path, observe: Callable[[str], None]) -> None:
        self._logs = logs
        self._observe = observe
        self._children: dict[str, ChildProcess] = {}
        self._keepers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._keepers.append(asyncio.create_task(self._keep_logs_short()))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def add(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        ready: Callable[[], Awaitable[object]] | None = None,
        ready_timeout: float = 60.0,
        stop_grace: float = 10.0,
    ) -> None:
        """Start a child, wait until `ready` returns, and keep it running from then on.

        `env` is its whole environment; its output goes to NAME.log. Raises LocalServerError when
        it cannot be started, and ValueError when there is one of that name.
        """
        if name in self._children:
            raise ValueError(f"there is a process {name!r} already")
        log = self._logs / f"{name}.log"
        child = ChildProcess(ChildSpec(name, argv, env, log, ready, ready_timeout, stop_grace))
        await child.start()
        self._children[name] = child
        self._keepers.append(asyncio.create_task(self._keep(child)))

    def pid(self, name: str) -> int | None:
        """The child's process id, None while it is down. Raises KeyError for an unknown name."""
        return self._children[name].pid

    async def run(self, stop: asyncio.Event) -> None:
        """Return when `stop` is set; raise what a keeper raised if one fails, which is a bug."""
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait(
                {stopping, *self._keepers}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            stopping.cancel()

    async def stop(self) -> None:
        """Stop every child, the last added first, each with its grace time."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers.clear()
        for name, child in reversed(self._children.items()):
            if not await child.stop():
                self._observe(f"{name} did not stop in {child.spec.stop_grace:g} s and was killed")
        self._children.clear()

    async def _keep(self, child: ChildProcess) -> None:
        clock = asyncio.get_running_loop().time
        failures = 0
        while True:
            since = clock()
            code = await child.wait()
            if clock() - since >= STEADY_AFTER:
                failures = 0
            what = f"{child.spec.name} died with {describe_exit(code)}"
            failures = await self._restart(child, what, failures)

    async def _restart(self, child: ChildProcess, what: str, failures: int) -> int:
        while True:
            delay = restart_delay(failures)
            failures += 1
            self._observe(f"{what}; restarting in {delay:g} s")
            await asyncio.sleep(delay)
            try:
                await child.start()
            except LocalServerError as error:
                what = str(error).rstrip(".")
            else:
                self._observe(f"{child.spec.name} runs again (pid {child.pid})")
                return failures

    async def _keep_logs_short(self) -> None:
        while True:
            await asyncio.sleep(LOG_CHECK_EVERY)
            for child in self._children.values():
                await asyncio.to_thread(shorten, child.spec.log, MAX_BYTES)
