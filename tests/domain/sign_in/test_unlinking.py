"""What ends with a way into an account: who came in by it, and who is about to."""

from uuid import UUID, uuid4

import pytest

from domain.auth.caller import UNKNOWN
from domain.auth.session_documents import Session, SignInMethod
from domain.auth.sessions import TokenRevoked, open_session, verify_access
from domain.core.deps import Deps
from domain.sign_in.actions import enter, unlink_identity
from domain.sign_in.documents import Identity
from domain.sign_in.flow_documents import SignInCode
from domain.sign_in.provider_tokens import Unlinked

GITHUB, GOOGLE = SignInMethod.GITHUB, SignInMethod.GOOGLE


async def two_ways_in() -> tuple[UUID, Identity, Identity]:
    """A user with a GitHub and a Google identity."""
    user_id = uuid4()
    found = [Identity(user_id=user_id, provider=name, subject=uuid4().hex)
             for name in ("github", "google")]  # fmt: skip
    for identity in found:
        await identity.insert()
    return user_id, found[0], found[1]


async def test_sessions_of_an_unlinked_way_in_end_and_no_others(deps: Deps) -> None:
    user_id, github, google = await two_ways_in()
    ended = await enter(deps, user_id, GITHUB, UNKNOWN, github.id)
    kept = await enter(deps, user_id, GOOGLE, UNKNOWN, google.id)
    local = await open_session(deps, user_id, SignInMethod.LOCAL, UNKNOWN)

    await unlink_identity(deps, user_id, github.id, UNKNOWN)

    with pytest.raises(TokenRevoked):
        await verify_access(deps, ended.access_token)
    for tokens in (kept, local):
        assert (await verify_access(deps, tokens.access_token)).user_id == user_id


async def test_codes_of_an_unlinked_way_in_are_gone(deps: Deps) -> None:
    user_id, github, google = await two_ways_in()
    gone = await SignInCode.make(user_id, GITHUB, "c" * 43, github.id)
    kept = await SignInCode.make(user_id, GOOGLE, "c" * 43, google.id)

    await unlink_identity(deps, user_id, github.id, UNKNOWN)

    assert await SignInCode.take(gone) is None
    assert await SignInCode.take(kept) is not None


async def test_who_is_about_to_come_in_while_it_is_unlinked_does_not(deps: Deps) -> None:
    user_id, github, _ = await two_ways_in()
    await unlink_identity(deps, user_id, github.id, UNKNOWN)

    with pytest.raises(Unlinked):
        await enter(deps, user_id, GITHUB, UNKNOWN, github.id)

    assert await Session.live_of_user(user_id) == []


async def test_what_is_left_of_a_deleted_session_does_not_name_its_way_in(deps: Deps) -> None:
    user_id, github, _ = await two_ways_in()
    tokens = await enter(deps, user_id, GITHUB, UNKNOWN, github.id)

    await Session.delete_of_user(user_id)

    left = await Session.get(tokens.session_id)
    assert left is not None
    assert left.identity_id is None
