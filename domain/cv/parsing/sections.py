"""The sections of a CV, told apart by their headings."""

import re
from dataclasses import dataclass
from enum import StrEnum

from domain.cv.parsing.plain_text import is_bullet, is_marked, without_markup


class SectionKind(StrEnum):
    HEADER = "HEADER"
    """What stands before the first heading: name and contact, often a summary."""
    CONTACT = "CONTACT"
    SUMMARY = "SUMMARY"
    EXPERIENCE = "EXPERIENCE"
    """Work and military service."""
    EDUCATION = "EDUCATION"
    SKILLS = "SKILLS"
    CERTIFICATIONS = "CERTIFICATIONS"
    """Licences and courses too."""
    LANGUAGES = "LANGUAGES"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Section:
    """`lines` are the section's own, without its heading; blank ones are kept."""

    kind: SectionKind
    lines: tuple[str, ...]


_HEADINGS: dict[SectionKind, str] = {
    SectionKind.CONTACT: """contact|contact details|contact information|contact info|
        personal details|personal information|personal data|personal info|פרטים אישיים|פרטי קשר|
        יצירת קשר|פרטי התקשרות""",
    SectionKind.SUMMARY: """summary|professional summary|career summary|executive summary|profile|
        professional profile|personal profile|personal statement|about|about me|objective|
        career objective|overview|highlights|תקציר|תקציר מקצועי|תמצית|תמצית מקצועית|אודות|אודותיי|
        פרופיל|פרופיל אישי|פרופיל מקצועי|על עצמי|קצת עליי|מטרה""",
    SectionKind.EXPERIENCE: """experience|work experience|professional experience|
        employment experience|job experience|relevant experience|work history|employment history|
        job history|career history|employment|career|positions held|professional background|
        work|military service|army service|military experience|ניסיון|נסיון|ניסיון תעסוקתי|
        נסיון תעסוקתי|ניסיון מקצועי|נסיון מקצועי|ניסיון בעבודה|ניסיון עבודה|ניסיון קודם|תעסוקה|
        היסטוריה תעסוקתית|רקע תעסוקתי|רקע מקצועי|עבודה|מקומות עבודה|שירות צבאי|שירות לאומי""",
    SectionKind.EDUCATION: """education|academic background|educational background|
        academic education|academic qualifications|academic history|studies|degrees|
        education and training|השכלה|לימודים|השכלה אקדמית|השכלה פורמלית|רקע אקדמי|
        השכלה והכשרה|השכלה והכשרות""",
    SectionKind.SKILLS: """skills|technical skills|key skills|core skills|professional skills|
        soft skills|hard skills|computer skills|core competencies|competencies|key competencies|
        areas of expertise|expertise|technologies|technology|tech stack|tools|it skills|
        technical expertise|technical proficiencies|abilities|strengths|כישורים|מיומנויות|
        כישורים טכניים|כישורים מקצועיים|כישורים אישיים|מיומנויות מקצועיות|מיומנויות טכניות|
        מיומנויות מחשב|יכולות|ידע|ידע טכני|ידע מקצועי|טכנולוגיות|כלים|יישומי מחשב|תוכנות""",
    SectionKind.CERTIFICATIONS: """certifications|certificates|certification|licenses|licences|
        licensure|license|licence|registrations|professional registration|credentials|courses|
        training|professional development|professional certifications|courses and training|
        professional qualifications|הסמכות|הסמכה|תעודות|רישיונות|רשיונות|רישיון|קורסים|הכשרות|
        הכשרה|הכשרה מקצועית|הכשרות מקצועיות|תעודות מקצועיות|השתלמויות""",
    SectionKind.LANGUAGES: """languages|language|language skills|spoken languages|שפות|
        ידיעת שפות|שפה|שליטה בשפות""",
    SectionKind.OTHER: """projects|personal projects|side projects|key projects|
        selected projects|open source|publications|patents|awards|honors|honours|achievements|
        awards and honors|volunteering|volunteer experience|volunteer work|community service|
        community|interests|hobbies|references|recommendations|memberships|affiliations|
        additional information|other|miscellaneous|activities|extracurricular activities|
        conferences|פרויקטים|פרוייקטים|התנדבות|פעילות התנדבותית|תחביבים|תחומי עניין|המלצות|ממליצים|
        פרסים|פרסומים|הישגים|שונות|מידע נוסף|פרטים נוספים|קוד פתוח""",
}
_KIND_BY_HEADING = {
    " ".join(phrase.split()): kind
    for kind, phrases in _HEADINGS.items()
    for phrase in phrases.split("|")
}
_INLINE = {
    SectionKind.SUMMARY,
    SectionKind.EDUCATION,
    SectionKind.SKILLS,
    SectionKind.CERTIFICATIONS,
    SectionKind.LANGUAGES,
}
_LONGEST_HEADING = 60
_EDGES = re.compile(r"^[\W\d_]+|[\W_]+$")
_RULE = re.compile(r"[ \t]*[-=_*~─━═–—]{3,}[ \t]*")
_SPACED_LETTERS = re.compile(r"[^\W\d_](?: [^\W\d_]){3,}")
_PARTS = re.compile(r"\s*(?:&|/|,|\+|\band\b|\s\|)\s*|\s+ו(?=[א-ת]{3})")


