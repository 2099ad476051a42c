"""Which mentions a text denies: "no experience with Docker", "want to learn Rust".

A cue opens a scope that runs over the list of skills after it and ends with the clause: at a
full stop, at "but", or where a comma or "and" begins something other than another item.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from domain.skills.ambiguity import Candidate

_KNOWLEDGE = (
    r"(?:experience|knowledge|exposure|familiarity|background|expertise|understanding|skills?"
    r"|training|proficiency)"
)
_QUALIFIER = (
    r"(?:prior|previous|real|hands on|practical|professional|commercial|formal|production|much"
    r"|any|significant|direct|actual|work|working|industry|relevant|yet|a|an|the|of)"
)
_NOT_ASKED = r"(?! (?:is |are )?(?:required|needed|necessary|expected))"
_ENGLISH_CUES = (
    rf"(?:no|not have|zero|without|lack of|lacks|lacking|lack) (?:{_QUALIFIER} )*{_KNOWLEDGE}"
    rf"{_NOT_ASKED}",
    r"not (?:yet |very |really |too |so |at all )?(?:familiar|experienced|proficient|skilled|fluent"
    r"|comfortable|knowledgeable|trained|versed|used|worked|tried|touched|learned|know|use)",
    r"(?:unfamiliar|inexperienced)",
    r"never (?:yet |really |actually )?(?:used|worked|touched|tried|learned|learnt|written|wrote"
    r"|coded|programmed|had|done|did|seen|studied|been|developed|built|operated|deployed)",
    r"(?:do|does|did|have|has|had|is|are|am|was|can|could)(?:n't|nt| not)"
    r"(?: yet| really| actually| ever)? (?:know|have|use|used|work|worked|speak|understand|tried"
    r"|touched|learned|learnt|written|code|program|familiar|experienced|proficient|write|studied)",
    r"(?:cannot|unable to|can't) (?:use|code|program|write|work|speak|operate)",
    r"(?:want|wants|wanting|would like|would love|i'd like|i'd love|like|hope|hopes|hoping|plan"
    r"|plans|planning|looking|eager|keen|excited|aspire|aiming|aim|wish|willing|ready|happy|going"
    r"|intend|curious)(?: \w+)? to (?:\w+ )?(?:learn|study|explore|get into|pick up|become|master"
    r"|try|improve in)",
    r"(?:interested|interest|keen) (?:in|on) (?:learning|studying|exploring|trying|picking up)",
    r"looking forward to (?:learning|studying)",
    r"not (?:required|needed|necessary)(?=:)",
    r"no need (?:for|to know|to have)",
)
_KNOWLEDGE_HE = r"(?:ניסיון|נסיון|ידע|היכרות|הכרות|רקע|הבנה|הכשרה|שליטה)"
_HEBREW_CUES = (
    rf"[והשכ]?(?:ללא|בלי|חסר|חסרה|היעדר|העדר|אין)(?: (?:לי|לו|לה|לנו|כל|שום|עדיין|עוד|מספיק))*"
    rf" {_KNOWLEDGE_HE}(?! (?:נדרש|דרוש|חובה))",
    r"[והש]?(?:אין צורך|אין חובה|לא נדרש|לא נדרשת|לא חובה)",
    r"[והש]?(?:לא|מעולם לא|אף פעם לא|טרם|עוד לא|עדיין לא) (?:עוד )?(?:עבדתי|השתמשתי|התנסיתי|מכיר"
    r"|מכירה|יודע|יודעת|שולט|שולטת|בקיא|בקיאה|עובד|עובדת|למדתי|הכרתי|נגעתי|כתבתי|פיתחתי|מנוסה"
    r"|ניהלתי|תכנתתי|דובר|דוברת|יצא לי|התעסקתי|עסקתי|הפעלתי)",
    r"[והש]?(?:רוצה|מעוניין|מעוניינת|אשמח|מתכנן|מתכננת|שואף|שואפת|מתעניין|מתעניינת|הייתי רוצה"
    r"|מקווה|חולם|חולמת|מוכן|מוכנה)(?: \w+)? (?:ללמוד|בלימוד|בלימודי|להכיר|להתנסות|להיכנס"
    r"|להשתלם|להתמחות)",
)
# These deny only the item right after them: "without Docker", but not "without downtime".
_ADJACENT_CUES = (
    r"(?:no|not|without|lack of|lacks|lacking|except|excluding)(?! \d)",
    r"[והש]?(?:ללא|בלי|אין|לא|למעט)",
)
_CUES = re.compile(
    rf"(?<![\w'])(?:(?P<clause>{'|'.join(_ENGLISH_CUES + _HEBREW_CUES)})"
    rf"|(?P<adjacent>{'|'.join(_ADJACENT_CUES)}))(?!\w)"
)
_NOT_NEGATION = re.compile(r" (?:only|just|merely|limited|least|רק|פחות)\b|\.")
_CLAUSE_END = re.compile(
    r"[!?;\n,()]|\.(?!\w)|(?<!\w)(?:but|however|although|though|while|whereas|except|yet|because"
    r"|since|so|and then|אבל|אך|אולם|למרות|ואילו|לעומת)(?!\w)"
)
_COLON = re.compile(r"^\s*:[\s*•·-]*")
_LEAD_REACH = 80
_FILLER = (
    r"(?:with|in|of|using|to|the|a|an|any|on|about|like|such as|e\.g\.|for|at all|either|also"
    r"|even|עם|של|את|גם|ב|ל|כמו|או)"
)
_ADJACENT_LEAD = re.compile(
    rf"[\s:\"'(]*(?:(?:{_FILLER}|{_QUALIFIER}|{_KNOWLEDGE})\s+)*[\"'(]*[א-ת]?"
)
_GAP_REACH = 40
_JOINED = r"[ \"'*()]*"
_NEXT_ITEM = re.compile(
    rf"{_JOINED}(?:{_KNOWLEDGE}\s*)?"
    rf"(?P<join>[,/&+|]|,? (?:\w+ )?(?:such as|like|including|especially|e\.g\.)[ :,]"
    r"|(?<!\w)(?:and|or|nor|או|וגם|ו)(?![^\W\d_])| )"
    rf"{_JOINED}(?P<unknown>\w+{_JOINED},{_JOINED})?"
    rf"(?P<last>(?:and|or|nor|או|וגם)\s+)?(?:{_FILLER}\s+)*{_JOINED}[ובלה]{{0,2}}"
)
# After a bare comma, what follows the item tells a list from a new clause.
_ITEM_END = re.compile(
    rf"{_JOINED}(?:$|[,;:/|&+.!?\n)]|(?:and|or|nor|but|however|yet|או|אבל|אך|experience|at all)\b"
    r"|ו|\d)"
)
_NOTHING_AFTER = re.compile(r"\s*(?:$|[.,;)\n])")
_BESIDE_BEFORE = re.compile(r"\s*[(:-]\s*$")
_UNWANTED_AFTER = re.compile(
    rf"(?: {_KNOWLEDGE})?(?: (?:is|are))? not (?:required|needed|necessary|a must|mandatory)\b"
    r"|\s*[:(-]\s*none\b|(?: (?:אינו|אינה|לא)) (?:חובה|נדרש|נדרשת|הכרחי)\b"
)


class _Cue(NamedTuple):
    start: int
    end: int
    is_adjacent: bool


def negated(text: str, mentions: Sequence[Candidate]) -> frozenset[int]:
    """The indexes of the mentions that folded `text` denies; `mentions` are in order.

    Linear: a scope ends where the next cue begins.
    """
    starts = [mention.start for mention in mentions]
    cues = [cue for cue in _cues(text) if not _is_part_of_a_name(cue, starts, mentions)]
    found = set(_denied_after(text, mentions))
    for cue, following in zip_longest(cues, cues[1:]):
        limit = following.start if following else len(text)
        if not cue.is_adjacent and _NOTHING_AFTER.match(text, cue.end):
            found.update(_just_before(text, cue, mentions, starts))
        else:
            found.update(_scope(text, cue, limit, mentions, starts))
    return frozenset(found)


def _cues(text: str) -> Iterator[_Cue]:
    for match in _CUES.finditer(text):
        if not _NOT_NEGATION.match(text, match.end()):
            yield _Cue(match.start(), match.end(), match["adjacent"] is not None)


def _is_part_of_a_name(cue: _Cue, starts: Sequence[int], mentions: Sequence[Candidate]) -> bool:
    """Whether a one-word cue belongs to a skill's name, as in "no-code"."""
    if not cue.is_adjacent:
        return False
    before = bisect_right(starts, cue.start) - 1
    return before >= 0 and mentions[before].end > cue.start


