"""The schema as text."""

import difflib
from pathlib import Path

import typer

from cli.output import fail, say
from graph.schema import schema_text

_LINES_SHOWN = 20


def export() -> None:
    typer.echo(schema_text(), nl=False)


def check(file: Path) -> None:
    """Exits with 1, and the first differences, unless the file equals the code's schema."""
    fix = f"Run `careergraph schema export > {file}` and look at the difference."
    try:
        committed = file.read_text(encoding="utf-8")
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror}). {fix}")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8. {fix}")
    expected = schema_text()
    if committed == expected:
        say(f"{file} is equal to the code's schema.")
        return
    difference = difflib.unified_diff(
        committed.splitlines(), expected.splitlines(), str(file), "the code", lineterm="", n=1
    )
    for line in list(difference)[:_LINES_SHOWN]:
        say(line)
    fail(f"{file} is not equal to the code's schema. {fix}")
