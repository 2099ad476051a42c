"""Documents of sign-in: indexes, races that they decide, export and deletion."""

import asyncio
from uuid import uuid4

import pytest
from pymongo.errors import DuplicateKeyError

from domain.auth.audit import AuditEvent
from domain.auth.caller import UNKNOWN
from domain.auth.session_documents import SignInMethod
from domain.core.closed_accounts import ClosedAccount
from domain.core.deps import Deps
from domain.core.errors import AccountClosed, LastWayIn
from domain.core.mongo import bind_documents
from domain.core.settings import Settings
from domain.profile.documents import User
from domain.sign_in.actions import enter, unlink_identity
from domain.sign_in.consent_texts import current_version
from domain.sign_in.consents import give_consent
from domain.sign_in.documents import Consent, Identity
from domain.sign_in.flow_documents import SignInCode
from domain.sign_in.rules import ConsentKind

KIND = ConsentKind.GITHUB_REPOSITORIES


async def test_many_accounts_have_no_address_and_one_has_each(deps: Deps) -> None:
    email = f"{uuid4().hex}@example.com"
    await User(email=None, name="One").insert()
    await User(email=None, name="Two").insert()
    await User(email=email, name="Three").insert()

    with pytest.raises(DuplicateKeyError):
        await User(email=email, name="Four").insert()


async def test_an_address_is_found_through_the_index(deps: Deps) -> None:
    found = await User.get_pymongo_collection().find({"email": "x@example.com"}).explain()

    assert "IXSCAN" in str(found["queryPlanner"]["winningPlan"])


async def test_an_account_of_an_address_is_made_once(deps: Deps) -> None:
    email = f"{uuid4().hex}@example.com"

    users = await asyncio.gather(*(User.ensure(email.upper(), "Noa") for _ in range(10)))

    assert len({user.id for user in users}) == 1
    assert users[0].email == email


async def test_an_address_is_taken_once_and_by_accounts_without_one(deps: Deps) -> None:
    email = f"{uuid4().hex}@example.com"
    one, two = User(name="One"), User(name="Two")
    await one.insert()
    await two.insert()

    assert await User.take_email(one.id, email) is True
    assert await User.take_email(two.id, email) is False
    assert await User.take_email(one.id, f"other-{email}") is False


async def test_a_database_of_before_is_brought_up_to_date(deps: Deps, settings: Settings) -> None:
    """The index that was there asks for an address from everybody but one."""
    users = User.get_pymongo_collection()
    await users.delete_many({"email": None})
    await users.create_index("email", name="email", unique=True)

    # Another process starts; this one's binding is to the same database, and stays.
    for _ in range(2):
        await bind_documents(deps.database.client, settings)

    names = set(await users.index_information())
    assert "email_of_one" in names
    assert "email" not in names
    await User(email=None, name="One").insert()
    await User(email=None, name="Two").insert()


async def test_two_ways_in_taken_away_at_once_leave_one(deps: Deps) -> None:
    for _ in range(5):
        user_id = uuid4()
        ways = [
            Identity(user_id=user_id, provider=name, subject=uuid4().hex)
            for name in ("google", "github")
        ]
        for way in ways:
            await way.insert()

        results = await asyncio.gather(
            *(unlink_identity(deps, user_id, way.id, UNKNOWN) for way in ways),
            return_exceptions=True,
        )

        assert [type(one) for one in results].count(LastWayIn) == 1
        assert len(await Identity.of_user(user_id)) == 1


async def test_a_consent_given_many_times_at_once_is_one(deps: Deps) -> None:
    user_id, version = uuid4(), current_version(KIND)

    given = await asyncio.gather(
        *(give_consent(deps, user_id, KIND, version, UNKNOWN) for _ in range(10))
    )

    assert len({one.id for one in given}) == 1
    assert len(await Consent.of_user(user_id)) == 1
    events = [event.action for event in await AuditEvent.newest(20, user_id)]
    assert events == ["CONSENT_GIVEN"]


async def test_nothing_is_made_for_a_closed_account(deps: Deps) -> None:
    user_id = uuid4()
    await ClosedAccount.close(user_id)

    with pytest.raises(AccountClosed):
        await give_consent(deps, user_id, KIND, current_version(KIND), UNKNOWN)
    with pytest.raises(AccountClosed):
        await enter(deps, user_id, SignInMethod.GITHUB, UNKNOWN)

    assert await Consent.of_user(user_id) == []


async def test_export_and_deletion_know_all_of_it(deps: Deps) -> None:
    user_id, other = uuid4(), uuid4()
    for owner in (user_id, other):
        await Identity(user_id=owner, provider="google", subject=uuid4().hex).insert()
        await Consent(user_id=owner, kind=KIND, text_version="1").insert()
        await SignInCode.make(owner, SignInMethod.GITHUB, "x" * 43)

    [identity] = await Identity.of_user_for_export(user_id)
    [consent] = await Consent.of_user_for_export(user_id)
    assert identity["provider"] == "google"
    assert consent["kind"] == "GITHUB_REPOSITORIES"
    for document in (Identity, Consent, SignInCode):
        assert await document.delete_of_user(user_id) == 1
        assert await document.delete_of_user(user_id) == 0
        assert await document.find({"user_id": other}).count() == 1
