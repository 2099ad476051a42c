"""The other ways people spell a label: joined words, plurals, British endings, the Hebrew article.

Generated spellings save the data files from listing what follows from a rule.
"""

import re
from collections.abc import Iterator

from domain.skills.folding import fold_label

_INNER_DOT = re.compile(r"(?<=\w)\.(?=\w)")
_ENDINGS = (
    ("ization", "isation"),
    ("izing", "ising"),
    ("modeling", "modelling"),
    ("labor", "labour"),
    ("center", "centre"),
    (" and ", " & "),
)
_NO_PLURAL = re.compile(r"(?:ing|ment|ware|ics|[^a-z])$")
_NO_SINGULAR = re.compile(r"(?:ss|us|[stx]is|ics|as|os|aws)$")
_SHORTEST_COUNTED = 3


def spellings(label: str) -> set[str]:
    """Every folded spelling of `label`, itself included."""
    folded = fold_label(label)
    forms = {folded} | set(_respelled(folded))
    forms |= {_INNER_DOT.sub(separator, form) for form in forms for separator in (" ", "")}
    forms |= {form.replace("/", separator) for form in forms for separator in (" ", "", " / ")}
    last_word = re.split(r"[\s-]", label.strip())[-1]
    # A capitalised last word belongs to a name (Microsoft Teams), which has one number.
    if last_word[:1].islower() or last_word.rstrip("s").isupper():
        forms |= {other for form in forms for other in _other_number(form)}
    forms |= {form.replace(" ", "") for form in forms if form.count(" ") == 1}
    return forms | set(_definite(folded))


def _respelled(form: str) -> Iterator[str]:
    for one, other in _ENDINGS:
        if one in form:
            yield form.replace(one, other)
        if other in form:
            yield form.replace(other, one)


def _other_number(form: str) -> Iterator[str]:
    """Plural and singular of a phrase; single words are left to the data."""
    last = form.rpartition(" ")[2]
    if last == form or len(last) < _SHORTEST_COUNTED or not last.isascii():
        return
    if last.endswith("ies"):
        yield form[:-3] + "y"
    elif last.endswith("s"):
        if not _NO_SINGULAR.search(last):
            yield form[:-1]
    elif last.endswith("y") and last[-2] not in "aeiou":
        yield form[:-1] + "ies"
    elif not _NO_PLURAL.search(last):
        yield form + "s"


def _definite(form: str) -> Iterator[str]:
    """The Hebrew construct state takes its article on the last word: בסיסי הנתונים."""
    head, space, last = form.rpartition(" ")
    if space and "א" <= last[0] <= "ת" and not last.startswith("ה"):
        yield f"{head} ה{last}"
