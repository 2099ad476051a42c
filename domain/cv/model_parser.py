"""Reading a CV with a language model, and believing only what the CV bears out."""

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from domain.clients.language_model import LanguageModel
from domain.clients.untrusted_text import cut_to_lines
from domain.cv.model_reading import CVReading, ReadEducation, ReadExperience, reading_prompt
from domain.cv.parsing.dates import find_period
from domain.cv.parsing.parsed_cv import Education, Experience, ParsedCV
from domain.skills.extraction import SkillExtractor
from domain.skills.folding import fold

TEXT_BUDGET = 60_000
"""Characters of a CV that go to the model."""
_BULLET = re.compile(r"^[\s•·▪◦‣*–—-]+")
_DATE = re.compile(r"(\d{4})(?:-(?:0[1-9]|1[0-2]))?")
_WORD = re.compile(r"\w+")

T = TypeVar("T")
PartT = TypeVar("PartT", Experience, Education)


async def read_with_model(
    model: LanguageModel,
    redacted_text: str,
    by_rules: ParsedCV,
    extractor: SkillExtractor,
    text_budget: int = TEXT_BUDGET,
) -> ParsedCV:
    """`by_rules` with what the model read better. Raises LanguageModelErrors.

    The first `text_budget` characters are sent, in whole lines; `redacted_text` must hold no
    contact details.
    """
    text = cut_to_lines(redacted_text, text_budget)
    system, prompt = reading_prompt(text)
    reading = await model.answer(system=system, prompt=prompt, shape=CVReading)
    # In a thread: finding the skills of a long text takes too long for the event loop.
    return await asyncio.to_thread(merge, by_rules, reading, text, extractor)


def merge(
    by_rules: ParsedCV, by_model: CVReading, text: str, extractor: SkillExtractor
) -> ParsedCV:
    """The rules' reading, bettered by those parts of the model's that stand in `text`.

    Skills count when they are canonical and the text names them un-negated; names, titles and
    lines of description when the text has them word for word; dates when their year is there.
    The model's experience and education replace the rules' where, after that, they say at least
    as much. Contact and language are the rules'.
    """
    ground = _Ground(text, extractor)
    experience = filter(None, map(ground.experience, by_model.experience))
    education = filter(None, map(ground.education, by_model.education))
    certifications = (name for name in by_model.certifications if ground.has_phrase(name))
    languages = (name for name in by_model.languages if ground.has_words(name))
    return by_rules.model_copy(
        update={
            "skills": _distinct([*by_rules.skills, *ground.skills(by_model.skills)]),
            "experience": _fuller(by_rules.experience, _distinct(experience)),
            "education": _fuller(by_rules.education, _distinct(education)),
            "certifications": _distinct([*by_rules.certifications, *certifications], _flat),
            "languages": _distinct([*by_rules.languages, *languages], _first_word),
        }
    )


class _Ground:
    """What a text bears out of a model's reading of it."""

    def __init__(self, text: str, extractor: SkillExtractor) -> None:
        self._extractor = extractor
        self._text = _flat(text)
        self._words = set(_WORD.findall(self._text))
        self._stated_skills = set(extractor.skills(text))
        periods = [found.period for line in text.splitlines() if (found := find_period(line))]
        self._dates = {date for period in periods for date in (period.start, period.end)}
        self._current_since = {period.start for period in periods if period.is_current}

    def has_phrase(self, phrase: str) -> bool:
        """Whether the words of `phrase` follow each other in the text, in any case."""
        flat = _flat(phrase)
        pattern = rf"(?<!\w){re.escape(flat)}(?!\w)"
        return bool(flat) and re.search(pattern, self._text) is not None

    def has_words(self, phrase: str) -> bool:
        """Whether the text has every word of `phrase`, wherever."""
        words = _WORD.findall(_flat(phrase))
        return bool(words) and self._words.issuperset(words)

    def skills(self, labels: Iterable[str]) -> list[str]:
        """The ids of those skills that the text states."""
        ids = [id for label in labels if (id := self._extractor.canonical(label))]
        return [id for id in ids if id in self._stated_skills]

    def experience(self, read: ReadExperience) -> Experience | None:
        """The position as far as the text bears it out; None when neither role nor company is."""
        role, company = self._phrase(read.role), self._phrase(read.company)
        if not (role or company):
            return None
        start, end = self._period(read.start, read.end)
        is_current = read.is_current and self._is_current_since(start)
        description = self._lines(read.description)
        named = self._extractor.skills(f"{role or ''}\n{description}")
        return Experience(
            role=role,
            company=company,
            start=start,
            end=None if is_current else end,
            is_current=is_current,
            description=description,
            technologies=_distinct([*named, *self.skills(read.technologies)]),
        )

    def education(self, read: ReadEducation) -> Education | None:
        """As `experience`, by institution and degree."""
        institution, degree = self._phrase(read.institution), self._phrase(read.degree)
        if not (institution or degree):
            return None
        start, end = self._period(read.start, read.end)
        return Education(institution=institution, degree=degree, start=start, end=end)

    def _phrase(self, phrase: str | None) -> str | None:
        return phrase if phrase and self.has_phrase(phrase) else None

    def _lines(self, description: str) -> str:
        lines = [_BULLET.sub("", line).strip() for line in description.splitlines()]
        return "\n".join(line for line in lines if self.has_phrase(line))

    def _period(self, start: str | None, end: str | None) -> tuple[str | None, str | None]:
        first, last = self._date(start), self._date(end)
        if first and last and last[: len(first)] < first[: len(last)]:
            return None, None
        return first, last

    def _date(self, date: str | None) -> str | None:
        match = _DATE.fullmatch(date or "")
        if match is None:
            return None
        if date in self._dates:
            return date
        # A month that is not in the text is made up, even where the year is not.
        return match[1] if match[1] in self._words else None

    def _is_current_since(self, start: str | None) -> bool:
        return any(start and since and since.startswith(start) for since in self._current_since)


def _fuller(by_rules: list[PartT], by_model: list[PartT]) -> list[PartT]:
    """The model's parts when they are no fewer and fill no fewer fields, else the rules'."""
    if len(by_model) < len(by_rules) or _filled(by_model) < _filled(by_rules):
        return by_rules
    return by_model


def _filled(parts: Sequence[Experience | Education]) -> int:
    # `technologies` are found in the other fields, and `is_current` stands in for `end`.
    return sum(
        bool(value)
        for part in parts
        for name, value in part.model_dump().items()
        if name != "technologies"
    )


def _distinct(values: Iterable[T], key: Callable[[T], str] = repr) -> list[T]:
    """The values, each once by its key, in order of first appearance."""
    by_key: dict[str, T] = {}
    for value in values:
        by_key.setdefault(key(value), value)
    return list(by_key.values())


def _flat(text: str) -> str:
    """Text for comparison: folded, on one line."""
    return " ".join(fold(text).text.split())


def _first_word(language: str) -> str:
    word = _WORD.search(_flat(language))
    return word[0] if word else ""
