"""Putting text that nobody vouches for into a prompt, so that it stays material.

A fence's mark is a hash of everything that is fenced, so a text would have to contain a part of
its own hash to close its fence, and where it does the mark is taken out of it. The same texts
give the same prompt, byte for byte.
"""

import hashlib
import re

_MARK_DIGITS = 16
_TAG_OPENING = re.compile(r"<(?=[\s/!?]*[a-z])", re.IGNORECASE)


def fence_mark(*texts: str) -> str:
    """The mark for fences round these texts: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for text in texts:
        # Each part's length keeps ("ab", "c") and ("a", "bc") apart.
        data = text.encode(errors="replace")
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()[:_MARK_DIGITS]


def fenced(label: str, text: str, mark: str) -> str:
    """`text` between an opening and a closing tag that only `mark` makes genuine.

    Whatever looks like a tag, and the mark itself, lose their force inside.
    """
    without_mark = re.sub(re.escape(mark), "·", text, flags=re.IGNORECASE)
    harmless = _TAG_OPENING.sub("‹", without_mark)
    return f"<{label}-{mark}>\n{harmless}\n</{label}-{mark}>"


def cut_to_lines(text: str, limit: int) -> str:
    """The whole lines at the start of `text` that fit in `limit` characters.

    When the first line alone is longer, its whole words that fit; when the first word is, the
    characters that fit.
    """
    if len(text) <= limit:
        return text
    # One more character than fits: a line or word that ends exactly at the limit is whole.
    start = text[: limit + 1]
    for separator in ("\n", " "):
        end = start.rfind(separator)
        if end > 0:
            return text[:end]
    return text[:limit]
