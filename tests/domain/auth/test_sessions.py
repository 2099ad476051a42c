"""Sessions: what opens them, who they are of, and what is left when they end."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.auth.audit import AuditAction, AuditEvent
from domain.auth.caller import UNKNOWN, Caller
from domain.auth.last_use import LastUse
from domain.auth.revocations import Revocations
from domain.auth.session_documents import Asker, Session, SignInMethod, Tokens
from domain.auth.sessions import (
    TokenRevoked,
    open_session,
    refresh_session,
    revoke_all_sessions,
    revoke_session,
    sign_out,
    sign_out_with_refresh_token,
    verify_access,
)
from domain.auth.token_documents import SpentRefreshToken
from domain.auth.tokens import InvalidToken
from domain.core.clock import now
from domain.core.closed_accounts import ClosedAccount
from domain.core.deps import Deps
from domain.core.errors import AccountClosed
from tests.jobs.pieces import quick

LAPTOP = Caller("192.0.2.7", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0")
MINUTE = timedelta(minutes=1)


async def signed_in(
    deps: Deps, user_id: UUID | None = None, method: SignInMethod = SignInMethod.GITHUB
) -> Tokens:
    return await open_session(deps, user_id or uuid4(), method, LAPTOP)


async def asker(deps: Deps, tokens: Tokens) -> Asker:
    return await verify_access(deps, tokens.access_token)


async def is_refused(deps: Deps, tokens: Tokens) -> bool:
    try:
        await asker(deps, tokens)
    except TokenRevoked:
        return True
    return False


async def events(user_id: UUID) -> list[AuditEvent]:
    """What is recorded of a user, the oldest first."""
    return (await AuditEvent.newest(50, user_id))[::-1]


async def test_a_sign_in_opens_a_session_with_both_tokens(deps: Deps) -> None:
    tokens = await signed_in(deps)

    session = await Session.get(tokens.session_id)
    verified = deps.signers.access.verify(tokens.access_token, now())
    assert session is not None
    assert (session.device, session.address) == ("Firefox on Linux", "192.0.2.7")
    assert session.method is SignInMethod.GITHUB
    assert verified.claims["sid"] == str(session.id)
    assert [token.token_id for token in session.access_tokens] == [verified.token_id]
    life = deps.settings.access_token_seconds
    assert timedelta() < tokens.access_expires_at - now() <= timedelta(seconds=life)
    life = deps.settings.refresh_token_seconds
    assert timedelta() < tokens.refresh_expires_at - now() <= timedelta(seconds=life)
    assert await asker(deps, tokens) == Asker(
        tokens.user_id, session.id, verified.token_id, tokens.access_expires_at,
        SignInMethod.GITHUB,
    )  # fmt: skip


async def test_a_sign_in_is_recorded_without_its_secrets(deps: Deps) -> None:
    tokens = await signed_in(deps)

    [event] = await events(tokens.user_id)
    assert event.action is AuditAction.SIGNED_IN
    assert (event.address, event.user_agent) == (LAPTOP.address, LAPTOP.user_agent)
    assert event.details == {"session_id": str(tokens.session_id), "method": "GITHUB"}


async def test_a_token_for_local_work_lives_as_long_as_asked_and_is_never_refreshed(
    deps: Deps,
) -> None:
    hours = timedelta(hours=12)

    tokens = await open_session(deps, uuid4(), SignInMethod.LOCAL, UNKNOWN, hours)

    assert tokens.refresh_token is None
    assert hours - MINUTE < tokens.access_expires_at - now() <= hours
    assert tokens.refresh_expires_at == tokens.access_expires_at
    [session] = await Session.live_of_user(tokens.user_id)
    assert session.current_hash is None
    [event] = await events(tokens.user_id)
    assert event.action is AuditAction.TOKEN_ISSUED


async def test_no_access_token_outlives_its_session(deps: Deps) -> None:
    tokens = await signed_in(quick(deps, refresh_token_seconds=60))

    assert tokens.access_expires_at <= tokens.refresh_expires_at
    assert tokens.refresh_expires_at - now() <= MINUTE


async def test_no_session_opens_for_an_account_that_is_being_deleted(deps: Deps) -> None:
    user_id = uuid4()
    await ClosedAccount.close(user_id)

    with pytest.raises(AccountClosed):
        await signed_in(deps, user_id)

    assert await Session.find({"user_id": user_id}).count() == 0
    assert await events(user_id) == []


@pytest.mark.parametrize(
    "claims",
    [{}, {"sid": "x", "method": "LOCAL"}, {"sid": 7, "method": "LOCAL"},
     {"sid": str(UUID(int=1))}, {"sid": str(UUID(int=1)), "method": "OTHER"},
     {"sid": str(UUID(int=1)), "method": ["LOCAL"]}],
)  # fmt: skip
async def test_access_tokens_without_a_session_are_refused(
    deps: Deps, claims: dict[str, Any]
) -> None:
    token = deps.signers.access.issue(uuid4(), now(), MINUTE, claims)

    with pytest.raises(InvalidToken, match="not of a session"):
        await verify_access(deps, token)


async def test_signing_out_ends_one_session_and_tells_so(deps: Deps) -> None:
    one = await signed_in(deps)
    other = await signed_in(deps, one.user_id)

    await sign_out(deps, await asker(deps, one), LAPTOP)

    assert await is_refused(deps, one)
    assert not await is_refused(deps, other)
    last = (await events(one.user_id))[-1]
    assert last.action is AuditAction.SIGNED_OUT
    assert last.details == {"session_id": str(one.session_id), "device": "Firefox on Linux"}


async def test_signing_out_twice_is_recorded_once(deps: Deps) -> None:
    tokens = await signed_in(deps)
    who = await asker(deps, tokens)

    await asyncio.gather(*(sign_out(deps, who, LAPTOP) for _ in range(5)))

    actions = [event.action for event in await events(tokens.user_id)]
    assert actions == [AuditAction.SIGNED_IN, AuditAction.SIGNED_OUT]


async def test_a_refresh_token_signs_its_session_out_and_a_wrong_one_none(deps: Deps) -> None:
    one = await signed_in(deps)
    assert one.refresh_token is not None
    wrong = one.refresh_token[:-1] + ("A" if one.refresh_token[-1] != "A" else "B")

    for token in (wrong, "garbage"):
        await sign_out_with_refresh_token(deps, token, LAPTOP)
    assert not await is_refused(deps, one)
    await sign_out_with_refresh_token(deps, one.refresh_token, LAPTOP)

    assert await is_refused(deps, one)


async def test_signing_out_with_an_old_refresh_token_is_reuse(deps: Deps) -> None:
    one = await signed_in(deps)
    assert one.refresh_token is not None
    two = await refresh_session(deps, one.refresh_token, LAPTOP)
    assert two.refresh_token is not None
    await refresh_session(deps, two.refresh_token, LAPTOP)

    await sign_out_with_refresh_token(deps, one.refresh_token, LAPTOP)

    assert await is_refused(deps, two)
    assert (await events(one.user_id))[-1].action is AuditAction.REFRESH_REUSED


async def test_nobody_ends_anothers_session(deps: Deps) -> None:
    mine, theirs = await signed_in(deps), await signed_in(deps)

    ended = await revoke_session(deps, mine.user_id, theirs.session_id, LAPTOP)
    count = await revoke_all_sessions(deps, mine.user_id, LAPTOP)

    assert (ended, count) == (False, 1)
    assert not await is_refused(deps, theirs)
    assert await Session.of_user(theirs.session_id, mine.user_id) is None
    assert [event.action for event in await events(theirs.user_id)] == [AuditAction.SIGNED_IN]


async def test_a_session_is_ended_once(deps: Deps) -> None:
    tokens = await signed_in(deps)

    ended = [await revoke_session(deps, tokens.user_id, tokens.session_id, LAPTOP)
             for _ in range(2)]  # fmt: skip

    assert ended == [True, False]
    assert await is_refused(deps, tokens)


async def test_all_sessions_end_but_the_one_that_is_kept(deps: Deps) -> None:
    kept = await signed_in(deps)
    others = [await signed_in(deps, kept.user_id) for _ in range(3)]
    local = await open_session(deps, kept.user_id, SignInMethod.LOCAL, UNKNOWN, 5 * MINUTE)

    count = await revoke_all_sessions(deps, kept.user_id, LAPTOP, keep=kept.session_id)

    assert count == 4
    assert all([await is_refused(deps, one) for one in [*others, local]])
    assert not await is_refused(deps, kept)
    assert [one.id for one in await Session.live_of_user(kept.user_id)] == [kept.session_id]
    last = (await events(kept.user_id))[-1]
    assert (last.action, last.details) == (AuditAction.SESSION_REVOKED, {"sessions": "4"})
    assert await revoke_all_sessions(deps, kept.user_id, LAPTOP) == 1
    assert await revoke_all_sessions(deps, kept.user_id, LAPTOP) == 0


async def test_live_sessions_come_newest_use_first(deps: Deps) -> None:
    one = await signed_in(deps)
    two, three = [await signed_in(deps, one.user_id) for _ in range(2)]
    await Session.note_uses({one.session_id: now() + MINUTE})
    await revoke_session(deps, one.user_id, two.session_id, LAPTOP)

    found = [session.id for session in await Session.live_of_user(one.user_id)]

    assert found == [one.session_id, three.session_id]


async def last_used(tokens: Tokens) -> Any:
    row = await Session.get(tokens.session_id)
    assert row is not None
    return row.last_used_at


async def test_uses_are_written_together_and_never_back_in_time(deps: Deps) -> None:
    tokens = await signed_in(deps)
    opened_at = await last_used(tokens)
    uses = LastUse(write_seconds=0.2)
    async with uses.running():
        for _ in range(100):
            uses.note(tokens.session_id)
        assert await last_used(tokens) == opened_at  # nothing is written at once
        await asyncio.sleep(0.5)
        used_at = await last_used(tokens)
        assert used_at > opened_at
        uses.note(tokens.session_id)
    ended_at = await last_used(tokens)
    assert ended_at > used_at  # leaving writes what is left

    await Session.note_uses({tokens.session_id: opened_at})

    assert await last_used(tokens) == ended_at


async def test_a_persons_sessions_can_be_exported_without_secrets(deps: Deps) -> None:
    one = await signed_in(deps)
    two = await signed_in(deps, one.user_id)
    await revoke_session(deps, one.user_id, one.session_id, LAPTOP)

    rows = await Session.of_user_for_export(one.user_id)

    assert [row["id"] for row in rows] == [str(one.session_id), str(two.session_id)]
    assert set(rows[0]) == {
        "id", "method", "device", "address", "created_at", "last_used_at", "expires_at",
        "revoked_at",
    }  # fmt: skip
    assert rows[0]["revoked_at"] is not None
    assert rows[1]["revoked_at"] is None


async def test_deleting_a_persons_sessions_leaves_nothing_of_them_but_the_refusal(
    deps: Deps,
) -> None:
    live, other = await signed_in(deps), await signed_in(deps)
    ended = await signed_in(deps, live.user_id)
    assert live.refresh_token is not None
    fresh = await refresh_session(deps, live.refresh_token, LAPTOP)
    askers = [await asker(deps, one) for one in (live, fresh, ended)]
    await revoke_session(deps, live.user_id, ended.session_id, LAPTOP)

    assert await Session.delete_of_user(live.user_id) == 2

    assert await Session.find({"user_id": live.user_id}).count() == 0
    assert await SpentRefreshToken.find({"session_id": live.session_id}).count() == 0
    left = await Session.get_pymongo_collection().find_one({"_id": live.session_id})
    for trace in (str(live.user_id), live.user_id.hex, "192.0.2.7", "Firefox"):
        assert trace not in repr(left)
    later = Revocations(deps.redis)
    async with later.running():  # a process that starts now
        assert all([await later.is_revoked(one) for one in askers])
    assert not await is_refused(deps, other)
