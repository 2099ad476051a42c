"""The entries of a section of positions or studies: titles, dates, and what is said of them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from domain.cv.parsing.dates import Period, find_period
from domain.cv.parsing.plain_text import is_bullet, is_marked, without_bullet, without_markup

MOST_ENTRIES = 100
_LONGEST_TITLE = 100
_MOST_TITLE_WORDS = 14

Score = Callable[[str], int]
"""Above 0 for the thing done (a role, a degree), below for where, 0 when it cannot be told."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`titles` are the lines that head it, without their dates; `body` is the rest, as written."""

    titles: tuple[str, ...]
    period: Period | None
    is_range: bool
    body: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    """Without bullet, markup and dates."""
    is_bullet: bool
    is_marked: bool
    period: Period | None
    is_range: bool
    is_anchor: bool

    @property
    def is_blank(self) -> bool:
        return not self.text and not self.is_anchor

    @property
    def is_title(self) -> bool:
        return (
            bool(self.text)
            and not self.is_anchor
            and not self.is_bullet
            and len(self.text) <= _LONGEST_TITLE
            and len(self.text.split()) <= _MOST_TITLE_WORDS
            and not _SENTENCE_END.search(self.text)
            and not _LABELLED.match(self.text)
        )


_SENTENCE_END = re.compile(r"(?:(?<!\b[A-Z])(?<!ltd)(?<!inc)(?<!co)(?<!corp)(?<!St)\.|[;:])$", re.I)
_LABELLED = re.compile(r"[^\W\d_][\w /&-]{1,30}:\s")
_EMPTY_BRACKETS = re.compile(r"[(\[]\s*[)\]]")
_EDGES = " \t|,;:–—-•·/*_"
_STRONG = re.compile(r"\s*[|•·\t]\s*|\s+[–—-]{1,2}\s+|\s*—\s*| {3,}")
_AT = re.compile(
    r"\s+(?:at|@)\s+|\s+ב(?=(?:חברת|בית|בי\"ס|בנק|משרד|מסעדת|מלון|עיריית|רשת|מרכז|קופת|קבוצת|אוניברסיטת|מכללת)\s|טכניון)|"
    r"\s+אצל\s+",
    re.IGNORECASE,
)
_COMMA = re.compile(r",\s*(?!(?:ltd|inc|llc|llp|gmbh|plc|corp|co)\b|בע[\"״]מ)", re.IGNORECASE)
_NOISE = re.compile(
    r"[(\[]?(?:remote|hybrid|on-?site|full[- ]time|part[- ]time|contract|temporary|"
    r"משרה מלאה|משרה חלקית|מרחוק|duration|period|dates?)[)\]]?:?",
    re.IGNORECASE,
)


def split_pieces(title: str) -> list[str]:
    """The parts of a title line, by its strongest separator: bar or dash, then "at", then comma."""
    for separator in (_STRONG, _AT, _COMMA):
        pieces = [piece.strip(_EDGES) for piece in separator.split(title)]
        kept = [piece for piece in pieces if piece and not _NOISE.fullmatch(piece)]
        if len(kept) > 1:
            return kept
    alone = title.strip(_EDGES)
    return [alone] if alone and not _NOISE.fullmatch(alone) else []


def split_entries(lines: tuple[str, ...], score: Score, *, has_prose: bool = True) -> list[Entry]:
    """The entries of a section's lines, at most MOST_ENTRIES, in order.

    Each line with a date of its own anchors an entry, and the lines beside it that read as titles
    belong to it. A title without a date makes an entry where it is set off as a heading, where no
    line of the section has a date, and where the section has no prose to mistake for a title.
    """
    read = _read(lines, score)
    heads = _dated_heads(read, score)
    needs_mark = bool(heads) and has_prose
    heads = sorted([*heads, *_undated_heads(read, heads, score, needs_mark)])[:MOST_ENTRIES]
    ends = [*(start for start, _, _ in heads[1:]), len(read)]
    return [_entry(read, lines, head, end) for head, end in zip(heads, ends, strict=False)]


_Head = tuple[int, int, int]
"""First line, the line after the last, and the line that has the date (-1 when none has)."""


def _entry(read: list[_Line], lines: tuple[str, ...], head: _Head, end: int) -> Entry:
    start, stop, anchor = head
    titles = tuple(line.text for line in read[start:stop] if line.text)
    dated = read[anchor] if anchor >= 0 else None
    return Entry(
        titles,
        dated.period if dated else None,
        dated.is_range if dated else False,
        lines[stop:end],
    )


def _read(lines: tuple[str, ...], score: Score) -> list[_Line]:
    read = [_line(line, score) for line in lines]
    if any(line.is_anchor and not line.is_bullet for line in read):
        # Dates inside bullets are then details of an entry, not entries.
        return [_not_anchor(line) if line.is_bullet else line for line in read]
    return read


