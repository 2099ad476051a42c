"""Gap analyses in the background."""

from uuid import UUID

from domain.gap_analysis import actions
from domain.gap_analysis.documents import GapAnalysis
from jobs.context import WorkerContext, runner_of
from jobs.delivery_work import Work

GAP_ANALYSIS = Work(GapAnalysis, actions.run, actions.fail, actions.repeat, actions.pause)


async def run_gap_analysis(ctx: WorkerContext, analysis_id: str) -> None:
    await runner_of(ctx).start(GAP_ANALYSIS, UUID(analysis_id))
