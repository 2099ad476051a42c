"""Taking one's data along, as clients see it: asked for, followed, listed, downloaded."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from domain.account.documents import DataExport
from domain.account.export import MOST_A_DAY
from domain.auth.audit import AuditEvent
from domain.core.clock import now
from domain.core.deps import Deps
from graph import ids
from graph.exports import EXPORT_PATH
from tests.client import Client, Json, payloads, subscribe
from tests.conftest import SignIn, running_worker
from tests.graph.cvs import BACKEND_CV, parsed_cv, user_of

FIELDS = """
  id status progressPercent message createdAt completedAt expiresAt sizeBytes
  download { url expiresAt }
  failure { code message isRetryable }
"""
EXPORT = (
    "mutation ($input: ExportMyDataInput!) { exportMyData(input: $input) { dataExport {"
    + FIELDS
    + "} errors { __typename ... on UserError { code message path } "
    "... on RateLimitError { retryAfter } } } }"
)
STATUS = (
    "subscription ($id: ID!, $after: String) { dataExportStatus(id: $id, after: $after) "
    "{ cursor isSnapshot occurredAt dataExport {" + FIELDS + "} } }"
)
LIST = (
    "query ($first: Int, $after: String) { viewer { dataExports(first: $first, after: $after) "
    "{ nodes { id status } pageInfo { hasNextPage endCursor } totalCount } } }"
)
NODE = "query ($id: ID!) { node(id: $id) { id ... on DataExport { status } } }"


async def asked(client: Client, **input: Any) -> Json:
    payload = (await client.data(EXPORT, input=input))["exportMyData"]
    assert payload["errors"] == []
    export: Json = payload["dataExport"]
    return export


async def events(client: Client, id: str) -> list[Json]:
    answers = await client.events(STATUS, id=id)
    assert all("errors" not in answer for answer in answers), answers
    return [answer["data"]["dataExportStatus"] for answer in answers]


async def done(client: Client) -> Json:
    """An export that has completed, with a worker running."""
    export: Json = (await events(client, (await asked(client))["id"]))[-1]["dataExport"]
    assert export["status"] == "COMPLETED", export
    return export


async def get(url: str, method: str = "GET") -> httpx2.Response:
    """The answer to somebody who has the address and nothing else."""
    async with httpx2.AsyncClient() as http:
        return await http.request(method, url)


def document_id(export: Json) -> UUID:
    id = ids.decode_as("DataExport", export["id"])
    assert id is not None
    return id


async def set_fields(export: Json, **fields: object) -> None:
    await DataExport.get_pymongo_collection().update_one(
        {"_id": document_id(export)}, {"$set": fields}
    )


async def test_from_the_wish_to_the_archive(client: Client, worker: None) -> None:
    cv_id = await parsed_cv(client)

    export = await done(client)
    response = await get(export["download"]["url"])

    assert (export["progressPercent"], export["message"], export["failure"]) == (100, None, None)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["content-disposition"] == (
        f'attachment; filename="careergraph-export-{document_id(export)}.zip"'
    )
    assert response.headers["cache-control"] == "private, no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert int(response.headers["content-length"]) == export["sizeBytes"] == len(response.content)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        [cv] = json.loads(archive.read("cvs.json"))
        assert cv["id"] == str(ids.decode_as("CV", cv_id))
        assert archive.read(cv["file"]).decode() == BACKEND_CV
        assert cv["parsed"]["contact"]["emails"] == ["omer.katz@example.com"]


async def test_its_times(client: Client, worker: None) -> None:
    export = await done(client)

    completed, expires = (
        datetime.fromisoformat(export[name]) for name in ("completedAt", "expiresAt")
    )
    address_ends = datetime.fromisoformat(export["download"]["expiresAt"])
    assert expires - completed == timedelta(hours=24)
    assert timedelta(minutes=9) < address_ends - datetime.now(UTC) <= timedelta(minutes=10)


async def test_it_is_followed_to_its_end(client: Client, deps: Deps) -> None:
    export = await asked(client)
    assert (export["status"], export["progressPercent"]) == ("PENDING", 0)
    assert (export["message"], export["download"]) == ("Waiting for a worker", None)

    async with client.socket() as socket:
        await subscribe(socket, "1", STATUS, {"id": export["id"]})
        stream = payloads(socket, "1")
        first = (await anext(stream))["data"]["dataExportStatus"]
        async with running_worker(deps):
            rest = [payload["data"]["dataExportStatus"] async for payload in stream]

    assert (first["isSnapshot"], first["dataExport"]["status"]) == (True, "PENDING")
    assert [event["isSnapshot"] for event in rest] == [False] * len(rest)
    assert rest[-1]["dataExport"]["status"] == "COMPLETED"
    assert {event["dataExport"]["status"] for event in rest[:-1]} <= {"PROCESSING"}
    percents = [event["dataExport"]["progressPercent"] for event in [first, *rest]]
    assert percents == sorted(percents)
    assert len({event["cursor"] for event in [first, *rest]}) == len(rest) + 1


async def test_a_late_follower_gets_the_end_and_no_more(client: Client, worker: None) -> None:
    export = await done(client)

    [event] = await events(client, export["id"])

    assert (event["isSnapshot"], event["dataExport"]["status"]) == (True, "COMPLETED")


async def test_one_at_a_time_and_a_key_gives_the_same(client: Client, deps: Deps) -> None:
    key = str(uuid4())
    first, second = await asked(client, idempotencyKey=key), await asked(client)
    async with running_worker(deps):
        await events(client, first["id"])
    third, fourth = await asked(client, idempotencyKey=key), await asked(client)

    assert first["id"] == second["id"] == third["id"] != fourth["id"]


async def test_exports_are_listed_newest_first_and_refetched(client: Client, worker: None) -> None:
    made = [await done(client) for _ in range(3)]

    page = (await client.data(LIST, first=2))["viewer"]["dataExports"]
    rest = await client.data(LIST, first=2, after=page["pageInfo"]["endCursor"])

    shown = [*page["nodes"], *rest["viewer"]["dataExports"]["nodes"]]
    assert [node["id"] for node in shown] == [export["id"] for export in reversed(made)]
    assert (page["pageInfo"]["hasNextPage"], page["totalCount"]) == (True, 3)
    node = (await client.data(NODE, id=made[0]["id"]))["node"]
    assert node == {"id": made[0]["id"], "status": "COMPLETED"}


@pytest.mark.parametrize(("language", "words"), [("EN", "Too many calls"), ("HE", "יותר מדי")])
async def test_the_sixth_of_a_day_is_refused(
    client: Client, deps: Deps, worker: None, language: str, words: str
) -> None:
    user = await user_of(deps, client)
    await user.change(user.id, {"language": language.lower()})
    for _ in range(MOST_A_DAY):
        await done(client)

    refused = (await client.data(EXPORT, input={}))["exportMyData"]

    assert refused["dataExport"] is None
    [error] = refused["errors"]
    assert (error["__typename"], error["code"]) == ("RateLimitError", "RATE_LIMIT_EXCEEDED")
    assert words in error["message"]
    assert 23 * 3600 < error["retryAfter"] <= 24 * 3600


async def test_anothers_export_is_absent(client: Client, sign_in: SignIn, worker: None) -> None:
    export, stranger = await done(client), await sign_in()
    absent = ids.encode("DataExport", uuid4())

    for id in (export["id"], absent):
        assert (await stranger.data(NODE, id=id))["node"] is None
        [answer] = await stranger.events(STATUS, id=id)
        assert answer["errors"][0]["extensions"]["code"] == "DATA_EXPORT_NOT_FOUND"
        assert answer["errors"][0]["message"] == (
            "No such export. Exports are removed after 24 hours."
        )
    assert (await stranger.data(LIST))["viewer"]["dataExports"]["nodes"] == []
    [answer] = await stranger.events(STATUS, id="nonsense")
    assert answer["errors"][0]["extensions"]["code"] == "DATA_EXPORT_NOT_FOUND"


async def test_nobody_exports_nothing(nobody: Client) -> None:
    answer = await nobody.post(EXPORT, input={})

    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_downloads_are_in_the_audit_log(client: Client, deps: Deps, worker: None) -> None:
    export = await done(client)
    user = await user_of(deps, client)
    await get(export["download"]["url"], "HEAD")

    await get(export["download"]["url"])

    rows = [row for row in await AuditEvent.newest(20, user.id) if row.action.startswith("EXPORT_")]
    assert [row.action.value for row in rows] == ["EXPORT_DOWNLOADED", "EXPORT_REQUESTED"]
    assert {row.details["export_id"] for row in rows} == {str(document_id(export))}
    assert {row.address for row in rows} == {"127.0.0.1"}


async def test_head_tells_the_length_and_sends_nothing(client: Client, worker: None) -> None:
    export = await done(client)

    response = await get(export["download"]["url"], "HEAD")

    assert response.status_code == 200
    assert int(response.headers["content-length"]) == export["sizeBytes"]
    assert response.content == b""


async def test_an_address_that_is_no_good_is_not_found(
    client: Client, deps: Deps, worker: None
) -> None:
    export = await done(client)
    id, signer = document_id(export), deps.signers.data_export
    at, minute = datetime.now(UTC), timedelta(minutes=1)
    good = export["download"]["url"].rpartition("/")[2]
    tokens = [
        signer.issue(uuid4(), at, minute),
        signer.issue(id, at - 2 * minute, minute),
        deps.signers.gap_analysis_result.issue(id, at, minute),
        deps.signers.deletion_receipt.issue(id, at, minute),
        client.token or "",
        good[:-4],
        good[:-1] + ("A" if good[-1] != "A" else "Q"),
        str(id),
    ]
    answers = [await get(f"{deps.settings.public_url}{EXPORT_PATH}/{token}") for token in tokens]

    assert (await get(export["download"]["url"])).status_code == 200
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["code"] for answer in answers} == {"NOT_FOUND"}
    assert len({answer.content for answer in answers}) == 1


async def test_what_has_expired_cannot_be_had(client: Client, worker: None) -> None:
    export = await done(client)
    await set_fields(export, expires_at=now() - timedelta(seconds=1))

    shown = await client.data(
        "query ($id: ID!) { node(id: $id) { ... on DataExport { download { url } } } }",
        id=export["id"],
    )

    assert shown["node"] is None or shown["node"]["download"] is None
    assert (await get(export["download"]["url"])).status_code == 404


async def test_an_address_does_not_outlive_its_export(client: Client, worker: None) -> None:
    export = await done(client)
    await set_fields(export, expires_at=now() + timedelta(seconds=90))

    shown = await client.data(
        "query ($id: ID!) { node(id: $id) { ... on DataExport { download { expiresAt } } } }",
        id=export["id"],
    )

    ends = datetime.fromisoformat(shown["node"]["download"]["expiresAt"])
    assert ends - datetime.now(UTC) <= timedelta(seconds=90)
