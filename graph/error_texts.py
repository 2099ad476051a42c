"""What people are told about expected failures, in their language."""

from domain.core.errors import (
    AccountClosed,
    DomainError,
    IdempotencyKeyMismatch,
    InputRule,
    InvalidInput,
    LastWayIn,
    Missing,
    NeededForAccount,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    WrongState,
)
from domain.core.language import Language

# Each in English and in Hebrew. {limit} is the bound that was passed.
_RULES: dict[InputRule, tuple[str, str]] = {
    InputRule.BLANK: ("This must not be empty.", "השדה לא יכול להיות ריק."),
    InputRule.TOO_LONG: (
        "This is too long: at most {limit} characters.",
        "הטקסט ארוך מדי: {limit} תווים לכל היותר.",
    ),
    InputRule.NOT_HTTP_URL: (
        "This must be an absolute address that starts with http:// or https://.",
        "הכתובת חייבת להיות מלאה ולהתחיל ב-http:// או ב-https://.",
    ),
    InputRule.BAD_CURSOR: (
        "This cursor is not of this list. Take cursors from `pageInfo` or `edges` of the same "
        "field with the same order.",
        "הסמן אינו שייך לרשימה הזאת. יש לקחת סמנים מ-`pageInfo` או מ-`edges` של אותו שדה ובאותו "
        "סדר.",
    ),
    InputRule.BAD_PAGE_SIZE: (
        "A page holds 0 to {limit} items.",
        "בעמוד יש בין 0 ל-{limit} פריטים.",
    ),
    InputRule.FIRST_AND_LAST: (
        "Give `first` or `last`, not both.",
        "יש לציין `first` או `last`, לא את שניהם.",
    ),
    InputRule.UNSUPPORTED_FILE_TYPE: (
        "Only PDF (application/pdf) and DOCX (application/vnd.openxmlformats-officedocument."
        "wordprocessingml.document) can be uploaded. Send text and Markdown with createCV.",
        "אפשר להעלות רק PDF (application/pdf) ו-DOCX (application/vnd.openxmlformats-"
        "officedocument.wordprocessingml.document). טקסט ו-Markdown שולחים עם createCV.",
    ),
    InputRule.BAD_SIZE: (
        "The size of the file in bytes must be at least 1.",
        "גודל הקובץ בבתים חייב להיות לפחות 1.",
    ),
    InputRule.NO_ANSWERS: ("Give at least one answer.", "יש לתת לפחות תשובה אחת."),
    InputRule.DUPLICATE_QUESTION: (
        "This question is answered twice in one call. Send one answer for each question.",
        "השאלה הזאת נענתה פעמיים באותה קריאה. יש לשלוח תשובה אחת לכל שאלה.",
    ),
    InputRule.TOO_MANY: ("At most {limit} are allowed.", "מותר {limit} לכל היותר."),
    InputRule.CV_NOT_UPLOADED: (
        "The file of this CV has not arrived yet. PUT it to the address that requestCVUpload gave.",
        "הקובץ של קורות החיים האלה עוד לא הגיע. יש לשלוח אותו ב-PUT לכתובת ש-requestCVUpload נתן.",
    ),
    InputRule.CV_UNREADABLE: (
        "This CV could not be read; its `failure` says why. Send another one.",
        "לא ניתן היה לקרוא את קורות החיים האלה; הסיבה מופיעה בשדה `failure`. יש לשלוח אחרים.",
    ),
    InputRule.NOT_CONFIRMED: (
        "To delete the account with everything in it, write `delete my account` here, in English.",
        "כדי למחוק את החשבון וכל מה שבו יש לכתוב כאן, באנגלית, `delete my account`.",
    ),
    InputRule.OUTDATED_CONSENT_TEXT: (
        "This is not the current version of the text. Read `consentTexts` again and send the "
        "`textVersion` found there.",
        "זו אינה הגרסה הנוכחית של הטקסט. יש לקרוא שוב את `consentTexts` ולשלוח את ה-`textVersion` "
        "שמופיע שם.",
    ),
}

_MISSING: dict[Missing, tuple[str, str]] = {
    Missing.CV: ("No such CV.", "לא נמצאו קורות חיים כאלה."),
    Missing.GAP_ANALYSIS: ("No such gap analysis.", "לא נמצא ניתוח פערים כזה."),
    Missing.DATA_EXPORT: (
        "No such export. Exports are removed after 24 hours.",
        "לא נמצא ייצוא כזה. ייצוא נמחק אחרי 24 שעות.",
    ),
    Missing.IDENTITY: ("No such identity.", "לא נמצאה זהות כזאת."),
    Missing.QUESTION: (
        "No such question in this analysis; nothing was saved.",
        "אין שאלה כזאת בניתוח הזה; שום דבר לא נשמר.",
    ),
    Missing.SESSION: (
        "No such session. It may have ended already.",
        "לא נמצאה התחברות כזאת. ייתכן שהיא כבר הסתיימה.",
    ),
}

_UNITS = {"BYTES": ("bytes", "בתים"), "CHARACTERS": ("characters", "תווים")}


def text_of(error: DomainError, language: Language) -> str:
    """One or two sentences that say what is wrong and what to do."""
    english, hebrew = _texts(error)
    return hebrew if language is Language.HE else english


def _texts(error: DomainError) -> tuple[str, str]:
    match error:
        case InvalidInput():
            english, hebrew = _RULES[error.rule]
            return english.format(limit=error.limit), hebrew.format(limit=error.limit)
        case NotFound():
            return _MISSING[error.missing]
        case PayloadTooLarge():
            return _too_large(error)
        case RateLimited():
            return (
                f"Too many calls. Try again in {error.retry_after} s.",
                f"יותר מדי בקשות. אפשר לנסות שוב בעוד {error.retry_after} שניות.",
            )
        case IdempotencyKeyMismatch():
            return (
                "This idempotency key was used before with other input. Use a new key for new "
                "input.",
                "במפתח האידמפוטנטיות הזה כבר נעשה שימוש עם קלט אחר. לקלט חדש צריך מפתח חדש.",
            )
        case AccountClosed():
            return ("This account is being deleted.", "החשבון הזה נמצא במחיקה.")
        case LastWayIn():
            return (
                "This is the only way into your account. Link another one first, or delete the "
                "account.",
                "זו הדרך היחידה להיכנס לחשבון. יש לקשר קודם דרך נוספת, או למחוק את החשבון.",
            )
        case NeededForAccount():
            return (
                "There is no account without the privacy policy. To withdraw it, delete the "
                "account.",
                "אין חשבון בלי מדיניות הפרטיות. כדי לבטל את ההסכמה יש למחוק את החשבון.",
            )
        case WrongState():
            return (
                f"This cannot be done while the analysis is {error.state}.",
                f"אי אפשר לעשות זאת כשמצב הניתוח הוא {error.state}.",
            )
    raise TypeError(f"no text for {type(error).__name__}")


def _too_large(error: PayloadTooLarge) -> tuple[str, str]:
    english, hebrew = _UNITS[error.unit]
    return (
        f"This is {error.actual:,} {english}; at most {error.limit:,} are accepted. Shorten it.",
        f"כאן יש {error.actual:,} {hebrew}, ומתקבלים {error.limit:,} לכל היותר. יש לקצר.",
    )
