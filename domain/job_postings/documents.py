"""The catalogue of job postings and every query for it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self
from uuid import UUID

from beanie import Document
from pydantic import BaseModel, ConfigDict, Field
from pymongo import ASCENDING, DESCENDING, TEXT, IndexModel, UpdateOne

from domain.core.clock import now
from domain.core.ids import new_id
from domain.core.language import Language
from domain.core.pagination import (
    Direction,
    Key,
    Page,
    PageRequest,
    decode_cursor,
    keyset_filter,
    page_of,
)
from domain.job_postings.posting import Posting


class JobOrder(StrEnum):
    RELEVANCE = "RELEVANCE"
    POSTED_AT = "POSTED_AT"


class JobFilter(BaseModel):
    """Every given condition must hold. `skills` are ids; `company_name` matches in any case."""

    model_config = ConfigDict(frozen=True)

    query: str | None = None
    skills: list[str] = []
    company_name: str | None = None
    is_remote: bool | None = None


class JobSummary(BaseModel):
    """What ranking needs to know of a job."""

    model_config = ConfigDict(frozen=True)

    id: UUID = Field(alias="_id")
    role_title: str
    language: Language
    required_skills: list[str]
    location: str | None = None
    is_remote: bool | None = None

    class Settings:
        projection: ClassVar[dict[str, Any]] = {
            "role_title": "$posting.role_title",
            "language": "$posting.language",
            "required_skills": 1,
            "location": 1,
            "is_remote": 1,
        }


class Job(Document):
    """A posting in the catalogue."""

    id: UUID = Field(default_factory=new_id)  # type: ignore[assignment]  # beanie's own way to another id type
    external_id: str
    """Names the posting where it comes from, so that importing it again finds it."""
    posting: Posting
    company_key: str
    """The company's name, case folded."""
    required_skills: list[str] = []
    """Ids of the canonical skills required, in the posting's order."""
    location: str | None = None
    is_remote: bool | None = None
    posted_at: datetime | None = None
    listed_at: datetime
    """`posted_at`, or the time of import where the posting gives none: what lists are sorted by."""
    digest: str
    """SHA-256 of the imported row, by which an unchanged one is known."""
    score: float | None = Field(None, exclude=True)
    """The text score, in search results only."""

    class Settings:
        name = "jobs"
        indexes = [
            IndexModel([("external_id", ASCENDING)], name="external_id", unique=True),
            IndexModel([("listed_at", DESCENDING), ("_id", DESCENDING)], name="listed"),
            IndexModel([("required_skills", ASCENDING)], name="required_skills"),
            IndexModel(
                [
                    ("posting.role_title", TEXT),
                    ("posting.company_name", TEXT),
                    ("posting.requirements", TEXT),
                    ("posting.description", TEXT),
                    ("location", TEXT),
                ],
                name="words",
                weights={"posting.role_title": 10, "posting.company_name": 4, "location": 3},
                default_language="none",
                # Postings have a field `language` of their own that MongoDB must not take for its.
                language_override="text_language",
            ),
            IndexModel([("company_key", ASCENDING)], name="company"),
        ]

    @classmethod
    async def by_ids(cls, ids: Sequence[UUID]) -> dict[UUID, Self]:
        """Those of the jobs that exist."""
        return {job.id: job async for job in cls.find({"_id": {"$in": list(ids)}})}

    @classmethod
    async def summaries(cls, ids: Sequence[UUID] | None = None) -> list[JobSummary]:
        """The jobs with these ids, or the whole catalogue, in short."""
        query: dict[str, Any] = {} if ids is None else {"_id": {"$in": list(ids)}}
        return await cls.find(query).project(JobSummary).to_list()

    @classmethod
    async def page(
        cls, filter: JobFilter, order: JobOrder, direction: Direction, request: PageRequest
    ) -> tuple[Page[Self], str]:
        """A page of the jobs that match, and the name of the order for its cursors.

        RELEVANCE sorts by text score, best first for -1; without a query it is the newest first.
        Raises InvalidInput for a bad cursor.
        """
        query = _query(filter)
        by_score = order is JobOrder.RELEVANCE and bool(filter.query)
        field = "score" if by_score else "listed_at"
        if order is JobOrder.RELEVANCE and not by_score:
            direction = -1
        sort = [(field, direction), ("_id", direction)]
        name = f"jobs/{field}/{direction}"
        rows = await cls._rows(query, sort, name, by_score, request)

        def key(job: Job) -> Key:
            return (job.score if by_score else job.listed_at, job.id)

        return page_of(rows, request, key, lambda: cls.find(query).count()), name

    @classmethod
    async def _rows(
        cls, query: dict[str, Any], sort: list[tuple[str, Direction]], order: str,
        by_score: bool, request: PageRequest,
    ) -> list[Self]:  # fmt: skip
        stages: list[dict[str, Any]] = [{"$match": query}]
        if by_score:
            stages.append({"$addFields": {"score": {"$meta": "textScore"}}})
        types = [float if by_score else datetime, UUID]
        for name, cursor in (("after", request.after), ("before", request.before)):
            if cursor is not None:
                key = decode_cursor(cursor, order, types, name)
                stages.append({"$match": keyset_filter(sort, key, after=name == "after")})
        sign = -1 if request.is_backward else 1
        stages += [
            {"$sort": {name: direction * sign for name, direction in sort}},
            {"$limit": request.size + 1},
        ]
        return await cls.aggregate(stages, projection_model=cls).to_list()

    @classmethod
    async def upsert_many(cls, jobs: Sequence[Self]) -> tuple[int, int]:
        """Insert new postings and change changed ones; how many of each."""
        writes = []
        for job in jobs:
            row = job.model_dump(by_alias=True, exclude={"revision_id"})
            new_only = {"_id": row.pop("_id"), "listed_at": row.pop("listed_at")}
            if job.posted_at is not None:
                row["listed_at"] = new_only.pop("listed_at")
            same = {"external_id": job.external_id}
            writes.append((same, row, new_only))
        return await cls._write_changed(writes)

    @classmethod
    async def _write_changed(
        cls, writes: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]
    ) -> tuple[int, int]:
        keys = [same["external_id"] for same, _, _ in writes]
        collection = cls.get_pymongo_collection()
        rows = collection.find({"external_id": {"$in": keys}}, {"external_id": 1, "digest": 1})
        known = {row["external_id"]: row["digest"] async for row in rows}
        operations = [
            UpdateOne(same, {"$set": row, "$setOnInsert": new_only}, upsert=True)
            for same, row, new_only in writes
            if known.get(same["external_id"]) != row["digest"]
        ]
        if not operations:
            return 0, 0
        result = await collection.bulk_write(operations, ordered=False)
        return result.upserted_count, result.modified_count


def listed_at(posted_at: datetime | None) -> datetime:
    """When a posting counts as listed."""
    return posted_at or now()


def company_key(name: str) -> str:
    """A company's name as it is compared."""
    return " ".join(name.split()).casefold()


def _query(filter: JobFilter) -> dict[str, Any]:
    query: dict[str, Any] = {}
    if filter.query:
        query["$text"] = {"$search": filter.query}
    if filter.skills:
        query["required_skills"] = {"$all": filter.skills}
    if filter.company_name is not None:
        query["company_key"] = company_key(filter.company_name)
    if filter.is_remote is not None:
        query["is_remote"] = filter.is_remote
    return query
