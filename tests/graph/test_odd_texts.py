"""Texts that are none for MongoDB or UTF-8, sent by those who may send them: cleaned or refused."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.core.deps import Deps
from graph import ids
from tests.client import Client, Json
from tests.graph.analyses import ANSWER, SUBMIT, id_of, put_analysis, question_of, stored_cv
from tests.graph.cvs import BACKEND_CV, CREATE, parsed_cv, whole
from tests.graph.test_profile import UPDATE

UPLOAD = """
mutation ($input: RequestCVUploadInput!) {
  requestCVUpload(input: $input) { cv { id } errors { ... on UserError { code path } } }
}
"""
REFUSALS = {
    "VALIDATION_ERROR", "BAD_USER_INPUT", "BAD_REQUEST", "UNSUPPORTED_FILE_TYPE",
    "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
}  # fmt: skip
# Half a surrogate pair, NUL and other controls, what hides text, what MongoDB reads as a command.
PIECES = [
    "\ud800", "a\udfff", "\x00", "a\x00b", "\x1f", "\u202e", "\ufeff", "\ufffe", "\U000e0041",
    "$where", "$", ".", "{", "\x85", "\u2028", "é", "שלום", "Python", " ", "\n", "<b>", "&#0;",
    "&#xd800;",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


@pytest.fixture
async def places(client: Client, deps: Deps) -> dict[str, tuple[str, Callable[[list[str]], Json]]]:
    """The client's own things to write to: a mutation, and its input with given texts."""
    cv = await stored_cv(deps, client)
    questions = [question_of("Kafka?"), question_of("Go?")]
    analysis = await put_analysis(deps, client, "COMPLETED", questions=questions)
    asked = [ids.encode("GapQuestion", analysis.id, question.id) for question in questions]
    return {
        "createCV": (CREATE, lambda texts: {"text": texts[0], "title": texts[1]}),
        "requestCVUpload": (
            UPLOAD,
            lambda texts: {
                "filename": texts[0], "contentType": "application/pdf", "sizeBytes": 10,
            },
        ),
        "updateProfile": (
            UPDATE,
            lambda texts: {"name": texts[0], "location": texts[1], "targetRoles": texts[2:]},
        ),
        "submitGapAnalysis": (SUBMIT, lambda texts: {"cvId": cv, "jobPosting": _posting(texts)}),
        "answerGapQuestions": (
            ANSWER,
            lambda texts: {
                "gapAnalysisId": id_of(analysis),
                "answers": [
                    {"questionId": id, "text": text}
                    for id, text in zip(asked, texts, strict=False)
                ],
            },
        ),
    }  # fmt: skip


def _posting(texts: list[str]) -> Json:
    names = ["companyName", "roleTitle", "description"]
    lists = dict.fromkeys(("requirements", "responsibilities", "niceToHave"), texts[3:])
    return {**dict(zip(names, texts, strict=False)), **lists}


async def send(client: Client, query: str, variables: Json) -> Json:
    """The answer to a body in plain ASCII: JSON can spell what UTF-8 cannot."""
    body = json.dumps({"query": query, "variables": variables}).encode("ascii")
    headers = {**client.headers, "Content-Type": "application/json"}
    async with httpx2.AsyncClient(base_url=client.base_url, headers=headers) as http:
        answer: Json = (await http.post("/graphql", content=body)).json()
    return answer


def codes_in(answer: Json) -> set[str]:
    payloads: list[Any] = list((answer.get("data") or {}).values())
    told = [error["code"] for payload in payloads if payload for error in payload["errors"]]
    return {*told, *(error["extensions"]["code"] for error in answer.get("errors", []))}


@pytest.mark.parametrize(
    "name",
    ["createCV", "requestCVUpload", "updateProfile", "submitGapAnalysis", "answerGapQuestions"],
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS, min_size=5, max_size=5))
async def test_odd_texts_are_cleaned_or_refused(
    client: Client,
    places: dict[str, tuple[str, Callable[[list[str]], Json]]],
    name: str,
    texts: list[str],
) -> None:
    query, input_of = places[name]
    answer = await send(client, query, {"input": input_of(texts)})
    assert codes_in(answer) <= REFUSALS, answer
    if not codes_in(answer):
        assert "\\u0000" not in json.dumps(answer)


async def test_a_pasted_cv_may_hold_nul(client: Client, worker: None) -> None:
    plain, odd = [
        await whole(client, await parsed_cv(client, text))
        for text in (BACKEND_CV, "\0" + BACKEND_CV.replace(" ", "\0 "))
    ]
    made_at = {"createdAt", "parsedAt"}
    assert {**odd, **{name: plain[name] for name in made_at}} == plain

    [error] = (await client.data(CREATE, input={"text": " \0 "}))["createCV"]["errors"]
    assert (error["code"], error["path"]) == ("VALIDATION_ERROR", ["input", "text"])
