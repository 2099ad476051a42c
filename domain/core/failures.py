"""How background work fails, and what people are told about it."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.core.language import Language


class FailureCode(StrEnum):
    LLM_API_ERROR = "LLM_API_ERROR"
    TIMEOUT = "TIMEOUT"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    UNREADABLE_FILE = "UNREADABLE_FILE"
    CANCELLED = "CANCELLED"


class Failure(BaseModel):
    """Why background work ended without a result. `message` is safe to show."""

    model_config = ConfigDict(frozen=True)

    code: FailureCode
    message: str
    is_retryable: bool


class FailureReason(StrEnum):
    """What went wrong, finer than the code; each has one sentence in every language."""

    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    MODEL_REJECTED = "MODEL_REJECTED"
    MODEL_REFUSED = "MODEL_REFUSED"
    MODEL_TIMEOUT = "MODEL_TIMEOUT"
    ANSWER_UNREADABLE = "ANSWER_UNREADABLE"
    JOB_TIMEOUT = "JOB_TIMEOUT"
    WORKER_DIED = "WORKER_DIED"
    BUG = "BUG"
    CANCELLED = "CANCELLED"
    CV_GONE = "CV_GONE"
    CV_UNREADABLE = "CV_UNREADABLE"
    FILE_NOT_THAT_TYPE = "FILE_NOT_THAT_TYPE"
    FILE_ENCRYPTED = "FILE_ENCRYPTED"
    FILE_DAMAGED = "FILE_DAMAGED"
    FILE_WITHOUT_TEXT = "FILE_WITHOUT_TEXT"
    FILE_TEXT_TOO_LONG = "FILE_TEXT_TOO_LONG"


_LLM, _FILE = FailureCode.LLM_API_ERROR, FailureCode.UNREADABLE_FILE

# Reason: its code, whether submitting again may succeed, the sentence in English and in Hebrew.
_TABLE: dict[FailureReason, tuple[FailureCode, bool, str, str]] = {
    FailureReason.MODEL_UNAVAILABLE: (
        _LLM,
        True,
        "The analysis model could not be reached. Please try again in a few minutes.",
        "לא ניתן היה להגיע למודל הניתוח. אפשר לנסות שוב בעוד כמה דקות.",
    ),
    FailureReason.MODEL_REJECTED: (
        _LLM,
        False,
        "The analysis model did not accept the request. The operator of this server must check "
        "its model settings.",
        "מודל הניתוח לא קיבל את הבקשה. על מפעילי השרת לבדוק את הגדרות המודל.",
    ),
    FailureReason.MODEL_REFUSED: (
        _LLM,
        False,
        "The analysis model declined to work on this CV and posting.",
        "מודל הניתוח סירב לעבוד על קורות החיים והמשרה האלה.",
    ),
    FailureReason.MODEL_TIMEOUT: (
        FailureCode.TIMEOUT,
        True,
        "The analysis model took too long to answer. Please try again.",
        "מודל הניתוח לא ענה בזמן. אפשר לנסות שוב.",
    ),
    FailureReason.ANSWER_UNREADABLE: (
        FailureCode.INTERNAL_ERROR,
        True,
        "Failed to parse LLM response. Please try again.",
        "לא ניתן היה לקרוא את תשובת המודל. אפשר לנסות שוב.",
    ),
    FailureReason.JOB_TIMEOUT: (
        FailureCode.TIMEOUT,
        True,
        "The work ran past its time limit and was stopped. Please try again.",
        "העבודה חרגה ממגבלת הזמן ונעצרה. אפשר לנסות שוב.",
    ),
    FailureReason.WORKER_DIED: (
        FailureCode.INTERNAL_ERROR,
        True,
        "The work was interrupted several times and was given up. Please try again.",
        "העבודה נקטעה כמה פעמים והופסקה. אפשר לנסות שוב.",
    ),
    FailureReason.BUG: (
        FailureCode.INTERNAL_ERROR,
        True,
        "Something went wrong on our side. Please try again.",
        "משהו השתבש אצלנו. אפשר לנסות שוב.",
    ),
    FailureReason.CANCELLED: (
        FailureCode.CANCELLED,
        True,
        "The analysis was cancelled.",
        "הניתוח בוטל.",
    ),
    FailureReason.CV_GONE: (
        FailureCode.INTERNAL_ERROR,
        False,
        "The CV was deleted before the analysis could read it.",
        "קורות החיים נמחקו לפני שהניתוח קרא אותם.",
    ),
    FailureReason.CV_UNREADABLE: (
        _FILE,
        False,
        "The CV could not be read, so there is nothing to hold against the posting. See the CV's "
        "own failure for what to do.",
        "לא ניתן היה לקרוא את קורות החיים, ולכן אין מה להשוות למשרה. הסיבה מופיעה בשדה `failure` "
        "של קורות החיים.",
    ),
    FailureReason.FILE_NOT_THAT_TYPE: (
        _FILE,
        False,
        "The file is not of the type it was announced as. Upload a PDF or a DOCX, or paste the "
        "CV as text.",
        "הקובץ אינו מהסוג שהוצהר. אפשר להעלות PDF או DOCX, או להדביק את קורות החיים כטקסט.",
    ),
    FailureReason.FILE_ENCRYPTED: (
        _FILE,
        False,
        "The file is protected by a password. Save it without one and upload it again.",
        "הקובץ מוגן בסיסמה. יש לשמור אותו בלי סיסמה ולהעלות שוב.",
    ),
    FailureReason.FILE_DAMAGED: (
        _FILE,
        False,
        "The file is damaged and cannot be read. Export it again and upload the new file, or "
        "paste the CV as text.",
        "הקובץ פגום ולא ניתן לקרוא אותו. יש לייצא אותו מחדש ולהעלות שוב, או להדביק את קורות "
        "החיים כטקסט.",
    ),
    FailureReason.FILE_WITHOUT_TEXT: (
        _FILE,
        False,
        "No text was found in the file; it may be a scan. Upload a PDF or DOCX with selectable "
        "text, or paste the CV as text.",
        "לא נמצא טקסט בקובץ, אולי הוא סריקה. יש להעלות PDF או DOCX שאפשר לסמן בו טקסט, או להדביק "
        "את קורות החיים כטקסט.",
    ),
    FailureReason.FILE_TEXT_TOO_LONG: (
        _FILE,
        False,
        "The file holds more text than a CV may have (1,000,000 characters). Shorten it and "
        "upload it again.",
        "בקובץ יש יותר טקסט ממה שמותר לקורות חיים (1,000,000 תווים). יש לקצר אותו ולהעלות שוב.",
    ),
}


def code_of(reason: FailureReason) -> FailureCode:
    """The code that clients see for a reason."""
    return _TABLE[reason][0]


def failure(reason: FailureReason, language: Language) -> Failure:
    """The failure to store and show for a reason, in the given language."""
    code, is_retryable, english, hebrew = _TABLE[reason]
    message = hebrew if language is Language.HE else english
    return Failure(code=code, message=message, is_retryable=is_retryable)
