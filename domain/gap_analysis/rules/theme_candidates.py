"""Questions about leading people, scale, papers, and requirements that no known skill covers."""

import re
from collections.abc import Iterator
from itertools import chain

from domain.core.levels import GapLevel
from domain.gap_analysis.rules.candidates import Candidate
from domain.gap_analysis.rules.evidence import content_words
from domain.gap_analysis.rules.phrases import Case
from domain.gap_analysis.rules.reading import Reading
from domain.job_postings.statements import ReadStatement, Section
from domain.skills.catalogue import SkillKind

_LONGEST_REQUIREMENT = 300
_SEASONED_MONTHS = 48

_LEADING_ASKED = re.compile(
    r"\b(?:lead|leading|manag(?:e|ing)|supervis(?:e|ing)|direct(?:ing)?)\s+(?:[\w-]+\s+){0,4}?"
    r"(?:teams?|people|staff|employees|crews?|groups?|nurses|engineers|developers|workers)\b"
    r"|\b(?:team|people|staff)\s+(?:lead|leader|leadership|management)\b|\bmentor|\bleadership\b"
    r"|(?:ניהול|הובלת|הנחיית|הדרכת|ריכוז)\s+(?:של\s+)?(?:צוות|עובדים|אנשים|משמר)|ראש צוות|חניכ",
    re.IGNORECASE,
)
_LEADING_STATED = re.compile(
    r"\b(?:led|lead|leading|managed|managing|supervised|supervising|headed|trained)\s+"
    r"(?:[\w-]+\s+){0,4}?(?:teams?|people|staff|employees|crews?|groups?|nurses|engineers|"
    r"developers|workers)\b|\bmentor|\bteam lead|\bhead of\b|\bforeman\b|\bsupervisor\b"
    r"|(?:ניהול|ניהלתי|ניהל|ניהלה|הובלת|הובלתי|הוביל|הובילה|הנחיית|הדרכת)\s+(?:של\s+)?"
    r"(?:צוות|עובדים|אנשים|משמר)|ראש צוות|חניכ|חנכתי|אחרא\w+ (?:על )?(?:צוות|משמר)",
    re.IGNORECASE,
)
_LEADING_SUGGESTED = re.compile(
    r"\b(?:senior|principal|chief|lead|shift|onboard\w*|training|coordinat\w+)\b"
    r"|בכיר|אחראי|הכשר|הדרכ|קליט|ריכוז|רכז",
    re.IGNORECASE,
)
_SCALE_ASKED = re.compile(
    r"\blarge[- ]scale\b|\bhigh[- ](?:traffic|volume|load|throughput|scale)\b|\bat scale\b"
    r"|\b(?:millions|thousands|hundreds) of\b|\bbudgets? of\b|\bhigh[- ]capacity\b"
    r"|היקפים? (?:גדול|גדולים|נרחב)|קנה מידה|עומסים|מיליוני|אלפי|מאות|תקציב של",
    re.IGNORECASE,
)
_SCALE_STATED = re.compile(
    r"(?<![\d,.])\d[\d,.]{0,15}[\s+]{0,3}(?:k|m|million|thousand|users|customers|clients|patients|beds|students|"
    r"pupils|employees|people|guests|meals|covers|orders|requests|servers|invoices|units|accounts|"
    r"לקוחות|משתמשים|מטופלים|מיטות|תלמידים|עובדים|מנות|סועדים|הזמנות|חשבוניות|מיליון|אלף)\b"
    r"|\b(?:millions|thousands|hundreds) of\b|\blarge[- ]scale\b|\bhigh[- ](?:traffic|volume)\b"
    r"|מיליוני|אלפי|מאות",
    re.IGNORECASE,
)
_PAPERS = re.compile(
    r"\bcertifi(?:ed|cates?|cations?)\b|\blicen[cs](?:e|es|ed|ure)\b|\bregistered\b"
    r"|\bregistration\b|רי?שיון|תעוד[תה]|הסמכה|מוסמכ?[תךם]?\b|רישום ב",
    re.IGNORECASE,
)
_DEGREE = re.compile(
    r"\b(?:degree|diploma|bachelor|master|b\.?sc|b\.?a|m\.?sc|ph\.?d)\b|תואר|דיפלומה", re.IGNORECASE
)


