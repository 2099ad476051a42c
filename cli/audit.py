"""Reading the audit log."""

import asyncio
import json

import typer

from cli.connection import opened
from cli.output import fail, say
from domain.auth.audit import AuditEvent
from domain.core.settings import Settings
from domain.profile.documents import User


def show(settings: Settings, email: str | None, last: int) -> None:
    """The newest rows, the newest last, as JSON lines; of one user, if given."""
    asyncio.run(_show(settings, email, last))


async def _show(settings: Settings, email: str | None, last: int) -> None:
    async with opened(settings):
        user = await User.of_email(email) if email is not None else None
        if email is not None and user is None:
            fail(f"No account has the address {email!r}. Without --user all events are shown.")
        rows = await AuditEvent.newest(last, user.id if user else None)
    for row in reversed(rows):
        typer.echo(json.dumps(row.as_json(), ensure_ascii=False))
    if not rows:
        say("Nothing is recorded yet.")
