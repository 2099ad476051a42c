"""Asking for gap analyses, running them, and answering their questions."""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from pymongo.errors import DuplicateKeyError

from domain.core.clock import now
from domain.core.delivery import Claim, NotYet, accepted
from domain.core.deps import Deps
from domain.core.errors import InputRule, InvalidInput, Missing, NotFound, WrongState
from domain.core.failures import FailureReason, failure
from domain.core.idempotency import Idempotency, fingerprint
from domain.core.language import Language
from domain.core.rate_limit import Bucket, require
from domain.core.text import clean_text
from domain.cv.documents import CV, CVStatus, CVText
from domain.gap_analysis.analyst import AnalysisRequest
from domain.gap_analysis.documents import GapAnalysis, GapAnalysisStatus, GapQuestion
from domain.gap_analysis.rules.posting_input import checked_posting
from domain.gap_analysis.rules.progress import ProgressStage, message_of, percent_of
from domain.gap_analysis.rules.scoring import gap_score
from domain.gap_analysis.rules.screening import Screen, ranked
from domain.job_postings.posting import Posting

_CV_PAUSE_SECONDS = 0.5
"""How soon to look again for a CV that is still being parsed."""


async def submit(
    deps: Deps, user_id: UUID, cv_id: UUID, posting: Posting, language: Language, key: UUID | None
) -> GapAnalysis:
    """Queue an analysis; it is PENDING, and safe in MongoDB, when this returns.

    Raises InvalidInput, PayloadTooLarge, NotFound, RateLimited or IdempotencyKeyMismatch.
    """
    # Cleaning a posting of the largest size takes a second, so a thread does it.
    most = deps.settings.text_max_characters
    posting = await asyncio.to_thread(checked_posting, posting, most)
    values = {"cv": cv_id, "posting": posting.model_dump(), "language": language}
    once = _once(key, values)
    life = timedelta(hours=deps.settings.idempotency_hours)
    if before := await GapAnalysis.made_before(user_id, once, life):
        return before
    await _require_submit(deps, user_id, once)
    await _require_cv(user_id, cv_id)
    analysis = GapAnalysis(
        user_id=user_id, cv_id=cv_id, posting=posting, language=language, idempotency=once,
        delivery=accepted(now()), message=message_of(ProgressStage.QUEUED, language),
    )  # fmt: skip
    made, is_new = await analysis.insert_once(life)
    if is_new:
        await deps.queue.wake(GapAnalysis.work_name, made.id, "1")
    return made


async def retry(deps: Deps, user_id: UUID, id: UUID) -> GapAnalysis:
    """Queue a failed analysis again, as a new one with the same input: a final state stays final.

    Asking again gives the same new analysis. Raises NotFound, WrongState or RateLimited.
    """
    failed = await _of_user(user_id, id, ["input", "gapAnalysisId"])
    if failed.status is not GapAnalysisStatus.FAILED:
        raise WrongState(failed.status)
    if before := await GapAnalysis.retry_of_document(id):
        return before
    await _require_submit(deps, user_id)
    return await _again(deps, failed)


async def repeat(deps: Deps, id: UUID) -> UUID:
    """Retry at the operator's word, without asking whose it is or how often it was tried.

    Gives the new analysis' id. Raises LookupError when there is nothing to repeat.
    """
    failed = await GapAnalysis.get(id)
    if failed is None or failed.status is not GapAnalysisStatus.FAILED:
        raise LookupError(f"no failed analysis has the id {id}")
    return (await _again(deps, failed)).id


async def _again(deps: Deps, failed: GapAnalysis) -> GapAnalysis:
    """A new analysis with a failed one's input; the one there is, if it was asked for before."""
    again = GapAnalysis(
        user_id=failed.user_id, cv_id=failed.cv_id, posting=failed.posting,
        language=failed.language, retry_of=failed.id, delivery=accepted(now()),
        message=message_of(ProgressStage.QUEUED, failed.language),
    )  # fmt: skip
    try:
        await again.insert_unless_closed()
    except DuplicateKeyError:
        return await GapAnalysis.retry_of_document(failed.id) or again
    await deps.queue.wake(GapAnalysis.work_name, again.id, "1")
    return again


