"""What people are asked to agree to, word for word, in each language.

A text that changes in meaning gets a new version, which is the day it came into force; those who
agreed to an older one agreed to that one. `docs/` holds no copy: this is the text.
"""

from dataclasses import dataclass

from domain.core.language import Language
from domain.sign_in.rules import ConsentKind


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One text in one language. `paragraphs` are plain text."""

    kind: ConsentKind
    version: str
    language: Language
    title: str
    paragraphs: tuple[str, ...]


_VERSIONS = {
    ConsentKind.PRIVACY_POLICY: "2026-11-20",
    ConsentKind.GITHUB_REPOSITORIES: "2026-11-20",
}

_TITLES = {
    ConsentKind.PRIVACY_POLICY: ("Privacy policy", "מדיניות פרטיות"),
    ConsentKind.GITHUB_REPOSITORIES: (
        "Reading your GitHub repositories",
        "קריאת המאגרים שלך ב-GitHub",
    ),
}

# Each paragraph in English and in Hebrew.
_PARAGRAPHS: dict[ConsentKind, tuple[tuple[str, str], ...]] = {
    ConsentKind.PRIVACY_POLICY: (
        (
            "CareerGraph keeps what it needs to compare you with jobs: your name, e-mail address "
            "and picture as Google or GitHub give them, the CVs you send, the job postings you "
            "have them compared with, the questions asked and your answers.",
            "CareerGraph שומרת את מה שדרוש כדי להשוות בינך לבין משרות: השם, כתובת הדוא״ל והתמונה "
            "כפי ש-Google או GitHub מוסרות אותם, קורות החיים ששלחת, מודעות הדרושים שביקשת להשוות "
            "אליהן, השאלות שנשאלו והתשובות שלך.",
        ),
        (
            "To know that it is you, it keeps which Google or GitHub account you came with, the "
            "tokens these give it (encrypted), and for each session the kind of device, the "
            "network address and the time of last use. Sign-ins and other events that matter for "
            "security are recorded for up to 400 days.",
            "כדי לדעת שזה אכן את או אתה, נשמרים חשבון Google או GitHub שדרכו נכנסת, האסימונים "
            "שהתקבלו מהם (מוצפנים), ולכל כניסה סוג המכשיר, כתובת הרשת ומועד השימוש האחרון. כניסות "
            "ואירועי אבטחה אחרים נרשמים לתקופה של עד 400 יום.",
        ),
        (
            "Where the operator has set up a language model, the text of CVs and postings is sent "
            "to it for reading, with the contact details taken out.",
            "אם מפעיל השירות הגדיר מודל שפה, הטקסט של קורות החיים ושל המודעות נשלח אליו לקריאה, "
            "לאחר הסרת פרטי הקשר.",
        ),
        (
            "Nothing is sold, and nothing is shown to employers or to other users.",
            "שום דבר אינו נמכר, ושום דבר אינו מוצג למעסיקים או למשתמשים אחרים.",
        ),
        (
            "You can have all that is kept about you as a file (exportMyData), and you can delete "
            "your account with everything in it (deleteMyAccount), at any time.",
            "אפשר לקבל בכל עת קובץ עם כל מה ששמור עליך (exportMyData), ואפשר למחוק בכל עת את "
            "החשבון ואת כל תוכנו (deleteMyAccount).",
        ),
    ),
    ConsentKind.GITHUB_REPOSITORIES: (
        (
            "With this you let CareerGraph read your GitHub repositories, private ones too, to "
            "find skills that your code shows and your CV does not mention.",
            "בכך ניתנת ל-CareerGraph רשות לקרוא את המאגרים שלך ב-GitHub, גם פרטיים, כדי למצוא "
            "כישורים שהקוד מראה וקורות החיים אינם מזכירים.",
        ),
        (
            "GitHub has no permission for reading alone: the one asked for, “repo”, would allow "
            "writing too. CareerGraph never writes.",
            "ב-GitHub אין הרשאה לקריאה בלבד: ההרשאה המבוקשת, “repo”, מתירה גם כתיבה. CareerGraph "
            "לעולם אינה כותבת.",
        ),
        (
            "You can withdraw this at any time on your account page. The token is then deleted "
            "here, and GitHub is told that it is void.",
            "אפשר לבטל זאת בכל עת בעמוד החשבון. האסימון נמחק אז כאן, ו-GitHub מקבלת הודעה שאינו "
            "תקף עוד.",
        ),
    ),
}


def current_version(kind: ConsentKind) -> str:
    """The version that people agree to now."""
    return _VERSIONS[kind]


def current_text(kind: ConsentKind, language: Language) -> ConsentText:
    """What the current version says."""
    index = 1 if language is Language.HE else 0
    return ConsentText(
        kind=kind,
        version=_VERSIONS[kind],
        language=language,
        title=_TITLES[kind][index],
        paragraphs=tuple(paragraph[index] for paragraph in _PARAGRAPHS[kind]),
    )


def current_texts(language: Language) -> list[ConsentText]:
    """All current texts."""
    return [current_text(kind, language) for kind in ConsentKind]
