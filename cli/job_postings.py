"""Importing job postings."""

import asyncio
import sys
from pathlib import Path

import typer

from cli.connection import opened
from cli.output import fail, progress_bar, say
from domain.core.settings import Settings
from domain.job_postings.actions import ImportReport, import_postings
from domain.job_postings.reading import read_rows


def import_file(settings: Settings, file: Path) -> None:
    """Import, with a progress bar and a line on stderr for each bad row.

    Exits with 1 if no row is good.
    """
    text = _read(file)
    report = asyncio.run(_import(settings, text))
    name = "stdin" if _is_stdin(file) else file
    for row in report.bad:
        say(f"{name}:{row.line}: {row.reason}")
    typer.echo(
        f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, "
        f"{len(report.bad)} skipped"
    )
    if report.bad and _seen(report) == len(report.bad):
        fail("No row could be read. See the README for the two shapes that are accepted.")


async def _import(settings: Settings, text: str) -> ImportReport:
    async with opened(settings) as deps:
        rows = list(read_rows(text))
        with progress_bar() as bar:
            task = bar.add_task("Importing", total=len(rows))
            return await import_postings(
                deps, rows, lambda report: bar.update(task, completed=_seen(report))
            )


def _seen(report: ImportReport) -> int:
    return report.added + report.changed + report.unchanged + len(report.bad)


def _is_stdin(file: Path) -> bool:
    return str(file) == "-"


def _read(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if _is_stdin(file) else file.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror}). Check the path.", 2)
    except UnicodeDecodeError as error:
        fail(f"{file} is not UTF-8 (byte {error.start}). Convert it, for example with iconv.", 2)
