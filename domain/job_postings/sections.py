"""The lists inside a description: what is asked for, what is to be done, what is a bonus.

Pages of jobs carry them as one HTML text, so they are told by their headings.
"""

import re
from dataclasses import dataclass, field

from domain.core.text import clean_text

# Escaped once, twice or not at all.
_LIST_ITEM = re.compile(r"(?:<|&(?:amp;)*lt;)li(?:\s[^<>&]*)?(?:>|&(?:amp;)*gt;)", re.IGNORECASE)
_BULLET = re.compile(r"(?:[•●▪◦‣·*✓✔–—-]+|\d{1,2}[.)])(?:\s+|$)")

_HEADINGS = {
    "nice_to_have": r"""
        nice[ -]to[ -]haves? | plus(es)? | bonus(\ points)?
        | (preferred|desired|bonus|additional)\ (qualifications|skills|experience|requirements)
        | advantages? | preferred | יתרון | יתרונות | (דרישות|כישורים)\ (יתרון|נוספות|נוספים)
    """,
    "requirements": r"""
        ((the|key|main|job|minimum|required|basic|essential|general|mandatory|your|our)\ )*
        (requirements?|qualifications?|skills|must[ -]haves?|profile)
        (\ (and|&)\ (experience|skills|qualifications|requirements))?
        | (required|essential)\ experience
        | who\ you\ are | about\ you | what\ (you'?ll\ need|you\ (will\ )?need|you\ bring)
        | what\ we('?re|\ are)\ looking\ for | (we('?re|\ are)\ )?looking\ for | you\ have
        | ה?דרישות(\ ה?(תפקיד|משרה|חובה|סף|תואר))? | כישורים(\ נדרשים)? | תנאי\ סף | השכלה\ וניסיון
        | מה\ אנחנו\ מחפשים | את\ מי\ אנחנו\ מחפשים | מה\ נדרש
    """,
    "responsibilities": r"""
        ((the|key|main|job|primary|core|your|daily|essential)\ )*
        (responsibilities|duties|tasks|functions)
        (\ (and|&)\ (duties|responsibilities|tasks))?
        | what\ you('?ll|\ will)\ (do|be\ doing) | in\ (this|the|your)\ role(,?\ you('ll|\ will))?
        | day[ -]to[ -]day | ה?תחומי\ (ה?אחריות|עיסוק) | אחריות(\ ה?תפקיד)? | מה\ תעשו
        | מה\ עושים(\ בתפקיד)? | ה?תפקיד\ כולל | (במסגרת\ )?התפקיד | משימות(\ התפקיד)?
    """,
}
_HEADING = re.compile(
    r"\W*(?:" + "|".join(f"(?P<{name}>{words})" for name, words in _HEADINGS.items()) + r")"
    r"(?:\ \([^()]{0,60}\))?\s*(?P<end>[:\-–—?!.]*)\s*",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Sections:
    """A description without its known lists, and those lists, as plain text."""

    description: str
    requirements: list[str] = field(default_factory=list)
    responsibilities: list[str] = field(default_factory=list)
    nice_to_have: list[str] = field(default_factory=list)


def split_sections(description: str) -> Sections:
    """Take the lists under known English or Hebrew headings out of a description.

    A list is the bulleted lines (or HTML list items) that follow its heading, after at most some
    introducing text that ends in a colon; where none has a bullet, the lines up to the next blank
    one. Everything else stays in the description, in order.
    """
    found: dict[str, list[str]] = {name: [] for name in ("", *_HEADINGS)}
    section, taken = "", ""
    for line in clean_text(_LIST_ITEM.sub(r"\g<0>• ", description)).split("\n"):
        heading = _heading(line)
        if heading:
            section, taken = heading[0], ""
            found[section] += [heading[1]] if heading[1] else []
            continue
        text = item(line)
        is_bullet = text != line
        if _ends_section(line, is_bullet, taken):
            section = ""
        if not section:
            found[""].append(line)
        elif text and not (line.endswith(":") and not is_bullet):
            found[section].append(text)
            taken = "bullet" if is_bullet else "plain"
    return Sections(clean_text("\n".join(found.pop(""))), **found)


def item(line: str) -> str:
    """`line` without the bullet or number it begins with."""
    return _BULLET.sub("", line, count=1) if _BULLET.match(line) else line


def _ends_section(line: str, is_bullet: bool, taken: str) -> bool:
    if taken == "bullet":
        return bool(line) and not is_bullet
    return taken == "plain" and not line


def _heading(line: str) -> tuple[str, str] | None:
    """The section that `line` opens, and the text after the heading's colon."""
    match = _HEADING.match(line)
    if match is None or match.lastgroup is None:
        return None
    name = next(name for name in _HEADINGS if match[name])
    rest = line[match.end() :]
    if rest and ":" not in match["end"]:
        return None
    return name, rest
