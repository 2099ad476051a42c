"""`careergraph audit` and the sessions of `careergraph token`."""

import json
from uuid import uuid4

from domain.auth.audit import AuditAction, record
from domain.auth.caller import Caller
from domain.auth.session_documents import Session
from domain.core.deps import Deps
from domain.profile.documents import User
from tests.cli.command import Outcome, assert_refused, careergraph
from tests.client import Client


async def command(deps: Deps, *arguments: str) -> Outcome:
    """A command on the servers of the tests."""
    settings = deps.settings
    env = {
        "MONGODB_URI": settings.mongodb_uri, "REDIS_URL": settings.redis_url,
        "CAREERGRAPH_MONGODB_DATABASE": settings.mongodb_database,
        "CAREERGRAPH_DATA_DIR": str(settings.data_dir),
    }  # fmt: skip
    return await careergraph(*arguments, env=env)


async def person() -> User:
    return await User.ensure(f"{uuid4().hex}@example.com", "Somebody")


def lines(outcome: Outcome) -> list[dict[str, object]]:
    assert outcome.code == 0, outcome
    return [json.loads(line) for line in outcome.out.splitlines()]


async def test_events_are_printed_a_line_each_the_newest_last(deps: Deps) -> None:
    one, other = await person(), await person()
    for user, kind in ((one, "first"), (other, "theirs"), (one, "קורות חיים"), (one, "third")):
        await record(AuditAction.CONSENT_GIVEN, Caller("192.0.2.1", "Firefox"), user.id, kind=kind)

    shown = lines(await command(deps, "audit", "--user", str(one.email).upper(), "--last", "2"))
    all_ = lines(await command(deps, "audit", "--last", "3"))

    assert [row["details"] for row in shown] == [{"kind": "קורות חיים"}, {"kind": "third"}]
    assert {row["user_id"] for row in shown} == {str(one.id)}
    assert set(shown[0]) == {
        "id", "at", "action", "user_id", "address", "user_agent", "request_id", "details",
    }  # fmt: skip
    assert [row["user_id"] for row in all_] == [str(user.id) for user in (other, one, one)]


async def test_a_token_is_of_a_session_that_can_be_seen_and_ended(deps: Deps) -> None:
    user = await person()

    made = await command(deps, "token", "--user", str(user.email), "--hours", "2")

    client = Client(deps.settings.public_url, made.out.strip())
    query = "{ viewer { sessions { device method isCurrent } } }"
    assert (await client.data(query))["viewer"]["sessions"] == [
        {"device": "careergraph", "method": "LOCAL", "isCurrent": True}
    ]
    [session] = await Session.live_of_user(user.id)
    assert 7190 < (session.expires_at - session.created_at).total_seconds() <= 7200
    [event] = lines(await command(deps, "audit", "--user", str(user.email)))
    assert event["action"] == "TOKEN_ISSUED"
    await client.data("mutation { signOut { session { id } } }")
    assert await client.data("{ viewer { name } }") == {"viewer": None}


async def test_wrong_arguments_are_told(deps: Deps) -> None:
    unknown = await command(deps, "audit", "--user", "nobody@example.com")
    hours = await command(deps, "token", "--user", "a@b.example", "--hours", "745")

    assert_refused(unknown, "'nobody@example.com'", "Without --user")
    assert (hours.code, hours.out) == (2, "")
    assert "less than or equal to 744" in hours.err


async def test_nothing_recorded_is_said(deps: Deps) -> None:
    user = await person()

    shown = await command(deps, "audit", "--user", str(user.email))

    assert (shown.code, shown.out) == (0, "")
    assert "Nothing is recorded yet." in shown.err
