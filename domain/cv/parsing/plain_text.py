"""One normal form of CV text, which every other rule here reads."""

import re

# Bidi marks, zero-width characters and soft hyphens: invisible, and they would split a word or
# an e-mail address in two for every pattern that looks for it.
_INVISIBLE = dict.fromkeys(
    [0x00AD, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)]
)
_SPACES = {ord(char): " " for char in "\u00a0\u2000\u2001\u2002\u2003\u2007\u2009\u202f\u3000"}
_LINE_ENDS = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f]")

BULLET = re.compile(r"[ \t]*(?:[-*+•●▪■◦‣∙·–—➢➤►✓✔o\uf0b7](?=[ \t])|[•●▪■◦‣➢➤►✓✔\uf0b7])[ \t]*")
_MARKUP = re.compile(r"\*\*|__|`")
_EMPHASIS = re.compile(r"(?<!\w)\*([^*]+)\*(?!\w)")

LONGEST_HEADER_LINE = 200
"""Characters. A longer line is prose; looking for headings or dates in it is wasted work."""


def normalise(text: str) -> str:
    """The text with `\\n` line ends, plain spaces, and no invisible or control characters."""
    text = _LINE_ENDS.sub("\n", text).translate(_INVISIBLE).translate(_SPACES)
    return _CONTROL.sub("", text)


def is_bullet(line: str) -> bool:
    return BULLET.match(line) is not None


def without_bullet(line: str) -> str:
    match = BULLET.match(line)
    return (line[match.end() :] if match else line).strip()


def is_marked(line: str) -> bool:
    """Whether the line is set off as a whole: a Markdown heading, or all of it bold."""
    bare = line.strip()
    return bare.startswith("#") or (
        len(bare) > 4 and bare[:2] == bare[-2:] and bare[:2] in ("**", "__")
    )


def without_markup(line: str) -> str:
    """The line without Markdown heading marks, emphasis, and the outer bars of a table row."""
    bare = _EMPHASIS.sub(r"\1", _MARKUP.sub("", line)).strip().lstrip("#").strip()
    if len(bare) > 2 and bare[0] == bare[-1] and bare[0] in "|*_":
        bare = bare[1:-1]
    return bare.strip()