def leading_candidates(reading: Reading) -> Iterator[Candidate]:
    """Leading people, suggested by rank or by years at work."""
    if _LEADING_STATED.search(reading.evidence.text):
        return
    level = _likely_led(reading)
    for part in _asking(reading, _LEADING_ASKED):
        if level is not None:
            yield reading.candidate(Case.LEADING, part, level)


def _likely_led(reading: Reading) -> GapLevel | None:
    positions = reading.evidence.positions
    if any(_LEADING_SUGGESTED.search(held.text) for held in positions):
        return GapLevel.HIGH
    months = reading.evidence.months(positions) or 0
    return GapLevel.MEDIUM if months >= _SEASONED_MONTHS else None


def scale_candidates(reading: Reading) -> Iterator[Candidate]:
    """Size of what was handled, where the same kind of work is told without figures."""
    if not reading.similar or _SCALE_STATED.search(reading.evidence.text):
        return
    for part in _asking(reading, _SCALE_ASKED):
        yield reading.candidate(Case.SCALE, part, GapLevel.MEDIUM)


def paper_candidates(reading: Reading) -> Iterator[Candidate]:
    """A certificate or licence that the same kind of work commonly takes."""
    if not reading.similar:
        return
    shown = [*reading.request.cv.certifications, *_lines_with(_PAPERS, reading.evidence.text)]
    for part in _asking(reading, _PAPERS):
        if not _is_among(part, shown, reading):
            yield reading.candidate(Case.CERTIFICATE, part, GapLevel.HIGH)


def _is_among(part: ReadStatement, shown: list[str], reading: Reading) -> bool:
    # Words of two languages cannot be compared, so any paper may then be the one asked for.
    if reading.request.cv.language is not reading.request.posting.language:
        return bool(shown)
    asked = content_words(part.text) - content_words("certified certificate license licence valid")
    return not asked.isdisjoint(chain.from_iterable(content_words(paper) for paper in shown))


def _lines_with(pattern: re.Pattern[str], text: str) -> list[str]:
    return [line for line in text.splitlines() if pattern.search(line)]


def _asking(reading: Reading, pattern: re.Pattern[str]) -> Iterator[ReadStatement]:
    for part in reading.parts:
        if part.statement.section is not Section.TITLE and pattern.search(part.text):
            yield part


def near_requirement_candidates(reading: Reading) -> Iterator[Candidate]:
    """Requirements without a known skill that share words with the CV, but not nearly all.

    MEDIUM when half of their telling words are in the CV, LOW from three in ten.
    """
    for part in reading.parts:
        if not _is_plain_requirement(reading, part):
            continue
        words = content_words(part.text)
        shared = words & reading.evidence.words
        if len(shared) >= 2 and 3 * len(words) <= 10 * len(shared) < 8 * len(words):
            level = GapLevel.MEDIUM if 2 * len(shared) >= len(words) else GapLevel.LOW
            yield reading.candidate(Case.REQUIREMENT, part, level)


def _is_plain_requirement(reading: Reading, part: ReadStatement) -> bool:
    section = part.statement.section
    is_requirement = part.statement.is_requirement or (
        section is Section.DESCRIPTION and not reading.request.posting.requirements
    )
    names_skill = any(
        reading.catalogue[mention.skill_id].kind is not SkillKind.GENERAL
        for mention in part.mentions
    )
    has_own_rule = any(
        p.search(part.text) for p in (_LEADING_ASKED, _SCALE_ASKED, _PAPERS, _DEGREE)
    )
    is_short = len(part.text) <= _LONGEST_REQUIREMENT
    return is_requirement and is_short and not names_skill and not has_own_rule