def split_sections(text: str) -> list[Section]:
    """The sections of normalised text, in its order; the first is always the HEADER.

    A heading with content on its own line ("Languages: Hebrew, English") makes a section of that
    line and of those that follow it up to a blank one. Under EXPERIENCE it takes its one line
    only, since the positions go on after it, and a list of tools there stays with its position.
    """
    found: list[tuple[SectionKind, list[str]]] = [(SectionKind.HEADER, [])]
    resumed: SectionKind | None = None
    for line in text.split("\n"):
        if _RULE.fullmatch(line):
            line = ""
        if (heading := _heading(line)) is not None:
            found.append((heading, []))
            resumed = None
            continue
        if resumed is not None and (resumed is SectionKind.EXPERIENCE or not line.strip()):
            found.append((resumed, []))
            resumed = None
        outer = resumed or found[-1][0]
        if (inline := _inline_heading(line, outer)) is not None:
            kind, line = inline
            found.append((kind, []))
            resumed = outer
        found[-1][1].append(line)
    return [Section(kind, tuple(lines)) for kind, lines in found]


def _heading(line: str) -> SectionKind | None:
    """The kind of section that a line opens, None when it is no heading.

    A heading is one of the known phrases (or several, joined) that has the line to itself, begun
    with a capital or set off, and not ended as a sentence.
    """
    bare = line.strip()
    if not bare or len(bare) > _LONGEST_HEADING or bare.endswith((".", ",", ";")):
        return None
    if is_bullet(line) and not bare.endswith(":") and not bare.isupper():
        return None
    name = _EDGES.sub("", _unspaced(without_markup(bare)))
    if not name or (name[0].islower() and not (is_marked(bare) or bare.endswith(":"))):
        return None
    return _kind(name)


def _kind(name: str) -> SectionKind | None:
    folded = " ".join(name.casefold().replace("&", "and").split())
    if kind := _KIND_BY_HEADING.get(folded):
        return kind
    parts = [part for part in _PARTS.split(folded) if part]
    kinds = [_KIND_BY_HEADING.get(part) or _kind_of_noun(part, name) for part in parts]
    known = [kind for kind in kinds if kind is not None]
    # "Work and military experience": a part that is a mere adjective has no kind of its own.
    return known[0] if known and len(known) >= len(kinds) - (len(kinds) > 1) else None


def _kind_of_noun(part: str, name: str) -> SectionKind | None:
    """EXPERIENCE for "Teaching experience", SKILLS for "Clinical skills", written as a title."""
    words = part.split()
    if not 2 <= len(words) <= 3 or not (name.istitle() or name.isupper()):
        return None
    if words[-1] in ("experience", "skills", "languages", "certifications", "projects"):
        return _KIND_BY_HEADING[words[-1]]
    return None


def _inline_heading(line: str, outer: SectionKind) -> tuple[SectionKind, str] | None:
    name, colon, rest = line[: _LONGEST_HEADING + 20].partition(":")
    if not colon or not rest.strip(" *_") or len(name) > _LONGEST_HEADING or is_bullet(name):
        return None
    label = _EDGES.sub("", without_markup(name)).casefold()
    kind = _KIND_BY_HEADING.get(" ".join(label.split()))
    if kind not in _INLINE or (kind is SectionKind.SKILLS and outer is SectionKind.EXPERIENCE):
        return None
    return kind, line.partition(":")[2].strip(" *_\t")


def _unspaced(text: str) -> str:
    """`EXPERIENCE` for a heading set as `E X P E R I E N C E`."""
    return text.replace(" ", "") if _SPACED_LETTERS.fullmatch(text) else text
