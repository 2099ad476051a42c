"""How time grows with input: a ratio holds on a slow machine, seconds do not."""

import time
from collections.abc import Callable

FACTOR = 4
# Linear time grows by 4 here and quadratic by 16; what is small is mostly fixed cost and noise.
MOST_GROWTH = 9
SLACK_SECONDS = 0.05


def assert_linear(run: Callable[[int], object], size: int) -> None:
    """`run(4 * size)` takes about four times the processor's time of `run(size)`."""
    small, large = (min(_seconds(run, n) for _ in range(2)) for n in (size, FACTOR * size))
    assert large < MOST_GROWTH * small + SLACK_SECONDS, f"{small:.3f} s grew to {large:.3f} s"


def _seconds(run: Callable[[int], object], size: int) -> float:
    began = time.process_time()
    run(size)
    return time.process_time() - began
