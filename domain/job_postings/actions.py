"""Filling the catalogue."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from domain.core.deps import Deps
from domain.job_postings.documents import Job, company_key, listed_at
from domain.job_postings.reading import BadRow, ReadPosting, Row
from domain.job_postings.rules import required_skills
from domain.skills.extraction import SkillExtractor

BATCH = 500


@dataclass(slots=True)
class ImportReport:
    """What an import did. `bad` rows were skipped."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    bad: list[BadRow] = field(default_factory=list)


async def import_postings(
    deps: Deps, rows: Iterable[Row], on_progress: Callable[[ImportReport], None]
) -> ImportReport:
    """Put postings into the catalogue; one that is there already is changed, or left as it is.

    Rows that cannot be read are reported and skipped. Reports after every 500 rows.
    """
    report, remaining = ImportReport(), iter(rows)
    while batch := await asyncio.to_thread(_next_batch, remaining):
        report.bad.extend(row for row in batch if isinstance(row, BadRow))
        good = {row.external_id: row for row in batch if isinstance(row, ReadPosting)}
        jobs = await asyncio.to_thread(_jobs, list(good.values()), deps.extractor)
        added, changed = await Job.upsert_many(jobs)
        report.added += added
        report.changed += changed
        report.unchanged += sum(isinstance(row, ReadPosting) for row in batch) - added - changed
        on_progress(report)
    return report


def _next_batch(rows: Iterator[Row]) -> list[Row]:
    return list(islice(rows, BATCH))


def _jobs(rows: list[ReadPosting], extractor: SkillExtractor) -> list[Job]:
    return [_job(row, extractor) for row in rows]


def _job(row: ReadPosting, extractor: SkillExtractor) -> Job:
    skills = required_skills(row.posting, extractor)
    return Job(
        external_id=row.external_id, posting=row.posting, required_skills=skills,
        company_key=company_key(row.posting.company_name), location=row.location,
        is_remote=row.is_remote, posted_at=row.posted_at, listed_at=listed_at(row.posted_at),
        digest=_digest(row, skills),
    )  # fmt: skip


def _digest(row: ReadPosting, skills: list[str]) -> str:
    """Of all that is stored, so that a better reading of the same row counts as a change."""
    stored = [row.posting.model_dump_json(), row.location, row.is_remote, row.posted_at, skills]
    return hashlib.sha256(repr(stored).encode()).hexdigest()
