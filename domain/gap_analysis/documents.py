"""Gap analyses and every query for them."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pymongo import DESCENDING, IndexModel, ReturnDocument

from domain.core.clock import now
from domain.core.delivery import CLOSED, DELIVERY_INDEX, RETRY_INDEX, Claim
from domain.core.failures import Failure
from domain.core.idempotency import IDEMPOTENCY_INDEX, MadeOnce
from domain.core.ids import new_id
from domain.core.language import Language
from domain.core.levels import GapLevel
from domain.core.pagination import Page, PageRequest, newest_first
from domain.job_postings.posting import Posting

CURSOR_ORDER = "gap_analyses"
HISTORY_KEPT = 100
FEW = 10
"""How many are read at a time where all of a person's are gone through."""


class GapAnalysisStatus(StrEnum):
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        return self in (GapAnalysisStatus.COMPLETED, GapAnalysisStatus.FAILED)


class GapAnswer(BaseModel):
    """What the person answered."""

    text: str
    answered_at: datetime


class GapQuestion(BaseModel):
    """One question. `position` is where the posting names the gap, for the order of equals."""

    id: UUID = Field(default_factory=new_id)
    question: str
    skill: str | None
    """Id of the canonical skill asked about, where it is one."""
    impact: GapLevel
    probability: GapLevel
    gap_score: float
    position: int
    version: int = 0
    """The document's version from which on it is there."""
    answer: GapAnswer | None = None


class Step(BaseModel):
    """What subscribers were shown from `version` on."""

    model_config = ConfigDict(frozen=True)

    version: int
    at: datetime
    status: GapAnalysisStatus
    progress_percent: int
    message: str | None


class GapAnalysis(MadeOnce):
    """A CV held against a posting, and the questions that came of it."""

    work_name: ClassVar[str] = "run_gap_analysis"

    cv_id: UUID
    posting: Posting
    language: Language
    status: GapAnalysisStatus = GapAnalysisStatus.PENDING
    progress_percent: int = 0
    message: str | None = None
    engine: str | None = None
    questions: list[GapQuestion] = []
    """Ranked, highest gap score first."""
    failure: Failure | None = None
    created_at: datetime = Field(default_factory=now)
    started_at: datetime | None = None
    completed_at: datetime | None = None
    failed_at: datetime | None = None
    history: list[Step] = []

    class Settings:
        name = "gap_analyses"
        indexes = [
            IndexModel([("user_id", DESCENDING), ("_id", DESCENDING)], name="user"),
            IndexModel(
                [("user_id", DESCENDING), ("status", DESCENDING), ("_id", DESCENDING)],
                name="user_status",
            ),
            RETRY_INDEX,
            DELIVERY_INDEX,
            IDEMPOTENCY_INDEX,
        ]

    @property
    def processing_seconds(self) -> float:
        """From the first start of the work to its end, in seconds; 0 until then."""
        ended = self.completed_at or self.failed_at
        return (ended - self.started_at).total_seconds() if ended and self.started_at else 0.0

    @classmethod
    async def page(
        cls, user_id: UUID, status: GapAnalysisStatus | None, request: PageRequest
    ) -> Page[Self]:
        """A user's analyses, newest first. Raises InvalidInput for a bad cursor."""
        query: dict[str, Any] = {"user_id": user_id}
        if status is not None:
            query["status"] = status
        return await newest_first(cls, query, CURSOR_ORDER, request, without=["history"])

    @classmethod
    async def each_of_user(cls, user_id: UUID) -> AsyncIterator[Self]:
        """A user's analyses, oldest first, a few in memory at a time."""
        rows = cls.get_pymongo_collection().find({"user_id": user_id}, {"history": 0})
        async for row in rows.sort("_id", 1).batch_size(FEW):
            yield cls.model_validate(row)

    @classmethod
    async def delete_of_user(cls, user_id: UUID) -> int:
        """Delete a person's analyses; gives how many there were."""
        return (await cls.get_pymongo_collection().delete_many({"user_id": user_id})).deleted_count

    async def advance(self, claim: Claim, fields: Mapping[str, Any]) -> Self | None:
        """One fenced, visible change that leaves the analysis open. None when the claim is lost."""
        return await self.write(claim, self._update(fields), self.version)

    async def close(self, claim: Claim, fields: Mapping[str, Any]) -> Self | None:
        """One fenced, visible change to a final state. None when the claim is lost."""
        return await self.write(claim, self._update({**fields, **CLOSED}), self.version)

    async def close_unclaimed(self, fields: Mapping[str, Any]) -> Self | None:
        """Change to a final state whoever holds the lease; None when it was final before."""
        row = await self.get_pymongo_collection().find_one_and_update(
            {"_id": self.id, "version": self.version, "delivery.is_open": True},
            {**self._update({**fields, **CLOSED}), "$inc": {"version": 1}},
            return_document=ReturnDocument.AFTER,
        )
        return self.model_validate(row) if row else None

    def _update(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        shown = {"status": self.status, "progress_percent": self.progress_percent, "message": None}
        shown |= {name: fields[name] for name in shown if name in fields}
        step = {"version": self.version + 1, "at": now(), **shown}
        history = {"$each": [step], "$slice": -HISTORY_KEPT}
        return {"$set": dict(fields), "$push": {"history": history}}

    @classmethod
    async def save_answers(
        cls, id: UUID, user_id: UUID, answers: Mapping[UUID, str]
    ) -> Self | None:
        """Save all answers in one write; None unless completed with every one of the questions."""
        at = now()
        sets = {
            f"questions.$[q{index}].answer": {"text": text, "answered_at": at}
            for index, text in enumerate(answers.values())
        }
        filters = [{f"q{index}.id": question} for index, question in enumerate(answers)]
        row = await cls.get_pymongo_collection().find_one_and_update(
            {
                "_id": id,
                "user_id": user_id,
                "status": GapAnalysisStatus.COMPLETED,
                "questions.id": {"$all": list(answers)},
            },
            {"$set": sets},
            array_filters=filters,
            return_document=ReturnDocument.AFTER,
        )
        return cls.model_validate(row) if row else None

    def as_of(self, step: Step) -> Self:
        """The analysis as subscribers saw it at an earlier step."""
        shown = step.model_dump(include={"version", "status", "progress_percent", "message"})
        questions = [question for question in self.questions if question.version <= step.version]
        open_ended = {"completed_at": None, "failed_at": None, "failure": None}
        final = {} if step.status.is_final else open_ended
        seen: Self = self.model_copy(update={**shown, **final, "questions": questions})
        return seen
