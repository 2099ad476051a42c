"""The languages that content comes in and that people are answered in."""

from enum import StrEnum


class Language(StrEnum):
    """A BCP 47 language tag. HE is written right to left."""

    EN = "en"
    HE = "he"


def detect_language(text: str) -> Language:
    """HE when at least three letters in ten are Hebrew, else EN.

    Hebrew CVs and postings are full of Latin product names, so a plain majority would call a
    Hebrew software CV English.
    """
    hebrew = sum("\u0590" <= char <= "\u05ff" for char in text)
    letters = sum(char.isalpha() for char in text)
    return Language.HE if letters and hebrew / letters >= 0.3 else Language.EN
