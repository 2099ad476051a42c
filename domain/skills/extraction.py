"""Finding skills in text: an automaton of every spelling, then boundaries, senses and negation."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import ahocorasick_rs

from domain.skills.ambiguity import Candidate, Form, accepted, sense_of
from domain.skills.boundaries import address_spans, stands_alone
from domain.skills.catalogue import Catalogue
from domain.skills.folding import FoldedText, fold, fold_label, word_set
from domain.skills.negation import negated
from domain.skills.spellings import spellings

_PARENTHESES = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
# Words around a skill in a label: how well or how long it is known, not what it is.
_LABEL_WORDS = word_set(
    """
    a advanced an and at basic basics beginner development entry excellent experience expert
    expertise fluent fundamentals good hands hands-on in intermediate junior knowledge language
    least level mid min minimum month months native of on or plus preferred primary proficiency
    proficient programming required secondary senior skill skills solid strong the to using version
    very with working year years yrs ניסיון נסיון ידע שנות שנים של עם רמה גבוהה טובה טוב מתקדם בסיסי
    """
)
# Anything longer is read as text: no qualifier and name together come near it.
LONGEST_LABEL = 200
_LABEL_NUMBER = re.compile(r"[~>=<]*v?\d[\d.,]*(?:-\d+)?[+x]?\+?")
_LABEL_MARKS = " \t\n,:;*•·-–"


class SkillMention(NamedTuple):
    """A place where a text names a skill: `text[start:end]`, in characters of the text given."""

    skill_id: str
    start: int
    end: int
    is_negated: bool


class SkillExtractor:
    """Reads skills out of text. Build once: it compiles every spelling in the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._forms = _forms(catalogue)
        self._form_by_text = {form.text: form for form in self._forms}
        self._automaton = ahocorasick_rs.AhoCorasick([form.text for form in self._forms])

    def mentions(self, text: str) -> list[SkillMention]:
        """Every mention in order, none overlapping. Linear in the length of `text`."""
        folded = fold(text)
        found = accepted(folded, list(self._candidates(folded)))
        denied = negated(folded.text, found)
        return [
            SkillMention(form.skill_id, *folded.span(start, end), index in denied)
            for index, (start, end, form) in enumerate(found)
        ]

    def skills(self, text: str) -> list[str]:
        """The ids of the skills that `text` claims, each once, in the order of first mention."""
        claimed = (found.skill_id for found in self.mentions(text) if not found.is_negated)
        return list(dict.fromkeys(claimed))

    def canonical(self, label: str) -> str | None:
        """The one skill that a label such as "Python (primary)" or "5+ years of Go" names.

        What is in brackets counts only if nothing outside is known. A label that names several
        skills gives the first; one that denies its skill, or names none, gives None.
        """
        outside = _PARENTHESES.sub(" ", label)
        if len(label) <= LONGEST_LABEL:
            for core in chain(_cores(label), _cores(outside)):
                exact = self._form_by_text.get(core)
                if exact is not None:
                    return exact.skill_id
        claimed = self.skills(outside) or self.skills(label)
        return claimed[0] if claimed else None

    def _candidates(self, folded: FoldedText) -> Iterator[Candidate]:
        """Leftmost-longest among the bounded hits.

        The automaton reports overlapping hits, because its own leftmost-longest search could let
        an unbounded hit ("r programming" in "for programming") hide a bounded one.
        """
        hits = self._automaton.find_matches_as_indexes(folded.text, overlapping=True)
        bounded = [hit for hit in hits if stands_alone(folded, hit[1], hit[2])]
        bounded.sort(key=lambda hit: (hit[1], -hit[2]))
        addresses = iter(address_spans(folded.text))
        address = next(addresses, None)
        taken = 0
        for index, start, end in bounded:
            while address is not None and address[1] <= start:
                address = next(addresses, None)
            if start < taken or (address is not None and address[0] <= start):
                continue
            taken = end
            yield Candidate(start, end, self._forms[index])


def _forms(catalogue: Catalogue) -> list[Form]:
    """Every spelling of every skill. A spelling the data gives outranks a generated one, and a
    generated one that two skills would share belongs to neither."""
    owner_by_spelling: dict[str, str | None] = {}
    for skill in catalogue.values():
        for spelling in {form for label in skill.labels for form in spellings(label)}:
            owner = owner_by_spelling.setdefault(spelling, skill.id)
            if owner != skill.id:
                owner_by_spelling[spelling] = None
    owner_by_spelling.update(catalogue.id_by_label)
    return [
        Form(spelling, owner, catalogue[owner].kind, sense_of(spelling))
        for spelling, owner in sorted(owner_by_spelling.items())
        if owner is not None
    ]


def _cores(label: str) -> Iterator[str]:
    """A label's folded text, then ever less of it, as words that only qualify it are taken off.

    One at a time, because the same word may belong to a name: React Native.
    """
    words = fold_label(label).strip(_LABEL_MARKS).split(" ")
    yield " ".join(words)
    for edge in (0, -1):
        while words and _qualifies(words[edge]):
            words.pop(edge)
            yield " ".join(words).strip(_LABEL_MARKS)


def _qualifies(word: str) -> bool:
    word = word.strip(_LABEL_MARKS)
    return not word or word in _LABEL_WORDS or _LABEL_NUMBER.fullmatch(word) is not None
