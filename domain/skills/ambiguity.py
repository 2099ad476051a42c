"""Telling a skill's name from the everyday word that is spelled the same.

A name with another meaning is accepted by itself where the words around it or its capital say
so, and otherwise only in the company of accepted skills: in a list with them, or right beside one.
"""

import re
from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from domain.skills.ambiguous_words import (
    ACRONYMS,
    COMMON_WORDS,
    NAMED_TECHNOLOGY_AFTER,
    NOT_AFTER,
    NOT_BEFORE,
    PLAIN_NOUNS,
    PLAIN_TWO_LETTER,
    SKILL_BEFORE,
    TECHNOLOGY_AFTER,
    TECHNOLOGY_BEFORE,
    TERSE,
)
from domain.skills.boundaries import HEBREW_PREFIXES, hebrew_prefix, is_hebrew
from domain.skills.catalogue import SkillKind
from domain.skills.folding import FoldedText


class Sense(Enum):
    PLAIN = auto()
    ACRONYM = auto()
    COMMON_WORD = auto()
    TERSE = auto()


class Form(NamedTuple):
    """One spelling of a skill, as the automaton knows it."""

    text: str
    skill_id: str
    kind: SkillKind
    sense: Sense


class Candidate(NamedTuple):
    """A bounded place in folded text where a form stands."""

    start: int
    end: int
    form: Form


class Verdict(Enum):
    REJECTED = auto()
    ACCEPTED = auto()
    NEEDS_COMPANY = auto()  # in a list with a skill, or right beside one
    NEEDS_LIST = auto()  # in a list, with nothing else between its separators


# A text with more ambiguous names than this is noise (a CV has some dozens), and judging one costs
# far more than finding it.
MOST_JUDGED = 20_000
_UNDECIDED = (Verdict.NEEDS_COMPANY, Verdict.NEEDS_LIST)
_TWO_LETTERS = 2
_LONGEST_GAP = 24
_WORD_REACH = 24
_LIST_GAP = re.compile(
    r"\s*(?:v?\d{1,4}(?:\.\d{1,3})*\+?\s*)?[)\"'*]*\s*"
    r"(?:[,;/|&+\n•·●▪◦*-]\s*(?:(?:and|or|&|או|ו)\s+|[*•·●▪◦-]\s*)?"
    r"|(?<=\s)(?:and|or|nor|with|but also|as well as|או|וגם|ו|וב|ב)(?:[\s-]|$)\s*)[(\"'*]*\s*ו?"
)
_EDGE_RIGHT = re.compile(
    r"(?:\s*v?\d{1,2}(?:\.\d{1,3})*(?!\d))?[\"'*)]*\s*"
    r"(?:$|[,;:/|)&+\n•·●▪◦*!?-]|\.(?!\w)|(?:and|or|but|nor|או|אבל|אך)\b|ו)"
)
_PHRASE_END = re.compile(r"\s+(?:for|to|at|as|on|is|was|since|from|because|yet|though|however)\b")
_EDGE_LEFT = re.compile(r"(?:^|[,;:/|(&+\n•·●▪◦*-]|\b(?:and|or|או))\s*[\"'(*]*$")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;\n•·●▪◦*|-])\s*[\"'(*]*$")
_HEADER = re.compile(
    r"\b(?:skills|technologies|languages|tools|stack|software|programming|שפות|כישורים|מיומנויות"
    r"|טכנולוגיות|כלים|תוכנות|שפות תכנות)\s*:\s*$"
)
_WORD_AFTER = re.compile(r"[\s-]*([^\W\d_][\w'&]*)")
_WORD_BEFORE = re.compile(r"([^\W\d_][\w'&]*)[\s:-]*$")
_YEAR_AFTER = re.compile(r"\s*(?:19|20)\d\d\b")
_VERSION_AFTER = re.compile(r"\s?(?:v?\d{1,2}(?:\.\d{1,3})*\+?|20\d\d)(?![\w%])")
_SKILL_PHRASE = re.compile(
    r"\b(?:proficien(?:t|cy)|experienced?|skilled|knowledge|familiar(?:ity)?|expert(?:ise)?|versed"
    r"|certified|training|trained) (?:in|with|of|on)\s*$"
)
_GLUE_LEFT = frozenset("&'+.-_")
_GLUE_RIGHT = frozenset("&'+#*-_")
_COMPOUND = re.compile(r"-(?:based|language|lang|developer|programming|code)\b", re.IGNORECASE)


def sense_of(form: str) -> Sense:
    """How far a folded spelling can be trusted."""
    if form in TERSE:
        return Sense.TERSE
    if form in COMMON_WORDS:
        return Sense.COMMON_WORD
    if form in ACRONYMS or (len(form) <= _TWO_LETTERS and form not in PLAIN_TWO_LETTER):
        return Sense.ACRONYM if form.isascii() else Sense.PLAIN
    return Sense.PLAIN


