"""Leaving, as clients see it: the words, the end of all sessions, and the receipt."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx2
import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from domain.account.deletion import QUIET
from domain.account.documents import AccountDeletion
from domain.account.signing import KEYS_PATH, RECEIPT_TYPE
from domain.auth.audit import AuditEvent
from domain.auth.session_documents import SignInMethod
from domain.auth.sessions import open_session
from domain.core.clock import now
from domain.core.deps import Deps
from domain.core.errors import AccountClosed
from domain.cv.documents import CV
from domain.profile.documents import User
from graph import ids
from graph.cookies import session_cookies
from graph.exports import RECEIPT_PATH
from tests.client import Client, Json
from tests.conftest import SignIn, running_worker
from tests.domain.account.people import CALLER
from tests.graph.cvs import CREATE, create_cv, parsed_cv, user_of
from tests.jobs.pieces import until

DELETE = """
mutation ($input: DeleteMyAccountInput!) {
  deleteMyAccount(input: $input) {
    deletion { id status requestedAt receiptUrl receiptExpiresAt }
    errors { __typename ... on UserError { code message path } }
  }
}
"""
WORDS = {"confirmation": "delete my account"}


async def leave(client: Client) -> Json:
    payload = (await client.data(DELETE, input=WORDS))["deleteMyAccount"]
    assert payload["errors"] == []
    deletion: Json = payload["deletion"]
    return deletion


def document_id(deletion: Json) -> UUID:
    id = ids.decode_as("AccountDeletion", deletion["id"])
    assert id is not None
    return id


async def moved_back(deletion: Json) -> None:
    """As if it had been asked for so long ago that nothing can be under way any more."""
    at = now() - QUIET
    fields = {"requested_at": at, "quiet_since": at, "delivery.due_at": at}
    await AccountDeletion.get_pymongo_collection().update_one(
        {"_id": document_id(deletion)}, {"$set": fields}
    )


async def state(deletion: Json) -> Json:
    """What the receipt's address tells."""
    response = await get(deletion["receiptUrl"])
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


async def get(url: str) -> httpx2.Response:
    async with httpx2.AsyncClient() as http:
        return await http.get(url)


async def gone(deps: Deps, deletion: Json) -> Json:
    """The receipt's address once all is gone, with a worker running."""

    async def is_done() -> bool:
        return bool((await state(deletion))["status"] == "COMPLETED")

    await moved_back(deletion)
    async with running_worker(deps):
        await until(is_done)
    return await state(deletion)


@pytest.mark.parametrize(
    ("language", "words"),
    [("EN", "To delete the account with everything in it"), ("HE", "כדי למחוק את החשבון")],
)
async def test_without_the_words_the_error_says_which(
    client: Client, deps: Deps, language: str, words: str
) -> None:
    user = await user_of(deps, client)
    await user.change(user.id, {"language": language.lower()})

    refused = (await client.data(DELETE, input={"confirmation": "yes"}))["deleteMyAccount"]

    assert refused["deletion"] is None
    [error] = refused["errors"]
    assert (error["__typename"], error["code"]) == ("ValidationError", "VALIDATION_ERROR")
    assert error["path"] == ["input", "confirmation"]
    assert words in error["message"]
    assert "`delete my account`" in error["message"]
    assert (await client.data("{ viewer { id } }"))["viewer"] is not None


async def test_all_sessions_end_at_once(client: Client, deps: Deps) -> None:
    user = await user_of(deps, client)
    other = await open_session(deps, user.id, SignInMethod.GOOGLE, CALLER)
    elsewhere = Client(client.base_url, other.access_token)

    deletion = await leave(client)

    assert deletion["status"] == "PENDING"
    for one in (client, elsewhere):
        answer = await one.post("{ viewer { id } }")
        assert answer["data"] == {"viewer": None}
        assert (await one.post(CREATE, input={"text": "Go."}))["errors"][0]["extensions"][
            "code"
        ] == "UNAUTHENTICATED"
    with pytest.raises(AccountClosed):
        await open_session(deps, user.id, SignInMethod.GOOGLE, CALLER)


async def test_a_browser_is_told_to_forget_its_cookies(client: Client, deps: Deps) -> None:
    user = await user_of(deps, client)
    tokens = await open_session(deps, user.id, SignInMethod.GOOGLE, CALLER)
    cookies = "; ".join(value.partition(";")[0] for value in session_cookies(deps.settings, tokens))
    headers = {
        "Cookie": cookies, "Origin": deps.settings.public_url, "GraphQL-Require-Preflight": "1",
    }  # fmt: skip
    async with httpx2.AsyncClient(base_url=client.base_url, headers=headers) as http:
        answer = await http.post("/graphql", json={"query": DELETE, "variables": {"input": WORDS}})

    assert answer.json()["data"]["deleteMyAccount"]["deletion"]["status"] == "PENDING"
    forgotten = answer.headers.get_list("set-cookie")
    assert len(forgotten) == 3
    assert all("Max-Age=0" in value or "1970" in value for value in forgotten), forgotten


async def test_a_socket_of_the_account_is_closed(client: Client) -> None:
    async with client.socket() as socket:
        await leave(client)

        async with asyncio.timeout(6):
            await socket.wait_closed()

    assert socket.close_code == 4401


