"""Importing job postings."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from pymongo.errors import PyMongoError
from rich.progress import Progress, TaskID

from cli.connection import explain_connection
from cli.output import fail, progress_bar, say
from domain.auth.keys import KeyFolderError
from domain.core.deps import open_deps
from domain.core.settings import Settings
from domain.job_postings.actions import ImportReport, import_postings
from domain.job_postings.reading import Row, read_rows


def import_file(settings: Settings, file: Path) -> None:
    """Import, with a progress bar and a line on stderr for each bad row.

    Exits with 1 if no row is good.
    """
    text = _read(file)
    try:
        report = asyncio.run(_import(settings, text))
    except (PyMongoError, KeyFolderError) as error:
        fail(explain_connection(error))
    for row in report.bad:
        say(f"{file}:{row.line}: {row.reason}")
    good = report.added + report.changed + report.unchanged
    typer.echo(
        f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, "
        f"{len(report.bad)} skipped"
    )
    if not good and report.bad:
        fail("No row could be read. See the README for the two shapes that are accepted.")


async def _import(settings: Settings, text: str) -> ImportReport:
    async with open_deps(settings) as deps:
        with progress_bar() as bar:
            task = bar.add_task("Importing", total=None)
            rows = read_rows(text)
            return await import_postings(deps, _counted(rows, bar, task), lambda _report: None)


def _counted(rows: Iterator[Row], bar: Progress, task: TaskID) -> Iterator[Row]:
    for row in rows:
        bar.advance(task)
        yield row


def _read(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror}). Check the path.", 2)
    except UnicodeDecodeError as error:
        fail(f"{file} is not UTF-8 (byte {error.start}). Convert it, for example with iconv.", 2)
