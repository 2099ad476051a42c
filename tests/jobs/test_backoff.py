"""How long to wait before trying again."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.backoff import LONGEST_SECONDS, backoff_seconds

JITTER = st.floats(0, 1)


def test_doubles_with_each_attempt() -> None:
    assert [backoff_seconds(attempt, 1.0, None) for attempt in (1, 2, 3)] == [2.0, 4.0, 8.0]


def test_jitter_spreads_over_the_upper_half() -> None:
    assert backoff_seconds(2, 0.0, None) == 2.0
    assert backoff_seconds(2, 1.0, None) == 4.0


def test_retry_after_is_a_lower_bound() -> None:
    assert backoff_seconds(1, 0.0, 30.0) == 30.0
    assert backoff_seconds(3, 1.0, 1.0) == 8.0


def test_retry_after_is_bounded() -> None:
    assert backoff_seconds(1, 0.0, 86_400.0) == LONGEST_SECONDS


@given(st.integers(1, 500), JITTER, st.none() | st.floats(0, 1e9))
def test_always_some_seconds_and_never_too_many(
    attempt: int, jitter: float, retry_after: float | None
) -> None:
    assert 1.0 <= backoff_seconds(attempt, jitter, retry_after) <= LONGEST_SECONDS
