"""What people read about exports and deletions, in English and in Hebrew."""

from enum import StrEnum

from domain.core.language import Language


class ExportStage(StrEnum):
    """What the worker is doing."""

    QUEUED = "QUEUED"
    COLLECTING = "COLLECTING"
    STORING = "STORING"


_STAGES = {
    ExportStage.QUEUED: ("Waiting for a worker", "ממתין לתחילת העבודה"),
    ExportStage.COLLECTING: ("Collecting your data", "אוסף את הנתונים שלך"),
    ExportStage.STORING: ("Storing the archive", "שומר את הארכיון"),
}

README = """\
This archive holds everything that CareerGraph keeps about you.

profile.json            your account and profile
identities.json         the accounts of other services that you sign in with
provider-tokens.json    what other services let us do for you, without the tokens themselves
consents.json           what you agreed to, and when
sessions.json           where you are or were signed in
cvs.json                your CVs as they were read, with their text less contact details
gap-analyses.json       your gap analyses with questions and answers
audit-events.json       what was done with your account
data-exports.json       the exports that you asked for
files.json              the files that are stored for you
files/                  the CV files that you brought, each under its CV's id

manifest.json lists every file with its size and SHA-256. manifest.jws is the same text, signed
(JWS, RFC 7515, EdDSA). Its key is among those found at the address that manifest.json names under
"keys".


הארכיון הזה מכיל את כל מה ש-CareerGraph שומרת עליך: הפרופיל, חשבונות הכניסה, ההרשאות, ההסכמות,
החיבורים, קורות החיים והקבצים המקוריים שלהם, ניתוחי הפערים עם השאלות והתשובות, ויומן הפעולות.
בקובץ manifest.json רשומים כל הקבצים עם גודל ו-SHA-256, והקובץ manifest.jws הוא אותו טקסט, חתום.
"""


def stage_text(stage: ExportStage, language: Language) -> str:
    """What the worker is doing, in a few words."""
    english, hebrew = _STAGES[stage]
    return hebrew if language is Language.HE else english
