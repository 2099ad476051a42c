"""The keys that tokens are signed with, and those that data is sealed with."""

import asyncio
import getpass
import json
import os

import typer

from cli.connection import opened
from cli.output import fail, say
from domain.auth.audit import AuditAction, record
from domain.auth.caller import UNKNOWN
from domain.auth.keys import SigningKey, list_keys, rotate_keys
from domain.core.clock import now
from domain.core.key_files import KeyFolderError
from domain.core.secrets import new_key
from domain.core.settings import Settings


def show_list(settings: Settings) -> None:
    """A line for each key, the one that signs first."""
    try:
        keys = list_keys(settings.data_dir)
    except KeyFolderError as error:
        fail(str(error))
    for key in keys:
        typer.echo(f"{key.kid}  made {key.made_at:%Y-%m-%d %H:%M}  {_state(key)}")
    if not keys:
        say(f"There are none yet in {settings.data_dir}: the first start makes one.")


def _state(key: SigningKey) -> str:
    ends = key.ends_at()
    if ends is None:
        return "signs"
    return f"verifies until {ends:%Y-%m-%d %H:%M}" if key.verifies(now()) else "ended"


def rotate(settings: Settings, *, drop_old: bool) -> None:
    """Make a new key the one that signs, print its id, and record that."""
    asyncio.run(_rotate(settings, drop_old=drop_old))


async def _rotate(settings: Settings, *, drop_old: bool) -> None:
    async with opened(settings):
        kid = rotate_keys(settings.data_dir, now(), drop_old=drop_old)
        old = "dropped" if drop_old else "kept"
        await record(AuditAction.KEYS_ROTATED, UNKNOWN, kid=kid, old_keys=old, by=_operator())
    typer.echo(kid)
    say("Processes that run take it up within 2 seconds.")


def _operator() -> str:
    """The operating system's user, or its number where it has no name, as in containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def print_secret_key() -> None:
    """A new key under an id that tells its age and is like no other."""
    typer.echo(json.dumps({f"{now():%Y-%m-%d}-{os.urandom(2).hex()}": new_key()}))
    say("Put it first into CAREERGRAPH_SECRET_KEYS, before the keys that are there.")
