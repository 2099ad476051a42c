"""Asking for a gap analysis: what is taken, what is refused, and what counts once."""

import asyncio
import json
import time
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from domain.core.deps import Deps
from domain.cv.documents import CVStatus
from domain.gap_analysis.documents import GapAnalysis
from graph import ids
from tests.client import Client, Json
from tests.conftest import SignIn
from tests.graph.analyses import (
    POSTING,
    SUBMIT,
    ended,
    input_of,
    is_hebrew,
    one,
    refusal_in,
    stored,
    stored_cv,
    submit,
    submit_at,
    submitted,
)
from tests.graph.cvs import create_cv


@pytest.fixture
async def cv_id(deps: Deps, client: Client) -> str:
    return await stored_cv(deps, client)


@pytest.fixture
def strict(deps: Deps) -> Deps:
    """The parts with the limits that a server has by default."""
    limits = {"submits_per_minute": 10, "submit_burst": 3}
    return replace(deps, settings=deps.settings.model_copy(update=limits))


async def test_an_analysis_is_pending_at_once_and_safe(client: Client, cv_id: str) -> None:
    made = await submitted(client, cv_id)

    assert (made["status"], made["progressPercent"]) == ("PENDING", 0)
    assert made["message"] == "Waiting for its turn"
    assert (made["language"], made["questions"]) == ("EN", [])
    assert (made["failure"], made["result"], made["retryOf"]) == (None, None, None)
    assert (made["startedAt"], made["completedAt"], made["failedAt"]) == (None, None, None)
    assert made["cv"] == {"id": cv_id}
    assert (await stored(made["id"])).id == UUID(made["jobId"])
    assert await one(client, made["id"]) == made


@pytest.mark.parametrize("name", ["companyName", "roleTitle"])
@pytest.mark.parametrize(
    "value", ["", " \t\n", "\u200b\u202e", "<script>alert(1)</script>", "<p> </p>"]
)
async def test_blank_names_are_refused(client: Client, cv_id: str, name: str, value: str) -> None:
    error = refusal_in(await submit(client, cv_id, {**POSTING, name: value}))

    assert (error["__typename"], error["code"]) == ("ValidationError", "VALIDATION_ERROR")
    assert error["path"] == ["input", "jobPosting", name]
    assert error["message"] == "This must not be empty."


@pytest.mark.parametrize("name", ["companyName", "roleTitle"])
async def test_names_are_required_and_bounded(client: Client, cv_id: str, name: str) -> None:
    missing = {key: value for key, value in POSTING.items() if key != name}
    answer = await client.post(SUBMIT, input={"cvId": cv_id, "jobPosting": missing})
    overlong = refusal_in(await submit(client, cv_id, {**POSTING, name: "x" * 301}))
    longest = await submitted(client, cv_id, {**POSTING, name: "x" * 300})

    assert name in answer["errors"][0]["message"]
    assert (overlong["code"], overlong["path"][-1]) == ("VALIDATION_ERROR", name)
    assert "300" in overlong["message"]
    assert longest["jobPosting"][name] == "x" * 300


async def test_requirements_may_be_empty(client: Client, cv_id: str) -> None:
    bare = await submitted(client, cv_id, {"companyName": "A", "roleTitle": "B"})
    empty = await submitted(
        client, cv_id, {"companyName": "A", "roleTitle": "B", "requirements": [], "description": ""}
    )

    for made in (bare, empty):
        assert made["jobPosting"]["requirements"] == []
        assert made["jobPosting"]["description"] is None


def posting_of_length(length: int) -> Json:
    """A posting whose three counted parts have `length` characters, in Hebrew among others."""
    return {
        "companyName": "A", "roleTitle": "B", "requirements": ["ש" * 300_000, "r" * 200_000],
        "responsibilities": ["p" * 300_000], "description": "d" * (length - 800_000),
    }  # fmt: skip


async def test_one_character_under_the_limit_is_taken_and_the_limit_is_not(
    client: Client, cv_id: str
) -> None:
    taken = await submit(client, cv_id, posting_of_length(999_999))
    refused = refusal_in(await submit(client, cv_id, posting_of_length(1_000_000)))

    assert taken["errors"] == []
    assert len(taken["gapAnalysis"]["jobPosting"]["description"]) == 199_999
    assert (refused["__typename"], refused["code"]) == ("PayloadTooLargeError", "PAYLOAD_TOO_LARGE")
    assert refused["path"] == ["input", "jobPosting"]
    assert (refused["limit"], refused["actual"]) == (999_999, 1_000_000)
    assert refused["unit"] == "CHARACTERS"
    assert "1,000,000" in refused["message"]


async def test_other_people_are_served_while_a_huge_posting_is_cleaned(
    client: Client, cv_id: str
) -> None:
    hostile = {"companyName": "A", "roleTitle": "B", "description": "<a " * 330_000}
    submitting = asyncio.create_task(submit(client, cv_id, hostile))
    longest, start = 0.0, time.monotonic()
    while not submitting.done():
        begun = time.monotonic()
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - begun)

    assert (await submitting)["errors"] == []
    # The web server shares this loop, and nearly all of the time goes into cleaning.
    assert longest < (time.monotonic() - start) / 2


