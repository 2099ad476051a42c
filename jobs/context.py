"""What arq hands to every job."""

from typing import Any

from jobs.runner import Runner

WorkerContext = dict[str, Any]


def runner_of(ctx: WorkerContext) -> Runner:
    """The runner of this worker process."""
    runner: Runner = ctx["runner"]
    return runner
