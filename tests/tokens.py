"""Tokens for tests, of real sessions."""

from datetime import timedelta
from uuid import UUID, uuid4

from domain.auth.caller import UNKNOWN
from domain.auth.session_documents import SignInMethod
from domain.auth.sessions import open_session
from domain.core.deps import Deps


async def access_token(deps: Deps, user_id: UUID | None = None) -> str:
    """An access token of a new session, good for an hour; without a user, of one who is gone."""
    life = timedelta(hours=1)
    tokens = await open_session(deps, user_id or uuid4(), SignInMethod.LOCAL, UNKNOWN, life)
    return tokens.access_token
