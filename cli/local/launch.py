"""Runs a command that dies with its parent: `python -I -S launch.py PARENT_PID COMMAND...`.

A program of its own rather than a preexec_fn, which may deadlock in a parent that has threads.
The kernel keeps the request over exec, so the command has this process's pid. It counts the
thread that started the command as the parent: the event loop's, which outlasts the children. Only
Linux can do it (prctl PR_SET_PDEATHSIG). On other systems children outlive a parent killed with
-9, and the next start waits for the servers among them or ends them.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Become `command`; never returns."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it died before the request was in force
            os._exit(1)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and exec would keep that
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell wanted: an argv, and this pid
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
