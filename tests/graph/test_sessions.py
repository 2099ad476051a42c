"""The viewer's sessions through GraphQL: seeing them, refetching them and ending them."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.auth.audit import AuditAction, AuditEvent
from domain.auth.caller import Caller
from domain.auth.session_documents import Asker, SignInMethod, Tokens
from domain.auth.sessions import open_session
from domain.core.clock import now
from domain.core.deps import Deps
from domain.profile.documents import User
from graph import context as graph_context
from graph import ids
from graph.context import make_context
from graph.schema import make_schema
from tests.client import Client, Json, payloads, subscribe
from tests.graph.browser import LAPTOP

PHONE = Caller("198.51.100.4", "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Firefox/145.0")
FIELDS = "id device method createdAt lastUsedAt expiresAt address isCurrent"
SESSIONS = f"{{ viewer {{ sessions {{ {FIELDS} }} }} }}"
REVOKE = (
    "mutation ($id: ID!) { revokeSession(input: {sessionId: $id}) { session { id device } "
    "errors { __typename ... on UserError { code message path } "
    "... on NotFoundError { missingId } } } }"
)
NODE = "query ($id: ID!) { node(id: $id) { __typename id ... on Session { device isCurrent } } }"


class Person:
    """Somebody with an account, who signs in here and there."""

    def __init__(self, deps: Deps, user: User) -> None:
        self.deps = deps
        self.user = user

    async def signs_in(self, caller: Caller = LAPTOP) -> tuple[Client, str]:
        """A client with a new session, and the session's global id."""
        tokens = await self._open(caller)
        client = Client(self.deps.settings.public_url, tokens.access_token)
        return client, ids.encode("Session", tokens.session_id)

    async def _open(self, caller: Caller) -> Tokens:
        return await open_session(self.deps, self.user.id, SignInMethod.GITHUB, caller)


@pytest.fixture
async def dana(deps: Deps) -> Person:
    return Person(deps, await User.ensure(f"{uuid4().hex}@example.com", "Dana"))


@pytest.fixture
async def noa(deps: Deps) -> Person:
    return Person(deps, await User.ensure(f"{uuid4().hex}@example.com", "Noa"))


async def sessions(client: Client) -> list[Json]:
    found: list[Json] = (await client.data(SESSIONS))["viewer"]["sessions"]
    return found


async def is_signed_in(client: Client) -> bool:
    return (await client.data("{ viewer { id } }"))["viewer"] is not None


async def test_sessions_are_shown_with_device_and_last_use_and_the_present_one_marked(
    dana: Person,
) -> None:
    laptop, laptop_id = await dana.signs_in()
    phone, phone_id = await dana.signs_in(PHONE)

    seen_on_laptop, seen_on_phone = await sessions(laptop), await sessions(phone)

    by_id = {session["id"]: session for session in seen_on_laptop}
    assert set(by_id) == {laptop_id, phone_id}
    on_phone = by_id[phone_id]
    assert (on_phone["device"], on_phone["address"]) == ("Firefox on Android", "198.51.100.4")
    assert (on_phone["method"], on_phone["isCurrent"]) == ("GITHUB", False)
    assert on_phone["createdAt"] <= on_phone["lastUsedAt"] < on_phone["expiresAt"]
    assert by_id[laptop_id]["isCurrent"]
    assert [one["id"] for one in seen_on_phone if one["isCurrent"]] == [phone_id]


async def test_the_session_used_last_comes_first(deps: Deps, dana: Person) -> None:
    laptop, laptop_id = await dana.signs_in()
    _, phone_id = await dana.signs_in(PHONE)
    await deps.last_use.write()
    await is_signed_in(laptop)
    await deps.last_use.write()

    assert [one["id"] for one in await sessions(laptop)] == [laptop_id, phone_id]


async def test_uses_are_noted_without_a_write_for_each(deps: Deps, dana: Person) -> None:
    laptop, _ = await dana.signs_in()
    await deps.last_use.write()
    [before] = await sessions(laptop)
    async with laptop.socket() as socket:
        await subscribe(socket, "1", SESSIONS)
        await anext(payloads(socket, "1"))
    [unwritten] = await sessions(laptop)
    await deps.last_use.write()
    [after] = await sessions(laptop)

    assert unwritten["lastUsedAt"] == before["lastUsedAt"] < after["lastUsedAt"]


async def test_sessions_are_refetched_by_their_owner_only(dana: Person, noa: Person) -> None:
    mine, mine_id = await dana.signs_in()
    stranger, _ = await noa.signs_in()
    nobody = Client(mine.base_url)

    assert (await mine.data(NODE, id=mine_id))["node"] == {
        "__typename": "Session", "id": mine_id, "device": "Firefox on Linux", "isCurrent": True,
    }  # fmt: skip
    for other in (stranger, nobody):
        assert await other.data(NODE, id=mine_id) == {"node": None}


async def test_people_see_their_own_sessions_only(dana: Person, noa: Person) -> None:
    mine, mine_id = await dana.signs_in()
    theirs, theirs_id = await noa.signs_in()

    assert [one["id"] for one in await sessions(mine)] == [mine_id]
    assert [one["id"] for one in await sessions(theirs)] == [theirs_id]


