"""Tokens of external issuers: whom they speak for."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.auth.audit import AuditEvent
from domain.auth.caller import UNKNOWN, Caller
from domain.auth.session_documents import Asker, SignInMethod
from domain.auth.sessions import revoke_external_token
from domain.auth.tokens import InvalidToken
from domain.core.closed_accounts import ClosedAccount
from domain.core.deps import Deps
from domain.profile.documents import User
from domain.sign_in.actions import authenticate, unlink_identity
from domain.sign_in.documents import DeletedIdentity, Identity
from domain.sign_in.external import ExternalUsers
from domain.sign_in.rules import tombstone_key
from tests.domain.auth.issuer_server import Issuer, issuers_for, running_issuer
from tests.tokens import access_token


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with running_issuer() as found:
        yield found


@pytest.fixture
async def parts(deps: Deps, issuer: Issuer) -> AsyncIterator[Deps]:
    """The session's parts, with one external issuer."""
    async with issuers_for(issuer) as external:
        yield replace(deps, external_issuers=external, external_users=ExternalUsers())


def afresh(parts: Deps) -> Deps:
    """As another process, which remembers nobody."""
    return replace(parts, external_users=ExternalUsers())


def seconds_ago(seconds: int) -> dict[str, int]:
    """Claims of a token issued then."""
    at = int(time.time()) - seconds
    return {"iat": at, "exp": at + seconds + 3600}


async def user_of(asker: Asker) -> User:
    user = await User.get(asker.user_id)
    assert user is not None
    return user


async def test_a_token_of_ours_speaks_for_its_session(parts: Deps) -> None:
    user_id = uuid4()

    asker = await authenticate(parts, await access_token(parts, user_id))

    assert (asker.user_id, asker.method) == (user_id, SignInMethod.LOCAL)
    assert asker.session_id is not None


async def test_an_external_subject_gets_an_account_at_first_sight(
    parts: Deps, issuer: Issuer
) -> None:
    email = f"{uuid4().hex}@example.com"
    token = issuer.token(sub="one", email=email, email_verified=True, name="Noa Bar")

    asker = await authenticate(parts, token)

    assert (asker.session_id, asker.method) == (None, SignInMethod.EXTERNAL)
    user = await user_of(asker)
    assert (user.email, user.name) == (email, "Noa Bar")
    other = await authenticate(afresh(parts), issuer.token(sub="one", name="Somebody Else"))
    assert other.user_id == asker.user_id
    assert (await user_of(other)).name == "Noa Bar"
    stranger = await authenticate(parts, issuer.token(sub="two"))
    assert stranger.user_id != asker.user_id


async def test_an_address_of_an_account_is_not_taken_over(parts: Deps, issuer: Issuer) -> None:
    owner = await User.ensure(f"{uuid4().hex}@example.com", "Owner")
    assert owner.email

    asker = await authenticate(
        parts, issuer.token(sub="taker", email=owner.email.upper(), email_verified=True)
    )

    assert asker.user_id != owner.id
    assert (await user_of(asker)).email is None


async def test_an_unverified_address_is_not_kept(parts: Deps, issuer: Issuer) -> None:
    asker = await authenticate(parts, issuer.token(sub="unverified", email="u@example.com"))

    assert (await user_of(asker)).email is None
    identity = await Identity.of_subject(issuer.issuer, "unverified")
    assert identity is not None
    assert identity.email is None


async def test_many_requests_at_once_make_one_account(parts: Deps, issuer: Issuer) -> None:
    for n in range(3):
        sub, email = uuid4().hex, f"{uuid4().hex}@example.com"
        claims = {"sub": sub, "email": email, "email_verified": True, "name": f"N{n}"}
        tokens = [issuer.token(None, **claims) for _ in range(10)]

        askers = await asyncio.gather(*(authenticate(afresh(parts), one) for one in tokens))

        [user_id] = {asker.user_id for asker in askers}
        assert await Identity.find({"subject": sub}).count() == 1
        [user] = await User.find({"email": email}).to_list()
        assert user.id == user_id
        assert await User.find({"name": f"N{n}"}).count() == 1, "no account is left over"
        await user.delete()


