"""The wordings of the built-in analyst's questions, in both languages.

Hebrew avoids everything that shows the reader's gender: no "you" as a subject, no imperative.
"""

from enum import StrEnum

from domain.core.language import Language


class Case(StrEnum):
    """What a question is about, and what in the CV suggests it."""

    SKILL_FROM_SKILLS = "a skill, suggested by other skills"
    SKILL_FROM_ROLE = "a skill, suggested by a role"
    LANGUAGE_OF_CV = "a spoken language, suggested by the CV being written in it"
    LANGUAGE_LEVEL = "how well a language is spoken"
    YEARS_OF_SKILL = "years of a skill"
    YEARS_OF_WORK = "years in a kind of work"
    LEADING = "leading people"
    SCALE = "the size of what was handled"
    CERTIFICATE = "a certificate or licence"
    REQUIREMENT = "a requirement that no known skill covers"


_ENGLISH: dict[Case, tuple[str, ...]] = {
    Case.SKILL_FROM_SKILLS: (
        "Your CV mentions {evidence}, and that often goes together with {topic}. Do you have"
        " hands-on experience with {topic}? If so, in which role, for how long, and what came of"
        " it?",
        "This job asks for {topic}, and your CV shows {evidence}. Did that include {topic}?"
        " Please say what you did yourself, where, for how long and with what result.",
        "Given your experience with {evidence}, has your work also included {topic}? Where was"
        " that, how much of it did you do yourself, and what was the result?",
        "You list {evidence} but not {topic}. Have you used or done it anywhere, even briefly?"
        " Describe one concrete case: the place, the length of time and the outcome.",
    ),
    Case.SKILL_FROM_ROLE: (
        "Your CV lists {evidence}, work that often involves {topic}. Have you done this yourself?"
        " If so, what exactly, for how long, and with what result?",
        "This job asks for {topic}, which your CV does not name. Was it part of your work as"
        " {evidence}? Please give one example with its scope and its outcome.",
        "In the role {evidence}, did you come to work with {topic}? Say what you were responsible"
        " for, how often or how long, and what it led to.",
    ),
    Case.LANGUAGE_OF_CV: (
        "This job asks for {topic}. Your CV is written in it but gives no level. How well do you"
        " speak and write {topic}, and where have you used it at work?",
        "Your CV is in {topic}, yet it is not among your languages. At what level do you speak,"
        " read and write it, and in which jobs did you need it daily?",
        "How would you rate your {topic}, the language of your CV: speaking, reading, writing?"
        " Please name work that you did in it and for how long.",
    ),
    Case.LANGUAGE_LEVEL: (
        "Your CV names {topic} without a level, and this job asks: “{quote}”. How well do you"
        " speak and write it, and in which jobs have you used it?",
        "At what level is your {topic}? The job asks: “{quote}”. Please give examples: meetings,"
        " documents or customers, where and for how long.",
        "The job asks: “{quote}”. Your CV lists {topic} alone. Where have you worked in it, how"
        " often, and do you have a test result or certificate?",
    ),
    Case.YEARS_OF_SKILL: (
        "The job asks for {years} years with {topic}, and your CV does not show that many. How long"
        " have you worked with it in all, in which jobs, and what did you achieve?",
        "Your CV names {topic} but its dates do not add up to the {years} years asked for. Where"
        " else did you use it, for how long, and for what?",
        "How many years of {topic} do you have, counting every job and project? The job asks for"
        " {years}. Please name each place, the period and the main result.",
    ),
    Case.YEARS_OF_WORK: (
        "The job asks for {years} years of experience. Your CV shows {evidence}, but not that many"
        " years. Which other positions, projects or periods count, and what did you do in them?",
        "How many years of relevant experience do you have in all? The job asks for {years}, and"
        " your CV's dates ({evidence}) do not show them. Please list places and periods.",
        "Beside {evidence}, is there work that your CV leaves out or does not date? The job asks"
        " for {years} years. Please say where, when and with what result.",
    ),
    Case.LEADING: (
        "The job asks: “{quote}”. Your CV shows {evidence}, but not whether you led people. Have"
        " you? How many, for how long, and what did the team achieve?",
        "Did you lead, guide or train others as {evidence}? The job asks: “{quote}”. Please say how"
        " many people, what you were responsible for, and one result.",
        "Your CV lists {evidence} and the job asks: “{quote}”. Whom have you led or mentored, even"
        " without the title, for how long and with what outcome?",
    ),
    Case.SCALE: (
        "The job asks: “{quote}”. Your CV shows {evidence} without figures. How large was what you"
        " handled (volume, users, budget, people), for how long, and with what result?",
        "At what scale did you work as {evidence}? The job asks: “{quote}”. Please give numbers,"
        " the period and one result that you brought about.",
        "Your CV lists {evidence}, and the job asks: “{quote}”. Which figures show the size of your"
        " work there, and over what time?",
    ),
    Case.CERTIFICATE: (
        "The job asks: “{quote}”. Your CV shows {evidence} but names no such document. Do you hold"
        " it? If so, which one, who issued it, and until when is it valid?",
        "Do you hold what the job asks for: “{quote}”? Your CV lists {evidence} without it. Please"
        " give its exact name, the issuer and the year.",
        "Your work ({evidence}) often calls for a document that your CV leaves out. The job asks:"
        " “{quote}”. Which do you hold, since when, and from whom?",
    ),
    Case.REQUIREMENT: (
        "The job asks: “{quote}”. Your CV comes close with {evidence}. Have you done exactly this?"
        " If so, where, for how long, and with what result?",
        "Your CV shows {evidence}, which touches on a requirement: “{quote}”. What have you done of"
        " it yourself, in which role, and what came of it?",
        "How does {evidence} in your CV meet this requirement: “{quote}”? Please describe one"
        " concrete case, its length and its outcome.",
    ),
}

