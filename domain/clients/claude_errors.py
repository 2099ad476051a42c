"""What the anthropic SDK raises, in this project's terms."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2
from anthropic import APIConnectionError, APIStatusError, APITimeoutError

from domain.clients.language_model import (
    LanguageModelError,
    ModelAnswerUnreadable,
    ModelRejected,
    ModelTimeout,
    ModelUnavailable,
)
from domain.core.clock import now

LONGEST_RETRY_AFTER = 600.0
"""Seconds; a server that asks for a longer wait is asked again after this."""

# Error types of https://docs.anthropic.com/en/api/errors that no later try mends.
_FINAL_TYPES = frozenset(
    {
        "invalid_request_error",
        "authentication_error",
        "billing_error",
        "permission_error",
        "not_found_error",
        "request_too_large",
    }
)
# Request timeout, conflict and rate limit pass; every other 4xx is final.
_PASSING_CLIENT_ERRORS = frozenset({408, 409, 429})


def translated(error: Exception, answer: str) -> LanguageModelError:
    """The `LanguageModelError` for whatever a call of the SDK raised.

    `answer` is what had arrived of the answer by then.
    """
    if isinstance(error, LanguageModelError):
        return error
    if isinstance(error, APIStatusError):
        return _from_status(error)
    if _is_timeout(error):
        return ModelTimeout(f"no answer in time: {error!r}")
    # A stream that breaks off raises the HTTP client's errors as they are.
    if isinstance(error, APIConnectionError | httpx2.HTTPError):
        return ModelUnavailable(f"connection failed: {error.__cause__ or error!r}")
    return ModelAnswerUnreadable(f"unreadable response: {type(error).__name__}", answer)


def retry_after_seconds(header: str | None, at: datetime) -> float | None:
    """Seconds from `at` that a Retry-After header asks for (RFC 9110, 10.2.3), at most
    `LONGEST_RETRY_AFTER`; None when it is absent, unreadable or past."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        seconds = _seconds_until(header, at)
    if math.isnan(seconds) or seconds <= 0:
        return None
    return min(seconds, LONGEST_RETRY_AFTER)


def _seconds_until(http_date: str, at: datetime) -> float:
    try:
        date = parsedate_to_datetime(http_date)
    except ValueError:
        return math.nan
    # A date in the zone "-0000" comes back without one; HTTP dates are always UTC.
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return (aware - at).total_seconds()


def _is_timeout(error: Exception) -> bool:
    # A server that cannot be connected to is unreachable, however long that took to find out.
    if isinstance(error.__cause__ or error, httpx2.ConnectTimeout):
        return False
    return isinstance(error, TimeoutError | APITimeoutError | httpx2.TimeoutException)


def _from_status(error: APIStatusError) -> LanguageModelError:
    # Not the server's own words: those of a 400 may quote the prompt, which holds a person's CV.
    message = f"{error.status_code} {error.type} (request {error.request_id})"
    if _is_final(error):
        return ModelRejected(message)
    wait = retry_after_seconds(error.response.headers.get("retry-after"), now())
    return ModelUnavailable(message, wait)


def _is_final(error: APIStatusError) -> bool:
    if error.status_code < 400:  # an error event within a stream, whose own status is 200
        return error.type in _FINAL_TYPES
    return error.status_code < 500 and error.status_code not in _PASSING_CLIENT_ERRORS
