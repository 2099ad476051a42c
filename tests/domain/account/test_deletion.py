"""Deleting an account leaves nothing of its person, and changes nothing of anybody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from domain.account.deletion import QUIET, count_all, request_deletion, run
from domain.account.documents import AccountDeletion, WorkStatus
from domain.auth.audit import AuditEvent
from domain.auth.session_documents import SignInMethod
from domain.auth.sessions import open_session, verify_access
from domain.auth.tokens import InvalidToken
from domain.clients.identity_providers import Grant
from domain.core.clock import now
from domain.core.closed_accounts import ClosedAccount
from domain.core.delivery import NotYet, accepted
from domain.core.deps import Deps
from domain.core.errors import AccountClosed, InvalidInput
from domain.profile.documents import User
from domain.sign_in.documents import Identity
from domain.sign_in.provider_tokens import keep_grant
from domain.sign_in.rules import Provider, TokenUse
from domain.sign_in.token_documents import ProviderToken
from jobs.account import ACCOUNT_DELETION
from jobs.delivery import deliver
from tests import github_server
from tests.domain.account.deletions import WORDS, deleted, nothing_is_left, stored
from tests.domain.account.people import CALLER, names_with, newcomer, person_with_everything, world
from tests.github_server import GitHubServer
from tests.jobs.pieces import LEASE
from tests.served import served

MAY_NAME_THE_ACCOUNT = {"audit_events", "account_deletions", "closed_accounts"}
MAY_BE_NEW = {*MAY_NAME_THE_ACCOUNT, "deleted_identities", "sessions", "leases"}


async def test_nothing_of_the_person_is_left_and_nothing_of_another_is_changed(
    quiet: Deps,
) -> None:
    other = await person_with_everything(quiet, "ambrosius")
    before = await world(quiet)
    person = await person_with_everything(quiet, "theodora")
    assert len(names_with(person.traces, await world(quiet))) >= 12

    done = await deleted(quiet, person.id)

    after = await world(quiet)
    assert names_with(person.traces, after) == MAY_NAME_THE_ACCOUNT
    assert names_with([person.word.encode()], after) == set()
    for name, documents in before.items():
        assert {id: after[name].get(id) for id in documents} == documents, name
    new = {name for name, documents in after.items() if documents.keys() - before.get(name, {})}
    assert new <= MAY_BE_NEW
    assert done.found is not None
    assert {kind for kind, count in done.found.items() if count == 0} == set()
    assert (await User.get(other.id)) is not None
    assert (await verify_access(quiet, other.access_token)).user_id == other.id


async def test_redis_holds_nothing_under_the_persons_name(quiet: Deps) -> None:
    person = await person_with_everything(quiet, "philippa")
    other = await person_with_everything(quiet, "gerasimos")
    assert [key async for key in quiet.redis.scan_iter(f"*{person.id}*")]

    await deleted(quiet, person.id)

    assert [key async for key in quiet.redis.scan_iter(f"*{person.id}*")] == []
    assert [key async for key in quiet.redis.scan_iter(f"*{other.id}*")]


@pytest.mark.parametrize(
    "words",
    ["", "yes", "delete", "delete my account!", pytest.param("x" * 10_000_000, id="long")],
)
async def test_without_the_words_nothing_happens(quiet: Deps, words: str) -> None:
    user = await newcomer(uuid4().hex)

    with pytest.raises(InvalidInput) as refused:
        await request_deletion(quiet, user.id, words, CALLER)

    assert refused.value.path == ["input", "confirmation"]
    assert not await ClosedAccount.has(user.id)
    assert await AccountDeletion.find({"user_id": user.id}).count() == 0


@pytest.mark.parametrize("words", ["delete my account", " Delete  My Account\n"])
async def test_the_words_count_and_not_how_they_are_typed(quiet: Deps, words: str) -> None:
    user = await newcomer(uuid4().hex)

    assert (await request_deletion(quiet, user.id, words, CALLER)).status is WorkStatus.PENDING


async def test_from_acceptance_on_no_session_is_good_and_none_can_be_opened(quiet: Deps) -> None:
    user = await newcomer(uuid4().hex)
    tokens = [await open_session(quiet, user.id, SignInMethod.GITHUB, CALLER) for _ in range(3)]

    await request_deletion(quiet, user.id, WORDS, CALLER)

    for one in tokens:
        with pytest.raises(InvalidToken):
            await verify_access(quiet, one.access_token)
    with pytest.raises(AccountClosed):
        await open_session(quiet, user.id, SignInMethod.GITHUB, CALLER)


async def test_asking_twice_gives_the_same_deletion(quiet: Deps) -> None:
    user = await newcomer(uuid4().hex)

    asked = await asyncio.gather(
        *(request_deletion(quiet, user.id, WORDS, CALLER) for _ in range(10))
    )

    assert len({one.id for one in asked}) == 1
    actions = [event.action for event in await AuditEvent.newest(100, user.id)]
    assert actions.count("DELETION_REQUESTED") == 1  # type: ignore[arg-type]  # a StrEnum


async def test_nothing_is_deleted_before_the_last_request_is_surely_over(quiet: Deps) -> None:
    person = await person_with_everything(quiet, "eleonora")
    deletion = await request_deletion(quiet, person.id, WORDS, CALLER)
    before = await count_all(person.id)
    claim = await AccountDeletion.claim(deletion.id, LEASE)
    assert claim is not None

    with pytest.raises(NotYet) as waiting:
        await run(quiet, claim)

    assert QUIET.total_seconds() - 5 < waiting.value.seconds <= QUIET.total_seconds()
    assert await count_all(person.id) == before
    assert (await stored(deletion)).status is WorkStatus.PROCESSING


async def test_waiting_counts_no_attempt(quiet: Deps) -> None:
    user = await newcomer(uuid4().hex)
    deletion = await request_deletion(quiet, user.id, WORDS, CALLER)

    for _ in range(5):
        await AccountDeletion.get_pymongo_collection().update_one(
            {"_id": deletion.id}, {"$set": {"delivery.due_at": now()}}
        )
        await deliver(quiet, ACCOUNT_DELETION, deletion.id)

    waiting = await stored(deletion)
    assert (waiting.delivery.attempts, waiting.delivery.is_open) == (0, True)
    assert waiting.delivery.due_at is not None
    assert timedelta(seconds=30) < waiting.delivery.due_at - now() <= QUIET


async def test_acceptance_that_was_cut_short_is_made_good_by_the_worker(quiet: Deps) -> None:
    """The web process died when it had written that the account is to go, and nothing more."""
    person = await person_with_everything(quiet, "sebastiana")
    deletion = AccountDeletion(
        user_id=person.id, delivery=accepted(now()), quiet_since=now() - QUIET
    )
    await deletion.insert()

    await deliver(quiet, ACCOUNT_DELETION, deletion.id)

    assert await ClosedAccount.has(person.id)
    with pytest.raises(InvalidToken):
        await verify_access(quiet, person.access_token)
    assert not await nothing_is_left(person.id)  # not before that was known everywhere
    assert now() - (await stored(deletion)).quiet_since < timedelta(seconds=5)


@asynccontextmanager
async def with_github(deps: Deps) -> AsyncIterator[tuple[Deps, GitHubServer]]:
    """The same parts with a GitHub of this test's own."""
    server = GitHubServer()
    async with served(server.app) as url:
        settings = deps.settings.model_copy(
            update={
                "github_client_id": github_server.CLIENT_ID,
                "github_client_secret": SecretStr(github_server.CLIENT_SECRET),
                "github_url": url,
                "github_api_url": url,
            }
        )
        yield replace(deps, settings=settings), server