def _scope(
    text: str, cue: _Cue, limit: int, mentions: Sequence[Candidate], starts: Sequence[int]
) -> Iterator[int]:
    index = bisect_left(starts, cue.end)
    if index == len(mentions) or not _reaches(text, cue, mentions[index].start, limit):
        return
    yield index
    while index + 1 < len(mentions) and mentions[index + 1].start < limit:
        if not _goes_on(text, mentions[index], mentions[index + 1]):
            return
        index += 1
        yield index


def _reaches(text: str, cue: _Cue, start: int, limit: int) -> bool:
    if start >= limit or start - cue.end > _LEAD_REACH:
        return False
    lead = text[cue.end : start]
    if cue.is_adjacent:
        return _ADJACENT_LEAD.fullmatch(lead) is not None
    return _CLAUSE_END.search(_COLON.sub("", lead)) is None


def _goes_on(text: str, here: Candidate, after: Candidate) -> bool:
    if after.start - here.end > _GAP_REACH:
        return False
    gap = _NEXT_ITEM.fullmatch(text[here.end : after.start])
    if gap is None:
        return False
    is_bare_comma = gap["join"] == "," and gap["last"] is None
    return not is_bare_comma or _ITEM_END.match(text, after.end) is not None


def _just_before(
    text: str, cue: _Cue, mentions: Sequence[Candidate], starts: Sequence[int]
) -> Iterator[int]:
    """ "Docker (no experience)", "Docker - no experience"."""
    index = bisect_left(starts, cue.start) - 1
    if index < 0 or cue.start - mentions[index].end > _GAP_REACH:
        return
    if _BESIDE_BEFORE.fullmatch(text[mentions[index].end : cue.start]):
        yield index


def _denied_after(text: str, mentions: Sequence[Candidate]) -> Iterator[int]:
    """ "Docker is not required", "Docker: none"."""
    for index, mention in enumerate(mentions):
        if _UNWANTED_AFTER.match(text, mention.end):
            yield index
