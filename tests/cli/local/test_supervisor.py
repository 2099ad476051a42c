import asyncio
import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

from cli.local.errors import LocalServerError
from cli.local.supervisor import Supervisor, restart_delay
from tests.cli.local.conftest import ENV
from tests.cli.local.processes import ROOT, eventually, is_running

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]

# Says so when it is told to stop; the file shows that it listens by now.
POLITE = """
import pathlib, signal, sys, time
def leave(*_):
    with open("order", "a") as file:
        file.write(sys.argv[1] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""

DEAF = """
import pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path("deaf").touch()
time.sleep(60)
"""


def in_folder(folder: Path, code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", f"import os; os.chdir({str(folder)!r})\n{code}", *arguments]


def test_the_delay_doubles_up_to_half_a_minute() -> None:
    assert [restart_delay(n) for n in (0, 1, 2, 5, 6, 1000)] == [0.5, 1, 2, 16, 30, 30]


async def test_a_killed_child_is_restarted_and_the_observer_told(tmp_path: Path) -> None:
    lines: list[str] = []
    async with Supervisor(tmp_path, lines.append) as supervisor:
        await supervisor.add("worker", SLEEP, ENV)
        first = supervisor.pid("worker")
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: len(lines) == 2)
        second = supervisor.pid("worker")
        assert second not in (None, first)
    assert lines == [
        "worker died with signal 9; restarting in 0.5 s",
        f"worker runs again (pid {second})",
    ]


async def test_what_a_killed_child_started_dies_with_it(tmp_path: Path) -> None:
    code = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path("grandchild").write_text(str(child.pid))
time.sleep(60)
"""
    written = tmp_path / "grandchild"
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        await supervisor.add("web", in_folder(tmp_path, code), ENV)
        await eventually(lambda: written.exists() and written.read_text() != "")
        grandchild = int(written.read_text())
        pid = supervisor.pid("web")
        assert pid is not None
        assert is_running(grandchild)
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: not is_running(grandchild))


async def test_children_are_stopped_last_first(tmp_path: Path) -> None:
    names = ["database", "worker", "web"]
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        for name in names:
            await supervisor.add(
                name,
                in_folder(tmp_path, POLITE, name),
                ENV,
                ready=partial(eventually, (tmp_path / name).exists),
            )
        pids = [supervisor.pid(name) for name in names]
    assert (tmp_path / "order").read_text().split() == ["web", "worker", "database"]
    assert not any(is_running(pid) for pid in pids if pid)


async def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    lines: list[str] = []
    async with Supervisor(tmp_path, lines.append) as supervisor:
        await supervisor.add(
            "worker",
            in_folder(tmp_path, DEAF),
            ENV,
            ready=lambda: eventually((tmp_path / "deaf").exists),
            stop_grace=0.2,
        )
        pid = supervisor.pid("worker")
        assert pid is not None
    assert not is_running(pid)
    assert lines == ["worker did not stop in 0.2 s and was killed"]


async def test_a_child_that_dies_before_it_is_ready_is_an_error_with_its_last_line(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('first\\nno such module: x')"]
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        with pytest.raises(LocalServerError) as caught:
            await supervisor.add("web", command, ENV, ready=asyncio.Event().wait)
        with pytest.raises(KeyError):
            supervisor.pid("web")
    assert str(caught.value).startswith(
        "web died at start with exit code 1: no such module: x. Put that right and start again"
    )


async def test_a_full_disk_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('write: No space left on device (28)')"]
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        with pytest.raises(LocalServerError, match="the disk is full"):
            await supervisor.add("redis", command, ENV, ready=asyncio.Event().wait)


async def test_a_child_never_ready_is_stopped(tmp_path: Path) -> None:
    never = asyncio.Event()
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        with pytest.raises(LocalServerError, match=r"was not ready after 0\.3 s"):
            await supervisor.add("web", SLEEP, ENV, ready=never.wait, ready_timeout=0.3)


async def test_run_returns_when_told_and_children_survive_until_then(tmp_path: Path) -> None:
    stop = asyncio.Event()
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        await supervisor.add("web", SLEEP, ENV)
        running = asyncio.create_task(supervisor.run(stop))
        await asyncio.sleep(0.05)
        assert not running.done()
        stop.set()
        await running
        assert supervisor.pid("web") is not None


async def test_a_signal_to_the_terminals_group_does_not_reach_children(tmp_path: Path) -> None:
    async with Supervisor(tmp_path, lambda _: None) as supervisor:
        await supervisor.add("web", SLEEP, ENV)
        pid = supervisor.pid("web")
        assert pid is not None
        assert os.getpgid(pid) != os.getpgid(0)
        assert os.getsid(pid) != os.getsid(0)


PARENT = """
import asyncio, pathlib, sys
from cli.local.supervisor import Supervisor
async def main():
    async with Supervisor(pathlib.Path(sys.argv[1]), print) as supervisor:
        for name in ("one", "two"):
            await supervisor.add(name, [sys.executable, "-c", "import time; time.sleep(60)"], {})
        print(supervisor.pid("one"), supervisor.pid("two"), flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
async def test_no_child_outlives_a_parent_killed_with_9(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(tmp_path)), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    children = [int(pid) for pid in (await parent.stdout.readline()).split()]
    assert len(children) == 2
    assert all(is_running(pid) for pid in children)
    parent.kill()
    await parent.communicate()
    await eventually(lambda: not any(is_running(pid) for pid in children))
