"""The one error of the embedded servers."""

import errno
from pathlib import Path


class LocalServerError(Exception):
    """Something a person has to put right before `careergraph up` can run.

    `what` happened, `why`, and the `fix`; `str()` is all three on one line.
    """

    def __init__(self, what: str, why: str, fix: str) -> None:
        self.what = what
        self.why = why
        self.fix = fix
        super().__init__(" ".join(f"{what}: {why.rstrip('.')}. {fix}".split()))


def unusable(path: Path, error: OSError) -> LocalServerError:
    """The error for a file or folder of the data folder that the system refused."""
    fix = "Choose another folder with --data DIR."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        fix = "Free some space, or choose another folder with --data DIR."
    if error.errno in (errno.EACCES, errno.EPERM):
        fix = "Give this user the right to write there, or choose another folder with --data DIR."
    why = error.strerror or str(error)
    return LocalServerError(f"the data folder's {str(path)!r} cannot be used", why, fix)
