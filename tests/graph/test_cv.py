"""CVs as text: made, read, listed, followed."""

import asyncio
from dataclasses import replace
from importlib.resources import files
from typing import Any
from uuid import uuid4

import pytest

from domain.core.deps import Deps
from domain.cv.documents import CV
from domain.cv.files import BUCKET
from graph import ids
from tests.client import Client, payloads, subscribe
from tests.conftest import SignIn, running_worker
from tests.graph.cvs import (
    BACKEND_CV,
    CREATE,
    STATUS,
    create_cv,
    execute,
    parsed_cv,
    settled,
    user_of,
    whole,
)


async def test_a_cv_in_markdown_is_read_in_all_its_parts(client: Client, worker: None) -> None:
    made = await create_cv(client, title="  My   CV ")
    assert (made["filename"], made["status"], made["skills"]) == ("My CV", "PARSING", [])
    assert made["contentType"] == "text/markdown"
    assert made["sizeBytes"] == len(BACKEND_CV.encode())

    ended = await settled(client, made["id"])
    cv = await whole(client, made["id"])

    assert (ended["status"], cv["status"], cv["language"]) == ("PARSED", "PARSED", "EN")
    assert cv["parsedAt"] >= cv["createdAt"]
    assert cv["failure"] is None
    assert cv["contact"] == {
        "name": "Omer Katz",
        "emails": ["omer.katz@example.com"],
        "phones": ["+972 52-555-0161"],
        "links": ["https://www.example.com/omer-katz"],
    }
    assert {"Python", "Django", "PostgreSQL", "Kubernetes", "Redis", "FastAPI"} <= {*cv["skills"]}
    assert "Java" not in cv["skills"]
    assert len(cv["skills"]) == len({*cv["skills"]})
    first, second = cv["experience"]
    assert (first["role"], first["company"]) == ("Backend Developer", "Tidewater Payments")
    assert (first["start"], first["end"], first["isCurrent"]) == ("2020", None, True)
    assert "REST APIs in Python" in first["description"]
    assert {"Python", "Django", "Docker"} <= {*first["technologies"]}
    assert (second["start"], second["end"], second["isCurrent"]) == ("2018", "2020", False)
    [education] = cv["education"]
    assert education["institution"] == "University of Haifa"
    assert (education["start"], education["end"]) == ("2014", "2018")
    assert "AWS Certified Developer" in cv["certifications"][0]
    assert [language.split()[0] for language in cv["languages"]] == ["English", "Hebrew"]


async def test_a_hebrew_cv_is_known_as_one(client: Client, worker: None) -> None:
    text = """רות אברהמי
ruth@example.com | 052-555-0199

ניסיון תעסוקתי
מנהלת חשבונות, דקל ושות'
2018 - היום
- התאמות בנקים ודיווחי מע"מ בתוכנת פריוריטי

שפות
עברית - שפת אם
"""
    cv = await whole(client, await parsed_cv(client, text))

    assert cv["language"] == "HE"
    assert {"Priority ERP", "Account Reconciliation", "VAT Reporting"} <= {*cv["skills"]}
    assert cv["contact"]["emails"] == ["ruth@example.com"]
    assert cv["experience"][0]["isCurrent"] is True


async def test_the_demo_cv_is_read(client: Client, worker: None) -> None:
    text = files("domain.job_postings").joinpath("seed_cv.md").read_text(encoding="utf-8")

    cv = await whole(client, await parsed_cv(client, text))

    roles = [item["role"] for item in cv["experience"]]
    assert roles == ["Senior Backend Developer", "Backend Developer", "Junior Software Developer"]
    assert {"Python", "FastAPI", "PostgreSQL", "Docker", "AWS"} <= {*cv["skills"]}


async def test_plain_words_are_a_cv_too_and_skills_merge_on_the_viewer(
    client: Client, worker: None
) -> None:
    await parsed_cv(client, "I have 5+ years of Python and some Kotlin.")
    await parsed_cv(client, "Python (primary), Rust language.")

    viewer = (await client.data("{ viewer { skills } }"))["viewer"]

    assert sorted(viewer["skills"]) == ["Kotlin", "Python", "Rust"]


async def test_a_cv_without_a_title_is_called_cv(client: Client) -> None:
    assert (await create_cv(client))["filename"] == "CV"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"text": ""}, "text"),
        ({"text": " \n\t "}, "text"),
        ({"text": "x", "title": "  "}, "title"),
        ({"text": "x", "title": "t" * 256}, "title"),
    ],
)
async def test_blank_or_overlong_input_is_refused(
    client: Client, fields: dict[str, str], path: str
) -> None:
    refused = (await client.data(CREATE, input=fields))["createCV"]

    assert refused["cv"] is None
    [error] = refused["errors"]
    assert (error["__typename"], error["code"]) == ("ValidationError", "VALIDATION_ERROR")
    assert error["path"] == ["input", path]


async def test_a_text_over_the_limit_is_too_large(client: Client) -> None:
    refused = (await client.data(CREATE, input={"text": "a" * 1_000_001}))["createCV"]
    allowed = (await client.data(CREATE, input={"text": "ש" * 1_000_000}))["createCV"]

    assert refused["cv"] is None
    [error] = refused["errors"]
    assert (error["__typename"], error["code"]) == ("PayloadTooLargeError", "PAYLOAD_TOO_LARGE")
    assert (error["limit"], error["actual"], error["unit"]) == (1_000_000, 1_000_001, "CHARACTERS")
    assert error["path"] == ["input", "text"]
    assert allowed["errors"] == []


