"""Expected failures. They carry data only; the edge words them in the viewer's language."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID


class DomainError(Exception):
    """Something a client can cause and mend. Never used for bugs."""


class InputRule(StrEnum):
    """The rules that input can break."""

    BLANK = "BLANK"
    TOO_LONG = "TOO_LONG"
    NOT_HTTP_URL = "NOT_HTTP_URL"
    BAD_CURSOR = "BAD_CURSOR"
    BAD_PAGE_SIZE = "BAD_PAGE_SIZE"
    FIRST_AND_LAST = "FIRST_AND_LAST"
    UNSUPPORTED_FILE_TYPE = "UNSUPPORTED_FILE_TYPE"
    BAD_SIZE = "BAD_SIZE"
    NO_ANSWERS = "NO_ANSWERS"
    DUPLICATE_QUESTION = "DUPLICATE_QUESTION"
    TOO_MANY = "TOO_MANY"
    CV_NOT_UPLOADED = "CV_NOT_UPLOADED"
    CV_UNREADABLE = "CV_UNREADABLE"
    OUTDATED_CONSENT_TEXT = "OUTDATED_CONSENT_TEXT"
    NOT_CONFIRMED = "NOT_CONFIRMED"


class InvalidInput(DomainError):
    """Input that cannot be accepted as it is.

    `path` leads to the field at fault in GraphQL's spelling; `limit` is the bound that was
    passed, where the rule has one.
    """

    def __init__(self, rule: InputRule, path: Sequence[str], limit: int | None = None) -> None:
        super().__init__(f"{'.'.join(path)}: {rule}")
        self.rule = rule
        self.path = list(path)
        self.limit = limit


class Missing(StrEnum):
    """What was not found."""

    CV = "CV_NOT_FOUND"
    GAP_ANALYSIS = "JOB_NOT_FOUND"
    QUESTION = "QUESTION_NOT_FOUND"
    SESSION = "SESSION_NOT_FOUND"
    IDENTITY = "IDENTITY_NOT_FOUND"
    DATA_EXPORT = "DATA_EXPORT_NOT_FOUND"


class NotFound(DomainError):
    """An object is absent or somebody else's; nothing here tells which."""

    def __init__(self, missing: Missing, path: Sequence[str], id: UUID | str) -> None:
        super().__init__(f"{missing} {id}")
        self.missing = missing
        self.path = list(path)
        self.id = id


class SizeUnit(StrEnum):
    BYTES = "BYTES"
    CHARACTERS = "CHARACTERS"


class PayloadTooLarge(DomainError):
    """Input or a file over a limit."""

    def __init__(self, path: Sequence[str], limit: int, actual: int, unit: SizeUnit) -> None:
        super().__init__(f"{'.'.join(path)}: {actual} {unit}, at most {limit}")
        self.path = list(path)
        self.limit = limit
        self.actual = actual
        self.unit = unit


class RateLimited(DomainError):
    """Too many calls. `retry_after` is whole seconds, at least 1."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.retry_after = retry_after


class IdempotencyKeyMismatch(DomainError):
    """A key was used again with other input."""


class AccountClosed(DomainError):
    """The account is being deleted, or was: nothing can be made for it any more."""


class WrongState(DomainError):
    """The action does not fit the object's present state, named by `state`."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


class LastWayIn(WrongState):
    """The identity is the only way into its account."""

    def __init__(self) -> None:
        super().__init__("LAST_WAY_IN")


class NeededForAccount(WrongState):
    """There is no account without this consent; deleting the account ends both."""

    def __init__(self) -> None:
        super().__init__("NEEDED_FOR_ACCOUNT")
