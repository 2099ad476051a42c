"""Filling the catalogue: adding, changing, leaving alone, and what each posting requires."""

import asyncio
import json
from importlib.resources import files
from typing import Any

import pytest

from domain.core.deps import Deps
from domain.job_postings.actions import BATCH, ImportReport, import_postings
from domain.job_postings.documents import Job
from domain.job_postings.reading import read_rows

SEED = files("domain.job_postings").joinpath("seed.jsonl").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
async def _empty_catalogue(deps: Deps) -> None:
    await Job.delete_all()


async def put_in(deps: Deps, text: str) -> ImportReport:
    return await import_postings(deps, read_rows(text), lambda _report: None)


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, len(report.bad)


def row(title: str = "Tester", **values: Any) -> str:
    return json.dumps({"companyName": "Acme", "roleTitle": title, **values})


async def test_the_seed_is_added_once(deps: Deps) -> None:
    first = await put_in(deps, SEED)
    before = await Job.find().sort("_id").to_list()
    second = await put_in(deps, SEED)
    after = await Job.find().sort("_id").to_list()

    assert counts(first) == (64, 0, 0, 0)
    assert counts(second) == (0, 0, 64, 0)
    assert before == after
    assert all(job.required_skills for job in after)
    assert sum(job.posting.language == "he" for job in after) >= 10


async def test_a_changed_row_changes_its_posting_in_place(deps: Deps) -> None:
    url = "https://example.com/jobs/1"
    await put_in(deps, row(sourceUrl=url, requirements=["Python"]) + "\n" + row("Other"))
    [before] = await Job.find({"posting.source_url": url}).to_list()

    report = await put_in(
        deps, row(sourceUrl=url, requirements=["Python", "Docker"]) + "\n" + row("Other")
    )

    assert counts(report) == (0, 1, 1, 0)
    [after] = await Job.find({"posting.source_url": url}).to_list()
    assert after.id == before.id
    assert after.listed_at == before.listed_at
    assert (before.required_skills, after.required_skills) == (["python"], ["python", "docker"])
    assert await Job.find().count() == 2


async def test_bad_rows_are_reported_by_line_and_good_ones_kept(deps: Deps) -> None:
    lines = [row("One"), "{broken", row(""), '"text"', row("Two"), json.dumps({"roleTitle": "x"})]

    report = await put_in(deps, "\n".join(lines))

    assert (report.added, report.changed, report.unchanged) == (2, 0, 0)
    assert [bad.line for bad in report.bad] == [2, 3, 4, 6]
    assert all(bad.reason for bad in report.bad)
    assert {job.posting.role_title async for job in Job.find()} == {"One", "Two"}


async def test_a_row_given_twice_is_one_posting(deps: Deps) -> None:
    report = await put_in(deps, row() + "\n" + row())

    assert (report.added, report.changed, report.unchanged) == (1, 0, 1)
    assert await Job.find().count() == 1


async def test_imports_at_the_same_time_add_each_posting_once(deps: Deps) -> None:
    reports = await asyncio.gather(*(put_in(deps, SEED) for _ in range(3)))

    assert sum(report.added for report in reports) == 64
    assert await Job.find().count() == 64


async def test_progress_is_reported_after_each_batch(deps: Deps) -> None:
    rows = "\n".join(row(f"Role {number}") for number in range(BATCH + 1))
    seen: list[int] = []

    await import_postings(deps, read_rows(rows), lambda report: seen.append(report.added))

    assert seen == [BATCH, BATCH + 1]


REQUIRED = {
    "Backend Engineer (Python)": {"python", "fastapi", "postgresql", "docker", "kubernetes"},
    "Java Backend Developer": {"java", "spring-boot", "kafka", "docker"},
    "Warehouse Team Leader": {"forklift-operation", "warehouse-work", "english"},
    "Electrician": {"electrical-work", "solar-installation"},
    "Registered Nurse, Intensive Care": {"nursing", "medication-administration"},
    "Senior Accountant": {"accounting", "financial-reporting"},
    "Heat Pump Installer": {"plumbing", "hvac", "soldering"},
    "מנהל/ת חשבונות": {"bookkeeping", "account-reconciliation"},
    "חשמלאי/ת מוסמך/ת": {"electrical-work", "industrial-electrics"},
}
NOT_REQUIRED = {
    "Java Backend Developer": {"javascript"},
    "Warehouse Team Leader": {"dutch"},
    "Supply Chain Planner": {"mandarin"},
    "Heat Pump Installer": {"electronics-repair"},
}


async def test_postings_require_what_they_say(deps: Deps) -> None:
    await put_in(deps, SEED)
    required = {job.posting.role_title: {*job.required_skills} async for job in Job.find()}

    for title, skills in REQUIRED.items():
        assert skills <= required[title], title
    for title, skills in NOT_REQUIRED.items():
        assert not skills & required[title], title
    known = set(deps.catalogue)
    assert all(skills <= known for skills in required.values())
