"""Files that only their owner may read, written whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from cli.local.errors import unusable


def write_private(path: Path, text: str) -> None:
    """Replace `path` by `text`, mode 0600. Raises LocalServerError."""
    try:
        _replace(path, text)
    except OSError as error:
        raise unusable(path, error) from error


def _replace(path: Path, text: str) -> None:
    # mkstemp creates with 0600; the rename makes a crash leave the old file or the new one.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_or_create_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret in `path`, made by `make` when there is none; mode 0600.

    Raises LocalServerError.
    """
    try:
        if not path.exists():
            _replace(path, make())
        # A copied data folder may have lost its modes; mongod refuses a key others can read.
        path.chmod(0o600)
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise unusable(path, error) from error
