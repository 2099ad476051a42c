"""What commands print and how they end, with nothing running."""

import asyncio
import json
import os
import pty
import socket
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, Outcome, assert_refused, careergraph, environment


async def test_help_lists_each_command_on_one_line() -> None:
    shown = await careergraph("--help")

    lines = [line.split()[0] for line in shown.out.partition("Commands:")[2].splitlines() if line]
    commands = ["up", "web", "worker", "doctor", "token", "audit", "jobs"]
    commands += ["dead-letters", "schema"]
    assert lines[: len(commands)] == commands
    assert "..." not in shown.out.partition("Commands:")[2]
    assert (shown.code, shown.err) == (0, "")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("up", ["--port PORT", "--data DIR", "--no-seed", "--json", "[default: 8000"]),
        ("web", ["--host HOST", "--port PORT", "--workers N"]),
        ("worker", ["background jobs"]),
        ("doctor", ["--data DIR", "--json"]),
        ("token", ["--user EMAIL", "--hours N", "local work only"]),
        ("audit", ["--user EMAIL", "--last N", "400 days"]),
        ("jobs import", ["FILE", "JSON Lines", "- for stdin"]),
        ("dead-letters", ["list", "show", "requeue", "drop"]),
        ("dead-letters requeue", ["ID", "first digits"]),
        ("schema export", ["schema.graphql"]),
        ("schema check", ["FILE", "schema.graphql"]),
    ],
)
async def test_help_of_a_command_names_its_options(command: str, words: list[str]) -> None:
    shown = await careergraph(*command.split(), "--help")

    assert shown.code == 0
    for word in words:
        assert word in shown.out


@pytest.mark.parametrize("arguments", [("nonsense",), ("up", "--port", "abc"), ("token",)])
async def test_wrong_usage_ends_with_two_and_the_next_command(arguments: tuple[str, ...]) -> None:
    outcome = await careergraph(*arguments)

    assert (outcome.code, outcome.out) == (2, "")
    assert "--help' for help" in outcome.err
    assert "Error: " in outcome.err


async def test_exported_schema_passes_the_check_and_others_do_not(tmp_path: Path) -> None:
    exported = await careergraph("schema", "export")
    same, other, absent = (tmp_path / name for name in ("same", "other", "absent"))
    same.write_text(exported.out, "utf-8")
    other.write_text(exported.out.replace("type Query", "type Quarry"), "utf-8")
    equal, changed, missing = await asyncio.gather(
        *(careergraph("schema", "check", file) for file in (same, other, absent))
    )

    assert (exported.code, exported.err) == (0, "")
    assert "type Query" in exported.out
    assert (equal.code, equal.out) == (0, "")
    assert (changed.code, changed.out) == (1, "")
    assert "-type Quarry" in changed.err
    assert "+type Query" in changed.err
    assert "careergraph schema export >" in changed.err.splitlines()[-1]
    assert_refused(missing, "No such file", "careergraph schema export >")


async def test_doctor_is_content_before_the_first_start(tmp_path: Path) -> None:
    outcome = await careergraph("doctor", "--data", tmp_path)

    statuses = {line.split()[1]: line.split()[0] for line in outcome.out.splitlines()}
    assert (outcome.code, outcome.err) == (0, "")
    assert [statuses[name] for name in ("python", "mongodb", "redis")] == ["ok"] * 3
    assert "set ANTHROPIC_API_KEY" in outcome.out
    assert os.listdir(tmp_path) == []


async def test_doctor_tells_what_is_missing_and_what_to_do(tmp_path: Path) -> None:
    env = {"CAREERGRAPH_MONGOD": "/nowhere/mongod", "REDIS_URL": f"redis://127.0.0.1:{closed()}"}
    outcome = await careergraph("doctor", "--json", "--data", tmp_path, env=env)

    checks = {check["name"]: check for check in json.loads(outcome.out)}
    assert outcome.code == 1
    assert checks["mongodb"]["status"] == checks["redis"]["status"] == "missing"
    assert "CAREERGRAPH_MONGOD" in checks["mongodb"]["fix"]
    assert "no answer" in checks["redis"]["detail"]
    assert checks["model"]["status"] == "optional"


async def test_token_and_import_refuse_what_they_cannot_read(tmp_path: Path) -> None:
    latin = tmp_path / "latin.jsonl"
    latin.write_bytes(b'{"roleTitle": "Caf\xe9"}')

    nobody, absent, wrong = await asyncio.gather(
        careergraph("token", "--user", "dana"),
        careergraph("jobs", "import", tmp_path / "none.jsonl"),
        careergraph("jobs", "import", latin),
    )

    assert_refused(nobody, "'dana'", "careergraph token --user", code=2)
    assert_refused(absent, "none.jsonl", "No such file", code=2)
    assert_refused(wrong, "not UTF-8 (byte 18)", "iconv", code=2)


async def test_up_says_what_is_wrong_before_it_starts_anything(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    setting, mongod, file = await asyncio.gather(
        start(tmp_path / "data", CAREERGRAPH_PAGE_SIZE_MAX="abc"),
        start(tmp_path / "data", CAREERGRAPH_MONGOD="/nowhere/mongod"),
        start(tmp_path / "file"),
    )

    assert_refused(setting, "CAREERGRAPH_PAGE_SIZE_MAX is 'abc'", "README.md", code=2)
    assert_refused(mongod, "CAREERGRAPH_MONGOD", "'/nowhere/mongod' is not a program", "unset it")
    assert_refused(file, "File exists", "--data DIR")
    assert os.listdir(tmp_path) == ["file"]


async def test_dead_servers_are_told_within_seconds(tmp_path: Path) -> None:
    mongodb = {"MONGODB_URI": f"mongodb://127.0.0.1:{closed()}"}
    redis = {"REDIS_URL": f"redis://127.0.0.1:{closed()}"}
    async with asyncio.timeout(20):
        token, without_mongodb, without_redis = await asyncio.gather(
            careergraph("token", "--user", "a@b.example", "--data", tmp_path, env=mongodb),
            start(tmp_path, **mongodb),
            start(tmp_path, **redis),
        )

    assert_refused(token, "MongoDB does not answer", "`careergraph up`", "`careergraph doctor`")
    assert_refused(without_mongodb, "MONGODB_URI does not answer", "127.0.0.1", "unset it")
    assert_refused(without_redis, "REDIS_URL does not answer", "127.0.0.1", "unset it")


async def start(data: Path, **env: str) -> Outcome:
    return await careergraph("up", "--port", str(closed()), "--data", data, env=env)


def closed() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_errors_are_coloured_on_a_terminal_unless_forbidden() -> None:
    plain, coloured = await asyncio.gather(
        on_terminal("token", "--user", "dana", NO_COLOR="1"),
        on_terminal("token", "--user", "dana"),
    )

    assert "no e-mail address" in plain
    assert "\x1b[31m" not in plain
    assert "\x1b[31m" in coloured


async def on_terminal(*arguments: str, **env: str) -> str:
    """What a person would see of it on stderr."""
    ours, theirs = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, *arguments, env=environment(TERM="xterm", **env), stderr=theirs
        )
        await process.wait()
        return os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
