"""Grants for tests, and identities that hold them."""

from datetime import timedelta
from uuid import uuid4

from domain.auth.caller import UNKNOWN
from domain.clients.identity_providers import Grant
from domain.core.clock import now
from domain.core.deps import Deps
from domain.sign_in.documents import Identity
from domain.sign_in.provider_tokens import keep_grant
from domain.sign_in.rules import Provider, TokenUse
from domain.sign_in.token_documents import ProviderToken
from tests.github_server import GitHubServer

HOUR = timedelta(hours=1)
USE = TokenUse.SIGN_IN


def at_github(server: GitHubServer, life: timedelta | None) -> Grant:
    """A grant that GitHub knows."""
    answer = server.give(server.user, "read:user,user:email")
    ends = now() + life if life else None
    refresh = answer.get("refresh_token")
    return Grant(answer["access_token"], refresh, ends, ("read:user",))


async def identity_with(parts: Deps, provider: Provider, grant: Grant) -> Identity:
    identity = Identity(user_id=uuid4(), provider=provider, subject=uuid4().hex)
    await identity.insert()
    await keep_grant(parts, identity, USE, grant, UNKNOWN)
    return identity


async def stored(identity: Identity) -> ProviderToken:
    token = await ProviderToken.of_identity(identity.id, USE)
    assert token is not None
    return token
