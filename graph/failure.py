"""Failures of background work."""

from typing import Self

import strawberry

from domain.core.failures import Failure as StoredFailure
from graph.enums import FailureCode


@strawberry.type(description="Why background work failed.")
class Failure:
    code: FailureCode
    message: str = strawberry.field(description="Safe to show, in the user's language.")
    is_retryable: bool = strawberry.field(description="True when submitting again may succeed.")

    @classmethod
    def of(cls, failure: StoredFailure | None) -> Self | None:
        if failure is None:
            return None
        return cls(code=failure.code, message=failure.message, is_retryable=failure.is_retryable)
