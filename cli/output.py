"""What commands print: results on stdout, everything else on stderr."""

from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

errors = Console(stderr=True, highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """Progress, for people: on stderr."""
    errors.print(line, markup=False)


def fail(message: str, code: int = 1) -> NoReturn:
    """One line on stderr that says what, why and what to do; then the end."""
    errors.print(f"careergraph: {message}", markup=False, style="red")
    raise typer.Exit(code)


def progress_bar() -> Progress:
    """A bar on stderr; off a terminal it prints nothing."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