async def test_one_key_makes_one_cv(client: Client, sign_in: SignIn) -> None:
    key = str(uuid4())

    first = await create_cv(client, idempotencyKey=key)
    again = await create_cv(client, idempotencyKey=key)
    other = (await client.data(CREATE, input={"text": "Other.", "idempotencyKey": key}))["createCV"]
    titled = (
        await client.data(CREATE, input={"text": BACKEND_CV, "title": "T", "idempotencyKey": key})
    )["createCV"]
    stranger = await create_cv(await sign_in(), idempotencyKey=key)

    assert again == first
    for refused in (other, titled):
        [error] = refused["errors"]
        assert refused["cv"] is None
        assert error["__typename"] == "IdempotencyKeyError"
        assert error["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    assert stranger["id"] != first["id"]


async def test_one_key_sent_twenty_times_at_once_makes_one_cv_and_one_file(
    client: Client, deps: Deps
) -> None:
    key = str(uuid4())

    made = await asyncio.gather(*(create_cv(client, idempotencyKey=key) for _ in range(20)))

    user = await user_of(deps, client)
    cvs = await CV.find({"user_id": user.id}).to_list()
    ids_told = [ids.decode_as("CV", cv["id"]) for cv in made]
    stored = await deps.database[f"{BUCKET}.files"].find().to_list()
    assert ids_told == [cvs[0].id] * 20
    assert len(cvs) == 1
    files_of_user = [file for file in stored if file["_id"] == cvs[0].file_id]
    orphans = [file for file in stored if await CV.find_one({"file_id": file["_id"]}) is None]
    assert len(files_of_user) == 1
    assert orphans == []


async def test_cvs_are_limited_per_user(client: Client, sign_in: SignIn, deps: Deps) -> None:
    small = replace(
        deps, settings=deps.settings.model_copy(update={"cvs_per_minute": 6, "cv_burst": 2})
    )
    variables: dict[str, Any] = {"input": {"text": "Python."}}
    made = [(await execute(small, client, CREATE, **variables))["createCV"] for _ in range(3)]
    stranger = (await execute(small, await sign_in(), CREATE, **variables))["createCV"]

    assert [cv["errors"] for cv in made[:2]] == [[], []]
    [error] = made[2]["errors"]
    assert (error["__typename"], error["code"]) == ("RateLimitError", "RATE_LIMIT_EXCEEDED")
    assert 1 <= error["retryAfter"] <= 10
    assert made[2]["cv"] is None
    assert stranger["errors"] == []


async def test_repeats_of_one_call_count_once(client: Client, deps: Deps) -> None:
    small = replace(
        deps, settings=deps.settings.model_copy(update={"cvs_per_minute": 6, "cv_burst": 1})
    )
    input = {"text": "Python.", "idempotencyKey": str(uuid4())}

    made = await asyncio.gather(
        *(execute(small, client, CREATE, input=input) for _ in range(20)),
    )

    assert [one["createCV"]["errors"] for one in made] == [[]] * 20
    assert len({one["createCV"]["cv"]["id"] for one in made}) == 1


async def test_two_cvs_in_one_request_count_twice(client: Client, deps: Deps) -> None:
    small = replace(
        deps, settings=deps.settings.model_copy(update={"cvs_per_minute": 6, "cv_burst": 1})
    )
    made = await execute(
        small, client,
        'mutation { a: createCV(input: {text: "Go."}) { errors { __typename } } '
        'b: createCV(input: {text: "Go."}) { errors { __typename } } }',
    )  # fmt: skip

    assert made == {"a": {"errors": []}, "b": {"errors": [{"__typename": "RateLimitError"}]}}


async def test_the_status_is_followed_to_its_end(client: Client, deps: Deps) -> None:
    cv = await create_cv(client)

    async with client.socket() as socket:
        await subscribe(socket, "1", STATUS, {"id": cv["id"]})
        stream = payloads(socket, "1")
        first = (await anext(stream))["data"]["cvStatus"]
        async with running_worker(deps):
            rest = [payload["data"]["cvStatus"] async for payload in stream]

    assert first["isSnapshot"] is True
    assert (first["cv"]["status"], first["cv"]["skills"]) == ("PARSING", [])
    assert rest[-1]["cv"]["status"] == "PARSED"
    assert "Python" in rest[-1]["cv"]["skills"]
    assert [event["isSnapshot"] for event in rest] == [False] * len(rest)
    cursors = [event["cursor"] for event in [first, *rest]]
    assert len(set(cursors)) == len(cursors)


async def test_a_late_subscriber_gets_the_end_and_no_more(client: Client, worker: None) -> None:
    cv_id = await parsed_cv(client)

    events = await client.events(STATUS, id=cv_id)

    [event] = [event["data"]["cvStatus"] for event in events]
    assert event["isSnapshot"] is True
    assert event["cv"]["status"] == "PARSED"


async def test_nobody_makes_no_cv(nobody: Client) -> None:
    answer = await nobody.post(CREATE, input={"text": "Python."})
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