def _line(line: str, score: Score) -> _Line:
    bare = without_markup(without_bullet(line))
    found = find_period(bare)
    if found is None:
        return _Line(bare, is_bullet(line), is_marked(line), None, False, False)
    before, after = bare[: found.begin], bare[found.stop :]
    rest = _EMPTY_BRACKETS.sub("", f"{before}\t{after}" if before and after else before + after)
    rest = rest.strip(_EDGES + "()[]" if rest.count("(") != rest.count(")") else _EDGES)
    rest = re.sub(r"(?:^|\s)(?:from|since|בשנים|משנת|בין|ב-|מ-)\s*$", "", rest).strip(_EDGES)
    stands_apart = not before.strip(_EDGES + "([") or not after.strip(_EDGES + ")].")
    is_anchor = (
        len(rest) <= _LONGEST_TITLE
        and not bare.endswith(".")
        and (stands_apart or (found.is_range and len(split_pieces(bare)) > 1))
        and (found.is_range or not rest or _named(rest, score) != 0)
    )
    return _Line(
        rest if is_anchor else bare, is_bullet(line), is_marked(line), found.period,
        found.is_range, is_anchor,
    )  # fmt: skip


def _not_anchor(line: _Line) -> _Line:
    return _Line(line.text, line.is_bullet, line.is_marked, None, False, False)


def _dated_heads(read: list[_Line], score: Score) -> list[_Head]:
    heads: list[_Head] = []
    floor = 0
    dates_first = _are_dates_first(read)
    for index, line in enumerate(read):
        if line.is_anchor and index >= floor and len(heads) < MOST_ENTRIES:
            start, stop = _head_around(read, index, floor, score, dates_first)
            heads.append((start, stop, index))
            floor = stop
    return heads


def _are_dates_first(read: list[_Line]) -> bool:
    """Whether the section opens with a line of dates alone: then titles stand under dates."""
    opening = next((line for line in read if not line.is_blank), None)
    return opening is not None and opening.is_anchor and not opening.text


def _head_around(
    read: list[_Line], index: int, floor: int, score: Score, dates_first: bool
) -> tuple[int, int]:
    own = read[index].text
    if own and _is_whole(own, score):
        return index, index + 1
    above = list(_above(read, index, floor, score))
    if not own:
        if above and not dates_first:
            return above[-1], index + 1
        return index, _below(read, index, score)
    return _complement(read, index, above[:1], score)


def _complement(read: list[_Line], index: int, above: list[int], score: Score) -> tuple[int, int]:
    """The lines of a head whose dated line names only a role or only a place."""
    wants_place = _named(read[index].text, score) > 0
    below = index + 1 if index + 1 < len(read) and read[index + 1].is_title else None
    if above:
        title = read[above[0]].text
        is_whole = _is_whole(title, score) and not wants_place
        if is_whole or (_named(title, score) <= 0) == wants_place:
            return above[0], index + 1
    if below is not None and (_named(read[below].text, score) <= 0) == wants_place:
        return index, below + 1
    return index, index + 1


def _named(title: str, score: Score) -> int:
    """The score of the first piece of a title that has one."""
    return next((found for piece in split_pieces(title) if (found := score(piece)) != 0), 0)


def _is_whole(title: str, score: Score) -> bool:
    """Whether a title line names both the thing done and where."""
    pieces = split_pieces(title)
    return len(pieces) > 1 and any(score(piece) > 0 for piece in pieces)


def _above(read: list[_Line], index: int, floor: int, score: Score) -> Iterator[int]:
    """The one or two title lines over a dated line, nearest first."""
    first = index - 1
    if first >= floor and read[first].is_blank and first - 1 >= floor and read[first - 1].is_marked:
        first -= 1
    if first < floor or not read[first].is_title:
        return
    is_own = _begins_block(read, first, floor) or read[first].is_marked
    second = first - 1
    has_second = second >= floor and read[second].is_title
    if is_own or _named(read[first].text, score) != 0 or not read[index].text:
        yield first
    if not has_second or _is_whole(read[first].text, score):
        return
    named, other = (_named(read[at].text, score) for at in (first, second))
    if (other > 0) != (named > 0) and (_begins_block(read, second, floor) or other > 0):
        yield second


def _begins_block(read: list[_Line], index: int, floor: int) -> bool:
    before = index - 1
    return before < floor or read[before].is_blank or read[before].is_bullet


def _below(read: list[_Line], index: int, score: Score) -> int:
    """The line after the one or two title lines under a line of dates alone."""
    first = index + 1
    if first >= len(read) or not read[first].is_title:
        return first
    second = first + 1
    if _is_whole(read[first].text, score) or second >= len(read) or not read[second].is_title:
        return second
    named, other = (_named(read[at].text, score) for at in (first, second))
    is_place = (other > 0) != (named > 0) and len(read[second].text.split()) <= 5
    return second + 1 if is_place else second


def _undated_heads(
    read: list[_Line], dated: list[_Head], score: Score, needs_mark: bool
) -> list[_Head]:
    heads: list[_Head] = []
    taken = {index for start, stop, _ in dated for index in range(start, stop)}
    floor = 0
    for index, line in enumerate(read):
        if index < floor or index in taken or (needs_mark and not line.is_marked):
            continue
        if line.is_title and _named(line.text, score) > 0 and len(heads) < MOST_ENTRIES:
            start, stop = _complement(read, index, _free_above(read, index, floor), score)
            if _is_whole(line.text, score) or (dated and taken & {start, stop - 1}):
                start, stop = index, index + 1
            heads.append((start, stop, -1))
            floor = stop
    return heads


def _free_above(read: list[_Line], index: int, floor: int) -> list[int]:
    above = index - 1
    fits = above >= floor and read[above].is_title and _begins_block(read, above, floor)
    return [above] if fits else []
