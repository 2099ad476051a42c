"""`careergraph keys` and `careergraph secrets`, as a person runs them."""

import asyncio
import json
import os
import re
import stat
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from domain.auth.audit import AuditAction, AuditEvent
from domain.auth.keys import VERIFIES_FOR, list_keys, open_key_ring, rotate_keys
from domain.auth.tokens import InvalidToken, make_signers
from domain.core.clock import now
from domain.core.deps import Deps
from domain.core.secrets import FILE_NAME, Secrets, load_secrets
from domain.core.settings import Settings, load_settings
from tests.cli.command import Outcome, assert_refused, careergraph

pytestmark = pytest.mark.usefixtures("deps")
HOUR = timedelta(hours=1)


def servers(settings: Settings) -> dict[str, str]:
    return {
        "MONGODB_URI": settings.mongodb_uri,
        "REDIS_URL": settings.redis_url,
        "CAREERGRAPH_MONGODB_DATABASE": settings.mongodb_database,
    }


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("keys", ["list", "rotate"]),
        ("keys rotate", ["--drop-old", "--data DIR", "until it expires"]),
        ("secrets new", ["CAREERGRAPH_SECRET_KEYS", "goes before the old ones"]),
    ],
)
async def test_help_says_what_happens(command: str, words: list[str]) -> None:
    shown = await careergraph(*command.split(), "--help")

    assert shown.code == 0
    text = " ".join(shown.out.split())
    assert [word for word in words if word not in text] == []


async def rotate(deps: Deps, data: Path, *options: str) -> Outcome:
    env = servers(deps.settings)
    outcome = await careergraph("keys", "rotate", *options, "--data", data, env=env)
    assert outcome.code == 0, outcome
    return outcome


async def test_rotation_prints_the_new_id_and_is_recorded(deps: Deps, tmp_path: Path) -> None:
    old = open_key_ring(tmp_path).current.kid

    outcome = await rotate(deps, tmp_path)

    kid = outcome.out.strip()
    assert [key.kid for key in list_keys(tmp_path)] == [kid, old]
    assert "within 2 seconds" in outcome.err
    [row] = await AuditEvent.newest(1)
    assert row.action is AuditAction.KEYS_ROTATED
    assert (row.details["kid"], row.details["old_keys"]) == (kid, "kept")
    assert row.details["by"]
    assert abs(row.at - now()) < timedelta(minutes=1)


async def test_a_running_process_follows_a_rotation_by_another(deps: Deps, tmp_path: Path) -> None:
    access = make_signers(open_key_ring(tmp_path), "issuer", "audience").access
    before = access.issue(uuid4(), now(), HOUR)

    kid = (await rotate(deps, tmp_path)).out.strip()
    assert access.ring.find(kid) is not None
    assert access.verify(before, now()).token_id
    assert access.ring.current.kid == kid

    await rotate(deps, tmp_path, "--drop-old")
    await asyncio.sleep(2.1)
    with pytest.raises(InvalidToken):
        access.verify(before, now())
    [row] = await AuditEvent.newest(1)
    assert row.details["old_keys"] == "dropped"


async def test_rotation_needs_mongodb_and_leaves_the_keys_alone_without(tmp_path: Path) -> None:
    kid = open_key_ring(tmp_path).current.kid
    env = {"MONGODB_URI": "mongodb://127.0.0.1:1"}

    outcome = await careergraph("keys", "rotate", "--data", tmp_path, env=env)

    assert_refused(outcome, "MongoDB does not answer")
    assert open_key_ring(tmp_path).current.kid == kid


async def test_list_tells_what_each_key_is_good_for(tmp_path: Path) -> None:
    at = now()
    ended = open_key_ring(tmp_path).current.kid
    verifies = rotate_keys(tmp_path, at - VERIFIES_FOR, drop_old=False)
    signs = rotate_keys(tmp_path, at - HOUR, drop_old=False)

    outcome = await careergraph("keys", "list", "--data", tmp_path)

    lines = [line.split("  ") for line in outcome.out.splitlines()]
    until = f"{at - HOUR + VERIFIES_FOR:%Y-%m-%d %H:%M}"
    assert (outcome.code, outcome.err) == (0, "")
    assert [line[0] for line in lines] == [signs, verifies, ended]
    assert [line[2] for line in lines] == ["signs", f"verifies until {until}", "ended"]
    assert all(re.fullmatch(r"made \d{4}-\d\d-\d\d \d\d:\d\d", line[1]) for line in lines)
    assert (list_keys(tmp_path)[0].d or "-") not in outcome.out


async def test_list_makes_no_keys(tmp_path: Path) -> None:
    outcome = await careergraph("keys", "list", "--data", tmp_path / "data")

    assert (outcome.code, outcome.out) == (0, "")
    assert "none yet" in outcome.err
    assert os.listdir(tmp_path) == []


async def test_damaged_keys_are_told_in_a_line(deps: Deps, tmp_path: Path) -> None:
    open_key_ring(tmp_path)
    file = tmp_path / "keys" / "signing-keys.json"
    file.write_text("{")
    env = servers(deps.settings)

    for command in ("list", "rotate"):
        outcome = await careergraph("keys", command, "--data", tmp_path, env=env)
        assert_refused(outcome, str(file), "is damaged", "remove it")


async def test_a_new_secret_key_is_such_as_the_setting_takes(tmp_path: Path) -> None:
    one, other = await asyncio.gather(careergraph("secrets", "new"), careergraph("secrets", "new"))

    assert (one.code, other.code) == (0, 0)
    assert "CAREERGRAPH_SECRET_KEYS" in one.err
    merged = {**json.loads(other.out), **json.loads(one.out)}
    assert len(merged) == 2
    sealed = secrets_of(tmp_path, one.out).seal(b"token", "p")
    assert secrets_of(tmp_path, json.dumps(merged)).open(sealed, "p") == b"token"


def secrets_of(data: Path, value: str) -> Secrets:
    return load_secrets(load_settings(data_dir=data, secret_keys=value))


async def test_bad_secret_keys_stop_a_command_and_are_not_shown(tmp_path: Path) -> None:
    env = {"CAREERGRAPH_SECRET_KEYS": '{"mine": "c2VjcmV0LXNlY3JldA=="}'}

    outcome = await careergraph("keys", "list", "--data", tmp_path, env=env)

    assert_refused(outcome, "CAREERGRAPH_SECRET_KEYS", "'mine' has 13 bytes", "32 bytes", code=2)
    assert "c2VjcmV0" not in outcome.err


async def test_opening_everything_makes_the_keys_for_their_owner_only(deps: Deps) -> None:
    folder = deps.settings.data_dir / "keys"

    for name in (FILE_NAME, "signing-keys.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert deps.secrets.open(deps.secrets.seal(b"token", "p"), "p") == b"token"
    assert deps.signers.deletion_receipt.audience != deps.signers.data_export.audience
    assert not deps.external_issuers.knows("https://accounts.example.com")
