"""Following an export."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from domain.account.documents import DataExport
from domain.core.deps import Deps
from domain.core.errors import Missing, NotFound
from domain.core.following import Seen, follow


async def follow_export(
    deps: Deps, user_id: UUID, id: UUID
) -> AsyncGenerator[Seen[DataExport], None]:
    """A snapshot of the export, then its changes, until COMPLETED or FAILED. Raises NotFound."""
    export = await DataExport.of_user(id, user_id)
    if export is None:
        raise NotFound(Missing.DATA_EXPORT, ["id"], id)
    is_first = True
    changes = follow(
        deps.changes, export, lambda: DataExport.get(id), lambda export: export.status.is_final
    )
    async with aclosing(changes):
        async for export in changes:
            yield Seen(export, str(export.version), is_first, export.changed_at)
            is_first = False
