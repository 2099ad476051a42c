"""Exports of data and deletions of accounts in the background."""

from uuid import UUID

from domain.account import deletion, export
from domain.account.documents import AccountDeletion, DataExport
from jobs.context import WorkerContext, runner_of
from jobs.delivery_work import Work

DATA_EXPORT = Work(DataExport, export.run, export.fail, export.repeat)
ACCOUNT_DELETION = Work(AccountDeletion, deletion.run, deletion.fail, deletion.repeat)


async def export_data(ctx: WorkerContext, export_id: str) -> None:
    await runner_of(ctx).start(DATA_EXPORT, UUID(export_id))


async def delete_account(ctx: WorkerContext, deletion_id: str) -> None:
    await runner_of(ctx).start(ACCOUNT_DELETION, UUID(deletion_id))
