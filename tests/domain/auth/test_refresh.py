"""Refresh tokens: replaced at each use, repeated for a moment, and never good again after that."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.auth.audit import AuditAction, AuditEvent
from domain.auth.caller import Caller
from domain.auth.refresh_rules import GRACE, hash_of, make_token
from domain.auth.session_documents import Session, SignInMethod, Tokens
from domain.auth.sessions import (
    RefreshReason,
    RefreshRefused,
    TokenRevoked,
    open_session,
    refresh_session,
    revoke_session,
    verify_access,
)
from domain.auth.token_documents import SpentRefreshToken
from domain.core.clock import now
from domain.core.deps import Deps
from tests.jobs.pieces import quick

SECOND = timedelta(seconds=1)
PHONE = Caller("192.0.2.7", "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Firefox/140.0")


async def signed_in(deps: Deps) -> Tokens:
    return await open_session(deps, uuid4(), SignInMethod.GOOGLE, PHONE)


async def refreshed(deps: Deps, token: str | None, caller: Caller = PHONE) -> Tokens:
    assert token is not None
    return await refresh_session(deps, token, caller)


async def reason(deps: Deps, token: str | None) -> RefreshReason:
    """Why the token is refused."""
    with pytest.raises(RefreshRefused) as refused:
        await refreshed(deps, token)
    return refused.value.reason


async def stored(id: UUID) -> dict[str, Any]:
    row = await Session.get_pymongo_collection().find_one({"_id": id})
    assert row is not None
    return dict(row)


async def set_fields(id: UUID, **fields: object) -> None:
    await Session.get_pymongo_collection().update_one({"_id": id}, {"$set": fields})


async def is_accepted(deps: Deps, tokens: Tokens) -> bool:
    try:
        await verify_access(deps, tokens.access_token)
    except TokenRevoked:
        return False
    return True


async def test_refreshing_replaces_both_tokens_and_the_session_lives_on(deps: Deps) -> None:
    first = await signed_in(deps)
    before = await stored(first.session_id)

    second = await refreshed(deps, first.refresh_token, Caller("198.51.100.9", None))

    after = await stored(first.session_id)
    assert second.refresh_token != first.refresh_token
    assert second.access_token != first.access_token
    assert (second.session_id, second.user_id) == (first.session_id, first.user_id)
    assert after["address"] == "198.51.100.9"
    assert after["device"] == before["device"] == "Firefox on Android"
    assert after["expires_at"] >= before["expires_at"]
    assert len(after["access_tokens"]) == 2
    assert await is_accepted(deps, first)
    assert await is_accepted(deps, second)


async def test_the_database_holds_no_token_that_could_be_used(deps: Deps) -> None:
    tokens = [await signed_in(deps)]
    for _ in range(3):
        tokens.append(await refreshed(deps, tokens[-1].refresh_token))

    rows = [await stored(tokens[0].session_id)]
    spent = SpentRefreshToken.get_pymongo_collection()
    rows += await spent.find({"session_id": tokens[0].session_id}).to_list()
    text = repr(rows)

    assert len(rows) == 4
    for one in tokens:
        assert one.refresh_token is not None
        secret = one.refresh_token.rpartition("_")[2]
        assert secret not in text
        assert one.access_token not in text
        for row in rows:
            assert all(secret.encode() not in value for value in row.values()
                       if isinstance(value, bytes))  # fmt: skip


async def test_the_token_just_replaced_gives_the_same_successor_again(deps: Deps) -> None:
    first = await signed_in(deps)
    second = await refreshed(deps, first.refresh_token)

    again = await refreshed(deps, first.refresh_token)

    assert again.refresh_token == second.refresh_token
    assert again.access_token != second.access_token
    assert await is_accepted(deps, again)
    third = await refreshed(deps, again.refresh_token)
    assert third.refresh_token not in (first.refresh_token, second.refresh_token)


async def test_using_a_replaced_token_after_its_grace_ends_the_session(deps: Deps) -> None:
    first = await signed_in(deps)
    second = await refreshed(deps, first.refresh_token)
    await set_fields(first.session_id, rotated_at=now() - GRACE - SECOND)

    assert await reason(deps, first.refresh_token) is RefreshReason.REUSED

    assert await reason(deps, second.refresh_token) is RefreshReason.ENDED
    assert not await is_accepted(deps, first)
    assert not await is_accepted(deps, second)
    [event] = await AuditEvent.find(
        {"user_id": first.user_id, "action": AuditAction.REFRESH_REUSED}
    ).to_list()
    assert event.address == PHONE.address
    assert event.details["session_id"] == str(first.session_id)


async def test_an_older_token_has_no_grace_however_young_it_is(deps: Deps) -> None:
    first = await signed_in(deps)
    second = await refreshed(deps, first.refresh_token)
    third = await refreshed(deps, second.refresh_token)

    assert await reason(deps, first.refresh_token) is RefreshReason.REUSED

    assert await reason(deps, third.refresh_token) is RefreshReason.ENDED
    assert not await is_accepted(deps, third)


async def test_made_up_tokens_are_refused_and_end_nobodys_session(deps: Deps) -> None:
    first, other = await signed_in(deps), await signed_in(deps)
    second = await refreshed(deps, first.refresh_token)
    assert first.refresh_token is not None
    secret = first.refresh_token.rpartition("_")[2]
    made_up = [
        make_token(first.session_id, b"guess" * 6 + b"!!"),
        make_token(uuid4(), b"guess" * 6 + b"!!"),
        f"cgr_{other.session_id.hex}_{secret}",  # a spent secret under another session's id
        "cgr_nonsense", "", "\ud800",
    ]  # fmt: skip

    for token in made_up:
        assert await reason(deps, token) is RefreshReason.UNKNOWN, token

    assert await is_accepted(deps, second)
    assert (await refreshed(deps, second.refresh_token)).session_id == first.session_id
    assert (await refreshed(deps, other.refresh_token)).session_id == other.session_id


async def test_many_refreshes_at_once_go_on_with_one_session(deps: Deps) -> None:
    """One replaces the token; the others are given its successor; nobody is signed out."""
    latest = await signed_in(deps)
    for round_ in range(1, 6):
        answers = await asyncio.gather(*(refreshed(deps, latest.refresh_token) for _ in range(20)))

        assert len({answer.refresh_token for answer in answers}) == 1
        assert len({answer.access_token for answer in answers}) == 20
        assert all([await is_accepted(deps, answer) for answer in answers])
        spent = SpentRefreshToken.find({"session_id": latest.session_id})
        assert await spent.count() == round_
        assert (await stored(latest.session_id))["revoked_at"] is None
        latest = answers[0]


async def test_no_token_survives_a_revocation_that_comes_between_refreshes(deps: Deps) -> None:
    for _ in range(5):
        first = await signed_in(deps)
        *answers, was_revoked = await asyncio.gather(
            *(refreshed(deps, first.refresh_token) for _ in range(6)),
            revoke_session(deps, first.user_id, first.session_id, PHONE),
            return_exceptions=True,
        )

        assert was_revoked is True
        for answer in answers:
            if isinstance(answer, Tokens):
                assert not await is_accepted(deps, answer)
                assert await deps.redis.exists(f"careergraph:revoked:{jti(deps, answer)}")
            else:
                assert isinstance(answer, RefreshRefused)
                assert answer.reason is RefreshReason.ENDED


def jti(deps: Deps, tokens: Tokens) -> str:
    return deps.signers.access.verify(tokens.access_token, now()).token_id


async def test_a_crash_between_noting_and_replacing_costs_nobody_the_session(deps: Deps) -> None:
    first = await signed_in(deps)
    assert first.refresh_token is not None
    presented = hash_of(first.refresh_token)
    await SpentRefreshToken.note(presented, first.session_id, first.refresh_expires_at)

    second = await refreshed(deps, first.refresh_token)

    assert await is_accepted(deps, second)


async def test_a_session_that_is_not_refreshed_expires(deps: Deps) -> None:
    brief = quick(deps, refresh_token_seconds=3600)
    first = await signed_in(brief)
    lasts = first.refresh_expires_at - now()
    await set_fields(first.session_id, expires_at=now())

    assert timedelta(minutes=59) < lasts <= timedelta(hours=1)
    assert await reason(deps, first.refresh_token) is RefreshReason.EXPIRED
    assert await Session.live_of_user(first.user_id) == []


async def test_a_session_that_is_refreshed_lasts_from_then_on(deps: Deps) -> None:
    first = await signed_in(quick(deps, refresh_token_seconds=60))

    second = await refreshed(quick(deps, refresh_token_seconds=600), first.refresh_token)

    assert second.refresh_expires_at - now() > timedelta(minutes=9)
    row = await stored(first.session_id)
    assert row["expires_at"] == second.refresh_expires_at
    assert row["delete_at"] >= row["expires_at"]


async def test_access_tokens_that_expired_leave_the_session(deps: Deps) -> None:
    first = await signed_in(deps)
    old = {"token_id": "long gone", "expires_at": now() - SECOND}
    await Session.get_pymongo_collection().update_one(
        {"_id": first.session_id}, {"$push": {"access_tokens": old}}
    )

    second = await refreshed(deps, first.refresh_token)

    kept = {token["token_id"] for token in (await stored(first.session_id))["access_tokens"]}
    assert kept == {jti(deps, first), jti(deps, second)}
