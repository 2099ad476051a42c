"""The spoken languages that a CV lists, with how well."""

import re

from domain.cv.parsing.plain_text import without_bullet, without_markup

_MOST = 30
_NAMES = """
afrikaans albanian amharic arabic armenian azerbaijani bengali bosnian bulgarian cantonese catalan
chinese croatian czech danish dutch english estonian farsi filipino finnish french georgian german
greek hebrew hindi hungarian icelandic indonesian irish italian japanese kazakh korean kurdish
latvian lithuanian macedonian malay mandarin norwegian pashto persian polish portuguese punjabi
romanian russian serbian slovak slovenian somali spanish swahili swedish tagalog tamil thai tigrinya
turkish ukrainian urdu uzbek vietnamese welsh yiddish
עברית אנגלית ערבית רוסית צרפתית ספרדית אמהרית גרמנית איטלקית יידיש אוקראינית רומנית פורטוגזית
פולנית טורקית סינית מנדרינית יפנית קוריאנית הונגרית פרסית הולנדית הינדי גאורגית טיגרינית יוונית
"""
_LANGUAGE = re.compile(rf"(?<![^\W_])(?:{'|'.join(_NAMES.split())})(?![^\W_])", re.IGNORECASE)
_EDGES = " \t,;|•·/.&*_–—-:"
_JOIN = re.compile(r"[\s,]+(?:and|ו)-?$", re.IGNORECASE)
_BRACKETED = re.compile(r"\(([^()]*)\)")


def read_languages(lines: tuple[str, ...]) -> list[str]:
    """The languages in the lines of a language section: `Hebrew (native)`, each once."""
    found: dict[str, str] = {}
    for line in lines:
        bare = without_markup(without_bullet(line))[:500]
        names = list(_LANGUAGE.finditer(bare))
        stops = [match.start() for match in names[1:]] + [len(bare)]
        for match, stop in zip(names, stops, strict=bool(names)):
            level = _level(bare[match.end() : stop])
            item = f"{match[0]} ({level})" if level else match[0]
            found.setdefault(match[0].casefold(), item)
    return list(found.values())[:_MOST]


def _level(text: str) -> str:
    """How well, out of what stands between one language and the next."""
    bare = _JOIN.sub("", text.strip(_EDGES)).strip(_EDGES)
    if bracketed := _BRACKETED.search(bare):
        bare = bracketed[1].strip()
    return bare if len(bare) <= 60 else ""
