"""Words that tell a role from an employer, and a degree from a school."""

import re

_ROLES = """
accountant accountants actuary administrator advisor adviser aide agent analyst apprentice architect
archivist artist assistant associate attendant attorney auditor baker barber barista bartender
beautician biologist bookkeeper broker butcher buyer captain caregiver carer carpenter cashier
chairman chairperson chef chemist ceo cfo cio cmo coo cto cleaner clerk clinician coach commander
concierge conductor consultant contractor controller cook coordinator copywriter counselor
counsellor courier dealer dentist designer developer dietitian director dispatcher doctor driver
economist editor educator electrician engineer estimator executive facilitator firefighter fitter
florist founder co-founder foreman freelancer gardener geologist guard guide hairdresser handyman
head hostess housekeeper hygienist illustrator inspector installer instructor intern interpreter
investigator janitor journalist judge laborer labourer lawyer lead leader lecturer
librarian lifeguard machinist manager marketer mason mechanic mentor merchandiser midwife nanny
nurse nutritionist officer operator optician optometrist owner painter paralegal paramedic partner
pharmacist phlebotomist photographer physician physicist physiotherapist pilot planner plasterer
plumber porter practitioner president principal producer professor programmer psychologist
radiographer realtor receptionist recruiter reporter representative researcher roofer salesman
salesperson saleswoman scientist secretary sergeant servant sommelier specialist sre strategist
statistician steward storekeeper student supervisor surgeon surveyor teacher team-lead technician
technologist teller tester therapist trainee trainer translator treasurer tutor typist
underwriter veterinarian vet vp waiter waitress warehouseman welder worker writer qa devops
rep lpn rn sous-chef dev
"""
_HEBREW_ROLES = """
מפתח מפתחת מתכנת מתכנתת מהנדס מהנדסת אח אחות מורה מחנך מחנכת גננת סייעת טבח טבחית שף שפית קונדיטור
קונדיטורית אופה חשמלאי חשמלאית אינסטלטור מכונאי נגר רתך נהג נהגת מנהל מנהלת מנהלן מנכ"ל מנכ"לית
סמנכ"ל סמנכ"לית סגן סגנית ראש רכז רכזת חשב חשבת רואה רו"ח מבקר מבקרת כלכלן כלכלנית אנליסט אנליסטית
יועץ יועצת מזכיר מזכירה מזכירת פקיד פקידה פקידת קופאי קופאית מוכר מוכרת נציג נציגת איש אשת סוכן
סוכנת
משווק
משווקת מעצב מעצבת אדריכל אדריכלית רופא רופאה רוקח רוקחת פיזיותרפיסט פיזיותרפיסטית פסיכולוג
פסיכולוגית עו"ס עובד עובדת עו"ד עורך עורכת מתמחה סטודנט סטודנטית מדריך מדריכה מאמן מאמנת מרצה
חוקר חוקרת טכנאי טכנאית בודק בודקת מלצר מלצרית ברמן ברמנית מארחת אחראי אחראית מפקד מפקדת קצין קצינה
סמל סמלת חובש חובשת פרמדיק פרמדיקית מטפל מטפלת לבורנט לבורנטית מתאם מתאמת מתרגם מתרגמת
כתב כתבת מאבטח מאבטחת שליח שליחה מחסנאי מחסנאית גנן ספר ספרית קוסמטיקאית עוזר עוזרת שוליה
מיישם מיישמת אסיסטנט אסיסטנטית ארכיטקט ארכיטקטית תומך תומכת מנחה בעלים מייסד מייסדת
"""
_EMPLOYERS = """
ltd inc llc llp gmbh plc corp company corporation group hospital clinic clinics
school university college institute bank hotel restaurant bistro cafe café kitchen bakery ministry
municipality council army idf force solutions technologies systems industries labs
agency firm partners holdings services association foundation academy insurance pharmacy bros store
stores supermarket center centre nhs trust department studio studios resort
בע"מ בע״מ חברת חברה קבוצת בית רשת מסעדת מלון עיריית בנק משרד משרדי קופת מרכז אוניברסיטת מכללת תיכון
צה"ל צה״ל חיל גדוד מוסד עמותת מאפיית סוכנות סטודיו מועצה בי"ס ביה"ס ביה"ח קיבוץ
"""
_DEGREES = """
bsc msc ba ma mba phd md jd llb llm bed med b.ed m.ed b.sc m.sc b.a m.a ph.d bs ms beng meng b.eng
m.eng bcom bfa mfa bn bsn msn mph bachelor bachelors bachelor's master masters master's doctorate
doctor diploma degree certificate associate's licence apprenticeship
a-levels gcse gcses baccalaureate bagrut matriculation hnd nvq honours bootcamp
תואר ב.א ב.א. מ.א מ.א. ד"ר דוקטורט תעודת תעודה הנדסאי הנדסאית טכנאי טכנאית בגרות דיפלומה לימודי קורס
ראשון שני b.sc. m.sc. b.a. m.a. ph.d. b.ed. m.ed. b.s. m.s. b.n. b.n
"""
_SCHOOLS = """
university college school institute academy technion polytechnic faculty conservatory seminar
campus universität université universidad mit ucla lse
אוניברסיטת האוניברסיטה אוניברסיטה מכללת המכללה מכללה טכניון הטכניון בית ביה"ס תיכון מכון המרכז סמינר
אקדמיה האקדמיה אורט עמל בצלאל שנקר
"""

