"""Which of an analyst's drafts become questions, and in what order they are shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Protocol, TypeVar

from domain.core.levels import GapLevel
from domain.gap_analysis.analyst import AnalysisRequest, DraftQuestion
from domain.gap_analysis.rules.scoring import TENTHS, gap_score
from domain.gap_analysis.rules.wording import (
    MAX_QUESTION_CHARS,
    carries_address_or_markup,
    cleaned,
    folded,
    host_names,
    is_in_language,
    names_literally,
)
from domain.job_postings.statements import ReadStatement, read_statements
from domain.skills.catalogue import Catalogue, SkillKind
from domain.skills.extraction import SkillExtractor


@dataclass(frozen=True, slots=True)
class ScreenedQuestion:
    """A draft that became a question."""

    question: str
    impact: GapLevel
    probability: GapLevel
    skill: str | None
    """The id of the canonical skill; the name as given where the catalogue has none."""
    position: int
    """Where the posting names the skill: see `posting_order`."""

    @property
    def gap_score(self) -> float:
        """Priority between 0 and 1."""
        return gap_score(self.impact, self.probability)


class Screen:
    """Decides draft by draft, in arrival order, so that an accepted question stays accepted.

    Refused are: a question after the first `most`; a blank one, one over 400 characters, in the
    other language's script, or holding an address or markup; a repetition (same skill, or same
    words after folding); a skill, given or named in the question's words, that neither the CV nor
    the posting names; and a skill that the CV states, since no answer would close a gap. How deep
    or long a stated skill goes is asked with `skill` None. A skill that the CV only denies ("no
    experience with Docker") is not stated.

    Control characters and Markdown emphasis are removed rather than refused. A broader name of
    something found ("databases" beside PostgreSQL) is no foreign skill in a question's words, nor
    is a general skill such as planning, whose names are everyday words.
    """

    def __init__(
        self,
        request: AnalysisRequest,
        catalogue: Catalogue,
        extractor: SkillExtractor,
        most: int,
    ) -> None:
        self._most = most
        self._language = request.language
        self._catalogue = catalogue
        self._extractor = extractor
        self._cv_text = request.cv_text
        self._posting = read_statements(request.posting, extractor)
        self._posting_text = "\n".join(part.text for part in self._posting)
        self._company = request.posting.company_name.casefold()
        mentions = extractor.mentions(request.cv_text)
        self._stated = {m.skill_id for m in mentions if not m.is_negated} | set(request.cv.skills)
        self._found = self._stated | {m.skill_id for m in mentions} | _named(self._posting)
        company = {m.skill_id for m in extractor.mentions(request.posting.company_name)}
        self._nameable = self._found.union(
            company, *(catalogue.ancestors(skill) for skill in self._found if skill in catalogue)
        )
        self._seen: set[str] = set()
        self._accepted = 0

    @property
    def is_full(self) -> bool:
        """Whether no further draft can be accepted."""
        return self._accepted >= self._most

    def accept(self, draft: DraftQuestion) -> ScreenedQuestion | None:
        """The question that `draft` becomes, or None where it is refused."""
        question = cleaned(draft.question)
        given = cleaned(draft.skill or "") or None
        skill = self._extractor.canonical(given) or given if given else None
        keys = {f"question {folded(question)}"} | ({f"skill {folded(skill)}"} if skill else set())
        if (
            self.is_full
            or keys & self._seen
            or not self._is_well_worded(question)
            or (skill is not None and not self._is_open(skill))
        ):
            return None
        self._seen |= keys
        self._accepted += 1
        return ScreenedQuestion(
            question=question,
            impact=draft.impact,
            probability=draft.probability,
            skill=skill,
            position=posting_order(skill, self._posting),
        )

    def _is_well_worded(self, question: str) -> bool:
        return (
            bool(folded(question))
            and len(question) <= MAX_QUESTION_CHARS
            and is_in_language(question, self._language)
            and not carries_address_or_markup(question)
            and all(self._is_known_host(host) for host in host_names(question))
            and all(self._is_nameable(skill) for skill in self._extractor.skills(question))
        )

    def _is_open(self, skill: str) -> bool:
        """Whether the CV or the posting names `skill`, and the CV does not state it."""
        if skill in self._catalogue:
            return skill in self._found and skill not in self._stated
        return names_literally(self._posting_text, skill) and not names_literally(
            self._cv_text, skill
        )

    def _is_nameable(self, skill: str) -> bool:
        return skill in self._nameable or self._catalogue[skill].kind is SkillKind.GENERAL

    def _is_known_host(self, host: str) -> bool:
        if host in self._catalogue.id_by_label:
            return True
        sources = (self._company, self._posting_text, self._cv_text)
        return any(names_literally(source, host) for source in sources)


def _named(posting: list[ReadStatement]) -> set[str]:
    """Every skill that the posting names, even in a negated way."""
    return {mention.skill_id for part in posting for mention in part.mentions}


def posting_order(skill: str | None, posting: list[ReadStatement]) -> int:
    """Where a posting first names `skill`, counted in its statements from 0.

    `skill` is a canonical id, or a name that the catalogue lacks. Requirements come first, then
    responsibilities, the description, the nice-to-haves and the title; a skill that is not named,
    or None, comes after all of them.
    """
    if skill is None:
        return len(posting)
    named = (part.place for part in posting if skill in {m.skill_id for m in part.mentions})
    spelled = (part.place for part in posting if names_literally(part.text, skill))
    return next(chain(named, spelled), len(posting))


class Rankable(Protocol):
    """What the order of questions depends on."""

    @property
    def impact(self) -> GapLevel: ...

    @property
    def gap_score(self) -> float: ...

    @property
    def position(self) -> int: ...


RankableT = TypeVar("RankableT", bound=Rankable)


def ranked(questions: Iterable[RankableT]) -> list[RankableT]:
    """By score, then impact, both descending, then the posting's order; equals as they came."""
    return sorted(questions, key=_sort_key)


def _sort_key(question: Rankable) -> tuple[float, int, int]:
    return (-question.gap_score, -TENTHS[question.impact], question.position)
