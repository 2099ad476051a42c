from datetime import UTC, datetime

import pytest

from domain.clients.claude_errors import LONGEST_RETRY_AFTER, retry_after_seconds

AT = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("30", 30.0),
        ("1.5", 1.5),
        ("0", None),
        ("-5", None),
        ("nan", None),
        ("inf", LONGEST_RETRY_AFTER),
        ("100000", LONGEST_RETRY_AFTER),
        ("Fri, 20 Nov 2026 12:01:00 GMT", 60.0),
        ("Fri, 20 Nov 2026 12:01:00 -0000", 60.0),
        ("Fri, 20 Nov 2026 11:59:00 GMT", None),
        ("Sat, 21 Nov 2026 12:00:00 GMT", LONGEST_RETRY_AFTER),
        ("a while", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, AT) == seconds
