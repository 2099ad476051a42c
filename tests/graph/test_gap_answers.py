"""Answering the questions of a gap analysis."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from domain.core.deps import Deps
from domain.gap_analysis.documents import GapAnalysis
from graph import ids
from tests.client import Client, Json
from tests.conftest import SignIn
from tests.graph.analyses import (
    ANSWER,
    id_of,
    one,
    put_analysis,
    question_of,
    refusal_in,
    stored,
)


@pytest.fixture
async def analysis(client: Client, deps: Deps) -> GapAnalysis:
    """A completed analysis with three questions."""
    questions = [question_of(f"Question {number}?") for number in range(3)]
    return await put_analysis(deps, client, "COMPLETED", questions=questions)


def question_id(analysis: GapAnalysis, index: int) -> str:
    return ids.encode("GapQuestion", analysis.id, analysis.questions[index].id)


async def answer(client: Client, analysis_id: str, *answers: tuple[str, str]) -> Json:
    given = [{"questionId": id, "text": text} for id, text in answers]
    input = {"gapAnalysisId": analysis_id, "answers": given}
    payload: Json = (await client.data(ANSWER, input=input))["answerGapQuestions"]
    return payload


async def kept(analysis: GapAnalysis) -> list[str | None]:
    """The answers in MongoDB."""
    questions = (await stored(id_of(analysis))).questions
    return [question.answer.text if question.answer else None for question in questions]


async def test_answers_are_saved_and_shown(client: Client, analysis: GapAnalysis) -> None:
    saved = await answer(
        client, id_of(analysis),
        (question_id(analysis, 2), "  Two years,\n\n\n\nat <b>Lark</b>. "),
        (question_id(analysis, 0), "כן, שנתיים"),
    )  # fmt: skip

    assert saved["errors"] == []
    answers = [question["answer"] for question in saved["gapAnalysis"]["questions"]]
    assert [one and one["text"] for one in answers] == [
        "כן, שנתיים", None, "Two years,\n\nat Lark.",
    ]  # fmt: skip
    assert answers[0]["answeredAt"] == answers[2]["answeredAt"] >= saved["gapAnalysis"]["createdAt"]
    again = await one(client, id_of(analysis))
    assert again["questions"] == saved["gapAnalysis"]["questions"]
    assert again["status"] == "COMPLETED"


async def test_an_answer_replaces_the_one_before_and_no_other(
    client: Client, analysis: GapAnalysis
) -> None:
    await answer(
        client, id_of(analysis),
        (question_id(analysis, 0), "first"), (question_id(analysis, 1), "second"),
    )  # fmt: skip
    await answer(client, id_of(analysis), (question_id(analysis, 0), "better"))

    assert await kept(analysis) == ["better", "second", None]


async def test_answers_to_different_questions_at_once_are_all_kept(
    client: Client, analysis: GapAnalysis
) -> None:
    payloads = await asyncio.gather(
        *(answer(client, id_of(analysis), (question_id(analysis, n), f"a{n}")) for n in range(3))
    )

    assert [payload["errors"] for payload in payloads] == [[], [], []]
    assert await kept(analysis) == ["a0", "a1", "a2"]


async def test_one_bad_answer_keeps_all_from_being_saved(
    client: Client, analysis: GapAnalysis
) -> None:
    good, other = (question_id(analysis, 0), "fine"), question_id(analysis, 1)
    absent = ids.encode("GapQuestion", analysis.id, uuid4())
    refused = [
        await answer(client, id_of(analysis), good, (other, " ")),
        await answer(client, id_of(analysis), good, (other, "x" * 10_001)),
        await answer(client, id_of(analysis), good, (absent, "fine")),
        await answer(client, id_of(analysis), good, good),
    ]

    errors = [refusal_in(payload) for payload in refused]
    assert [error["code"] for error in errors] == [
        "VALIDATION_ERROR", "VALIDATION_ERROR", "QUESTION_NOT_FOUND", "VALIDATION_ERROR",
    ]  # fmt: skip
    assert await kept(analysis) == [None, None, None]


@pytest.mark.parametrize("text", ["", " \n\t", "<script>x</script>", "\u200b"])
async def test_a_blank_answer_is_refused(client: Client, analysis: GapAnalysis, text: str) -> None:
    error = refusal_in(await answer(client, id_of(analysis), (question_id(analysis, 0), text)))

    assert (error["__typename"], error["code"]) == ("ValidationError", "VALIDATION_ERROR")
    assert error["path"] == ["input", "answers", "0", "text"]


async def test_the_longest_answer_is_kept_whole(client: Client, analysis: GapAnalysis) -> None:
    too_long = await answer(client, id_of(analysis), (question_id(analysis, 0), "ש" * 10_001))
    longest = await answer(client, id_of(analysis), (question_id(analysis, 0), "ש" * 10_000))

    error = refusal_in(too_long)
    assert error["path"] == ["input", "answers", "0", "text"]
    assert "10000" in error["message"]
    assert longest["errors"] == []
    assert (await kept(analysis))[0] == "ש" * 10_000


async def test_no_answers_are_refused(client: Client, analysis: GapAnalysis) -> None:
    error = refusal_in(await answer(client, id_of(analysis)))

    assert (error["code"], error["path"]) == ("VALIDATION_ERROR", ["input", "answers"])


async def test_a_question_answered_twice_in_one_call_is_refused(
    client: Client, analysis: GapAnalysis
) -> None:
    twice = [(question_id(analysis, 0), "a"), (question_id(analysis, 0), "b")]

    error = refusal_in(await answer(client, id_of(analysis), *twice))

    assert (error["code"], error["path"]) == (
        "VALIDATION_ERROR", ["input", "answers", "1", "questionId"],
    )  # fmt: skip


async def test_a_question_that_is_not_of_this_analysis_is_named_as_it_was_given(
    client: Client, analysis: GapAnalysis, deps: Deps
) -> None:
    other = await put_analysis(deps, client, "COMPLETED", questions=[question_of("Other?")])
    mine = analysis.questions[0].id
    wrong = [
        question_id(other, 0),
        ids.encode("GapQuestion", analysis.id, uuid4()),
        ids.encode("GapQuestion", other.id, mine),
        ids.encode("GapQuestion", mine),
        id_of(analysis),
        "nonsense",
    ]
    for id in wrong:
        error = refusal_in(await answer(client, id_of(analysis), (id, "fine")))
        assert (error["__typename"], error["code"]) == ("NotFoundError", "QUESTION_NOT_FOUND")
        assert error["missingId"] == id
        assert error["path"] == ["input", "answers", "0", "questionId"]
    assert await kept(analysis) == [None, None, None]


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING", "FAILED"])
async def test_only_a_completed_analysis_can_be_answered(
    client: Client, deps: Deps, status: str
) -> None:
    analysis = await put_analysis(deps, client, status, questions=[question_of("Q?")])

    error = refusal_in(await answer(client, id_of(analysis), (question_id(analysis, 0), "yes")))

    assert (error["__typename"], error["code"]) == ("InvalidStateError", "INVALID_STATE")
    assert status in error["message"]
    assert await kept(analysis) == [None]


async def test_others_absent_ones_and_nonsense_look_the_same(
    client: Client, sign_in: SignIn, deps: Deps
) -> None:
    stranger = await sign_in()
    others = await put_analysis(deps, stranger, "COMPLETED", questions=[question_of("Q?")])
    absent = uuid4()
    tries = [
        (id_of(others), question_id(others, 0)),
        (ids.encode("GapAnalysis", absent), ids.encode("GapQuestion", absent, uuid4())),
        ("nonsense", "nonsense"),
    ]
    for texts in (["yes"], [" "], ["x" * 10_001]):
        refused = [
            json.dumps(await answer(client, id, *((question, text) for text in texts))).replace(
                id, "ID"
            )
            for id, question in tries
        ]
        assert len(set(refused)) == 1
        error = refusal_in(json.loads(refused[0]))
        assert (error["code"], error["path"]) == ("JOB_NOT_FOUND", ["input", "gapAnalysisId"])
    assert await kept(others) == [None]


async def test_refusals_are_worded_in_the_viewers_language(
    client: Client, analysis: GapAnalysis
) -> None:
    await client.data("mutation { updateProfile(input: {language: HE}) { viewer { name } } }")

    error = refusal_in(await answer(client, id_of(analysis), ("nonsense", "yes")))

    assert error["message"] == "אין שאלה כזאת בניתוח הזה; שום דבר לא נשמר."


async def test_nobody_answers_nothing(nobody: Client, analysis: GapAnalysis) -> None:
    input: dict[str, Any] = {"gapAnalysisId": id_of(analysis), "answers": []}

    refused = await nobody.post(ANSWER, input=input)

    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
