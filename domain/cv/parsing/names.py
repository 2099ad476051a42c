"""The name of the person a CV is about."""

import re
from itertools import islice

from domain.cv.parsing.plain_text import LONGEST_HEADER_LINE, without_bullet, without_markup
from domain.cv.parsing.vocabulary import ROLE_WORDS, role_score

_LINES_TO_LOOK_AT = 8
_LABEL = re.compile(r"\s*(?:full name|name|candidate|שם מלא|שם)\s*:\s*", re.IGNORECASE)
_TITLE = re.compile(
    r"\s*(?:(?:curriculum vitae|r[eé]sum[eé]|cv|קורות חיים)(?: of| for| של)?\s*[-–—:|]?\s+"
    r"|(?:dr|mr|mrs|ms|miss|prof)\.?\s+|(?:ד\"ר|ד״ר|פרופ'|מר|גב')\s+)",
    re.IGNORECASE,
)
_SEGMENTS = re.compile(r"[|•·\t,()/]|\s[–—-]+\s|\s{3,}")
_NAME_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’׳\"״-](?=[^\W\d_])){0,30}\.?")
_PARTICLES = {"de", "da", "van", "von", "der", "den", "ben", "bin", "al", "el", "la", "di", "du"}
_NOT_IN_NAMES = {
    "curriculum", "vitae", "resume", "cv", "page", "profile", "contact", "phone", "email", "mobile",
    "address", "name", "summary", "street", "israel", "הנדון", "קורות", "חיים", "טלפון", "נייד",
    "כתובת", "מייל", "דואל", "ישראל", "לכבוד", "ת.ז", "תאריך", "לידה", "senior", "junior", "date",
    "of", "birth", "and", "the", "software", "experience", "developer",
}  # fmt: skip
# First and last names that are also ordinary words of CVs, months, places or skills: alone they
# stay, in the whole name they go.
_ALSO_WORDS = ROLE_WORDS | {
    "ada", "april", "art", "august", "austin", "banks", "bill", "chase", "clay", "dean", "drew",
    "elm", "field", "fields", "florence", "frank", "george", "georgia", "grace", "grant", "hill",
    "hope", "israel", "jade", "jordan", "joy", "julia", "june", "king", "kitchen", "law", "london",
    "long", "major", "mark", "may", "north", "page", "paris", "pascal", "pat", "price", "python",
    "rich", "rose", "ruby", "rust", "sale", "sue", "south", "stone", "summer", "swift", "sydney",
    "victoria", "virginia", "west", "will", "young", "smith", "miller", "java", "scala", "crystal",
    "אביב", "אורט", "גליל", "חיים", "ירדן", "ישראל", "כרמל", "שיר", "שרון", "שלום", "ברק", "ניר",
    "עומר", "תמר", "אור", "גיל", "שיא", "עמל",
}  # fmt: skip


def find_name(header: list[str], emails: list[str]) -> str | None:
    """The name in a CV's introducing lines, None where none can be told.

    A labelled name first, then one that an e-mail address repeats, then the first part of the
    first lines that is written as names are and holds no word of a role.
    """
    labelled: list[str] = []
    candidates: list[str] = []
    for line in islice(header, _LINES_TO_LOOK_AT):
        if len(line) > LONGEST_HEADER_LINE:
            continue
        bare = without_markup(without_bullet(line))
        label = _LABEL.match(bare)
        found = [_name(part) for part in _SEGMENTS.split(bare[label.end() if label else 0 :])]
        (labelled if label else candidates).extend(name for name in found if name)
    locals_ = "\n".join(email.partition("@")[0].casefold() for email in emails)
    addressed = [name for name in candidates if _is_in(name, locals_)]
    likely = [name for name in candidates if _is_likely(name)]
    by_place = [name for name in candidates[:1] if _is_cased(name) and _followed_by_role(header)]
    return next(iter([*labelled, *addressed, *likely, *by_place]), None)


def redact_name(text: str, name: str) -> str:
    """The text with the name, whole or in part, as `[name]`.

    The whole name goes in any case and order. A part goes where it stands as a word, begun with
    a capital, after Hebrew prefix letters too, unless it is a common word as well.
    """
    words = [re.escape(word) for word in name.split()]
    whole = [r"\s+".join(words), r",?\s+".join([words[-1], *words[:-1]])]
    text = re.sub("|".join(whole), "[name]", text, flags=re.IGNORECASE)
    parts = [part for word in name.split() for part in _forms(word.strip("."))]
    if not parts:
        return text
    alternatives = "|".join(map(re.escape, parts))
    pattern = rf"(?<![^\W_])([ולבמהשכ]{{1,2}}(?=[א-ת]))?(?:{alternatives})(?![^\W_])"
    return re.sub(pattern, lambda match: f"{match[1] or ''}[name]", text)


def _forms(part: str) -> list[str]:
    if len(part) < 3 or part.casefold() in _ALSO_WORDS | _PARTICLES:
        return []
    return list(dict.fromkeys((part, part.capitalize(), part.upper())))


def _name(text: str) -> str | None:
    """The text as a name of two to five words, None when it cannot be one."""
    while (title := _TITLE.match(text)) is not None and title.end():
        text = text[title.end() :]
    words = text.split()
    if not 2 <= len(words) <= 5 or len(text) > 60:
        return None
    if not all(_NAME_WORD.fullmatch(word) for word in words):
        return None
    if any(word.casefold() in _NOT_IN_NAMES for word in words):
        return None
    return " ".join(words)


def _is_cased(name: str) -> bool:
    return all(not word[0].islower() or word in _PARTICLES for word in name.split())


def _is_likely(name: str) -> bool:
    return _is_cased(name) and not any(word.casefold() in ROLE_WORDS for word in name.split())


def _is_in(name: str, email_locals: str) -> bool:
    """Whether an e-mail address repeats the last name, or the first name and more."""
    words = [word.casefold() for word in name.split() if len(word) > 2]
    return bool(words) and any(
        words[-1] in local and (len(words) == 1 or words[0][0] in local)
        for local in email_locals.split("\n")
    )


def _followed_by_role(header: list[str]) -> bool:
    """Whether the second line has the person's role: then John Baker is no baker."""
    return len(header) > 1 and role_score(header[1][:LONGEST_HEADER_LINE]) > 0