_HEBREW: dict[Case, tuple[str, ...]] = {
    Case.SKILL_FROM_SKILLS: (
        "בקורות החיים מוזכר ניסיון עם {evidence}, ולעיתים קרובות זה הולך יחד עם {topic}. האם יצא לך"
        " לעבוד גם עם {topic}? אם כן, באיזה תפקיד, במשך כמה זמן ומה הושג?",
        "המשרה דורשת {topic}, ובקורות החיים מופיע ניסיון עם {evidence}. האם הניסיון הזה כלל גם"
        " {topic}? כדאי לפרט מה נעשה, איפה, במשך כמה זמן ומה הייתה התוצאה.",
        "לאור הניסיון עם {evidence}, האם היה לך גם ניסיון מעשי עם {topic}? איפה זה היה, באיזה היקף"
        " ומה היו התוצאות?",
        "בקורות החיים מוזכר {evidence}, אבל לא {topic}. האם יצא לך להתנסות בזה, גם אם לזמן קצר?"
        " כדאי לתאר מקרה אחד: איפה, במשך כמה זמן ומה הושג.",
    ),
    Case.SKILL_FROM_ROLE: (
        "בקורות החיים מופיע התפקיד {evidence}, ובעבודה כזו יש לא פעם גם {topic}. האם יצא לך לעסוק"
        " בזה בעצמך? אם כן, מה בדיוק, במשך כמה זמן ומה הייתה התוצאה?",
        "המשרה דורשת {topic}, וזה לא מוזכר בקורות החיים. האם זה היה חלק מהעבודה בתפקיד {evidence}?"
        " כדאי לתת דוגמה אחת, עם ההיקף והתוצאה.",
        "בתפקיד {evidence}, האם יצא לך לעבוד עם {topic}? כדאי לפרט מה היה תחום האחריות, באיזו"
        " תדירות או כמה זמן, ומה הושג.",
    ),
    Case.LANGUAGE_OF_CV: (
        "המשרה דורשת {topic}. קורות החיים כתובים בשפה הזו, אבל בלי ציון רמה. מה הרמה שלך בדיבור"
        " ובכתיבה, ואיפה השתמשת בה בעבודה?",
        "קורות החיים כתובים בשפה הנדרשת ({topic}), אבל היא לא מופיעה ברשימת השפות. מה רמת הדיבור,"
        " הקריאה והכתיבה, ובאילו עבודות היה בה שימוש יומיומי?",
        "מה רמת השליטה שלך בשפה {topic}: דיבור, קריאה וכתיבה? כדאי לציין עבודה שנעשתה בשפה הזו"
        " ולמשך כמה זמן.",
    ),
    Case.LANGUAGE_LEVEL: (
        "בקורות החיים מופיעה השפה {topic} בלי ציון רמה, ובמשרה נכתב: „{quote}”. מה רמת הדיבור"
        " והכתיבה שלך, ובאילו תפקידים היה בה שימוש?",
        "באיזו רמה השפה {topic} שלך? במשרה נכתב: „{quote}”. כדאי לתת דוגמאות: פגישות, מסמכים או"
        " לקוחות, איפה ובמשך כמה זמן.",
        "במשרה נכתב: „{quote}”. בקורות החיים יש רק את שם השפה, {topic}. איפה היה שימוש בה בעבודה,"
        " באיזו תדירות, והאם יש מבחן או תעודה?",
    ),
    Case.YEARS_OF_SKILL: (
        "המשרה דורשת ותק של {years} שנים עם {topic}, וקורות החיים לא מראים ותק כזה. כמה זמן יצא לך"
        " לעבוד עם זה בסך הכול, באילו מקומות ומה הושג?",
        "בקורות החיים מוזכר {topic}, אבל התאריכים לא מגיעים לוותק הנדרש ({years} שנים). איפה עוד"
        " היה בזה שימוש, במשך כמה זמן ולשם מה?",
        "כמה שנות ניסיון יש לך עם {topic}, כולל כל עבודה ופרויקט? במשרה נדרש ותק של {years} שנים."
        " כדאי לציין מקום, תקופה ותוצאה עיקרית.",
    ),
    Case.YEARS_OF_WORK: (
        "המשרה דורשת ותק של {years} שנים. בקורות החיים מופיע {evidence}, אבל לא ותק כזה. אילו"
        " תפקידים, פרויקטים או תקופות נוספים נחשבים, ומה נעשה בהם?",
        "כמה שנות ניסיון רלוונטי יש לך בסך הכול? במשרה נדרש ותק של {years} שנים, והתאריכים בקורות"
        " החיים ({evidence}) לא מראים זאת. כדאי לפרט מקומות ותקופות.",
        "מלבד {evidence}, האם יש עבודה שלא מופיעה בקורות החיים או שאין לה תאריכים? במשרה נדרש ותק"
        " של {years} שנים. כדאי לציין איפה, מתי ומה הושג.",
    ),
    Case.LEADING: (
        "במשרה נכתב: „{quote}”. בקורות החיים מופיע {evidence}, אבל לא אם זה כלל הובלת אנשים. האם"
        " יצא לך להוביל? כמה אנשים, במשך כמה זמן ומה הצוות השיג?",
        "האם יצא לך להוביל, להנחות או להכשיר אחרים בתפקיד {evidence}? במשרה נכתב: „{quote}”. כדאי"
        " לציין כמה אנשים, מה הייתה האחריות ותוצאה אחת.",
        "בקורות החיים מופיע {evidence}, ובמשרה נכתב: „{quote}”. את מי יצא לך להוביל או לחנוך, גם"
        " בלי תואר רשמי, במשך כמה זמן ומה הושג?",
    ),
    Case.SCALE: (
        "במשרה נכתב: „{quote}”. בקורות החיים מופיע {evidence}, בלי מספרים. מה היה ההיקף (כמויות,"
        " משתמשים, תקציב, אנשים), במשך כמה זמן ומה הייתה התוצאה?",
        "באיזה היקף הייתה העבודה בתפקיד {evidence}? במשרה נכתב: „{quote}”. כדאי לתת מספרים, תקופה"
        " ותוצאה אחת שהושגה.",
        "בקורות החיים מופיע {evidence}, ובמשרה נכתב: „{quote}”. אילו מספרים מראים את היקף העבודה"
        " שם, ובאיזו תקופה?",
    ),
    Case.CERTIFICATE: (
        "במשרה נכתב: „{quote}”. בקורות החיים מופיע {evidence}, אבל לא מסמך כזה. האם יש לך אותו? אם"
        " כן, איזה בדיוק, מי הנפיק ועד מתי הוא בתוקף?",
        "האם יש לך מה שהמשרה דורשת: „{quote}”? בקורות החיים מופיע {evidence} בלי זה. כדאי לציין שם"
        " מדויק, גוף מנפיק ושנה.",
        "בעבודה כמו {evidence} נדרש לא פעם מסמך שלא מופיע בקורות החיים. במשרה נכתב: „{quote}”. מה"
        " יש לך, ממתי ומאיזה גוף?",
    ),
    Case.REQUIREMENT: (
        "במשרה נכתב: „{quote}”. בקורות החיים יש משהו קרוב: {evidence}. האם יצא לך לעשות בדיוק את"
        " זה? אם כן, איפה, במשך כמה זמן ומה הייתה התוצאה?",
        "בקורות החיים מופיע {evidence}, וזה נוגע בדרישה: „{quote}”. מה מזה נעשה על ידך, באיזה תפקיד"
        " ומה הושג?",
        "איך {evidence} שבקורות החיים עונה על הדרישה: „{quote}”? כדאי לתאר מקרה אחד, במשך כמה זמן"
        " הוא נמשך ומה הושג.",
    ),
}

_WORDINGS = {Language.EN: _ENGLISH, Language.HE: _HEBREW}


def phrase(case: Case, language: Language, turn: int, values: dict[str, str]) -> str | None:
    """The question for `case`; None when one of the `values` it names is empty.

    `values` holds those of `topic`, `evidence`, `quote` and `years` that the case speaks of;
    `turn` picks among the wordings in rotation.
    """
    wordings = _WORDINGS[language][case]
    wording = wordings[turn % len(wordings)]
    if any(not value and f"{{{name}}}" in wording for name, value in values.items()):
        return None
    return wording.format_map(values)


def joined(names: list[str], language: Language) -> str:
    """`A, B and C`, or its Hebrew: the joining letter takes a hyphen before a foreign script."""
    if len(names) < 2:
        return "".join(names)
    *others, last = names
    if language is Language.EN:
        return f"{', '.join(others)} and {last}"
    joint = "ו" if "\u05d0" <= last[0] <= "\u05ea" else "ו-"
    return f"{', '.join(others)} {joint}{last}"