async def test_signing_out_ends_the_session_of_the_request(dana: Person) -> None:
    laptop, laptop_id = await dana.signs_in()
    phone, phone_id = await dana.signs_in(PHONE)

    answer = await laptop.data("mutation { signOut { session { id isCurrent } } }")

    assert answer == {"signOut": {"session": {"id": laptop_id, "isCurrent": True}}}
    assert not await is_signed_in(laptop)
    assert [one["id"] for one in await sessions(phone)] == [phone_id]
    assert await phone.data(NODE, id=laptop_id) == {"node": None}
    refused = await laptop.post("mutation { signOut { session { id } } }")
    [error] = refused["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert error["message"] == "This session was ended. Sign in again."


@pytest.mark.parametrize(
    ("argument", "count"),
    [("", 3), ("(input: {})", 3), ("(input: {exceptCurrent: false})", 3),
     ("(input: {exceptCurrent: true})", 2)],
)  # fmt: skip
async def test_signing_out_everywhere(dana: Person, noa: Person, argument: str, count: int) -> None:
    clients = [(await dana.signs_in())[0] for _ in range(3)]
    stranger, _ = await noa.signs_in()

    answer = await clients[0].data(f"mutation {{ signOutEverywhere{argument} {{ count }} }}")

    assert answer == {"signOutEverywhere": {"count": count}}
    assert [await is_signed_in(one) for one in clients] == [count == 2, False, False]
    assert await is_signed_in(stranger)


async def test_one_device_ends_the_session_of_another(dana: Person) -> None:
    laptop, _ = await dana.signs_in()
    phone, phone_id = await dana.signs_in(PHONE)

    answer = (await laptop.data(REVOKE, id=phone_id))["revokeSession"]
    again = (await laptop.data(REVOKE, id=phone_id))["revokeSession"]

    ended = {"id": phone_id, "device": "Firefox on Android"}
    assert answer == {"session": ended, "errors": []}
    assert not await is_signed_in(phone)
    assert await is_signed_in(laptop)
    assert (again["session"], again["errors"][0]["code"]) == (None, "SESSION_NOT_FOUND")


async def test_anothers_session_looks_absent_and_goes_on(dana: Person, noa: Person) -> None:
    mine, _ = await dana.signs_in()
    theirs, theirs_id = await noa.signs_in()
    absent = ids.encode("Session", uuid4())
    others = [theirs_id, absent, ids.encode("User", noa.user.id), "no id", ""]

    answers = [(await mine.data(REVOKE, id=id))["revokeSession"] for id in others]

    for id, answer in zip(others, answers, strict=True):
        [error] = answer["errors"]
        assert answer["session"] is None
        assert error == {
            "__typename": "NotFoundError", "code": "SESSION_NOT_FOUND", "missingId": id,
            "message": "No such session. It may have ended already.",
            "path": ["input", "sessionId"],
        }  # fmt: skip
    assert await is_signed_in(theirs)


async def test_refusals_are_told_in_the_viewers_language(dana: Person) -> None:
    await User.change(dana.user.id, {"language": "he"})
    mine, _ = await dana.signs_in()

    answer = (await mine.data(REVOKE, id=ids.encode("Session", uuid4())))["revokeSession"]

    assert answer["errors"][0]["message"] == "לא נמצאה התחברות כזאת. ייתכן שהיא כבר הסתיימה."


@pytest.mark.parametrize(
    "mutation",
    ["signOut { session { id } }", "signOutEverywhere { count }",
     'revokeSession(input: {sessionId: "x"}) { session { id } }'],
)  # fmt: skip
async def test_without_a_session_there_is_none_to_end(nobody: Client, mutation: str) -> None:
    answer = await nobody.post(f"mutation {{ {mutation} }}")

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]


async def test_what_ends_a_session_is_recorded_with_where_it_came_from(dana: Person) -> None:
    laptop, _ = await dana.signs_in()
    _, phone_id = await dana.signs_in(PHONE)
    await laptop.data(REVOKE, id=phone_id)
    await laptop.data("mutation { signOut { session { id } } }")

    last, before, *_ = await AuditEvent.newest(10, dana.user.id)

    assert (last.action, before.action) == (AuditAction.SIGNED_OUT, AuditAction.SESSION_REVOKED)
    assert before.details["session_id"] == str(ids.decode_as("Session", phone_id))
    for event in (last, before):
        assert event.address == "127.0.0.1"
        assert event.request_id


def external(user_id: UUID) -> Asker:
    ends = now() + timedelta(minutes=30)
    return Asker(user_id, None, uuid4().hex, ends, SignInMethod.EXTERNAL)


async def run(deps: Deps, asker: Asker, mutation: str) -> tuple[dict[str, Any], list[str]]:
    """The data of a mutation by somebody with an external issuer's token, and the cookies set."""
    session = graph_context.Session(asker.user_id, asker=asker)
    context = make_context(deps, session, LAPTOP)
    result = await make_schema().execute(f"mutation {{ {mutation} }}", context_value=context)
    assert result.errors is None
    assert result.data is not None
    return result.data, context.set_cookies


async def test_signing_out_with_an_external_issuers_token_ends_that_token(
    deps: Deps, dana: Person
) -> None:
    laptop, _ = await dana.signs_in()
    one, two = external(dana.user.id), external(dana.user.id)

    data, cookies = await run(deps, one, "signOut { session { id } }")

    assert data == {"signOut": {"session": None}}
    assert len(cookies) == 3
    assert await deps.revocations.is_revoked(one)
    assert not await deps.revocations.is_revoked(two)
    assert await is_signed_in(laptop)


async def test_signing_out_everywhere_with_an_external_issuers_token(
    deps: Deps, dana: Person
) -> None:
    laptop, _ = await dana.signs_in()
    one, two = external(dana.user.id), external(dana.user.id)

    kept, none = await run(deps, one, "signOutEverywhere(input: {exceptCurrent: true}) { count }")
    laptop_too = await is_signed_in(laptop)
    ended, cookies = await run(deps, two, "signOutEverywhere { count }")

    assert (kept["signOutEverywhere"]["count"], none, laptop_too) == (1, [], False)
    assert not await deps.revocations.is_revoked(one)
    assert (ended["signOutEverywhere"]["count"], len(cookies)) == (0, 3)
    assert await deps.revocations.is_revoked(two)
