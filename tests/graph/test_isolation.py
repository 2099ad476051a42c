"""Two people's isolation over every field that the schema has, generated from it.

A field, an argument or a type that is added later is held to it without a line here, or fails for
want of a sample.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from graphql import GraphQLInterfaceType
from starlette.routing import Route

from domain.auth.tokens import TokenSigner
from domain.core.deps import Deps
from domain.core.mongo import DOCUMENTS
from graph import ids
from graph.app import create_app
from tests.client import Client, receive, subscribe
from tests.conftest import running_worker
from tests.graph.belongings import (
    FOLLOW,
    MARK,
    Belongings,
    belongings,
    person,
    submitted,
)
from tests.graph.cvs import import_seed, parsed_cv
from tests.graph.isolation import Operation, Path, operations, schema, variables

OWNER, STRANGER = "owner@example.com", "stranger@example.com"
SHARED_KINDS = {"Job"}
"""Types whose objects are everybody's."""
ALL = operations()
WITH_SLOTS = [(operation, slot) for operation in ALL for slot in operation.slots]
WITHOUT_SLOTS = [operation for operation in ALL if not operation.slots]


@pytest.fixture(scope="module")
async def stranger(deps: Deps, _clean: None) -> Client:
    await import_seed(deps)
    return await person(deps, STRANGER)


@pytest.fixture(scope="module")
async def own(deps: Deps, stranger: Client) -> dict[str, str]:
    """What the stranger owns, by the name of the argument that takes it."""
    async with running_worker(deps):
        cv = await parsed_cv(stranger)
        analysis = await submitted(stranger, cv, "Acme")
        last = (await stranger.events(FOLLOW, id=analysis))[-1]["data"]["gapAnalysisStatus"]
    return {
        "cvId": cv,
        "gapAnalysisId": analysis,
        "questionId": last["gapAnalysis"]["questions"][0]["id"],
    }


@pytest.fixture(scope="module")
async def owner(deps: Deps, own: dict[str, str]) -> Belongings:
    """Made last: no worker runs from here on, so nothing of theirs changes by itself."""
    return await belongings(deps, OWNER)


@pytest.fixture(scope="module")
async def before(owner: Belongings) -> dict[str, list[dict[str, Any]]]:
    """All that is stored of the owner, as it was made."""
    return await stored(owner.user_id)