async def cancel(deps: Deps, user_id: UUID, id: UUID) -> GapAnalysis:
    """End an analysis that is not final. Raises NotFound, or WrongState when it is final."""
    while True:
        analysis = await _of_user(user_id, id, ["input", "gapAnalysisId"])
        if analysis.status.is_final:
            raise WrongState(analysis.status)
        closed = await analysis.close_unclaimed(
            _failed_fields(FailureReason.CANCELLED, analysis.language)
        )
        if closed is not None:  # else the worker wrote in between: look again
            await deps.changes.announce(GapAnalysis, id)
            return closed


async def answer(
    deps: Deps, user_id: UUID, id: UUID, answers: list[tuple[UUID, str]]
) -> GapAnalysis:
    """Save answers, all or none; a question answered before gets the new answer.

    Raises InvalidInput, NotFound, or WrongState while the analysis has not completed.
    """
    analysis = await _of_user(user_id, id, ["input", "gapAnalysisId"])
    if analysis.status is not GapAnalysisStatus.COMPLETED:
        raise WrongState(analysis.status)
    known = {question.id for question in analysis.questions}
    for index, (question_id, _) in enumerate(answers):
        if question_id not in known:
            path = ["input", "answers", str(index), "questionId"]
            raise NotFound(Missing.QUESTION, path, question_id)
    texts = _checked_answers(answers, deps.settings.answer_max_characters)
    saved = await GapAnalysis.save_answers(id, user_id, texts)
    if saved is None:
        raise NotFound(Missing.GAP_ANALYSIS, ["input", "gapAnalysisId"], id)
    return saved


async def run(deps: Deps, claim: Claim) -> None:
    """Do the work of a claimed analysis. Raises what its analyst raises."""
    analysis = await GapAnalysis.get(claim.id)
    if analysis is None:
        return
    request = await _read_cv(analysis)
    if isinstance(request, FailureReason):
        await fail(deps, claim, request)
        return
    started = await _start(deps, analysis, claim)
    asked = await _ask(deps, started, claim, request) if started else None
    if asked is not None:
        await _complete(deps, asked, claim)


async def fail(deps: Deps, claim: Claim, reason: FailureReason) -> bool:
    """End a claimed analysis without a result; False when the claim is no longer good."""
    while analysis := await GapAnalysis.claimed(claim):
        if await analysis.close(claim, _failed_fields(reason, analysis.language)):
            await deps.changes.announce(GapAnalysis, claim.id)
            return True
        # A write of the work itself, given up half-way, came through in between: look again.
    return False


async def pause(deps: Deps, claim: Claim) -> None:
    """Tell watchers that the work was interrupted and will be tried again."""
    analysis = await GapAnalysis.get(claim.id)
    if analysis is not None:
        message = message_of(ProgressStage.TRYING_AGAIN, analysis.language)
        await _advance(deps, analysis, claim, {"message": message})


async def _read_cv(analysis: GapAnalysis) -> AnalysisRequest | FailureReason:
    cv, text = await CV.get(analysis.cv_id), await CVText.get(analysis.cv_id)
    if cv is None:
        return FailureReason.CV_GONE
    if cv.status is CVStatus.FAILED:
        return FailureReason.CV_UNREADABLE
    if cv.parsed is None or text is None:
        raise NotYet(_CV_PAUSE_SECONDS)
    return AnalysisRequest(cv.parsed, text.text, analysis.posting, analysis.language)


async def _start(deps: Deps, analysis: GapAnalysis, claim: Claim) -> GapAnalysis | None:
    return await _advance(
        deps, analysis, claim,
        {
            "status": GapAnalysisStatus.PROCESSING,
            "progress_percent": percent_of(0, deps.settings.gap_questions_max),
            "message": message_of(ProgressStage.READING, analysis.language),
            "engine": deps.analyst.engine,
            "started_at": analysis.started_at or now(),
            "questions": [],  # those of an attempt that was cut off
        },
    )  # fmt: skip


