"""Work that is under way while its person leaves: it leaves nothing behind."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar
from uuid import uuid4

import pytest
from pydantic import BaseModel

from domain.account.deletion import count_all, delete_all, request_deletion
from domain.account.documents import DataExport, WorkStatus
from domain.account.export import request_export
from domain.account.export import run as run_export
from domain.clients.language_model import ModelUnavailable
from domain.core.clock import now
from domain.core.closed_accounts import ClosedAccount
from domain.core.dead_letters import DeadLetter
from domain.core.deps import Deps
from domain.core.errors import DomainError
from domain.core.owned_files import STORING_SECONDS, OwnedFile, store_file
from domain.cv import actions as cv_actions
from domain.cv.documents import CV, CVText
from domain.cv.files import BUCKET as CV_BUCKET
from domain.gap_analysis import actions as gap_actions
from domain.gap_analysis.analyst import AnalysisRequest, DraftQuestion
from domain.gap_analysis.documents import GapAnalysis
from domain.profile.documents import User
from jobs.account import ACCOUNT_DELETION
from jobs.cv import CV_PARSING
from jobs.delivery import deliver
from jobs.gap_analysis import GAP_ANALYSIS
from tests.domain.account.deletions import WORDS, deleted, moved_back, nothing_is_left, stored
from tests.domain.account.people import CALLER, newcomer
from tests.jobs.pieces import LEASE, accepted_analysis, parsed_cv

ItemT = TypeVar("ItemT", bound=BaseModel)


class WaitingModel:
    """A model that is in the middle of its answer until it is let go on."""

    name = "waiting"

    def __init__(self) -> None:
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def answer(self, *, system: str, prompt: str, shape: type[ItemT]) -> ItemT:
        self.asked.set()
        await self.go_on.wait()
        raise ModelUnavailable("it has nothing to say")

    async def stream_items(
        self, *, system: str, prompt: str, item: type[ItemT]
    ) -> AsyncGenerator[ItemT, None]:
        items: list[ItemT] = []
        for one in items:
            yield one


class WaitingAnalyst:
    """An analyst that waits before its first question."""

    engine = "WAITING"

    def __init__(self) -> None:
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def questions(self, request: AnalysisRequest) -> AsyncGenerator[DraftQuestion, None]:
        self.asked.set()
        await self.go_on.wait()
        drafts: list[DraftQuestion] = []
        for draft in drafts:
            yield draft


async def reached(point: asyncio.Event, work: asyncio.Task[None]) -> None:
    """Wait until the work is at that point, and no longer than the work lasts."""
    arriving = asyncio.create_task(point.wait())
    await asyncio.wait({arriving, work}, return_when=asyncio.FIRST_COMPLETED)
    arriving.cancel()
    assert point.is_set(), "the work ended before it came to that point"


async def test_a_worker_that_parses_a_cv_meanwhile_leaves_nothing(quiet: Deps) -> None:
    user, model = await newcomer(uuid4().hex), WaitingModel()
    cv = await cv_actions.create_cv(quiet, user.id, f"Python, {user.id}", None, None)
    parsing = asyncio.create_task(deliver(replace(quiet, model=model), CV_PARSING, cv.id))
    await reached(model.asked, parsing)

    await deleted(quiet, user.id)
    model.go_on.set()
    await parsing

    assert await CV.get(cv.id) is None
    assert await CVText.get(cv.id) is None
    assert await nothing_is_left(user.id)
    assert await DeadLetter.find({"document_id": cv.id}).count() == 0


async def test_text_is_kept_when_only_the_claim_was_lost(quiet: Deps) -> None:
    """Another worker has the CV then, and its text is the same."""
    user, model = await newcomer(uuid4().hex), WaitingModel()
    cv = await cv_actions.create_cv(quiet, user.id, "Python", None, None)
    late = await CV.claim(cv.id, timedelta(seconds=-1))
    assert late is not None
    parsing = asyncio.create_task(cv_actions.parse(replace(quiet, model=model), late))
    await reached(model.asked, parsing)
    await deliver(quiet, CV_PARSING, cv.id)
    model.go_on.set()
    await parsing

    assert await CVText.get(cv.id) is not None
    read = await CV.get(cv.id)
    assert read is not None
    assert read.status == "PARSED"


async def test_an_analysis_that_runs_meanwhile_leaves_nothing(quiet: Deps) -> None:
    user, analyst = await newcomer(uuid4().hex), WaitingAnalyst()
    analysis = await accepted_analysis(quiet)
    for document, id in ((GapAnalysis, analysis.id), (CV, analysis.cv_id)):
        await document.get_pymongo_collection().update_one(
            {"_id": id}, {"$set": {"user_id": user.id}}
        )
    running = asyncio.create_task(
        deliver(replace(quiet, analyst=analyst), GAP_ANALYSIS, analysis.id)
    )
    await reached(analyst.asked, running)

    await deleted(quiet, user.id)
    analyst.go_on.set()
    await running

    assert await GapAnalysis.get(analysis.id) is None
    assert await nothing_is_left(user.id)
    assert await DeadLetter.find({"document_id": analysis.id}).count() == 0


async def test_a_file_that_is_arriving_is_waited_for_and_deleted(quiet: Deps) -> None:
    user, gate, begun = await newcomer(uuid4().hex), asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield os.urandom(3_000_000)
        begun.set()
        await gate.wait()
        yield b"end"

    cv = await cv_actions.request_cv_upload(
        quiet, user.id, "cv.pdf", cv_actions.PDF, 3_000_003, None
    )
    receiving = asyncio.create_task(cv_actions.receive_file(quiet, cv, slow()))
    await begun.wait()
    deletion = await request_deletion(quiet, user.id, WORDS, CALLER)
    await moved_back(deletion)
    await deliver(quiet, ACCOUNT_DELETION, deletion.id)
    assert (await stored(deletion)).status is WorkStatus.PROCESSING
    gate.set()

    assert await receiving is None
    await moved_back(deletion)
    await deliver(quiet, ACCOUNT_DELETION, deletion.id)

    assert (await stored(deletion)).status is WorkStatus.COMPLETED
    assert await nothing_is_left(user.id)
    assert await stray_chunks(quiet) == 0


async def stray_chunks(deps: Deps) -> int:
    """Chunks of CV files that belong to no file."""
    known = await deps.database[f"{CV_BUCKET}.files"].distinct("_id")
    stray = {"files_id": {"$nin": known}}
    return await deps.database[f"{CV_BUCKET}.chunks"].count_documents(stray)


async def test_an_arrival_whose_process_died_is_deleted_when_it_cannot_go_on(quiet: Deps) -> None:
    user = await newcomer(uuid4().hex)

    async def some() -> AsyncIterator[bytes]:
        yield os.urandom(600_000)

    file_id = await store_file(quiet.database, CV_BUCKET, user.id, some())
    await quiet.database[f"{CV_BUCKET}.files"].delete_one({"_id": file_id})
    notes = OwnedFile.get_pymongo_collection()
    await notes.update_one({"_id": file_id}, {"$set": {"stored_at": None}})
    deletion = await request_deletion(quiet, user.id, WORDS, CALLER)
    await moved_back(deletion)
    await deliver(quiet, ACCOUNT_DELETION, deletion.id)
    assert (await stored(deletion)).status is WorkStatus.PROCESSING
    assert await User.get(user.id) is None  # all else is gone already

    begun = now() - timedelta(seconds=STORING_SECONDS + 61)
    await notes.update_one({"_id": file_id}, {"$set": {"started_at": begun}})
    await moved_back(deletion)
    await deliver(quiet, ACCOUNT_DELETION, deletion.id)

    assert (await stored(deletion)).status is WorkStatus.COMPLETED
    assert await stray_chunks(quiet) == 0


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.02, 0.03, 0.05])
async def test_an_export_that_is_made_meanwhile_leaves_nothing(quiet: Deps, delay: float) -> None:
    user = await newcomer(uuid4().hex)
    await cv_actions.create_cv(quiet, user.id, "Python " * 50_000, None, None)
    export = await request_export(quiet, user.id, None, CALLER)
    claim = await DataExport.claim(export.id, LEASE)
    assert claim is not None
    exporting = asyncio.create_task(run_export(quiet, claim))
    await asyncio.sleep(delay)

    await ClosedAccount.close(user.id)
    await delete_all(quiet, user.id)
    await exporting
    await delete_all(quiet, user.id)  # the next turn of the deletion

    assert await nothing_is_left(user.id)


async def test_what_is_made_while_the_account_closes_is_taken_back(quiet: Deps) -> None:
    """However the two fall: each that was made is deleted, or its maker sees that it must go."""
    for turn in range(10):
        user = await newcomer(uuid4().hex)
        cv = await parsed_cv(quiet, user.id)
        posting = (await accepted_analysis(quiet)).posting

        async def make(number: int, user: User = user, cv: CV = cv) -> None:
            await asyncio.sleep(number * 0.002)
            match number % 3:
                case 0:
                    await cv_actions.create_cv(quiet, user.id, f"Go {number}", None, uuid4())
                case 1:
                    await cv_actions.request_cv_upload(
                        quiet, user.id, "cv", cv_actions.PDF, 9, None
                    )
                case _:
                    await gap_actions.submit(quiet, user.id, cv.id, posting, user.language, None)  # noqa: B023  # called before the next turn

        making = [asyncio.create_task(make(number)) for number in range(12)]
        await asyncio.sleep(turn * 0.003)
        await ClosedAccount.close(user.id)
        await delete_all(quiet, user.id)
        results = await asyncio.gather(*making, return_exceptions=True)

        assert all(result is None or isinstance(result, DomainError) for result in results)
        assert await nothing_is_left(user.id), await count_all(user.id)