async def stored(user_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """Every document of a user, but for when a session was last used."""
    found = {}
    for document in DOCUMENTS:
        rows = document.get_pymongo_collection().find({"user_id": user_id}).sort("_id", 1)
        kept = [{key: row[key] for key in row if key != "last_used_at"} async for row in rows]
        found[document.__name__] = kept
    return found


def absent(like: str) -> str:
    """An id of the same kind, whose parts never existed."""
    decoded = ids.decode(like)
    assert decoded is not None
    return ids.encode(decoded[0], *(uuid4() for _ in decoded[1]))


async def answer(client: Client, operation: Operation, id: str, given: dict[str, Any]) -> str:
    """All that comes back, with the id asked for taken out."""
    return (await _whole_answer(client, operation, given)).replace(id, "ID")


async def _whole_answer(client: Client, operation: Operation, given: dict[str, Any]) -> str:
    if operation.kind == "subscription":
        return await _frames(client, operation, given)
    body = {"query": operation.text, "variables": given}
    async with httpx2.AsyncClient(base_url=client.base_url, headers=client.headers) as http:
        response = await http.post("/graphql", json=body)
    return f"{response.status_code} {response.text}"


async def _frames(client: Client, operation: Operation, given: dict[str, Any]) -> str:
    """The frames of a subscription: its first, and its second if that is the end already."""
    async with client.socket() as socket:
        await subscribe(socket, "1", operation.text, given)
        first = await receive(socket)
        if first["type"] == "error" or "errors" not in first["payload"]:
            return json.dumps(first)
        return json.dumps([first, await receive(socket)])


def name_of(value: object) -> str:
    return ".".join(value) if isinstance(value, tuple) else str(value)


@pytest.mark.parametrize(("operation", "slot"), WITH_SLOTS, ids=name_of)
@pytest.mark.usefixtures("before")
async def test_anothers_object_looks_absent(
    owner: Belongings, stranger: Client, own: dict[str, str], operation: Operation, slot: Path
) -> None:
    for name, theirs in owner.ids.items():
        never = absent(theirs)
        seen = await answer(stranger, operation, theirs, variables(operation, slot, theirs, own))
        expected = await answer(stranger, operation, never, variables(operation, slot, never, own))

        assert seen == expected, name
        assert "GRAPHQL_VALIDATION_FAILED" not in seen, seen
        assert "BAD_USER_INPUT" not in seen, seen


@pytest.mark.parametrize(("operation", "slot"), WITH_SLOTS, ids=name_of)
async def test_nobody_sees_more_than_a_stranger(
    owner: Belongings, nobody: Client, own: dict[str, str], operation: Operation, slot: Path
) -> None:
    for name, theirs in owner.ids.items():
        never = absent(theirs)
        seen = await answer(nobody, operation, theirs, variables(operation, slot, theirs, own))
        expected = await answer(nobody, operation, never, variables(operation, slot, never, own))

        assert seen == expected, name


@pytest.mark.parametrize("operation", WITHOUT_SLOTS, ids=name_of)
async def test_what_takes_no_id_shows_nothing_of_others(
    deps: Deps, owner: Belongings, own: dict[str, str], operation: Operation
) -> None:
    somebody = await person(deps, STRANGER)  # some of them end the session that asks

    seen = await _whole_answer(somebody, operation, variables(operation, None, "", own))

    assert "GRAPHQL_VALIDATION_FAILED" not in seen, seen
    assert "BAD_USER_INPUT" not in seen, seen
    for name, theirs in owner.ids.items():
        assert theirs not in seen, name
    assert MARK.lower() not in seen.lower()
    assert OWNER not in seen


DOWNLOADS: dict[str, str] = {
    "/uploads/cv/{token}": "cv_upload",
    "/results/gap-analyses/{token}": "gap_analysis_result",
    "/exports/{token}": "data_export",
    "/deletions/{token}": "deletion_receipt",
}
"""Which signer makes the tokens of each address that needs no other right."""
PUBLIC = {
    "/graphiql/assets/{name}", "/auth/{provider}", "/auth/callback/{provider}", "/consents/{kind}",
}  # fmt: skip
FORMS = {"/account/sessions/{id:uuid}/end", "/account/identities/{id:uuid}/unlink"}
"""Held to it by tests/graph/sign_in/test_account_page.py, in a browser's session."""


def test_every_address_with_a_part_that_varies_is_known(deps: Deps) -> None:
    paths = {
        route.path
        for route in create_app(deps.settings).routes
        if isinstance(route, Route) and "{" in route.path
    }
    assert paths - PUBLIC - FORMS == set(DOWNLOADS)


@pytest.mark.parametrize("path", DOWNLOADS)
async def test_downloads_with_tokens_of_another_kind(
    deps: Deps, owner: Belongings, stranger: Client, path: str
) -> None:
    at, life = datetime.now(UTC), timedelta(hours=1)
    purposes = [name for name in DOWNLOADS.values() if name != DOWNLOADS[path]]
    subjects = [decoded[1][-1] for id in owner.ids.values() if (decoded := ids.decode(id))]
    tokens = [stranger.token or "", *map(str, subjects)]
    for name in (*purposes, "access"):
        signer: TokenSigner = getattr(deps.signers, name)
        tokens += [signer.issue(subject, at, life) for subject in subjects]
    own_kind: TokenSigner = getattr(deps.signers, DOWNLOADS[path])
    tokens += [own_kind.issue(uuid4(), at, life)]
    tokens += [own_kind.issue(subject, at - 2 * life, life) for subject in subjects]

    method = "PUT" if path.startswith("/uploads") else "GET"
    async with httpx2.AsyncClient(base_url=stranger.base_url, headers=stranger.headers) as http:
        answers = [await http.request(method, path.format(token=token)) for token in tokens]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


async def test_strangers_have_changed_nothing(
    owner: Belongings, before: dict[str, list[dict[str, Any]]]
) -> None:
    assert len(before["GapAnalysis"]) == 3
    assert await stored(owner.user_id) == before


def test_the_owner_has_one_of_every_kind(owner: Belongings) -> None:
    node = schema().type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    kinds = {kind.name for kind in schema().get_possible_types(node)}
    owned = {decoded[0] for id in owner.ids.values() if (decoded := ids.decode(id))}

    assert kinds - SHARED_KINDS == owned


@pytest.mark.parametrize(("operation", "slot"), WITH_SLOTS, ids=name_of)
async def test_owners_see_what_strangers_do_not(
    owner: Belongings, own: dict[str, str], operation: Operation, slot: Path
) -> None:
    """What shows that the tests above can fail. It changes what is owned, so it comes last."""
    theirs_too = {
        "cvId": owner.ids["cv"],
        "gapAnalysisId": owner.ids["analysis"],
        "questionId": owner.ids["question"],
    }
    seen = set()
    for theirs in owner.ids.values():
        never = absent(theirs)
        mine = variables(operation, slot, theirs, theirs_too)
        seen.add(await answer(owner.client, operation, theirs, mine))
        nothing = variables(operation, slot, never, theirs_too)
        seen.add(await answer(owner.client, operation, never, nothing))

    assert len(seen) > 1
