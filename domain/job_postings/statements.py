"""A posting taken apart into the single things it says, each with how much it matters."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

from domain.core.levels import GapLevel
from domain.job_postings.posting import Posting
from domain.skills.extraction import SkillExtractor, SkillMention


class Section(StrEnum):
    """Where in a posting a statement stands."""

    REQUIREMENTS = "requirements"
    RESPONSIBILITIES = "responsibilities"
    DESCRIPTION = "description"
    NICE_TO_HAVE = "nice to have"
    TITLE = "title"


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence or list item of a posting."""

    text: str
    section: Section
    impact: GapLevel

    @property
    def is_requirement(self) -> bool:
        """Whether it says what the person must bring, rather than what the work is."""
        return self.section in (Section.REQUIREMENTS, Section.NICE_TO_HAVE)


@dataclass(frozen=True, slots=True)
class ReadStatement:
    """A statement with the skills that it names, located in its text."""

    statement: Statement
    place: int
    """Its index among the posting's statements."""
    mentions: tuple[SkillMention, ...]

    @property
    def text(self) -> str:
        return self.statement.text


# An employer puts first what matters most: the first half of the requirements, at most three.
_FIRST_REQUIREMENTS = 3
_SENTENCE_END = re.compile(r"[\r\n;•●▪]+|(?<=[^\W\d_]{2}[.!?])\s+|(?<=[)\]\d][.!?])\s+")
_ADVANTAGE = re.compile(
    r"\b(?:an?|big|huge|strong|significant|real|is|as)\s+(?:advantage|plus|bonus|asset)\b"
    r"|[-–—:(,]\s*(?:advantage|plus|bonus)\b(?!\s+(?:of|the|a)\b)"
    r"|^\W*(?:advantages?|bonus|plus)\s*[-–—:]"
    r"|\b(?:nice[- ]to[- ]have|preferred|preferably|desirable|ideally|beneficial|optional)\b"
    r"|\b(?:is|are|also|very|most) welcome\b"
    r"|יתרון(?!\s+תחרותי)|רצוי|מועדפ|עדיפות\s+ל|בונוס",
    re.IGNORECASE,
)
_MUST = re.compile(
    r"\b(?:must|required|requires|mandatory|essential|necessary|obligatory|prerequisite)\b"
    r"|חובה|נדרש|הכרחי|תנאי סף|דרישת סף",
    re.IGNORECASE,
)
_HEADINGS = {
    Section.REQUIREMENTS: re.compile(
        r"(?:(?:job |key |minimum )?(?:requirements|qualifications)|what (?:we(?:['’]re| are)"
        r" looking for|you(?:['’]ll| will)? (?:need|bring))|must have|דרישות(?: התפקיד)?|דרישות סף"
        r"|מה אנחנו מחפשים)",
        re.IGNORECASE,
    ),
    Section.RESPONSIBILITIES: re.compile(
        r"(?:(?:key )?responsibilities|duties|what you(?:['’]ll| will) do|the role"
        r"|תחומי אחריות|תיאור התפקיד|אחריות|מה עושים)",
        re.IGNORECASE,
    ),
    Section.NICE_TO_HAVE: re.compile(
        r"(?:nice[- ]to[- ]haves?|advantages?|preferred(?: qualifications)?|bonus(?: points)?"
        r"|pluses|יתרונות|יתרון|רצוי)",
        re.IGNORECASE,
    ),
}


def statements(posting: Posting) -> list[Statement]:
    """What a posting says, in the order that its weight is read in.

    Requirements come first, then responsibilities, the description, the nice-to-haves, and last
    the role's title. With no requirements listed, the description's own headings say which of its
    lines are requirements; without headings its lines weigh as other requirements do.
    """
    return [
        *_listed(posting.requirements, Section.REQUIREMENTS),
        *_listed(posting.responsibilities, Section.RESPONSIBILITIES),
        *_described(posting),
        *_listed(posting.nice_to_have, Section.NICE_TO_HAVE),
        Statement(posting.role_title, Section.TITLE, GapLevel.HIGH),
    ]


def read_statements(posting: Posting, extractor: SkillExtractor) -> list[ReadStatement]:
    """The statements of a posting with their skills, found in one pass over the whole text."""
    parts = statements(posting)
    # A blank line between them keeps a name or a negation from reaching into the next statement.
    starts = list(accumulate((len(part.text) + 2 for part in parts), initial=0))
    found: list[list[SkillMention]] = [[] for _ in parts]
    for mention in extractor.mentions("\n\n".join(part.text for part in parts)):
        place = bisect_right(starts, mention.start) - 1
        start, end = mention.start - starts[place], mention.end - starts[place]
        found[place].append(mention._replace(start=start, end=end))
    return [
        ReadStatement(part, place, tuple(mentions))
        for place, (part, mentions) in enumerate(zip(parts, found, strict=True))
    ]


def _listed(items: list[str], section: Section) -> Iterator[Statement]:
    first = min(_FIRST_REQUIREMENTS, (len(items) + 1) // 2)
    for index, item in enumerate(items):
        for text in _parts(item):
            yield Statement(text, section, _impact(text, section, is_first=index < first))


def _described(posting: Posting) -> Iterator[Statement]:
    section = Section.DESCRIPTION
    for text in _parts(posting.description or ""):
        heading = None if posting.requirements else _heading(text)
        if heading is not None:
            section = heading
        else:
            yield Statement(text, section, _impact(text, section, is_first=False))


def _heading(text: str) -> Section | None:
    bare = text.strip(" :*#-–—.\t")
    matches = (section for section, words in _HEADINGS.items() if words.fullmatch(bare))
    return next(matches, None)


def _parts(text: str) -> Iterator[str]:
    for sentence in _SENTENCE_END.split(text):
        # "Python required, Kubernetes a plus" asks for two things of different weight.
        is_mixed = _MUST.search(sentence) and _ADVANTAGE.search(sentence)
        for part in sentence.split(",") if is_mixed else [sentence]:
            stripped = part.strip()
            if stripped:
                yield stripped


def _impact(text: str, section: Section, *, is_first: bool) -> GapLevel:
    if section is Section.NICE_TO_HAVE or _ADVANTAGE.search(text):
        return GapLevel.LOW
    if section is Section.REQUIREMENTS and is_first:
        return GapLevel.HIGH
    if section is not Section.RESPONSIBILITIES and _MUST.search(text):
        return GapLevel.HIGH
    return GapLevel.MEDIUM
