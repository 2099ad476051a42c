"""The audit log: rows are added and read, and that is all."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pymongo
import pytest
from asgi_correlation_id import correlation_id
from structlog.testing import capture_logs

from domain.auth.audit import KEPT, AppendOnly, AuditAction, AuditEvent, record
from domain.auth.caller import UNKNOWN, Caller
from domain.core.deps import Deps

BROWSER = Caller("2001:db8::7", "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0")


async def recorded(user_id: UUID) -> list[AuditEvent]:
    return await AuditEvent.newest(10, user_id)


async def test_a_row_says_who_what_when_and_from_where(deps: Deps) -> None:
    user_id = uuid4()
    token = correlation_id.set("request-7")
    try:
        await record(AuditAction.CONSENT_GIVEN, BROWSER, user_id, kind="PRIVACY_POLICY")
    finally:
        correlation_id.reset(token)

    [event] = await recorded(user_id)
    row = event.as_json()
    assert row.pop("id") == str(event.id)
    assert row.pop("at").endswith("Z")
    assert row == {
        "action": "CONSENT_GIVEN", "user_id": str(user_id), "address": BROWSER.address,
        "user_agent": BROWSER.user_agent, "request_id": "request-7",
        "details": {"kind": "PRIVACY_POLICY"},
    }  # fmt: skip


async def test_rows_may_know_little(deps: Deps) -> None:
    await record(AuditAction.KEYS_ROTATED, UNKNOWN, kid="x" * 5000)

    [event] = await AuditEvent.newest(1)
    assert (event.user_id, event.address, event.user_agent) == (None, None, None)
    assert event.details == {"kid": "x" * 500}


async def test_newest_rows_come_first_and_of_one_user_if_asked(deps: Deps) -> None:
    one, other = uuid4(), uuid4()
    for user_id in (one, other, one):
        await record(AuditAction.SIGNED_IN, BROWSER, user_id)
        await asyncio.sleep(0.002)  # times are kept in milliseconds

    assert [event.user_id for event in await AuditEvent.newest(3)] == [one, other, one]
    theirs = await recorded(one)
    assert [event.user_id for event in theirs] == [one, one]
    assert theirs[0].at > theirs[1].at
    assert [row["user_id"] for row in await AuditEvent.of_user_for_export(one)] == [str(one)] * 2


async def test_no_way_of_changing_or_deleting_rows_is_left_open(deps: Deps) -> None:
    user_id = uuid4()
    await record(AuditAction.SIGNED_OUT, BROWSER, user_id)
    [event] = await recorded(user_id)
    change = {"$set": {"address": "192.0.2.1"}}
    mine = {"user_id": user_id}
    ways: dict[str, Callable[[], Awaitable[object]]] = {
        "save": lambda: event.save(),
        "save_changes": lambda: event.save_changes(),
        "replace": lambda: event.replace(),
        "update": lambda: event.update(change),
        "set": lambda: event.set(change["$set"]),
        "inc": lambda: event.inc({"n": 1}),
        "current_date": lambda: event.current_date({"at": True}),
        "delete": lambda: event.delete(),
        "update_all": lambda: AuditEvent.update_all(change),
        "delete_all": lambda: AuditEvent.delete_all(),
        "replace_many": lambda: AuditEvent.replace_many([event]),
        "find.update": lambda: AuditEvent.find(mine).update(change),
        "find.set": lambda: AuditEvent.find(mine).set(change["$set"]),
        "find.update_many": lambda: AuditEvent.find(mine).update_many(change),
        "find.upsert": lambda: AuditEvent.find(mine).upsert(change, on_insert=event),
        "find.delete": lambda: AuditEvent.find(mine).delete(),
        "find.delete_many": lambda: AuditEvent.find_all().delete_many(),
        "find_one.update": lambda: AuditEvent.find_one(mine).update(change),
        "find_one.update_one": lambda: AuditEvent.find_one(mine).update_one(change),
        "find_one.replace_one": lambda: AuditEvent.find_one(mine).replace_one(event),
        "find_one.upsert": lambda: AuditEvent.find_one(mine).upsert(change, on_insert=event),
        "find_one.delete": lambda: AuditEvent.find_one(mine).delete(),
        "find_one.delete_one": lambda: AuditEvent.find_one(mine).delete_one(),
    }
    event.address = "192.0.2.1"
    for name, way in ways.items():
        try:
            await way()
        except AppendOnly:
            continue
        pytest.fail(f"{name} is open")

    [left] = await recorded(user_id)
    assert left.address == BROWSER.address


async def test_mongodb_removes_rows_after_400_days_and_finds_them_by_user_and_time(
    deps: Deps,
) -> None:
    indexes = await AuditEvent.get_pymongo_collection().index_information()

    assert timedelta(days=400) == KEPT
    assert indexes["expiry"]["expireAfterSeconds"] == 400 * 24 * 3600
    assert indexes["user"]["key"] == [("user_id", 1), ("_id", -1)]


async def test_a_row_that_mongodb_does_not_take_goes_to_the_log_whole(deps: Deps) -> None:
    user_id = uuid4()
    with capture_logs() as lines, pymongo.timeout(0.000_001):  # too short for any answer
        await record(AuditAction.SIGNED_IN, BROWSER, user_id, method="GOOGLE")

    [line] = [line for line in lines if line["event"] == "audit event not stored"]
    assert line["log_level"] == "error"
    assert line["audit_event"]["action"] == "SIGNED_IN"
    assert line["audit_event"]["user_id"] == str(user_id)
    assert line["audit_event"]["details"] == {"method": "GOOGLE"}
    assert await recorded(user_id) == []
