"""What is done every so often, by one worker at a time: removing what has had its time, and
renewing what is about to end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import structlog
from pymongo.errors import PyMongoError

from domain.account import deletion, export
from domain.core.deps import Deps
from domain.core.leases import hold
from domain.core.owned_files import OwnedFile
from domain.core.tasks import heed_cancellation
from domain.sign_in.renewals import renew_due

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Chore:
    """One of these. It may run twice, or end in the middle: the next time does the rest."""

    name: str
    every: timedelta
    run: Callable[[Deps], Awaitable[int]]
    """Gives how many things it dealt with."""


async def _remove_abandoned_files(_deps: Deps) -> int:
    return await OwnedFile.delete_abandoned()


CHORES: list[Chore] = [
    Chore("expired-exports", timedelta(minutes=1), export.remove_expired),
    Chore("provider-tokens", timedelta(minutes=1), renew_due),
    Chore("abandoned-files", timedelta(minutes=10), _remove_abandoned_files),
    Chore("deleted-accounts", timedelta(minutes=10), deletion.look_again),
    Chore("failed-deletions", timedelta(minutes=30), deletion.take_up_again),
]


async def tidy_for_ever(deps: Deps) -> None:
    """Do each chore when its time has come. Ends only by cancellation."""
    while True:
        for chore in CHORES:
            try:
                await tidy(deps, chore)
            except PyMongoError as error:
                log.warning("chore not done", chore=chore.name, error=str(error))
            heed_cancellation()
        await asyncio.sleep(deps.settings.sweep_seconds)


async def tidy(deps: Deps, chore: Chore) -> bool:
    """Do a chore unless some worker has done it within its time; False then.

    The lease is never given back: it lasts until the next time, whichever worker that falls to.
    """
    if not await hold(deps.database, f"chore:{chore.name}", uuid4(), chore.every):
        return False
    if count := await chore.run(deps):
        log.info("tidied", chore=chore.name, count=count)
    return True
