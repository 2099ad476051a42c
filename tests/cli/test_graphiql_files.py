import os
from pathlib import Path

import pytest

from cli.graphiql_files import FilesUnavailable, fetch, is_current

# A stand-in for npm, found on PATH as the real one would be. `ci` leaves a trace of its arguments.
NPM = """#!/bin/sh
if [ "$1" = --version ]; then echo 10.8.2; exit 0; fi
mkdir -p node_modules && echo "$@" >> node_modules/calls
"""
BROKEN_NPM = """#!/bin/sh
if [ "$1" = --version ]; then echo 10.8.2; exit 0; fi
echo "npm warn Unknown user config" >&2
echo "npm error code ENOTFOUND" >&2
echo "npm error network request failed, reason: no such host" >&2
exit 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "package-lock.json").write_text("{}", "utf-8")
    return tmp_path


def put_npm_on_path(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    npm = folder / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(script, "utf-8")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}{os.pathsep}{os.environ['PATH']}")


def test_files_are_fetched_once_for_each_lock(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    put_npm_on_path(monkeypatch, folder, NPM)
    assert not is_current(folder)
    fetch(folder)
    fetch(folder)
    assert is_current(folder)
    calls = folder / "node_modules" / "calls"
    assert calls.read_text("utf-8") == "ci --ignore-scripts --no-audit --no-fund\n"

    (folder / "package-lock.json").write_text('{"changed": true}', "utf-8")
    assert not is_current(folder)
    fetch(folder)
    assert len(calls.read_text("utf-8").splitlines()) == 2


def test_a_failure_says_why_and_leaves_no_stamp(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    put_npm_on_path(monkeypatch, folder, BROKEN_NPM)
    with pytest.raises(
        FilesUnavailable, match=r"^npm failed: network request failed, reason: no such host$"
    ):
        fetch(folder)
    assert not is_current(folder)