ROLE_WORDS = frozenset(_ROLES.split()) | frozenset(_HEBREW_ROLES.split())
_EMPLOYER_WORDS = frozenset(_EMPLOYERS.split())
_DEGREE_WORDS = frozenset(_DEGREES.split())
_SCHOOL_WORDS = frozenset(_SCHOOLS.split())

_WORD = re.compile(r"[^\W_](?:[^\W_]|[.'’\"״׳&-](?=[^\W_]))*\.?")
_GERSHAYIM = str.maketrans({"״": '"', "׳": "'", "”": '"'})


def words_of(text: str) -> list[str]:
    return _WORD.findall(text.casefold().translate(_GERSHAYIM))


def role_score(text: str) -> int:
    """Above 0 when the text reads as a role, below when as an employer, 0 when as neither.

    The word that names the thing is the last one in English ("hotel manager"), the first one in
    Hebrew, and counts double.
    """
    words = _bare(text)
    if not words:
        return 0
    naming = {words[-1], _before_of(words)}
    if "\u05d0" <= words[0][0] <= "\u05ea":
        naming = {words[0]}
    roles = 1 if any(word in ROLE_WORDS for word in words) else 0
    employers = 1 if any(word in _EMPLOYER_WORDS for word in words) else 0
    strong_role = 2 if any(word in ROLE_WORDS for word in naming) else 0
    strong_employer = 2 if any(word in _EMPLOYER_WORDS for word in naming) else 0
    return roles + strong_role - employers - strong_employer


def degree_score(text: str) -> int:
    """Above 0 when the text reads as a degree, below when as a school, 0 when as neither."""
    words = _bare(text)
    has_degree = any(word in _DEGREE_WORDS for word in words)
    has_school = any(word in _SCHOOL_WORDS for word in words)
    # "High School Diploma" is a degree, "Diploma Training Institute" is not.
    names_degree = words[-1:] != [] and words[-1] in _DEGREE_WORDS
    return has_degree + 2 * names_degree - 2 * has_school


def _bare(text: str) -> list[str]:
    """The words, with `co.` kept and a sentence's full stop dropped."""
    return [
        word if word in _EMPLOYER_WORDS or word in _DEGREE_WORDS else word.rstrip(".")
        for word in words_of(text)
    ]


def _before_of(words: list[str]) -> str:
    """`head` in "head of sales", else nothing."""
    return words[words.index("of") - 1] if "of" in words[1:] else ""
