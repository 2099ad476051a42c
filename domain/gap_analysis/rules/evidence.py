"""What a CV has to show, as the built-in analyst reads it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from domain.cv.parsing.parsed_cv import Experience
from domain.gap_analysis.analyst import AnalysisRequest
from domain.gap_analysis.rules.tenure import months_held
from domain.gap_analysis.rules.vocabulary import common_words
from domain.gap_analysis.rules.wording import carries_address_or_markup, cleaned, host_names
from domain.skills.extraction import SkillExtractor

_LONGEST_QUOTE = 90
_LONGEST_NAME = 40
_WORD = re.compile(r"[^\W\d_]{3,}(?:['’׳״\"-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Position:
    """A position of the CV with what is named in it."""

    held: Experience
    label: str
    """Role and company, ready to quote; empty when the CV has nothing quotable."""
    text: str
    skills: frozenset[str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A CV's skills, positions and words. All skill sets hold ids of canonical skills."""

    stated: tuple[str, ...]
    denied: frozenset[str]
    """Named only to say that they are lacking."""
    positions: tuple[Position, ...]
    words: frozenset[str]
    text: str
    today: date

    def months(self, positions: Iterable[Position]) -> int | None:
        """Months covered by these positions, None when none of them is dated."""
        return months_held((position.held for position in positions), self.today)


def read_evidence(request: AnalysisRequest, extractor: SkillExtractor, today: date) -> Evidence:
    """What the CV of `request` shows on the day `today`."""
    cv = request.cv
    mentions = extractor.mentions(request.cv_text)
    named = [mention.skill_id for mention in mentions if not mention.is_negated]
    positions = tuple(_position(held, extractor) for held in cv.experience)
    in_positions = [skill for position in positions for skill in sorted(position.skills)]
    listed = extractor.skills("\n".join([*cv.certifications, *cv.languages]))
    stated = tuple(dict.fromkeys([*cv.skills, *named, *in_positions, *listed]))
    return Evidence(
        stated=stated,
        denied=frozenset(m.skill_id for m in mentions if m.is_negated) - set(stated),
        positions=positions,
        words=content_words("\n".join([request.cv_text, *(p.text for p in positions)])),
        text=request.cv_text,
        today=today,
    )


def _position(held: Experience, extractor: SkillExtractor) -> Position:
    text = "\n".join(part for part in (held.role, held.company, held.description) if part)
    names = [quotable(part or "", _LONGEST_NAME) for part in (held.role, held.company)]
    return Position(
        held=held,
        label=", ".join(name for name in names if name),
        text=text,
        skills=frozenset([*held.technologies, *extractor.skills(text)]),
    )


def quotable(text: str, limit: int = _LONGEST_QUOTE) -> str:
    """`text` cleaned and cut to `limit` characters at a word; empty when unfit for a question."""
    # Cut first: some of the patterns are slow on a megabyte without a space.
    bare = cleaned(text[: 4 * limit]).strip(" .,;:-–—•*")
    if carries_address_or_markup(bare) or host_names(bare):
        return ""
    if len(bare) <= limit:
        return bare
    head, _, _ = bare[: limit - 1].rpartition(" ")
    return f"{head.rstrip(' .,;:-–—')}…" if head else ""


def content_words(text: str) -> frozenset[str]:
    """Stems of the words that tell something, for comparing texts of one language."""
    words = (match.group().casefold() for match in _WORD.finditer(text))
    return frozenset(_stem(word) for word in set(words) if word not in common_words())


def _stem(word: str) -> str:
    if "\u05d0" <= word[0] <= "\u05ea":
        # Hebrew joins short words (and, in, the, to, from, that, as) to the next one.
        bare = word[1:] if len(word) > 4 and word[0] in "ובהלמשכ" else word
        return re.sub("(?:ים|ות|ית|י|ה|ת)$", "", bare) if len(bare) > 4 else bare
    return re.sub(r"(?:ations?|ings?|ers?|ed|es|s|ment)$", "", word) if len(word) > 5 else word
