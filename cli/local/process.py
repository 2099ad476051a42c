"""One child process: started, waited for, stopped, and never left behind."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cli.local import launch
from cli.local.errors import LocalServerError
from cli.local.log_files import DISK_FULL, last_words, open_log, read_from


@dataclass(frozen=True)
class ChildSpec:
    """What to run and how to treat it.

    `ready` returns once the child serves, polling by itself; it may raise LocalServerError.
    `ready_timeout` and `stop_grace` are seconds.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    ready: Callable[[], Awaitable[object]] | None
    ready_timeout: float
    stop_grace: float


class ChildProcess:
    """A child in a session of its own, so that Ctrl-C reaches only the parent.

    Its output is appended to the spec's log. What it leaves running in its process group is
    killed when it ends.
    """

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self._process: asyncio.subprocess.Process | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """The process id, None while it does not run."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    async def start(self) -> None:
        """Start it and wait until it is ready.

        Raises LocalServerError, with nothing left running, when it ends before that or takes
        longer than its `ready_timeout`.
        """
        try:
            self._process = await self._spawn()
        except OSError as error:
            why = error.strerror or str(error)
            raise self._failure("could not be started", why) from error
        if self.spec.ready is None:
            return
        try:
            await self._until_ready(self._process, self.spec.ready)
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """Wait for its end; the exit code, or minus the signal that ended it.

        Raises RuntimeError when it does not run.
        """
        if self._process is None:
            raise RuntimeError(f"{self.spec.name} is not running")
        code = await self._process.wait()
        _kill_group(self._process.pid)
        self._process = None
        return code

    async def stop(self) -> bool:
        """SIGTERM, and SIGKILL after the grace time. False when it had to be killed."""
        process = self._process
        if process is None:
            return True
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(self.spec.stop_grace):
                await process.wait()
            return True
        except TimeoutError:
            return False
        finally:
            _kill_group(process.pid)
            await process.wait()
            self._process = None

    async def _spawn(self) -> asyncio.subprocess.Process:
        with open_log(self.spec.log) as output:
            self._log_start = output.seek(0, os.SEEK_END)
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", launch.__file__, str(os.getpid())),
                *self.spec.argv,
                env=dict(self.spec.env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )

    async def _until_ready(
        self, process: asyncio.subprocess.Process, ready: Callable[[], Awaitable[object]]
    ) -> None:
        ended = asyncio.ensure_future(process.wait())
        served = asyncio.ensure_future(ready())
        try:
            await asyncio.wait(
                {ended, served},
                timeout=self.spec.ready_timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if ended.done():
                raise self._ended_early(ended.result())
            if not served.done():
                why = f"it was not ready after {self.spec.ready_timeout:g} s"
                raise self._failure("did not start", why)
            served.result()
        finally:
            ended.cancel()
            served.cancel()
            await asyncio.gather(ended, served, return_exceptions=True)

    def _ended_early(self, code: int) -> LocalServerError:
        text = read_from(self.spec.log, self._log_start)
        why = "the disk is full" if DISK_FULL in text else last_words(text)
        return self._failure(f"died at start with {describe_exit(code)}", why)

    def _failure(self, what: str, why: str) -> LocalServerError:
        fix = f"Put that right and start again; its whole log is {self.spec.log}."
        return LocalServerError(f"{self.spec.name} {what}", why, fix)


def describe_exit(code: int) -> str:
    """`signal 9` or `exit code 1`."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _kill_group(pid: int) -> None:
    # The child leads its group. macOS answers PermissionError where only zombies are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
