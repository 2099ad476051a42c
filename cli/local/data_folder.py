"""The folder in which the embedded servers keep everything, used by one `up` at a time."""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.local.errors import LocalServerError, unusable

FREE_BYTES_NEEDED = 100 * 1024 * 1024
"""mongod's first journal and the logs want tens of megabytes; below this it aborts at start."""


@dataclass(frozen=True)
class DataFolder:
    """The parts of the data folder, each of mode 0700."""

    root: Path

    @property
    def mongo(self) -> Path:
        """mongod's files."""
        return self.root / "mongo"

    @property
    def redis(self) -> Path:
        """The Redis server's append-only file."""
        return self.root / "redis"

    @property
    def keys(self) -> Path:
        """Secrets, each of mode 0600."""
        return self.root / "keys"

    @property
    def logs(self) -> Path:
        """One NAME.log for each process, and NAME.log.1 before it."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """What describes the running instance: lock, socket, ports."""
        return self.root / "run"

    @property
    def parts(self) -> tuple[Path, ...]:
        return (self.mongo, self.redis, self.keys, self.logs, self.run)


@contextmanager
def open_data_folder(root: Path) -> Iterator[DataFolder]:
    """Create what is missing of the folder at `root` and hold it exclusively.

    The lock ends with the process that holds it, however that ends. Raises LocalServerError when
    the folder cannot be made or written, the disk is full, or another `up` holds it.
    """
    folder = DataFolder(root.expanduser().absolute())
    _create(folder)
    with _locked(folder.run / "up.lock", folder.root):
        yield folder


def _create(folder: DataFolder) -> None:
    try:
        for part in (folder.root, *folder.parts):
            if not part.is_dir():
                part.mkdir(mode=0o700, parents=True)
        free = shutil.disk_usage(folder.root).free
    except OSError as error:
        raise unusable(folder.root, error) from error
    for part in (folder.root, *folder.parts):
        if not os.access(part, os.R_OK | os.W_OK | os.X_OK):
            raise unusable(part, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    if free < FREE_BYTES_NEEDED:
        raise LocalServerError(
            f"the data folder {folder.root} cannot be used",
            f"its disk is full ({free // 2**20} MB free, {FREE_BYTES_NEEDED // 2**20} needed)",
            "Free some space, or choose another folder with --data DIR.",
        )


@contextmanager
def _locked(lock: Path, root: Path) -> Iterator[None]:
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unusable(lock, error) from error
    try:
        _lock(descriptor, root)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, root: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
    except BlockingIOError as error:
        holder = os.pread(descriptor, 20, 0).decode() or "unknown"
        raise LocalServerError(
            f"the data folder {root} is in use",
            f"another `careergraph up` (pid {holder}) is running on it",
            f"Stop that one (Ctrl-C, or kill {holder}), or choose another folder with --data DIR.",
        ) from error
    except OSError as error:
        raise unusable(root, error) from error
