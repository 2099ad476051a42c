"""CV files: announced, PUT, checked while they come in, and read or refused."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.core.deps import Deps
from domain.cv.actions import DOCX, PDF
from domain.cv.files import BUCKET
from graph import ids
from tests.client import Client, Json
from tests.graph.cv_files import LINES, REQUEST, announce, pdf, put, word
from tests.graph.cvs import execute, settled

CV_NODE = (
    "query ($id: ID!) { node(id: $id) { ... on CV { status skills failure { code message } } } }"
)


async def chunks(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    """A body without a Content-Length."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def stored_files(deps: Deps, cv_id: str) -> int:
    found = {"metadata.cv_id": ids.decode_as("CV", cv_id)}
    return await deps.database[f"{BUCKET}.files"].count_documents(found)


async def status_of(client: Client, cv_id: str) -> str:
    status: str = (await client.data(CV_NODE, id=cv_id))["node"]["status"]
    return status


async def assert_still_waits(client: Client, deps: Deps, announced: Json) -> None:
    cv_id = announced["cv"]["id"]
    assert await status_of(client, cv_id) == "AWAITING_UPLOAD"
    assert await stored_files(deps, cv_id) == 0
    chunk_owners = await deps.database[f"{BUCKET}.chunks"].distinct("files_id")
    file_ids = await deps.database[f"{BUCKET}.files"].distinct("_id")
    assert set(chunk_owners) <= set(file_ids)


@pytest.mark.parametrize(
    ("data", "content_type"), [(pdf(LINES), PDF), (word(LINES), DOCX)], ids=["pdf", "docx"]
)
async def test_a_file_is_announced_put_and_read(
    client: Client, deps: Deps, worker: None, data: bytes, content_type: str
) -> None:
    announced = await announce(client, len(data), content_type, filename="  my cv.bin ")

    assert announced["errors"] == []
    assert announced["cv"] | {"id": ""} == {
        "id": "", "filename": "my cv.bin", "contentType": content_type, "sizeBytes": len(data),
        "status": "AWAITING_UPLOAD",
    }  # fmt: skip
    assert announced["upload"]["headers"] == [{"name": "Content-Type", "value": content_type}]
    expires_at = datetime.fromisoformat(announced["upload"]["expiresAt"])
    assert timedelta(minutes=14) < expires_at - datetime.now(UTC) <= timedelta(minutes=15)

    response = await put(announced, data)
    ended = await settled(client, announced["cv"]["id"])

    assert (response.status_code, response.content) == (204, b"")
    assert ended["status"] == "PARSED"
    assert {"Python", "PostgreSQL", "Docker", "Kubernetes"} <= {*ended["skills"]}
    assert await stored_files(deps, announced["cv"]["id"]) == 1


async def test_a_file_may_come_in_pieces_without_a_length(client: Client, worker: None) -> None:
    data = pdf(LINES)
    announced = await announce(client, len(data))

    response = await put(announced, chunks(data, 3))

    assert response.status_code == 204
    assert (await settled(client, announced["cv"]["id"]))["status"] == "PARSED"


@pytest.mark.parametrize(
    ("fields", "kind", "code", "path"),
    [
        ({"contentType": "text/plain"}, "ValidationError", "UNSUPPORTED_FILE_TYPE", "contentType"),
        ({"contentType": "image/png"}, "ValidationError", "UNSUPPORTED_FILE_TYPE", "contentType"),
        ({"sizeBytes": 0}, "ValidationError", "VALIDATION_ERROR", "sizeBytes"),
        ({"sizeBytes": -1}, "ValidationError", "VALIDATION_ERROR", "sizeBytes"),
        ({"filename": " "}, "ValidationError", "VALIDATION_ERROR", "filename"),
        ({"filename": "f" * 256}, "ValidationError", "VALIDATION_ERROR", "filename"),
        ({"sizeBytes": 10_485_761}, "PayloadTooLargeError", "PAYLOAD_TOO_LARGE", "sizeBytes"),
    ],
)
async def test_what_cannot_come_is_refused_beforehand(
    client: Client, fields: dict[str, Any], kind: str, code: str, path: str
) -> None:
    refused = await announce(client, **{"size": 100, **fields})

    assert (refused["cv"], refused["upload"]) == (None, None)
    [error] = refused["errors"]
    assert (error["__typename"], error["code"]) == (kind, code)
    assert error["path"] == ["input", path]
    if kind == "PayloadTooLargeError":
        assert (error["limit"], error["actual"]) == (10_485_760, 10_485_761)
        assert error["unit"] == "BYTES"


async def test_ten_mebibytes_may_be_announced(client: Client) -> None:
    assert (await announce(client, 10_485_760))["errors"] == []


