"""Several operations in one request: how many, and what they may take together."""

import time
from typing import Any

from domain.core.deps import Deps
from domain.core.settings import Feature
from graph.answer_size import MOST_ANSWER_BYTES, AnswerTooLarge
from graph.execution import MOST_COST, Prepared, RequestRefused
from graph.refusals import not_begun, too_costly_together
from graph.request_body import HTTPRefused

MOST_OPERATIONS = 10
"""In one batch."""


class Batch:
    """What one batch has taken. Time, points and the size of answers are bounded together, as those
    of one operation are."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends_at = time.monotonic() + seconds
        self._cost = 0
        self._size = 0

    def require_room(self) -> None:
        """Raises RequestRefused when nothing more is begun."""
        if time.monotonic() >= self._ends_at:
            raise RequestRefused([not_begun(self._seconds)])
        if self._size > MOST_ANSWER_BYTES:
            raise RequestRefused([AnswerTooLarge()])

    def take(self, prepared: Prepared) -> float:
        """The seconds that are left to an operation. Raises RequestRefused when points are not."""
        together = self._cost + prepared.cost.cost
        if together > MOST_COST:
            raise RequestRefused([too_costly_together(MOST_COST, together)])
        self._cost = together
        prepared.executor.size = self._size
        return max(0.0, self._ends_at - time.monotonic())

    def note(self, prepared: Prepared) -> None:
        """Count the answer of an operation that was executed."""
        self._size = prepared.executor.size


def check_batch(deps: Deps, entries: list[Any]) -> None:
    """Raises HTTPRefused for what is no batch that is taken."""
    if not deps.settings.allows(Feature.BATCHING):
        message = (
            "Batches are not taken. Send each operation in a request of its own, as an object."
        )
        raise HTTPRefused(400, "BATCHING_NOT_ALLOWED", message)
    if not 1 <= len(entries) <= MOST_OPERATIONS:
        message = (
            f"A batch holds 1 to {MOST_OPERATIONS} operations, and this one {len(entries):,}. "
            "Send fewer at once."
        )
        raise HTTPRefused(400, "BATCH_SIZE", message)
    if not all(isinstance(entry, dict) for entry in entries):
        raise HTTPRefused(400, "BAD_REQUEST", "A batch is an array of JSON objects only.")
