"""Why a job fits, in words."""

from collections.abc import Callable

from domain.core.language import Language
from domain.recommendations.rules import Reason, ReasonKind

_SKILLS_NAMED = 4
_LANGUAGES = {"en": ("English", "אנגלית"), "he": ("Hebrew", "עברית")}


def text_of(reason: Reason, language: Language, skill_name: Callable[[str], str]) -> str:
    """One short line."""
    english, hebrew = _texts(reason, skill_name)
    return hebrew if language is Language.HE else english


def _texts(reason: Reason, skill_name: Callable[[str], str]) -> tuple[str, str]:
    match reason.kind:
        case ReasonKind.SKILLS:
            return _skills(reason, skill_name)
        case ReasonKind.TITLE:
            return f"Close to your role: {reason.values[0]}", f"קרוב לתפקיד שלך: {reason.values[0]}"
        case ReasonKind.REMOTE:
            return "Can be done remotely", "אפשר לעבוד מרחוק"
        case ReasonKind.LOCATION:
            return f"Near you: {reason.values[0]}", f"קרוב אליך: {reason.values[0]}"
        case ReasonKind.LANGUAGE:
            english, hebrew = _LANGUAGES[reason.values[0]]
            return f"Written in {english}, which you know", f"כתובה ב{hebrew}, שפה שמוכרת לך"


def _skills(reason: Reason, skill_name: Callable[[str], str]) -> tuple[str, str]:
    names = [skill_name(skill) for skill in reason.values[:_SKILLS_NAMED]]
    more = len(reason.values) - len(names)
    listed = ", ".join(names)
    english = f"{listed} and {more} more" if more else listed
    hebrew = f"{listed} ועוד {more}" if more else listed
    count = len(reason.values)
    return (
        f"You have {count} of {reason.total} required skills: {english}",
        f"יש לך {count} מתוך {reason.total} הכישורים הנדרשים: {hebrew}",
    )
