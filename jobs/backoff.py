"""How long to wait before trying again."""

FIRST_SECONDS = 2.0
LONGEST_SECONDS = 120.0


def backoff_seconds(attempt: int, jitter: float, retry_after: float | None) -> float:
    """Seconds to wait after `attempt` (from 1) failed for a passing reason.

    Doubles with each attempt; `jitter`, 0 to 1, spreads it over its upper half so that many jobs
    do not come back at once. A server's `retry_after` is a lower bound. Never over two minutes.
    """
    exponential = FIRST_SECONDS * 2.0 ** (attempt - 1)
    spread = exponential * (0.5 + 0.5 * jitter)
    return min(max(spread, retry_after or 0.0), LONGEST_SECONDS)
