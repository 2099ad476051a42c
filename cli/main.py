"""The `careergraph` command.

What a command needs is imported when it runs: the libraries take over a second to load, and
`--help` and Ctrl-C are not to wait for them.
"""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="careergraph",
    help="CareerGraph: job recommendations with skill gaps, and gap analyses followed live.",
    epilog="Start with `careergraph up`. Settings are environment variables: see README.md.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
jobs_app = typer.Typer(no_args_is_help=True)
dead_letters_app = typer.Typer(no_args_is_help=True)
schema_app = typer.Typer(no_args_is_help=True)
keys_app = typer.Typer(no_args_is_help=True)
secrets_app = typer.Typer(no_args_is_help=True)

Data = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder with keys, logs and the embedded servers' data. "
        "[default: $CAREERGRAPH_DATA_DIR or .careergraph]",
        show_default=False,
    ),
]
Port = Annotated[
    int, typer.Option(metavar="PORT", min=1, max=65535, help="Port of the web server.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


@app.command(short_help="Start everything here: databases, worker, web server.")
def up(
    port: Port = 8000,
    data: Data = None,
    no_seed: Annotated[
        bool, typer.Option("--no-seed", help="Leave out the demo data of a first run.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start everything here: MongoDB, Redis, a worker and the web server.

    With MONGODB_URI or REDIS_URL set, that server is used and none is embedded for it. Ctrl-C
    stops all of it.
    """
    from cli.connection import data_folder
    from cli.local.errors import LocalServerError
    from cli.output import fail
    from cli.up import run

    try:
        asyncio.run(run(data_folder(data).resolve(), port, with_seed=not no_seed, as_json=as_json))
    except LocalServerError as error:
        fail(str(error))


@app.command(short_help="Run the web server alone.")
def web(
    host: Annotated[str, typer.Option(metavar="HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(metavar="N", min=1, help="How many processes.")] = 1,
) -> None:
    """Run the web server, on the servers that MONGODB_URI and REDIS_URL name."""
    from cli.web import run

    run(host, port, workers)


@app.command(short_help="Run a worker for background jobs alone.")
def worker() -> None:
    """Run a worker for background jobs, on the same servers as the web server."""
    from cli.worker import run

    run()


@app.command(short_help="Check what is needed, with a fix for what is missing.")
def doctor(data: Data = None, as_json: AsJson = False) -> None:
    """Check each dependency, a line each, with what to do about it.

    Exits with 1 when something that is needed is missing.
    """
    from cli.connection import data_folder
    from cli.doctor import run

    is_well = asyncio.run(run(data_folder(data), as_json=as_json))
    raise typer.Exit(0 if is_well else 1)


@app.command(short_help="Print an access token, for local work only.")
def token(
    user: Annotated[str, typer.Option("--user", metavar="EMAIL", help="Whose token.")],
    hours: Annotated[
        int, typer.Option("--hours", metavar="N", min=1, max=744, help="How long it is good.")
    ] = 12,
    data: Data = None,
) -> None:
    """Print a signed access token, for local work only. Makes the user if there is none."""
    from cli.connection import connected_settings
    from cli.tokens import make

    typer.echo(make(connected_settings(data), user, hours))


@app.command(short_help="Print who did what, when and from where.")
def audit(
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="EMAIL", help="Of this user only.", show_default=False),
    ] = None,
    last: Annotated[
        int, typer.Option("--last", metavar="N", min=1, max=100_000, help="How many at most.")
    ] = 100,
    data: Data = None,
) -> None:
    """Print the audit log: the newest events, the newest last, a line of JSON each.

    Sign-ins, consents, token and key events, exports and deletions, of the last 400 days.
    """
    from cli.audit import show
    from cli.connection import connected_settings

    show(connected_settings(data), user, last)


@jobs_app.command("import", short_help="Put postings into the catalogue.")
def jobs_import(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="JSON Lines or schema.org JSON-LD; - for stdin."),
    ],
    data: Data = None,
) -> None:
    """Put postings into the catalogue.

    Rows that cannot be read are reported with their line number and skipped. Importing a file
    again changes nothing. Exits with 1 when no row is good.
    """
    from cli.connection import connected_settings
    from cli.job_postings import import_file

    import_file(connected_settings(data), file)


LetterId = Annotated[
    str, typer.Argument(metavar="ID", help="A letter's id, or the first digits of it.")
]


@dead_letters_app.command("list", short_help="List the newest, a line each.")
def dead_letters_list(data: Data = None) -> None:
    """List the newest dead letters, a line each: id, time, kind of work, code."""
    from cli.connection import connected_settings
    from cli.dead_letters import show_list

    show_list(connected_settings(data))


@dead_letters_app.command("show", short_help="Print all that is known of one.")
def dead_letters_show(id: LetterId, data: Data = None) -> None:
    """Print all that is known of one dead letter, as JSON."""
    from cli.connection import connected_settings
    from cli.dead_letters import show_one

    show_one(connected_settings(data), id)


@dead_letters_app.command("requeue", short_help="Do its work again.")
def dead_letters_requeue(id: LetterId, data: Data = None) -> None:
    """Do a dead letter's work again, as new work with the same input; prints the new id."""
    from cli.connection import connected_settings
    from cli.dead_letters import requeue_one

    requeue_one(connected_settings(data), id)


@dead_letters_app.command("drop", short_help="Delete one.")
def dead_letters_drop(id: LetterId, data: Data = None) -> None:
    """Delete a dead letter. The job that it tells of stays as it is."""
    from cli.connection import connected_settings
    from cli.dead_letters import drop_one

    drop_one(connected_settings(data), id)


@schema_app.command("export", short_help="Print the schema.")
def schema_export() -> None:
    """Print the schema; `careergraph schema export > schema.graphql` updates the committed one."""
    from cli.schema import export

    export()


@schema_app.command("check", short_help="Tell whether a file is equal to the schema.")
def schema_check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to hold against the code.")
    ] = Path("schema.graphql"),
) -> None:
    """Tell whether a schema file is equal to the code's schema.

    Exits with 1, and shows the first differences, when it is not.
    """
    from cli.schema import check

    check(file)


@keys_app.command("list", short_help="List them, a line each.")
def keys_list(data: Data = None) -> None:
    """List the signing keys, a line each: id, when made, and what each is good for."""
    from cli.connection import connected_settings
    from cli.keys import show_list

    show_list(connected_settings(data))


@keys_app.command("rotate", short_help="Sign with a new one from now on.")
def keys_rotate(
    drop_old: Annotated[
        bool,
        typer.Option(
            "--drop-old",
            help="For a key that somebody else may know: end all that it signed. Everybody signs "
            "in again, or refreshes.",
        ),
    ] = False,
    data: Data = None,
) -> None:
    """Sign with a new key from now on; prints its id. What is signed stays good until it expires.

    Running processes that share the data folder take it up within 2 seconds.
    """
    from cli.connection import connected_settings
    from cli.keys import rotate

    rotate(connected_settings(data), drop_old=drop_old)


@secrets_app.command("new", short_help="Print a new one for CAREERGRAPH_SECRET_KEYS.")
def secrets_new() -> None:
    """Print a new secret key, as CAREERGRAPH_SECRET_KEYS takes it: {"<id>": "<key>"}.

    The first key of that setting seals; those after it open what they have sealed. So a new one
    goes before the old ones, and an old one goes when nothing is sealed with it any more.
    """
    from cli.keys import print_secret_key

    print_secret_key()


# Commands are listed in the order in which they are added.
app.add_typer(jobs_app, name="jobs", help="Fill the catalogue of job postings: jobs import FILE.")
app.add_typer(
    dead_letters_app,
    name="dead-letters",
    help="Jobs given up: dead-letters list|show|requeue|drop.",
)
app.add_typer(schema_app, name="schema", help="The GraphQL schema as text: schema export|check.")
app.add_typer(keys_app, name="keys", help="The keys that tokens are signed with: keys list|rotate.")
app.add_typer(secrets_app, name="secrets", help="Keys that data is sealed with: secrets new.")


def main() -> None:
    """The console script's entry point."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
