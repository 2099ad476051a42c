"""Demo data for a first run."""

import contextlib
from dataclasses import dataclass
from importlib.resources import files
from uuid import UUID

from cli.local.polling import until
from cli.tokens import issue
from domain.core.deps import Deps
from domain.core.pagination import PageRequest
from domain.cv.actions import create_cv
from domain.cv.documents import CV
from domain.job_postings.actions import import_postings
from domain.job_postings.documents import Job
from domain.job_postings.reading import read_rows
from domain.profile.actions import ProfileChange, ensure_user, update_profile

DEMO_EMAIL = "dana@example.com"
_READ_SECONDS = 10.0
_DATA = files("domain.job_postings")


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo user's token, and their newest CV if they have one."""

    token: str
    cv_id: UUID | None


async def ensure_demo(deps: Deps, *, with_seed: bool) -> Demo:
    """The demo user; with `with_seed`, postings and a CV too where there are none yet."""
    user = await ensure_user(DEMO_EMAIL)
    if with_seed:
        if not await Job.find_one():
            await _seed_jobs(deps)
        if not await _newest_cv(user.id):
            await _seed_person(deps, user.id)
    return Demo(await issue(deps, user), await _newest_cv(user.id))


async def wait_until_read(cv_id: UUID) -> None:
    """Returns when a worker has read the CV, or after 10 s: a newcomer's first query shows it."""

    async def is_read() -> bool:
        cv = await CV.get(cv_id)
        return cv is None or cv.status.is_final

    with contextlib.suppress(TimeoutError):
        await until(is_read, timeout=_READ_SECONDS)


async def _seed_jobs(deps: Deps) -> None:
    text = _DATA.joinpath("seed.jsonl").read_text(encoding="utf-8")
    await import_postings(deps, read_rows(text), lambda _report: None)


async def _seed_person(deps: Deps, user_id: UUID) -> None:
    change = ProfileChange(
        {"name": "Dana Levi", "location": "Tel Aviv", "target_roles": ["Backend Developer"]}
    )
    await update_profile(deps, user_id, change)
    text = _DATA.joinpath("seed_cv.md").read_text(encoding="utf-8")
    await create_cv(deps, user_id, text, "Dana Levi, backend developer", None)


async def _newest_cv(user_id: UUID) -> UUID | None:
    page = await CV.page(user_id, PageRequest(size=1))
    return page.rows[0].id if page.rows else None
