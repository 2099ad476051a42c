"""How well a job fits a person, and why."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from domain.core.language import Language
from domain.job_postings.documents import JobSummary

# What each part counts for. Skills decide; a title that fits says more than where the work is.
WEIGHTS = {"skills": 0.55, "title": 0.25, "place": 0.1, "language": 0.1}

# A posting that names one skill says less about fit than one that names six.
FEWEST_SKILLS = 3
COMMON_SKILL = 0.25
"""What a skill that most people share, such as English or teamwork, counts for beside one that is
of the job's own."""
UNKNOWN = 0.5
"""The value of a part that neither side says anything about."""
TITLE_FLOOR = 55.0
"""rapidfuzz ratio at or below which two titles have nothing in common."""
MOST_ROLES = 50
"""How many of a person's roles are compared with titles; a CV of a long life names twenty."""
TITLE_CHARACTERS = 200
"""How much of a role or a title is compared."""


@dataclass(frozen=True)
class Candidate:
    """What ranking knows about a person. What all jobs are held against is prepared once."""

    skills: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    """Roles wanted, then roles held."""
    location: str | None = None
    prefers_remote: bool | None = None
    languages: frozenset[Language] = frozenset()

    @cached_property
    def owned(self) -> frozenset[str]:
        return frozenset(self.skills)

    @cached_property
    def compared_roles(self) -> tuple[str, ...]:
        return tuple(_compared(role) for role in self.roles)

    @cached_property
    def place_words(self) -> frozenset[str]:
        return _words(self.location or "")


class ReasonKind(StrEnum):
    SKILLS = "SKILLS"
    TITLE = "TITLE"
    REMOTE = "REMOTE"
    LOCATION = "LOCATION"
    LANGUAGE = "LANGUAGE"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a job fits, in data. `values` are skill ids for SKILLS, else what was compared."""

    kind: ReasonKind
    weight: float
    values: tuple[str, ...] = ()
    total: int = 0
    """For SKILLS, how many are required."""


@dataclass(frozen=True, slots=True)
class Match:
    """A job's score, 0 to 1 in thousandths, and what it rests on, weightiest first."""

    score: float
    reasons: tuple[Reason, ...]


def match(
    candidate: Candidate, job: JobSummary, common_skills: Container[str] = frozenset()
) -> Match:
    """Hold a job against a person: the weighted sum of four parts, each 0 to 1.

    `common_skills` are the ids of those that count for less (see COMMON_SKILL).
    """
    skills, matched = _skills_part(candidate, job, common_skills)
    title, role = _title_part(candidate, job)
    place, place_reason = _place_part(candidate, job)
    language = _language_part(candidate, job)
    parts = {"skills": skills, "title": title, "place": place, "language": language}
    reasons = [
        Reason(ReasonKind.SKILLS, WEIGHTS["skills"] * skills, matched, len(job.required_skills)),
        Reason(ReasonKind.TITLE, WEIGHTS["title"] * title, (role,) if role else ()),
    ]
    if place_reason is not None:
        where = (job.location,) if job.location else ()
        reasons.append(Reason(place_reason, WEIGHTS["place"] * place, where))
    if job.language in candidate.languages:
        reasons.append(Reason(ReasonKind.LANGUAGE, WEIGHTS["language"], (job.language.value,)))
    told = [reason for reason in reasons if reason.weight > 0]
    told.sort(key=lambda reason: -reason.weight)
    return Match(round(sum(WEIGHTS[name] * part for name, part in parts.items()), 3), tuple(told))


def _skills_part(
    candidate: Candidate, job: JobSummary, common: Container[str]
) -> tuple[float, tuple[str, ...]]:
    matched = tuple(skill for skill in job.required_skills if skill in candidate.owned)
    required = _worth(job.required_skills, common)
    return _worth(matched, common) / max(required, FEWEST_SKILLS), matched


def _worth(skills: Sequence[str], common: Container[str]) -> float:
    return sum(COMMON_SKILL if skill in common else 1.0 for skill in skills)


def _title_part(candidate: Candidate, job: JobSummary) -> tuple[float, str | None]:
    # Of equally near roles, this takes the first.
    found = process.extractOne(
        _compared(job.role_title), candidate.compared_roles, scorer=fuzz.token_set_ratio,
        score_cutoff=TITLE_FLOOR,
    )  # fmt: skip
    if found is None or found[1] <= TITLE_FLOOR:
        return 0.0, None
    _, best, index = found
    return (best - TITLE_FLOOR) / (100.0 - TITLE_FLOOR), candidate.roles[index]


def distinct_roles(roles: Iterable[str]) -> tuple[str, ...]:
    """The first MOST_ROLES of the roles, each once however it is written."""
    found: dict[str, str] = {}
    for role in roles:
        found.setdefault(_compared(role), role)
        if len(found) == MOST_ROLES:
            break
    return tuple(found.values())


def _compared(title: str) -> str:
    """A title without case and punctuation: "Nurse, Intensive Care" names a nurse."""
    return default_process(title[:TITLE_CHARACTERS])


def _place_part(candidate: Candidate, job: JobSummary) -> tuple[float, ReasonKind | None]:
    if job.is_remote and candidate.prefers_remote is not False:
        return (1.0 if candidate.prefers_remote else 0.75), ReasonKind.REMOTE
    if candidate.location and job.location:
        if candidate.place_words & _words(job.location):
            return 1.0, ReasonKind.LOCATION
        return 0.0, None
    return UNKNOWN, None


def _language_part(candidate: Candidate, job: JobSummary) -> float:
    if not candidate.languages:
        return UNKNOWN
    return 1.0 if job.language in candidate.languages else 0.0


def _words(place: str) -> frozenset[str]:
    words = place.casefold().replace(",", " ").split()
    return frozenset(word for word in words if len(word) > 2)


def languages_spoken(texts: Sequence[str]) -> frozenset[Language]:
    """The languages of this server among spoken languages as CVs write them."""
    spoken = " ".join(texts).casefold()
    names = {Language.EN: ("english", "אנגלית"), Language.HE: ("hebrew", "עברית")}
    return frozenset(tag for tag, words in names.items() if any(word in spoken for word in words))
