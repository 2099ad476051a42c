"""Which jobs are the same kind of work, in both languages."""

import re

from domain.gap_analysis.rules.vocabulary import role_words

_WORD = re.compile(r"[^\W_]+(?:['״׳\"-][^\W_]+)*")


def role_families(title: str) -> frozenset[str]:
    """The kinds of work that a role title names; empty when it names none known here.

    A title belongs to every family one of whose stems begins one of its words.
    """
    words = [word.casefold() for word in _WORD.findall(title)]
    # Hebrew joins "in", "the" and "for" to the next word: look with and without the first letter.
    spaced = " " + " ".join(words) + " " + " ".join(w[1:] for w in words if w[0] in "בהל") + " "
    return frozenset(
        family
        for family, stems in role_words().families.items()
        if any(_begins_word(stem, spaced) for stem in stems)
    )


def _begins_word(stem: str, spaced: str) -> bool:
    # Up to three letters are a whole word (`ui`, `אח`), or `hr` would be found in `hrms`.
    return (f" {stem} " if len(stem) <= 3 else f" {stem}") in spaced


def is_same_work(title: str, other: str) -> bool:
    """Whether two role titles share a kind of work, or else a telling word."""
    return bool(role_families(title) & role_families(other)) or bool(
        _telling_words(title) & _telling_words(other)
    )


def _telling_words(title: str) -> set[str]:
    words = {word.casefold() for word in _WORD.findall(title)}
    return {word for word in words - role_words().untelling if len(word) > 3}
