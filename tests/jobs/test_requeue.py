"""Letters in the operator's hands: finding one, and doing its work again."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from asgi_correlation_id import correlation_id

from domain.core.clock import now
from domain.core.dead_letters import DeadLetter
from domain.core.deps import Deps
from domain.core.failures import FailureCode
from domain.core.ids import new_id
from domain.cv import actions as cv_actions
from domain.cv.documents import CV, CVStatus
from domain.gap_analysis.documents import GapAnalysis, GapAnalysisStatus
from jobs.cv import CV_PARSING
from jobs.dead_letters import requeue
from jobs.delivery import deliver
from jobs.gap_analysis import GAP_ANALYSIS
from tests.jobs.pieces import (
    LEASE,
    NoQueue,
    accepted_analysis,
    accepted_cv,
    failing,
    letters_of,
    stored,
    work_of,
)

WORKS = [CV_PARSING, GAP_ANALYSIS]


async def test_a_cv_requeued_twice_at_once_is_one_new_cv(quiet: Deps) -> None:
    cv = await accepted_cv(quiet, "Dana Levi")
    failed = {"$set": {"status": CVStatus.FAILED, "delivery.is_open": False}}
    await CV.get_pymongo_collection().update_one({"_id": cv.id}, failed)

    made = await asyncio.gather(*(cv_actions.repeat(quiet, cv.id) for _ in range(5)))

    assert len(set(made)) == 1
    assert await CV.find({"retry_of": cv.id}).count() == 1


async def test_work_knows_the_request_that_brought_it(quiet: Deps) -> None:
    correlation_id.set("a-request")
    analysis = await accepted_analysis(quiet)
    correlation_id.set(None)

    claim = await GapAnalysis.claim(analysis.id, LEASE)

    assert claim is not None
    assert claim.request_id == "a-request"


@pytest.fixture
def quiet(deps: Deps) -> Deps:
    """Parts whose wake-ups go nowhere, so that each delivery here is the test's own."""
    return replace(deps, queue=NoQueue())


async def test_a_requeued_analysis_is_a_new_one_that_is_finished(quiet: Deps) -> None:
    analysis = await accepted_analysis(quiet)
    await deliver(quiet, work_of(failing(ZeroDivisionError())), analysis.id)
    [letter] = await letters_of(analysis.id)

    again = await requeue(quiet, WORKS, letter)
    same = await requeue(quiet, WORKS, (await letters_of(analysis.id))[0])
    await deliver(quiet, GAP_ANALYSIS, again)

    repeated = await GapAnalysis.get(again)
    assert repeated is not None
    assert same == again != analysis.id
    assert repeated.retry_of == analysis.id
    assert repeated.status is GapAnalysisStatus.COMPLETED
    assert (await stored(analysis)).status is GapAnalysisStatus.FAILED
    assert await letters_of(again) == []


async def test_a_requeued_cv_is_a_new_one_with_the_same_file(quiet: Deps) -> None:
    cv = await accepted_cv(quiet, "Dana Levi\n\nSkills\nPython, SQL\n")
    broken = replace(CV_PARSING, run=failing(ZeroDivisionError()))
    await deliver(quiet, broken, cv.id)
    [letter] = await letters_of(cv.id)

    again = await requeue(quiet, WORKS, letter)
    same = await requeue(quiet, WORKS, (await letters_of(cv.id))[0])
    await deliver(quiet, CV_PARSING, again)

    repeated, failed = await CV.get(again), await CV.get(cv.id)
    assert repeated is not None
    assert failed is not None
    assert same == again != cv.id
    assert (repeated.file_id, repeated.user_id) == (cv.file_id, cv.user_id)
    assert (repeated.status, failed.status) == (CVStatus.PARSED, CVStatus.FAILED)


def letter_of(**fields: Any) -> DeadLetter:
    values = {
        "work": GapAnalysis.work_name, "document_id": new_id(),
        "code": FailureCode.INTERNAL_ERROR, "cause": "BUG", "attempts": 1, "accepted_at": now(),
    }  # fmt: skip
    letter: DeadLetter = DeadLetter.model_validate(values | fields)
    return letter


@pytest.mark.parametrize("work", [CV.work_name, GapAnalysis.work_name, "work of another version"])
async def test_what_is_gone_cannot_be_requeued(quiet: Deps, work: str) -> None:
    letter = letter_of(work=work)
    await letter.keep()

    with pytest.raises(LookupError):
        await requeue(quiet, WORKS, letter)
    [kept] = await letters_of(letter.document_id)
    assert kept.requeued_as is None


async def test_a_document_has_one_letter_and_the_first_is_kept(deps: Deps) -> None:
    first = letter_of(cause="the first")
    await first.keep()
    await letter_of(document_id=first.document_id, cause="the second").keep()

    assert [letter.cause for letter in await letters_of(first.document_id)] == ["the first"]


async def test_letters_are_found_by_the_beginning_of_their_id(deps: Deps) -> None:
    await DeadLetter.delete_all()
    ids = [UUID(int=(0xABC << 116) + last) for last in (1, 2)] + [UUID(int=0xABD << 116)]
    for id in ids:
        await letter_of(id=id).keep()

    async def found(prefix: str) -> set[UUID]:
        return {letter.id for letter in await DeadLetter.starting_with(prefix)}

    assert await found("abc") == await found("ABC00000-0000") == set(ids[:2])
    assert await found("ab") == set(ids)
    assert await found(str(ids[2])) == await found(ids[2].hex) == {ids[2]}
    assert await found("abcd") == set()


@pytest.mark.parametrize(
    "prefix",
    ["", "-", "x", "0xab", "a_b", "+ab", " ab", "ab ", "ab\n", "{ab}", "٣", "é", "a" * 33,
     "urn:uuid:ab", "\x00"],
)  # fmt: skip
async def test_what_begins_no_id_is_refused(deps: Deps, prefix: str) -> None:
    with pytest.raises(ValueError, match="beginning of an id"):
        await DeadLetter.starting_with(prefix)


async def test_letters_are_counted_and_the_newest_come_first(deps: Deps) -> None:
    await DeadLetter.delete_all()
    letters = [
        letter_of(),
        letter_of(),
        letter_of(code=FailureCode.LLM_API_ERROR),
        letter_of(work="parse_cv"),
    ]
    for letter in letters:
        await letter.keep()

    assert await DeadLetter.counts() == {
        ("run_gap_analysis", "INTERNAL_ERROR"): 2,
        ("run_gap_analysis", "LLM_API_ERROR"): 1,
        ("parse_cv", "INTERNAL_ERROR"): 1,
    }
    assert [one.id for one in await DeadLetter.newest(2)] == [letters[3].id, letters[2].id]
