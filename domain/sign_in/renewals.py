"""Providers' tokens, renewed before they end though nobody asks for them: so that a person learns
soon that a provider lets us in no more."""

import asyncio
from typing import TYPE_CHECKING

import structlog
from pymongo.errors import PyMongoError

from domain.clients.identity_providers import ProviderUnavailable
from domain.core.clock import now
from domain.sign_in.documents import Identity
from domain.sign_in.provider_tokens import ConsentNeeded, provider_token
from domain.sign_in.token_documents import ProviderToken

if TYPE_CHECKING:
    from domain.core.deps import Deps

log = structlog.get_logger()

MOST_AT_A_TIME = 200
_SIDE_BY_SIDE = 10
_SECONDS = 30.0
"""No renewal begins later than this after the first."""


async def renew_due(deps: "Deps") -> int:
    """Renew the tokens that end soon; those of which providers will hear no more are marked so.

    How many were dealt with. The rest of a great many comes next time.
    """
    tokens = await ProviderToken.due(now(), MOST_AT_A_TIME)
    ends = asyncio.get_running_loop().time() + _SECONDS
    waiting = iter(tokens)

    async def work() -> int:
        count = 0
        for token in waiting:
            if asyncio.get_running_loop().time() > ends:
                break
            count += await _renew(deps, token)
        return count

    return sum(await asyncio.gather(*(work() for _ in range(_SIDE_BY_SIDE))))


async def _renew(deps: "Deps", token: ProviderToken) -> bool:
    """False when it has to be tried again."""
    await token.note_try()
    identity = await Identity.theirs(token.user_id, token.identity_id)
    if identity is None:
        return False  # its tokens are about to go
    try:
        await provider_token(deps, identity, token.use)
    except ConsentNeeded:
        return True
    except ProviderUnavailable as error:
        log.info("provider token not renewed", provider=identity.provider, error=str(error))
        return False
    except PyMongoError:
        raise
    except Exception:  # one token must not keep the others from being renewed
        log.exception("provider token not renewed", provider=identity.provider)
        return False
    return True
