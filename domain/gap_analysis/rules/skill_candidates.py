"""Questions about skills that a posting names and a CV suggests without stating."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from domain.core.language import Language
from domain.core.levels import GapLevel
from domain.gap_analysis.rules.candidates import Candidate, evidence_phrase, shown_name
from domain.gap_analysis.rules.evidence import Evidence
from domain.gap_analysis.rules.phrases import Case
from domain.gap_analysis.rules.reading import Reading
from domain.gap_analysis.rules.relations import Relations, Support
from domain.gap_analysis.rules.scoring import TENTHS
from domain.job_postings.statements import ReadStatement, Section
from domain.skills.catalogue import Catalogue, SkillKind
from domain.skills.extraction import SkillMention

_BETWEEN_ALTERNATIVES = re.compile(r"\s?(?:,|/|\||,?\s?\bor\b|,?\s?\bאו\b)\s?", re.IGNORECASE)
_CHOICE = re.compile(r"/|\||\bor\b|\bאו\b", re.IGNORECASE)
_HEBREW = re.compile("[\u05d0-\u05ea]")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A missing skill with the weightiest place that asks for it."""

    skill: str
    impact: GapLevel
    place: int
    is_in_hebrew: bool


def skill_candidates(reading: Reading) -> Iterator[Candidate]:
    """A candidate for every missing skill that the CV suggests, in the posting's order.

    Spoken languages have rules of their own.
    """
    relations = Relations(reading.catalogue)
    for asked in _missing(reading.parts, reading.evidence, reading.catalogue):
        support = relations.support(asked.skill, reading.evidence, reading.similar)
        if support is not None:
            yield _candidate(asked, support, reading.catalogue, reading.language)


def _candidate(
    asked: _Asked, support: Support, catalogue: Catalogue, language: Language
) -> Candidate:
    topic = shown_name(catalogue[asked.skill], language, is_written_in_hebrew=asked.is_in_hebrew)
    return Candidate(
        case=Case.SKILL_FROM_SKILLS if support.skills else Case.SKILL_FROM_ROLE,
        impact=asked.impact,
        probability=support.probability,
        place=asked.place,
        skill=asked.skill,
        values={
            "topic": topic,
            "evidence": evidence_phrase(support.skills, support.position, catalogue, language),
        },
    )


def _missing(
    parts: list[ReadStatement], evidence: Evidence, catalogue: Catalogue
) -> Iterable[_Asked]:
    known = evidence.denied.union(evidence.stated)
    missing: dict[str, _Asked] = {}
    for part in parts:
        for mention in _open_mentions(part, known):
            if not _is_askable(part, catalogue[mention.skill_id].kind):
                continue
            before = missing.get(mention.skill_id)
            impact = part.statement.impact
            missing[mention.skill_id] = _Asked(
                skill=mention.skill_id,
                impact=max(impact, before.impact, key=TENTHS.__getitem__) if before else impact,
                place=before.place if before else part.place,
                is_in_hebrew=bool(_HEBREW.search(part.text[mention.start : mention.end])),
            )
    return missing.values()


def _is_askable(part: ReadStatement, kind: SkillKind) -> bool:
    # A title names the trade itself ("nurse"), or a product that the work is done with.
    if part.statement.section is Section.TITLE:
        return kind is SkillKind.TECHNICAL
    return kind is not SkillKind.LANGUAGE


def _open_mentions(part: ReadStatement, known: frozenset[str]) -> Iterator[SkillMention]:
    """Mentions of unknown skills, save those offered as an alternative to a known one."""
    for group in _alternatives(part):
        if not any(mention.skill_id in known for mention in group):
            yield from group


def _alternatives(part: ReadStatement) -> Iterator[list[SkillMention]]:
    """The skills that a statement asks for: each alone, or as a list of which one is enough."""
    asked = [mention for mention in part.mentions if not mention.is_negated]
    run: list[SkillMention] = []
    for mention in asked:
        if run and not _BETWEEN_ALTERNATIVES.fullmatch(part.text[run[-1].end : mention.start]):
            yield from _split(run, part.text)
            run = []
        run.append(mention)
    yield from _split(run, part.text)


def _split(run: list[SkillMention], text: str) -> Iterator[list[SkillMention]]:
    gaps = (text[before.end : after.start] for before, after in pairwise(run))
    if any(_CHOICE.search(gap) for gap in gaps):
        yield run
    else:
        yield from ([mention] for mention in run)