async def test_the_receipt_tells_what_was_deleted_and_what_is_kept(
    client: Client, deps: Deps
) -> None:
    user = await user_of(deps, client)
    async with running_worker(deps):
        await parsed_cv(client)
        await parsed_cv(client)
    deletion = await leave(client)
    waiting = await state(deletion)

    done = await gone(deps, deletion)

    assert (waiting["status"], waiting["receipt"], waiting["jws"]) == ("PENDING", None, None)
    receipt = done["receipt"]
    assert done["completedAt"] == receipt["completedAt"] >= receipt["requestedAt"]
    assert (receipt["id"], receipt["accountId"]) == (str(document_id(deletion)), str(user.id))
    counts = {row["kind"]: row["count"] for row in receipt["deleted"]}
    assert (counts["cvs"], counts["cv-texts"], counts["files"], counts["profile"]) == (2, 2, 2, 1)
    kept = {row["kind"]: row for row in receipt["kept"]}
    assert set(kept) == {
        "audit-events", "deletion", "ended-sessions", "closed-account", "deleted-identity",
    }  # fmt: skip
    assert "the network address" in kept["audit-events"]["reason"]["en"]
    assert "מספר הזיהוי" in kept["audit-events"]["reason"]["he"]
    until_then = datetime.fromisoformat(kept["audit-events"]["until"])
    assert until_then - datetime.now(UTC) > timedelta(days=399)
    assert await User.get(user.id) is None
    assert await CV.find({"user_id": user.id}).count() == 0


async def test_nothing_in_the_receipt_names_the_person(client: Client, deps: Deps) -> None:
    user = await user_of(deps, client)
    await user.change(user.id, {"name": "Zebulon Quux"})
    await create_cv(client, "Zebulon Quux knows Python.")

    text = json.dumps(await gone(deps, await leave(client)))

    assert user.email is not None
    for trace in (user.email, user.email.partition("@")[0], "Zebulon", "Quux"):
        assert trace not in text


async def test_anybody_can_check_the_receipt_with_the_published_keys(
    client: Client, deps: Deps
) -> None:
    done = await gone(deps, await leave(client))

    assert done["receipt"]["keys"] == deps.settings.public_url + KEYS_PATH
    keys = KeySet.import_key_set((await get(done["receipt"]["keys"])).json())
    signed = jws.deserialize_compact(done["jws"], keys, ["EdDSA"])
    assert json.loads(signed.payload) == done["receipt"]
    assert signed.headers()["typ"] == RECEIPT_TYPE


async def test_the_address_lasts_thirty_days_and_is_cached_nowhere(
    client: Client, deps: Deps
) -> None:
    deletion = await leave(client)

    ends = datetime.fromisoformat(deletion["receiptExpiresAt"])
    response = await get(deletion["receiptUrl"])
    assert timedelta(days=29, hours=23) < ends - datetime.now(UTC) <= timedelta(days=30)
    assert deletion["receiptUrl"].startswith(f"{deps.settings.public_url}{RECEIPT_PATH}/")
    assert urlsplit(deletion["receiptUrl"]).query == ""
    assert response.headers["cache-control"] == "private, no-store"


async def test_a_receipt_is_found_by_its_own_address_only(client: Client, deps: Deps) -> None:
    deletion = await leave(client)
    id, signer = document_id(deletion), deps.signers.deletion_receipt
    at, minute = datetime.now(UTC), timedelta(minutes=1)
    tokens = [
        signer.issue(uuid4(), at, minute),
        signer.issue(id, at - 2 * minute, minute),
        deps.signers.data_export.issue(id, at, minute),
        client.token or "",
        deletion["receiptUrl"].rpartition("/")[2][:-4],
        str(id),
    ]
    base = f"{deps.settings.public_url}{RECEIPT_PATH}/"

    answers = [await get(base + token) for token in tokens]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


async def test_a_deletion_that_was_interrupted_says_so_until_it_is_done(
    client: Client, deps: Deps
) -> None:
    deletion = await leave(client)
    fields: dict[str, Any] = {"status": "FAILED", "delivery.is_open": False, "failed_at": now()}
    await AccountDeletion.get_pymongo_collection().update_one(
        {"_id": document_id(deletion)}, {"$set": fields}
    )

    failed = await state(deletion)

    assert (failed["status"], failed["receipt"]) == ("FAILED", None)
    assert "taken up again" in failed["message"]


async def test_it_is_in_the_audit_log_from_where_to_when(client: Client, deps: Deps) -> None:
    user = await user_of(deps, client)
    deletion = await leave(client)
    await gone(deps, deletion)

    rows = {row.action.value: row for row in await AuditEvent.newest(20, user.id)}

    assert rows["DELETION_REQUESTED"].address == "127.0.0.1"
    assert rows["DELETION_DONE"].details == {"deletion_id": str(document_id(deletion))}
    assert rows["DELETION_DONE"].at >= rows["DELETION_REQUESTED"].at


async def test_what_the_account_had_is_absent_and_others_are_untouched(
    client: Client, sign_in: SignIn, deps: Deps
) -> None:
    other = await sign_in()
    theirs = await create_cv(other)
    mine = await create_cv(client)
    upload = await client.data(
        'mutation { requestCVUpload(input: {filename: "f", contentType: "application/pdf", '
        "sizeBytes: 9}) { upload { url headers { name value } } } }"
    )
    await gone(deps, await leave(client))

    target = upload["requestCVUpload"]["upload"]
    async with httpx2.AsyncClient() as http:
        put = await http.put(
            target["url"], content=b"%PDF-1.7\n",
            headers={header["name"]: header["value"] for header in target["headers"]},
        )  # fmt: skip

    assert put.status_code == 404
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await other.data(node, id=theirs["id"]))["node"] == {"id": theirs["id"]}
    assert (await other.data(node, id=mine["id"]))["node"] is None


async def test_nobody_deletes_nothing(nobody: Client) -> None:
    answer = await nobody.post(DELETE, input=WORDS)

    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