async def at_github(deps: Deps, user_id: UUID, token: str) -> None:
    identity = Identity(user_id=user_id, provider=Provider.GITHUB, subject=uuid4().hex)
    await identity.insert()
    grant = Grant(token, None, None, ("read:user",))
    await keep_grant(deps, identity, TokenUse.SIGN_IN, grant, CALLER)


async def test_what_a_provider_lets_us_do_is_given_back(quiet: Deps) -> None:
    user = await newcomer(uuid4().hex)
    async with with_github(quiet) as (parts, github):
        token = github.give(github.user, "read:user")["access_token"]
        await at_github(parts, user.id, token)

        await deleted(parts, user.id)

    assert github.revoked == [token]


async def test_a_provider_that_is_away_keeps_no_account_alive(quiet: Deps) -> None:
    user = await newcomer(uuid4().hex)
    async with with_github(quiet) as (parts, github):
        token = github.give(github.user, "read:user")["access_token"]
        await at_github(parts, user.id, token)

    await deleted(parts, user.id)

    assert github.revoked == []
    assert await ProviderToken.find({"user_id": user.id}).count() == 0


async def test_the_person_may_come_back_as_somebody_new(quiet: Deps) -> None:
    person = await person_with_everything(quiet, "konstantin")
    await deleted(quiet, person.id)

    again = await User.ensure(person.email, "Konstantin")

    assert again.id != person.id
    assert (await open_session(quiet, again.id, SignInMethod.GOOGLE, CALLER)).user_id == again.id