async def test_markup_is_stripped_in_what_is_stored_and_shown(client: Client, cv_id: str) -> None:
    made = await submitted(
        client, cv_id,
        {
            "companyName": "  <b>North</b>wind\n\t& Sons ",
            "roleTitle": "Senior <img src=x onerror=alert(1)> Developer",
            "description": "<p>We   build</p><script>steal()</script><style>p{}</style>"
            "<p onclick='steal()'>things &amp; more</p>",
            "requirements": ["<li>Python</li>", "&lt;script&gt;steal()&lt;/script&gt;SQL", "<br>"],
            "responsibilities": ["Run <a href='javascript:steal()'>services</a>"],
            "niceToHave": ["C++ &lt; Rust\u202e", "   "],
        },
    )  # fmt: skip

    shown = made["jobPosting"]
    assert shown["companyName"] == "Northwind & Sons"
    assert shown["roleTitle"] == "Senior Developer"
    assert shown["description"] == "We build\n\nthings & more"
    assert shown["requirements"] == ["Python", "SQL"]
    assert shown["responsibilities"] == ["Run services"]
    assert shown["niceToHave"] == ["C++ < Rust"]
    kept = (await stored(made["id"])).model_dump_json()
    for trace in ("steal", "onclick", "onerror", "<script", "href", "<p", "<li"):
        assert trace not in kept
        assert trace not in json.dumps(made)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JAVASCRIPT:alert(1)", "ftp://example.com/job", "/jobs/1",
        "example.com/job", "//example.com/job", "data:text/html,x", "http://", "",
        "https://user:secret@example.com/", "https://example.com/a b", "file:///etc/passwd",
    ],
)  # fmt: skip
async def test_other_addresses_than_http_are_refused(client: Client, cv_id: str, url: str) -> None:
    error = refusal_in(await submit(client, cv_id, {**POSTING, "sourceUrl": url}))

    assert (error["__typename"], error["code"]) == ("ValidationError", "VALIDATION_ERROR")
    assert error["path"] == ["input", "jobPosting", "sourceUrl"]


@pytest.mark.parametrize("url", ["http://example.com/job?id=1", "https://example.com:8443/#a"])
async def test_http_addresses_are_kept(client: Client, cv_id: str, url: str) -> None:
    made = await submitted(client, cv_id, {**POSTING, "sourceUrl": url})
    assert made["jobPosting"]["sourceUrl"] == url


async def test_cvs_of_others_absent_ones_and_nonsense_look_the_same(
    client: Client, sign_in: SignIn, deps: Deps
) -> None:
    others = await stored_cv(deps, await sign_in())
    absent = ids.encode("CV", uuid4())
    refused = [
        json.dumps(await submit(client, id)).replace(id, "ID")
        for id in (others, absent, "nonsense", ids.encode("GapAnalysis", uuid4()))
    ]

    assert len(set(refused)) == 1
    error = refusal_in(json.loads(refused[0]))
    assert (error["__typename"], error["code"]) == ("NotFoundError", "CV_NOT_FOUND")
    assert (error["path"], error["missingId"]) == (["input", "cvId"], "ID")


@pytest.mark.parametrize(
    ("status", "hint"), [(CVStatus.AWAITING_UPLOAD, "PUT"), (CVStatus.FAILED, "could not be read")]
)
async def test_a_cv_without_text_to_come_is_refused(
    client: Client, deps: Deps, status: CVStatus, hint: str
) -> None:
    cv_id = await stored_cv(deps, client, status=status, parsed=None)

    error = refusal_in(await submit(client, cv_id))

    assert (error["__typename"], error["code"]) == ("ValidationError", "VALIDATION_ERROR")
    assert error["path"] == ["input", "cvId"]
    assert hint in error["message"]


@pytest.fixture
async def _nothing_waits(deps: Deps) -> None:
    """No analysis of an earlier test is left for this test's worker."""
    await GapAnalysis.delete_all()


@pytest.mark.usefixtures("_nothing_waits", "worker")
async def test_an_analysis_waits_for_a_cv_that_is_still_read(client: Client) -> None:
    cv = await create_cv(client)
    made = await submitted(client, cv["id"])

    final = await ended(client, made["id"])

    assert (cv["status"], made["status"], final["status"]) == ("PARSING", "PENDING", "COMPLETED")
    assert final["questions"] != []
    assert (await stored(made["id"])).delivery.attempts <= 1


async def test_refusals_are_worded_in_the_viewers_language(
    client: Client, cv_id: str, strict: Deps
) -> None:
    await client.data("mutation { updateProfile(input: {language: HE}) { viewer { language } } }")
    key = str(uuid4())
    await submitted(client, cv_id, idempotencyKey=key)
    refused = [
        await submit(client, cv_id, {**POSTING, "roleTitle": " "}),
        await submit(client, cv_id, {**POSTING, "sourceUrl": "ftp://example.com"}),
        await submit(client, "nonsense"),
        await submit(client, cv_id, posting_of_length(1_000_000)),
        await submit(client, cv_id, language="HE", idempotencyKey=key),
    ]
    for _ in range(3):
        await submit_at(strict, client, input_of(cv_id))
    refused.append(await submit_at(strict, client, input_of(cv_id)))

    messages = [refusal_in(payload)["message"] for payload in refused]

    assert len({*messages}) == len(messages)
    for message in messages:
        assert is_hebrew(message), message


async def test_nobody_submits_nothing(nobody: Client, cv_id: str) -> None:
    answer = await nobody.post(SUBMIT, input=input_of(cv_id))
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
