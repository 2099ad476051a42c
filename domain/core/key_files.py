"""Files of keys under the data folder: written whole, and for their owner's eyes only."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

_LOCK = ".lock"


class KeyFolderError(Exception):
    """A file of keys can neither be read nor made. The message says which and what to do."""


def key_file(data_dir: Path, name: str) -> Path:
    """Where the file of keys called `name` lies."""
    return data_dir / "keys" / name


def read_or_make(path: Path, make: Callable[[], str]) -> bytes:
    """What is in `path`, after `make` was asked for it if there was no such file.

    Processes that share the folder share the file: it is linked into place whole, and whoever
    comes second reads what the first one made. Raises KeyFolderError.
    """
    with _explained(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            fresh = _write_beside(path, make())
            try:
                os.link(fresh, path)
            except FileExistsError:
                pass  # another process was first
            finally:
                fresh.unlink()
        return path.read_bytes()


def read(path: Path) -> bytes:
    """What is in `path`. Raises KeyFolderError."""
    with _explained(path):
        return path.read_bytes()


def replace(path: Path, text: str) -> None:
    """Put `text` in the place of what is there; readers see the old file or the new one.

    Raises KeyFolderError.
    """
    with _explained(path):
        fresh = _write_beside(path, text)
        try:
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time change `path`. The lock ends with its process, however that ends.

    Raises KeyFolderError.
    """
    import fcntl  # POSIX only, and so is what needs a lock; reading keys needs none

    with _explained(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path.parent / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with _explained(path):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def damaged(path: Path, why: object, consequence: str) -> KeyFolderError:
    """The error for a file whose content is no good; `consequence` is that of making a new one."""
    return KeyFolderError(
        f"The key file {path} is damaged ({why}). Put back a copy of it, or remove it: then a new "
        f"one is made, and {consequence}."
    )


def _write_beside(path: Path, text: str) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _sync_folder(folder: Path) -> None:
    """Make a rename outlast a power failure: what the new key signed must stay good."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KeyFolderError(
            f"The key file {path} cannot be used ({error}). Give this user rights to the folder, "
            "or name another one with CAREERGRAPH_DATA_DIR or --data."
        ) from error
