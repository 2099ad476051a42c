"""Following a gap analysis."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from domain.core.deps import Deps
from domain.core.errors import Missing, NotFound
from domain.core.following import Seen, follow, version_in
from domain.gap_analysis.documents import GapAnalysis, Step


async def follow_gap_analysis(
    deps: Deps, user_id: UUID, id: UUID, after: str | None
) -> AsyncGenerator[Seen[GapAnalysis], None]:
    """Where the analysis stands, then every step, until COMPLETED or FAILED.

    With the cursor of an earlier event as `after`, the steps missed since come instead of the
    snapshot, if they are still kept. Raises NotFound.
    """
    analysis = await GapAnalysis.of_user(id, user_id)
    if analysis is None:
        raise NotFound(Missing.GAP_ANALYSIS, ["id"], id)
    seen = version_in(after)
    changes = follow(
        deps.changes, analysis, lambda: GapAnalysis.get(id), lambda now: now.status.is_final
    )
    async with aclosing(changes):
        async for analysis in changes:
            missed = _steps_since(analysis, seen)
            if not missed:
                yield _snapshot(analysis)
            for step in missed:
                yield Seen(analysis.as_of(step), str(step.version), False, step.at)
            seen = analysis.version


def _steps_since(analysis: GapAnalysis, version: int | None) -> list[Step]:
    """The kept steps after a version; none when one of them is no longer kept."""
    if version is None or version > analysis.version:
        return []
    steps = [step for step in analysis.history if step.version > version]
    return steps if steps and steps[0].version == version + 1 else []


def _snapshot(analysis: GapAnalysis) -> Seen[GapAnalysis]:
    occurred_at = analysis.history[-1].at if analysis.history else analysis.created_at
    return Seen(analysis, str(analysis.version), True, occurred_at)
