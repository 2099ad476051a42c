"""What the words of a question may look like, whoever wrote them."""

import re
import unicodedata

from domain.core.language import Language

MAX_QUESTION_CHARS = 400

# Control, format (bidirectional overrides among them), surrogate and private-use characters.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_EMPHASIS = re.compile(r"\*{1,3}|`+|__")
_ADDRESS = re.compile(
    r"\w[\w+.-]*://"
    r"|\bwww\.\w"
    r"|\b(?:javascript|mailto|tel):\S|\bdata:\w+/"
    r"|[\w.+-]+@[\w-]+\.\w"
    r"|\.(?:com|org|info|biz|xyz|link|il|ru)/\w",
    re.IGNORECASE,
)
_BARE_HOST = re.compile(
    r"\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|io|co|info|biz|xyz|link|site|app|dev|il|ru)\b",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"<[a-z/!?][^<]*>?|&(?:[a-z]{2,8}|#x?[0-9a-f]+);|\]\(|[{}]{2}", re.IGNORECASE)
_HEBREW_LETTER = re.compile("[\u05d0-\u05ea]")
_NOT_FOLDED = re.compile(r"[^\w+#]+")


def cleaned(text: str) -> str:
    """`text` on one line, without control and direction characters and emphasis marks."""
    # Whitespace is a control character too, so it is made plain before the rest is removed.
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    visible = "".join(char for char in plain if unicodedata.category(char) not in _UNSEEN)
    return " ".join(_EMPHASIS.sub("", visible).split())


def carries_address_or_markup(text: str) -> bool:
    """Whether `text` holds a URL, an e-mail address, a tag, an entity or a Markdown link."""
    return bool(_ADDRESS.search(text) or _MARKUP.search(text))


def host_names(text: str) -> list[str]:
    """Names such as `monday.com`, in lower case: a company where a source has it, else a link."""
    return [match.group().casefold() for match in _BARE_HOST.finditer(text)]


def is_in_language(text: str, language: Language) -> bool:
    """Whether `text` can be a question asked in `language`, by its letters.

    A Hebrew question needs one Hebrew letter, since product names may be most of it. An English
    one may quote Hebrew, but at least half of its letters are Latin.
    """
    if language is Language.HE:
        return bool(_HEBREW_LETTER.search(text))
    letters = [char for char in text if char.isalpha()]
    latin = sum(char <= "\u024f" for char in letters)
    return bool(letters) and 2 * latin >= len(letters)


def folded(text: str) -> str:
    """`text` reduced to what makes two questions the same: no case, marks or punctuation.

    `+` and `#` stay, since C, C++ and C# are different questions.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(_NOT_FOLDED.sub(" ", bare).split())


def names_literally(text: str, name: str) -> bool:
    """Whether `name` stands in `text` as whole words, whatever the case and the spacing.

    A Hebrew name may carry up to two one-letter prefixes (ב, ו, ל, ...), as Hebrew writes them.
    """
    words = name.split()
    if not words:
        return False
    prefix = "[בוהלמשכ]{0,2}" if _HEBREW_LETTER.match(words[0]) else ""
    pattern = r"\s+".join(re.escape(word) for word in words)
    bounded = rf"(?<![\w+#]){prefix}{pattern}(?![\w+#])"
    return re.search(bounded, text, re.IGNORECASE) is not None
