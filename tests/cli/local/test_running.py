import os
import stat
import subprocess
from pathlib import Path

import pytest

from cli.local.running import Running, forget_running, read_running, write_running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path


def running(pid: int) -> Running:
    return Running("mongodb://127.0.0.1:27100/", "unix:///run/s?db=0", 8000, pid)


def test_what_was_written_is_read_by_others_of_this_user_only(folder: Path) -> None:
    write_running(folder, running(os.getpid()))
    assert read_running(folder) == running(os.getpid())
    assert stat.S_IMODE((folder / "run" / "servers.json").stat().st_mode) == 0o600


def test_nothing_runs_once_its_process_is_gone(folder: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    write_running(folder, running(gone.pid))
    assert read_running(folder) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": 1, "host": "x"}'])
def test_a_file_of_another_shape_says_that_nothing_runs(folder: Path, text: str) -> None:
    (folder / "run" / "servers.json").write_text(text)
    assert read_running(folder) is None


def test_forgetting_twice_is_harmless(folder: Path) -> None:
    write_running(folder, running(os.getpid()))
    forget_running(folder)
    forget_running(folder)
    assert read_running(folder) is None