async def test_one_key_announces_one_file(client: Client) -> None:
    key = str(uuid4())

    first = await announce(client, 100, idempotencyKey=key)
    again = await announce(client, 100, idempotencyKey=key)
    other = await announce(client, 101, idempotencyKey=key)

    assert again["cv"] == first["cv"]
    assert again["upload"]["url"].startswith("http")
    assert other["errors"][0]["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"


async def test_announcements_and_texts_share_one_limit(client: Client, deps: Deps) -> None:
    update = {"cvs_per_minute": 6, "cv_burst": 1}
    small = replace(deps, settings=deps.settings.model_copy(update=update))
    given = {"filename": "cv", "contentType": PDF, "sizeBytes": 1}

    first = await execute(small, client, REQUEST, input=given)
    second = await execute(small, client, REQUEST, input=given)

    assert first["requestCVUpload"]["errors"] == []
    [error] = second["requestCVUpload"]["errors"]
    assert (error["code"], error["retryAfter"]) == ("RATE_LIMIT_EXCEEDED", 10)


async def test_another_content_type_than_announced(client: Client, deps: Deps) -> None:
    data = pdf(LINES)
    announced = await announce(client, len(data))

    response = await put(announced, data, **{"Content-Type": "text/plain"})

    assert response.status_code == 415
    assert response.json()["code"] == "UNSUPPORTED_FILE_TYPE"
    assert PDF in response.json()["message"]
    await assert_still_waits(client, deps, announced)
    assert (await put(announced, data)).status_code == 204


@pytest.mark.parametrize(
    ("data", "content_type"),
    [(b"MZ" + bytes(5000), PDF), (b"no", PDF), (pdf(LINES), DOCX), (word(LINES), PDF)],
    ids=["program", "two bytes", "pdf as docx", "docx as pdf"],
)
async def test_bytes_of_another_type_than_announced(
    client: Client, deps: Deps, data: bytes, content_type: str
) -> None:
    announced = await announce(client, len(data), content_type)

    response = await put(announced, data)

    assert response.status_code == 415
    assert response.json()["code"] == "UNSUPPORTED_FILE_TYPE"
    await assert_still_waits(client, deps, announced)


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_more_bytes_than_announced(client: Client, deps: Deps, is_chunked: bool) -> None:
    data = pdf(LINES)
    announced = await announce(client, len(data) - 1)

    response = await put(announced, chunks(data) if is_chunked else data)

    assert (response.status_code, response.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
    await assert_still_waits(client, deps, announced)


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("sent", [0, 4, 1000])
async def test_fewer_bytes_than_announced(
    client: Client, deps: Deps, is_chunked: bool, sent: int
) -> None:
    data = pdf(LINES)
    announced = await announce(client, len(data))

    response = await put(announced, chunks(data[:sent]) if is_chunked else data[:sent])

    assert (response.status_code, response.json()["code"]) == (400, "INCOMPLETE_UPLOAD")
    await assert_still_waits(client, deps, announced)
    assert (await put(announced, data)).status_code == 204


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_over_ten_mebibytes_really_sent(client: Client, deps: Deps, is_chunked: bool) -> None:
    data = b"%PDF-1.4\n" + bytes(10_485_760)
    announced = await announce(client, 10_485_760)

    response = await put(announced, chunks(data, 1 << 20) if is_chunked else data)

    assert response.status_code == 413
    await assert_still_waits(client, deps, announced)


async def test_a_file_arrives_once(client: Client, deps: Deps) -> None:
    data = pdf(LINES)
    announced = await announce(client, len(data))

    first, second = await put(announced, data), await put(announced, data)

    assert first.status_code == 204
    assert (second.status_code, second.json()["code"]) == (409, "INVALID_STATE")
    assert await stored_files(deps, announced["cv"]["id"]) == 1


async def test_of_two_files_at_once_one_arrives(client: Client, deps: Deps) -> None:
    data = pdf(LINES)
    announced = await announce(client, len(data))

    answers = await asyncio.gather(*(put(announced, chunks(data)) for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [204, 409, 409, 409, 409]
    assert await stored_files(deps, announced["cv"]["id"]) == 1


async def test_tampered_expired_and_foreign_addresses_look_alike(
    client: Client, deps: Deps
) -> None:
    data = pdf(LINES)
    announced = await announce(client, len(data))
    url: str = announced["upload"]["url"]
    base, token = url.rsplit("/", 1)
    cv_id = ids.decode_as("CV", announced["cv"]["id"])
    assert cv_id is not None
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    tokens = {
        "tampered": token[:-8] + ("A" if token[-8] != "A" else "B") + token[-7:],
        "expired": deps.signers.cv_upload.issue(cv_id, long_ago, timedelta(minutes=15)),
        "of an access": client.token,
        "of a result": deps.signers.gap_analysis_result.issue(
            cv_id, datetime.now(UTC), timedelta(minutes=15)
        ),
        "of no CV": deps.signers.cv_upload.issue(uuid4(), datetime.now(UTC), timedelta(minutes=15)),
        "garbage": "garbage",
    }

    answers = {
        name: await put({"upload": announced["upload"] | {"url": f"{base}/{bad}"}}, data)
        for name, bad in tokens.items()
    }

    assert {answer.status_code for answer in answers.values()} == {404}
    assert len({answer.content for answer in answers.values()}) == 1
    await assert_still_waits(client, deps, announced)
