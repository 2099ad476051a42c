"""The shape of a kind of background work."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from domain.core.delivery import Claim, Deliverable
from domain.core.deps import Deps
from domain.core.failures import FailureReason


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of background work: its documents and the actions on a claimed one."""

    document: type[Deliverable]
    run: Callable[[Deps, Claim], Awaitable[None]]
    fail: Callable[[Deps, Claim, FailureReason], Awaitable[bool]]
    """Ends it without a result; False when the claim was no longer good."""
    repeat: Callable[[Deps, UUID], Awaitable[UUID]]
    """Makes new work with the same input; gives its document's id."""
    pause: Callable[[Deps, Claim], Awaitable[None]] | None = None
    """Tells watchers that the work is interrupted; None for work too short to say so."""