async def test_a_token_of_before_the_deletion_makes_no_account_again(
    parts: Deps, issuer: Issuer
) -> None:
    before = issuer.token(sub="deleted", **seconds_ago(60))
    asker = await authenticate(parts, before)
    await delete_account(asker.user_id)

    for token in (before, issuer.token(sub="deleted", **seconds_ago(30))):
        with pytest.raises(InvalidToken):
            await authenticate(afresh(parts), token)
    assert await Identity.of_subject(issuer.issuer, "deleted") is None

    # One that was issued later makes a new one.
    later = issuer.token(sub="deleted", **seconds_ago(-20))
    await let_pass(issuer, "deleted", seconds=60)
    again = await authenticate(afresh(parts), later)
    assert again.user_id != asker.user_id


async def test_a_token_older_than_tombstones_last_makes_no_account(
    parts: Deps, issuer: Issuer
) -> None:
    with pytest.raises(InvalidToken):
        await authenticate(parts, issuer.token(sub="old", **seconds_ago(86_500)))
    assert await Identity.of_subject(issuer.issuer, "old") is None

    await authenticate(parts, issuer.token(sub="old"))
    await authenticate(afresh(parts), issuer.token(sub="old", **seconds_ago(86_500)))


async def test_an_account_under_deletion_lets_nobody_in(parts: Deps, issuer: Issuer) -> None:
    asker = await authenticate(parts, issuer.token(sub="closing"))
    await ClosedAccount.close(asker.user_id)

    with pytest.raises(InvalidToken):
        await authenticate(afresh(parts), issuer.token(sub="closing"))


async def test_a_deletion_shows_within_seconds_in_every_process(
    parts: Deps, issuer: Issuer
) -> None:
    token = issuer.token(sub="cached", **seconds_ago(60))
    asker = await authenticate(parts, token)
    await delete_account(asker.user_id)

    async with asyncio.timeout(5):
        while True:
            try:
                await authenticate(parts, token)
            except InvalidToken:
                break
            await asyncio.sleep(0.2)


async def test_a_token_that_was_signed_out_of_is_refused(parts: Deps, issuer: Issuer) -> None:
    token, other = issuer.token(sub="leaver"), issuer.token(sub="leaver")
    asker = await authenticate(parts, token)

    await revoke_external_token(parts, asker, UNKNOWN)

    with pytest.raises(InvalidToken):
        await authenticate(parts, token)
    assert (await authenticate(parts, other)).user_id == asker.user_id


async def test_an_unlinked_subject_does_not_come_back_by_its_old_token(
    parts: Deps, issuer: Issuer
) -> None:
    token = issuer.token(sub="unlinked", **seconds_ago(60))
    asker = await authenticate(parts, token)
    await Identity(user_id=asker.user_id, provider="github", subject=uuid4().hex).insert()
    identity = await Identity.of_subject(issuer.issuer, "unlinked")
    assert identity is not None

    await unlink_identity(parts, asker.user_id, identity.id, UNKNOWN)

    with pytest.raises(InvalidToken):
        await authenticate(afresh(parts), token)


async def test_who_comes_in_with_a_token_is_recorded_once_and_from_where(
    parts: Deps, issuer: Issuer
) -> None:
    caller = Caller("198.51.100.7", "curl/8")
    first, second = issuer.token(sub="seen"), issuer.token(sub="seen")

    asker = await authenticate(parts, first, caller)
    for token in (first, second):
        await authenticate(parts, token, caller)
    await authenticate(afresh(parts), first, caller)  # in another process

    rows = await AuditEvent.newest(9, asker.user_id)
    assert [row.action for row in rows] == ["SIGNED_IN", "SIGNED_IN", "IDENTITY_LINKED"]
    assert {(row.address, row.user_agent) for row in rows} == {("198.51.100.7", "curl/8")}
    assert rows[0].details == {"method": "EXTERNAL", "provider": issuer.issuer}


async def test_others_tokens_are_refused(parts: Deps, issuer: Issuer) -> None:
    async with running_issuer() as stranger:
        for token in (stranger.token(), issuer.token(exp=1), issuer.token(aud="else"), "x.y.z", ""):
            with pytest.raises(InvalidToken):
                await authenticate(parts, token)


async def delete_account(user_id: UUID) -> None:
    """As the deletion of an account does it."""
    await Identity.delete_of_user(user_id)
    user = await User.get(user_id)
    assert user is not None
    await user.delete()


async def let_pass(issuer: Issuer, subject: str, seconds: int) -> None:
    """Move a tombstone into the past, as if that time had gone by since."""

    stone = await DeletedIdentity.get(tombstone_key(issuer.issuer, subject))
    assert stone is not None
    await stone.set({"deleted_at": stone.deleted_at - timedelta(seconds=seconds)})
