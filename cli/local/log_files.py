"""Log files of child processes: appended to by the child, kept small from outside."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

MAX_BYTES = 10 * 1024 * 1024
TAIL_BYTES = 64 * 1024
DISK_FULL = "No space left on device"


def open_log(path: Path) -> BinaryIO:
    """`path` opened for appending, mode 0600, shortened first when it is long. Raises OSError."""
    shorten(path, MAX_BYTES)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(descriptor, "ab", buffering=0)


def shorten(path: Path, max_bytes: int) -> None:
    """Move what `path` holds to its `.1` neighbour when it is over `max_bytes`.

    The file is copied and emptied, not renamed: the child appends through a descriptor it keeps.
    Lines written between the two steps are lost, which is the price of not reading every line.
    """
    if not path.exists() or path.stat().st_size <= max_bytes:
        return
    older = path.with_name(f"{path.name}.1")
    with suppress(OSError):  # with a full disk, emptying is all the more urgent
        shutil.copyfile(path, older)
        older.chmod(0o600)
    os.truncate(path, 0)


def read_from(path: Path, start: int) -> str:
    """The text after byte `start`, at most its last TAIL_BYTES."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(min(start, size), size - TAIL_BYTES))
        return file.read().decode("utf-8", "replace")


def last_words(text: str) -> str:
    """The line of a dead server's log that best says why it died.

    mongod writes JSON lines whose last ones are only its shutdown: there the last line with a
    stated error counts, else the last that is no mere information. Of other programs the last.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return "it wrote nothing to its log"
    entries = [entry for line in lines if (entry := _mongod_entry(line))]
    if not lines[-1].startswith("{") or not entries:
        return lines[-1]
    stated = [entry for entry in entries if entry.get("attr", {}).get("error")]
    grave = [entry for entry in entries if entry.get("s") in ("E", "F")]
    return _words((stated or grave or entries)[-1])


def _mongod_entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "msg" in entry else None


def _words(entry: dict[str, Any]) -> str:
    detail = entry.get("attr", {}).get("error")
    if isinstance(detail, dict):
        detail = detail.get("errmsg")
    return ": ".join(filter(None, (str(entry["msg"]).strip(), detail and str(detail))))
