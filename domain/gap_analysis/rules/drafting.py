"""The built-in analyst's questions, made by rules alone."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from itertools import chain, islice

from domain.gap_analysis.analyst import AnalysisRequest, DraftQuestion
from domain.gap_analysis.rules.candidates import Candidate
from domain.gap_analysis.rules.language_candidates import language_candidates
from domain.gap_analysis.rules.phrases import Case, phrase
from domain.gap_analysis.rules.reading import Reading, read
from domain.gap_analysis.rules.scoring import TENTHS, gap_score
from domain.gap_analysis.rules.screening import Screen
from domain.gap_analysis.rules.skill_candidates import skill_candidates
from domain.gap_analysis.rules.theme_candidates import (
    leading_candidates,
    near_requirement_candidates,
    paper_candidates,
    scale_candidates,
)
from domain.gap_analysis.rules.year_candidates import year_candidates
from domain.skills.catalogue import Catalogue
from domain.skills.extraction import SkillExtractor

MOST_DRAFTS = 5
# One posting line of these kinds is enough: a second would ask the same again.
_ONCE = (year_candidates, leading_candidates, scale_candidates, paper_candidates)


def draft_questions(
    request: AnalysisRequest, catalogue: Catalogue, extractor: SkillExtractor, today: date
) -> list[DraftQuestion]:
    """At most five questions about what the CV suggests but does not state, best first.

    Best is the higher gap score, then impact, then the posting's order. All of them pass the
    screen that a model's questions go through. `today` ends the positions that are current.
    """
    screen = Screen(request, catalogue, extractor, MOST_DRAFTS)
    found = sorted(_candidates(read(request, catalogue, extractor, today)), key=_rank)
    turns: Counter[Case] = Counter()
    drafts: list[DraftQuestion] = []
    for candidate in found:
        draft = _worded(candidate, request, turns[candidate.case])
        if draft and screen.accept(draft):
            turns[candidate.case] += 1
            drafts.append(draft)
    return drafts


def _candidates(reading: Reading) -> Iterable[Candidate]:
    return chain(
        skill_candidates(reading),
        language_candidates(reading),
        *(islice(rule(reading), 1) for rule in _ONCE),
        near_requirement_candidates(reading),
    )


def _rank(candidate: Candidate) -> tuple[float, int, int]:
    score = gap_score(candidate.impact, candidate.probability)
    return (-score, -TENTHS[candidate.impact], candidate.place)


def _worded(candidate: Candidate, request: AnalysisRequest, turn: int) -> DraftQuestion | None:
    question = phrase(candidate.case, request.language, turn, candidate.values)
    if question is None:  # a name or quote of the CV or the posting was unfit to repeat
        return None
    return DraftQuestion(
        question=question,
        impact=candidate.impact,
        probability=candidate.probability,
        skill=candidate.skill,
    )
