"""The `careergraph` command."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import doctor as doctor_checks
from cli import job_postings, processes, schema, tokens
from cli import up as local_up
from cli.connection import connected_settings, data_folder
from cli.local.errors import LocalServerError
from cli.output import fail

app = typer.Typer(
    name="careergraph",
    help="CareerGraph: job recommendations with skill gaps, and gap analyses followed live.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
jobs_app = typer.Typer(help="The catalogue of job postings.", no_args_is_help=True)
schema_app = typer.Typer(help="The GraphQL schema as text.", no_args_is_help=True)
app.add_typer(jobs_app, name="jobs")
app.add_typer(schema_app, name="schema")

Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder with keys, logs and the embedded servers' data. "
        "[default: $CAREERGRAPH_DATA_DIR or .careergraph]",
        show_default=False,
        file_okay=True,
    ),
]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port of the web server.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


@app.command()
def up(
    port: Port = 8000,
    data: Data = None,
    seed: Annotated[
        bool, typer.Option("--seed/--no-seed", help="Put demo data in on first run.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Start everything here: MongoDB, Redis, a worker and the web server.

    With MONGODB_URI or REDIS_URL set, that server is used and none is embedded for it. Ctrl-C
    stops all of it.
    """
    try:
        asyncio.run(
            local_up.run(data_folder(data).resolve(), port, with_seed=seed, as_json=as_json)
        )
    except LocalServerError as error:
        fail(str(error))


@app.command()
def web(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(min=1, help="How many processes.")] = 1,
) -> None:
    """Run the web server, on the servers that MONGODB_URI and REDIS_URL name."""
    processes.run_web(host, port, workers)


@app.command()
def worker() -> None:
    """Run a worker for background jobs, on the same servers as the web server."""
    processes.run_worker_process()


@app.command()
def doctor(data: Data = None, as_json: AsJson = False) -> None:
    """Check each dependency, a line each, with what to do about it."""
    is_well = asyncio.run(doctor_checks.run(data_folder(data), as_json=as_json))
    raise typer.Exit(0 if is_well else 1)


@app.command()
def token(
    user: Annotated[str, typer.Option("--user", metavar="EMAIL", help="Whose token.")],
    data: Data = None,
) -> None:
    """Print a signed access token, for local work only. Makes the user if there is none."""
    typer.echo(tokens.make(connected_settings(data), user))


@jobs_app.command("import")
def jobs_import(
    file: Annotated[Path, typer.Argument(help="JSON Lines or schema.org JSON-LD; - for stdin.")],
    data: Data = None,
) -> None:
    """Put postings into the catalogue. Rows that cannot be read are reported and skipped."""
    job_postings.import_file(connected_settings(data), file)


@schema_app.command("export")
def schema_export() -> None:
    """Print the schema; `careergraph schema export > schema.graphql` updates the committed one."""
    schema.export()


@schema_app.command("check")
def schema_check(
    file: Annotated[Path, typer.Argument(help="The file to hold against the code.")] = Path(
        "schema.graphql"
    ),
) -> None:
    """Tell whether a schema file is equal to the code's schema."""
    schema.check(file)


def main() -> None:
    """The console script's entry point."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
