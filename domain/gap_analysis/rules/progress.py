"""What people are told while an analysis is under way."""

from enum import StrEnum

from domain.core.language import Language


class ProgressStage(StrEnum):
    QUEUED = "QUEUED"
    READING = "READING"
    ASKING = "ASKING"
    TRYING_AGAIN = "TRYING_AGAIN"


_MESSAGES = {
    ProgressStage.QUEUED: ("Waiting for its turn", "ממתין לתורו"),
    ProgressStage.READING: (
        "Reading the CV and the posting",
        "קריאת קורות החיים והמשרה",
    ),
    ProgressStage.ASKING: ("Writing questions", "כתיבת שאלות"),
    ProgressStage.TRYING_AGAIN: (
        "Interrupted; trying again soon",
        "נקטע; ניסיון נוסף יתחיל בקרוב",
    ),
}


def message_of(stage: ProgressStage, language: Language) -> str:
    """A line to show beside the progress bar."""
    english, hebrew = _MESSAGES[stage]
    return hebrew if language is Language.HE else english


def percent_of(questions: int, most: int) -> int:
    """Progress while questions appear: 10 before the first, 90 at the last that may come."""
    return 10 + 80 * min(questions, most) // most
