"""Access tokens for local work."""

import asyncio
from datetime import UTC, datetime, timedelta

from cli.connection import opened
from cli.output import fail
from domain.core.deps import Deps
from domain.core.settings import Settings
from domain.profile.actions import ensure_user
from domain.profile.documents import User


def make(settings: Settings, email: str) -> str:
    """A token of the user with this address, made if there is none. Exits on bad input."""
    local, at, domain = email.partition("@")
    if not (local and at and domain) or any(char.isspace() for char in email):
        fail(f"{email!r} is no e-mail address. Try `careergraph token --user you@example.com`.", 2)
    return asyncio.run(_make(settings, email))


async def _make(settings: Settings, email: str) -> str:
    async with opened(settings) as deps:
        return issue(deps, await ensure_user(email))


def issue(deps: Deps, user: User) -> str:
    life = timedelta(seconds=deps.settings.token_seconds)
    return deps.signers.access.issue(user.id, datetime.now(UTC), life)
