"""Access tokens for local work."""

import asyncio
from datetime import timedelta

from cli.connection import opened
from cli.output import fail
from domain.auth.caller import Caller
from domain.auth.session_documents import SignInMethod
from domain.auth.sessions import open_session
from domain.core.deps import Deps
from domain.core.errors import AccountClosed
from domain.core.settings import Settings
from domain.profile.actions import ensure_user
from domain.profile.documents import User

DEFAULT_HOURS = 12
_HERE = Caller(address=None, user_agent="careergraph token")


def make(settings: Settings, email: str, hours: int) -> str:
    """A token of the user with this address, made if there is none. Exits on bad input."""
    local, at, domain = email.partition("@")
    if not (local and at and domain) or any(char.isspace() for char in email):
        fail(f"{email!r} is no e-mail address. Try `careergraph token --user you@example.com`.", 2)
    return asyncio.run(_make(settings, email, hours))


async def _make(settings: Settings, email: str, hours: int) -> str:
    async with opened(settings) as deps:
        try:
            return await issue(deps, await ensure_user(email), hours)
        except AccountClosed:
            fail(f"The account of {email} is being deleted. Try again when that is done.")


async def issue(deps: Deps, user: User, hours: int = DEFAULT_HOURS) -> str:
    """An access token of a session of its own. Raises AccountClosed."""
    life = timedelta(hours=hours)
    tokens = await open_session(deps, user.id, SignInMethod.LOCAL, _HERE, access_life=life)
    return tokens.access_token