def accepted(folded: FoldedText, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates that mean the skill; `candidates` are in order and do not overlap."""
    verdicts = _verdicts(folded, candidates)
    waiting = [here for here, verdict in enumerate(verdicts) if verdict in _UNDECIDED]
    for step, order in ((-1, waiting), (1, waiting[::-1])):
        for here in order:
            neighbour = here + step
            if (
                0 <= neighbour < len(candidates)
                and verdicts[neighbour] is Verdict.ACCEPTED
                and _keeps_company(folded, verdicts[here], candidates[here], candidates[neighbour])
            ):
                verdicts[here] = Verdict.ACCEPTED
    return [
        candidate
        for candidate, verdict in zip(candidates, verdicts, strict=True)
        if verdict is Verdict.ACCEPTED
    ]


def _verdicts(folded: FoldedText, candidates: Sequence[Candidate]) -> list[Verdict]:
    verdicts: list[Verdict] = []
    judged = 0
    for candidate in candidates:
        if candidate.form.sense is Sense.PLAIN:
            verdicts.append(Verdict.ACCEPTED)
        elif judged < MOST_JUDGED:
            judged += 1
            verdicts.append(_alone(folded, candidate))
        else:
            verdicts.append(Verdict.REJECTED)
    return verdicts


def _keeps_company(
    folded: FoldedText, verdict: Verdict, candidate: Candidate, neighbour: Candidate
) -> bool:
    if candidate.form.kind != neighbour.form.kind:
        return False
    first, second = sorted((candidate, neighbour))
    if second.start - first.end > _LONGEST_GAP:
        return False
    gap = folded.text[first.end : second.start]
    if _LIST_GAP.fullmatch(gap):
        return True
    return verdict is Verdict.NEEDS_COMPANY and gap.isspace()


def _alone(folded: FoldedText, candidate: Candidate) -> Verdict:
    """What an ambiguous candidate is worth before its neighbours are looked at."""
    sense = candidate.form.sense
    around = _Surroundings(folded, candidate)
    if sense is Sense.ACRONYM and around.is_upper:
        return Verdict.ACCEPTED
    if around.contradict():
        return Verdict.REJECTED
    if around.name_a_technology():
        return Verdict.ACCEPTED
    if sense is Sense.ACRONYM:
        return around.in_list()
    if not around.is_capitalised:
        return around.in_list()
    if sense is Sense.COMMON_WORD and (around.ends_phrase or not around.starts_sentence):
        return Verdict.ACCEPTED
    return Verdict.NEEDS_COMPANY


class _Surroundings:
    """The few characters around a candidate, read once."""

    def __init__(self, folded: FoldedText, candidate: Candidate) -> None:
        text, (start, end, form) = folded.text, candidate
        self._form = form
        self._prefix = hebrew_prefix(text, start)
        start -= len(self._prefix)
        self._before = text[max(0, start - _WORD_REACH) : start]
        self._after = text[end : end + _WORD_REACH]
        span_start, span_end = folded.span(candidate.start, end)
        original = folded.original
        self._glued = (
            original[max(0, span_start - 2) : span_start],
            original[span_end : span_end + 12],
        )
        written = original[span_start:span_end]
        self.is_upper = written.isupper()
        self.is_capitalised = written[0].isupper()
        self.starts_sentence = _SENTENCE_START.search(self._before) is not None
        self.ends_phrase = _EDGE_RIGHT.match(self._after) is not None
        before = _WORD_BEFORE.search(self._before)
        after = _WORD_AFTER.match(self._after)
        self._word_before = before[1] if before else ""
        self._word_after = after[1] if after else ""

    def contradict(self) -> bool:
        """Whether the words or marks around show that another thing is meant."""
        name = self._form.text
        if self._word_after in NOT_BEFORE.get(name, ()):
            return True
        if self._word_before in NOT_AFTER.get(name, ()):
            return True
        if self._form.sense is Sense.COMMON_WORD:
            return name in {"spring", "swift"} and _YEAR_AFTER.match(self._after) is not None
        return self._form.sense is Sense.TERSE and self._is_glued()

    def _is_glued(self) -> bool:
        left, right = self._glued
        if left[-1:] in _GLUE_LEFT and left:
            hebrew_joint = left[-1] in "-־" and is_hebrew(left[:1] or " ")
            if not hebrew_joint:
                return True
        return right[:1] != "" and right[0] in _GLUE_RIGHT and not _COMPOUND.match(right)

    def name_a_technology(self) -> bool:
        """Whether the words around are enough to accept the name."""
        if self._word_after in TECHNOLOGY_AFTER:
            return True
        if not self.is_capitalised:
            return self.ends_phrase and self._introduces_a_skill()
        if self._word_after in NAMED_TECHNOLOGY_AFTER or _HEADER.search(self._before):
            return True
        if self._form.sense is Sense.COMMON_WORD and _VERSION_AFTER.match(self._after):
            return True
        if _COMPOUND.match(self._glued[1]):
            return True
        phrase_ends = self.ends_phrase or _PHRASE_END.match(self._after) is not None
        introduced = bool(self._prefix) or self._word_before in TECHNOLOGY_BEFORE | HEBREW_PREFIXES
        fills_the_text = not self._before.strip() and not self._after.strip(" .")
        return (phrase_ends and introduced) or fills_the_text

    def _introduces_a_skill(self) -> bool:
        if self._form.text in PLAIN_NOUNS:
            return False
        return self._word_before in SKILL_BEFORE or bool(_SKILL_PHRASE.search(self._before))

    def in_list(self) -> Verdict:
        """A name without its capital counts only as an item between separators."""
        opens = _EDGE_LEFT.search(self._before) or self._word_before in TECHNOLOGY_BEFORE
        return Verdict.NEEDS_LIST if opens and self.ends_phrase else Verdict.REJECTED
