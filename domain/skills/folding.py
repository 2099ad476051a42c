"""Folding: one spelling for comparison, with the way back to the text it came from.

Folded text is lower case, without diacritics, niqqud and invisible marks, with one kind of dash,
quote and space. A hyphen between letters becomes a space, so that `ci-cd` and `ci cd` are equal.
A line break stays (as `\\n`) where the next line starts something new, else it becomes a space.
"""

import re
import unicodedata
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

DROPPED = "\x00"
DASHES = "‐‑‒–—―−־"  # the last one is the Hebrew maqaf
DOUBLE_QUOTES = "“”„‟″״"
SINGLE_QUOTES = "‘’‚‛′׳`´"
# Hebrew acronyms are also typed with two apostrophes in place of gershayim.
_RUNS = re.compile(rf"[ \n{DROPPED}]*\n[ \n{DROPPED}]*|[ {DROPPED}]{{2,}}|'{DROPPED}*'|{DROPPED}")
_INNER_HYPHEN = re.compile(r"(?<=[^\W_])[-_](?=[^\W_])")
# A wrapped line goes on when its end or the next line's start cannot stand alone.
_UNFINISHED_END = re.compile(r"(?:[,/&(]|\b(?:and|or|with|in|of|using|to|the|עם|של|או))$")
_JOINING_START = re.compile(r"[(&/]|(?:and|or|או)\b|ו-")
_LOWER_START = re.compile(r"[a-z]")
_LONGEST_JOINER = 8  # no ending or start looked at above is longer
_SHORTEST_WRAPPED = 20  # shorter lines were not broken for want of room: they are items of a list


class _CharacterTable(dict[int, str]):
    """Character -> its folded character, worked out when first met. Lengths never change."""

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        self[code] = folded
        return folded


def _fold_character(character: str) -> str:
    if character in "\n\u2028\u2029\x0b\x0c":
        return "\n"
    if character.isspace():
        return " "
    if character in DASHES:
        return "-"
    if character in DOUBLE_QUOTES:
        return '"'
    if character in SINGLE_QUOTES:
        return "'"
    if character == DROPPED or unicodedata.category(character) in {"Mn", "Cf"}:
        return DROPPED
    base = unicodedata.normalize("NFKD", character)[0].lower()
    # NFKD of a spacing accent starts with a space, and some capitals lower to two characters.
    return base[0] if not base.isspace() else character


_TABLE = _CharacterTable()


@dataclass(frozen=True, slots=True)
class FoldedText:
    """`offsets[i]` is where in `original` the i-th character of `text` comes from.

    `offsets` has one more entry than `text`: the original's length.
    """

    original: str
    text: str
    offsets: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original's [start, end) for a non-empty [start, end) of the folded text."""
        return self.offsets[start], self.offsets[end - 1] + 1


def fold(original: str) -> FoldedText:
    """Folds a text; linear in its length."""
    level = original.translate(_TABLE)
    pieces: list[str] = []
    offsets = array("L")
    position = 0
    for run in _RUNS.finditer(level):
        start, end = run.span()
        replacement = _collapsed(level, original, start, end)
        pieces += (level[position:start], replacement)
        offsets.extend(range(position, start))
        offsets.extend(range(start, start + len(replacement)))
        position = end
    pieces.append(level[position:])
    offsets.extend(range(position, len(level) + 1))
    text = _INNER_HYPHEN.sub(" ", "".join(pieces))
    return FoldedText(original, text, offsets)


def fold_label(label: str) -> str:
    """The folded form of a short name, without surrounding space."""
    return fold(label).text.strip()


def word_set(words: str) -> frozenset[str]:
    """The words of a space-separated list, which reads better than one literal each."""
    return frozenset(words.split())


def _collapsed(level: str, original: str, start: int, end: int) -> str:
    run = level[start:end]
    if "'" in run:
        return '"'
    if "\n" not in run:
        return " " if " " in run else ""
    if run.count("\n") > 1:
        return "\n"
    # Case tells a wrapped sentence from a new item, so the start is read from the original.
    before = level[max(0, start - _LONGEST_JOINER) : start]
    after = original[end : end + _LONGEST_JOINER]
    if _UNFINISHED_END.search(before) or _JOINING_START.match(after):
        return " "
    line_start = start - _SHORTEST_WRAPPED
    is_long = line_start >= 0 and "\n" not in level[line_start:start]
    return " " if is_long and _LOWER_START.match(after) else "\n"
