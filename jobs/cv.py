"""CV parsing in the background."""

from uuid import UUID

from domain.cv import actions
from domain.cv.documents import CV
from jobs.context import WorkerContext, runner_of
from jobs.delivery_work import Work

CV_PARSING = Work(CV, actions.parse, actions.fail, actions.repeat)


async def parse_cv(ctx: WorkerContext, cv_id: str) -> None:
    await runner_of(ctx).start(CV_PARSING, UUID(cv_id))
