"""Work that was given up: looking at it, doing it again, and letting it go."""

import asyncio
from collections.abc import Awaitable, Callable

import typer

from cli.connection import opened
from cli.output import fail, say
from domain.core.dead_letters import DeadLetter
from domain.core.deps import Deps
from domain.core.settings import Settings
from jobs.dead_letters import requeue
from jobs.worker import WORKS

MOST_LISTED = 100
_NEXT = "`careergraph dead-letters list` shows what there is."


def show_list(settings: Settings) -> None:
    """A line for each of the newest, newest first."""

    async def run(_deps: Deps) -> None:
        letters = await DeadLetter.newest(MOST_LISTED)
        for letter in letters:
            again = "  requeued" if letter.requeued_as else ""
            when = f"{letter.died_at:%Y-%m-%d %H:%M}"
            typer.echo(f"{letter.id}  {when}  {letter.work}  {letter.code}{again}")
        if not letters:
            say("There are no dead letters.")

    _run(settings, run)


def show_one(settings: Settings, id: str) -> None:
    """All that is known of one, as JSON."""

    async def run(_deps: Deps) -> None:
        typer.echo((await _one(id)).model_dump_json(indent=2, exclude={"revision_id"}))

    _run(settings, run)


def requeue_one(settings: Settings, id: str) -> None:
    """Do its work again; prints the id of the document that repeats it."""

    async def run(deps: Deps) -> None:
        try:
            typer.echo(str(await requeue(deps, WORKS, await _one(id))))
        except LookupError as error:
            fail(f"It cannot be done again: {error}. Drop the letter instead.")

    _run(settings, run)


def drop_one(settings: Settings, id: str) -> None:
    """Delete the letter; the job it tells of stays as it is."""

    async def run(_deps: Deps) -> None:
        letter = await _one(id)
        await letter.delete()
        say(f"Dropped {letter.id}.")

    _run(settings, run)


async def _one(id: str) -> DeadLetter:
    try:
        found = await DeadLetter.starting_with(id)
    except ValueError:
        fail(f"{id!r} is no id, nor the beginning of one. {_NEXT}", 2)
    if not found:
        fail(f"No dead letter has the id {id}. {_NEXT}")
    if len(found) > 1:
        fail(f"{len(found)} dead letters have ids that start with {id}. Give more digits. {_NEXT}")
    return found[0]


def _run(settings: Settings, command: Callable[[Deps], Awaitable[None]]) -> None:
    async def connected() -> None:
        async with opened(settings) as deps:
            await command(deps)

    asyncio.run(connected())