async def _ask(
    deps: Deps, analysis: GapAnalysis, claim: Claim, request: AnalysisRequest
) -> GapAnalysis | None:
    """Show each question as it comes: the analysis with all, or None when the claim is lost."""
    most = deps.settings.gap_questions_max
    # Reading a long CV and posting takes a while, so a thread does it.
    screen = await asyncio.to_thread(Screen, request, deps.catalogue, deps.extractor, most)
    async with contextlib.aclosing(deps.analyst.questions(request)) as drafts:
        async for draft in drafts:
            if (accepted := screen.accept(draft)) is None:
                continue
            question = GapQuestion(
                question=accepted.question, skill=accepted.skill, impact=accepted.impact,
                probability=accepted.probability, position=accepted.position,
                gap_score=gap_score(accepted.impact, accepted.probability),
                version=analysis.version + 1,
            )  # fmt: skip
            questions = ranked([*analysis.questions, question])
            shown = await _advance(
                deps, analysis, claim,
                {
                    "progress_percent": percent_of(len(questions), most),
                    "message": message_of(ProgressStage.ASKING, analysis.language),
                    "questions": [question.model_dump() for question in questions],
                },
            )  # fmt: skip
            if shown is None:
                return None
            analysis = shown
            if screen.is_full:
                break
    return analysis


async def _advance(
    deps: Deps, analysis: GapAnalysis, claim: Claim, fields: Mapping[str, object]
) -> GapAnalysis | None:
    advanced = await analysis.advance(claim, fields)
    if advanced is not None:
        await deps.changes.announce(GapAnalysis, claim.id)
    return advanced


async def _complete(deps: Deps, analysis: GapAnalysis, claim: Claim) -> None:
    fields = {
        "status": GapAnalysisStatus.COMPLETED,
        "progress_percent": 100,
        "message": None,
        "completed_at": now(),
    }
    if await analysis.close(claim, fields):
        await deps.changes.announce(GapAnalysis, claim.id)


async def _require_submit(deps: Deps, user_id: UUID, once: Idempotency | None = None) -> None:
    settings = deps.settings
    bucket = Bucket("gap-analysis", settings.submits_per_minute, settings.submit_burst)
    repeat = f"{once.key}:{once.fingerprint}" if once else None
    await require(deps.redis, bucket, str(user_id), repeat)


async def _require_cv(user_id: UUID, cv_id: UUID) -> None:
    path = ["input", "cvId"]
    cv = await CV.of_user(cv_id, user_id)
    if cv is None:
        raise NotFound(Missing.CV, path, cv_id)
    if cv.status is CVStatus.AWAITING_UPLOAD:
        raise InvalidInput(InputRule.CV_NOT_UPLOADED, path)
    if cv.status is CVStatus.FAILED:
        raise InvalidInput(InputRule.CV_UNREADABLE, path)


async def _of_user(user_id: UUID, id: UUID, path: list[str]) -> GapAnalysis:
    analysis = await GapAnalysis.of_user(id, user_id)
    if analysis is None:
        raise NotFound(Missing.GAP_ANALYSIS, path, id)
    return analysis


def _failed_fields(reason: FailureReason, language: Language) -> dict[str, object]:
    return {
        "status": GapAnalysisStatus.FAILED,
        "message": None,
        "failed_at": now(),
        "failure": failure(reason, language).model_dump(),
    }


def _checked_answers(answers: list[tuple[UUID, str]], most: int) -> dict[UUID, str]:
    if not answers:
        raise InvalidInput(InputRule.NO_ANSWERS, ["input", "answers"])
    texts: dict[UUID, str] = {}
    for index, (question_id, text) in enumerate(answers):
        path = ["input", "answers", str(index)]
        if question_id in texts:
            raise InvalidInput(InputRule.DUPLICATE_QUESTION, [*path, "questionId"])
        if len(text) > most:
            raise InvalidInput(InputRule.TOO_LONG, [*path, "text"], limit=most)
        if not (cleaned := clean_text(text)):
            raise InvalidInput(InputRule.BLANK, [*path, "text"])
        texts[question_id] = cleaned
    return texts


def _once(key: UUID | None, values: Mapping[str, object]) -> Idempotency | None:
    if key is None:
        return None
    return Idempotency(key=str(key), fingerprint=fingerprint("submitGapAnalysis", values))
