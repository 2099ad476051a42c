"""Following the parsing of a CV."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from domain.core.deps import Deps
from domain.core.errors import Missing, NotFound
from domain.core.following import Seen, follow
from domain.cv.documents import CV


async def follow_cv(deps: Deps, user_id: UUID, id: UUID) -> AsyncGenerator[Seen[CV], None]:
    """A snapshot of the CV, then its changes, until PARSED or FAILED. Raises NotFound."""
    cv = await CV.of_user(id, user_id)
    if cv is None:
        raise NotFound(Missing.CV, ["id"], id)
    is_first = True
    changes = follow(deps.changes, cv, lambda: CV.get(id), lambda cv: cv.status.is_final)
    async with aclosing(changes):
        async for cv in changes:
            yield Seen(cv, str(cv.version), is_first, cv.changed_at)
            is_first = False
