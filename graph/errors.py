"""Expected failures as GraphQL shows them: data in mutations, coded errors elsewhere."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any

import strawberry
from graphql import GraphQLError

from domain.core.errors import (
    AccountClosed,
    DomainError,
    IdempotencyKeyMismatch,
    InputRule,
    InvalidInput,
    Missing,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    WrongState,
)
from graph import ids
from graph.context import Info
from graph.enums import SizeUnit, UserErrorCode
from graph.error_texts import text_of


@strawberry.interface(
    description="An expected failure, returned as data. New kinds may be added: always select "
    "these fields with `... on UserError`."
)
class UserError:
    code: UserErrorCode
    message: str = strawberry.field(description="Safe to show, in the viewer's language.")
    path: list[str] | None = strawberry.field(
        description='Path of the input field at fault, for example ["input", "jobPosting", '
        '"roleTitle"].'
    )


@strawberry.type(description="Input that cannot be accepted.")
class ValidationError(UserError):
    pass


@strawberry.type(
    description="An object named in the input is absent, or not yours (the two look the same)."
)
class NotFoundError(UserError):
    missing_id: strawberry.ID = strawberry.field(description="The id that was not found.")


@strawberry.type(description="Input or file over a size limit.")
class PayloadTooLargeError(UserError):
    limit: int
    actual: int
    unit: SizeUnit


@strawberry.type(description="Too many calls.")
class RateLimitError(UserError):
    retry_after: int = strawberry.field(description="Seconds to wait before trying again.")


@strawberry.type(description="An idempotency key was used again with other input.")
class IdempotencyKeyError(UserError):
    pass


@strawberry.type(description="The action does not fit the object's present state.")
class InvalidStateError(UserError):
    pass


RequestCVUploadError = Annotated[
    ValidationError | PayloadTooLargeError | RateLimitError | IdempotencyKeyError,
    strawberry.union("RequestCVUploadError", description="What can keep an upload from starting."),
]
CreateCVError = Annotated[
    ValidationError | PayloadTooLargeError | RateLimitError | IdempotencyKeyError,
    strawberry.union(
        "CreateCVError",
        description="What can keep a CV from being made. New members may be added.",
    ),
]
SubmitGapAnalysisError = Annotated[
    ValidationError | NotFoundError | PayloadTooLargeError | RateLimitError | IdempotencyKeyError,
    strawberry.union(
        "SubmitGapAnalysisError",
        description="What can keep an analysis from being queued. New members may be added.",
    ),
]
AnswerGapQuestionsError = Annotated[
    ValidationError | NotFoundError | PayloadTooLargeError | RateLimitError | InvalidStateError,
    strawberry.union(
        "AnswerGapQuestionsError",
        description="What can keep answers from being saved. New members may be added.",
    ),
]
CancelGapAnalysisError = Annotated[
    NotFoundError | InvalidStateError,
    strawberry.union(
        "CancelGapAnalysisError",
        description="What can keep an analysis from being stopped. New members may be added.",
    ),
]
RetryGapAnalysisError = Annotated[
    NotFoundError | InvalidStateError | RateLimitError,
    strawberry.union(
        "RetryGapAnalysisError",
        description="What can keep an analysis from being queued again. New members may be added.",
    ),
]
UpdateProfileError = Annotated[
    ValidationError | PayloadTooLargeError,
    strawberry.union(
        "UpdateProfileError",
        description="What can keep a profile from being saved. New members may be added.",
    ),
]

UnlinkIdentityError = Annotated[
    NotFoundError | InvalidStateError,
    strawberry.union(
        "UnlinkIdentityError",
        description="What can keep an identity from being unlinked. New members may be added.",
    ),
]
ConsentError = Annotated[
    ValidationError | InvalidStateError,
    strawberry.union(
        "ConsentError",
        description="What can keep a consent from being given or withdrawn. New members may be "
        "added.",
    ),
]
RevokeSessionError = Annotated[
    NotFoundError,
    strawberry.union(
        "RevokeSessionError",
        description="What can keep a session from being ended. New members may be added.",
    ),
]

ExportMyDataError = Annotated[
    RateLimitError | IdempotencyKeyError,
    strawberry.union(
        "ExportMyDataError",
        description="What can keep an export from being made. New members may be added.",
    ),
]
DeleteMyAccountError = Annotated[
    ValidationError,
    strawberry.union(
        "DeleteMyAccountError",
        description="What can keep an account from being deleted. New members may be added.",
    ),
]

_KIND = {Missing.CV: "CV", Missing.GAP_ANALYSIS: "GapAnalysis", Missing.IDENTITY: "Identity"}


async def told(info: Info, error: DomainError) -> Any:
    """The error type that stands for a failure in a mutation's payload."""
    message = text_of(error, await info.context.language())
    if isinstance(error, AccountClosed):  # no fault of the input: the session is no good any more
        raise GraphQLError(message, extensions={"code": code_of(error)}) from None
    code = UserErrorCode(code_of(error))
    match error:
        case InvalidInput():
            return ValidationError(code=code, message=message, path=error.path)
        case NotFound():
            return NotFoundError(
                code=code, message=message, path=error.path, missing_id=_missing_id(error)
            )
        case PayloadTooLarge():
            return PayloadTooLargeError(
                code=code, message=message, path=error.path,
                limit=error.limit, actual=error.actual, unit=error.unit,
            )  # fmt: skip
        case RateLimited():
            return RateLimitError(
                code=code, message=message, path=None, retry_after=error.retry_after
            )
        case IdempotencyKeyMismatch():
            path = ["input", "idempotencyKey"]
            return IdempotencyKeyError(code=code, message=message, path=path)
        case WrongState():
            return InvalidStateError(code=code, message=message, path=None)
    raise TypeError(f"no error type for {type(error).__name__}") from error


@contextlib.asynccontextmanager
async def top_level_errors(info: Info) -> AsyncIterator[None]:
    """Expected failures of queries and subscriptions, as errors with a code."""
    try:
        yield
    except DomainError as error:
        message = text_of(error, await info.context.language())
        raise GraphQLError(message, extensions={"code": code_of(error)}) from None


def code_of(error: DomainError) -> str:
    """The failure's UserErrorCode."""
    match error:
        case InvalidInput(rule=InputRule.UNSUPPORTED_FILE_TYPE):
            return "UNSUPPORTED_FILE_TYPE"
        case InvalidInput():
            return "VALIDATION_ERROR"
        case NotFound():
            return error.missing.value
        case PayloadTooLarge():
            return "PAYLOAD_TOO_LARGE"
        case RateLimited():
            return "RATE_LIMIT_EXCEEDED"
        case IdempotencyKeyMismatch():
            return "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
        case AccountClosed():
            return "UNAUTHENTICATED"
        case WrongState():
            return "INVALID_STATE"
    raise TypeError(f"no code for {type(error).__name__}")


def _missing_id(error: NotFound) -> strawberry.ID:
    if isinstance(error.id, str):
        return strawberry.ID(error.id)
    return ids.encode(_KIND[error.missing], error.id)
