"""Names of skills that also mean something else, and the words beside them that tell which.

All in folded spelling. The lists come from reading CVs and postings for look-alikes; a name that
is missing here is taken at its word.
"""

from domain.skills.folding import word_set

# Letters, verbs and first names: a capital proves nothing, only company does.
TERSE = frozenset({"c", "r", "go", "julia", "maya", "ruby"})

# Common words: a capital inside a sentence, or company, is needed.
COMMON_WORDS = word_set(
    """
    access airflow blender bootstrap celery chef confluence container containers cucumber cypress
    danish dart eclipse embedded ember excel express flask flutter helm hive illustrator ionic jest
    linode maui mandarin mocha node notion outlook pascal playwright polish puppet puppeteer rails
    react redshift rhino rust sass sketch slack spark splunk spring swift teams unity unreal vault
    windows word workday zoom
    """
)

# Acronyms that are words in lower case; every two-letter name is treated likewise.
ACRONYMS = frozenset({"rest", "soap", "sap", "sas", "aria", "cad", "pals", "facs", "sox"})
PLAIN_TWO_LETTER = frozenset({"ai", "ml", "ui", "ux", "qa", "c#", "f#", "js", "ts"})

# name -> words which, coming next, show that the everyday meaning is meant.
_NOT_BEFORE = {
    "access": "to control controls management point points rights road roads levels panel token",
    "airflow": "in systems rate measurement",
    "c": "level suite section class clamp major minor diff difficile arm corp vitamin",
    "chef": "de in at and who",
    "container": "ship ships port terminal terminals yard truck trucks gardening shipping",
    "containers": "of from to at",
    "excel": "at in as academically under",
    "express": "delivery shipping mail yourself themselves train interest ideas lane checkout",
    "flask": "of",
    "go": "to live through beyond for ahead back home out on with above into further green getter"
    " getters together over up down there away again wrong well between after around by",
    "julia": "child roberts",
    "notion": "of that",
    "polish": "the up your code surfaces",
    "outlook": "on for of is",
    "r": "and&d rating rated squared us",
    "react": "to quickly fast promptly calmly appropriately well under in when accordingly",
    "rest": "of in easy time breaks assured day days home areas",
    "rust": "removal proof prevention belt repair on",
    "sketch": "artist ideas drawings of comedy out",
    "slack": "time off in line",
    "spark": "of interest ideas plug plugs joy conversation creativity conversations",
    "spring": "semester break season term cleaning training summer water water. collection of",
    "swift": "response responses action actions resolution to decision delivery codes payments"
    " transfers messages",
    "teams": "of to across on for with that who",
    "unity": "of among between",
    "windows": "cleaning cleaner installation doors of replacement",
    "word": "of by for processing-speed games",
    "workday": "is was begins starts ends",
    "zoom": "in out lens lenses",
}
# name -> words which, coming before, show the same.
_NOT_AFTER = {
    "access": "based network remote physical public easy data full site building rope disabled",
    "c": "plan vitamin hepatitis section grade level type class series round option part appendix"
    " building terminal block category figure table group room schedule exhibit usb d",
    "chef": "sous pastry head executive master personal",
    "container": "shipping storage food glass",
    "containers": "shipping storage food glass plastic",
    "excel": "to will i you we they can could",
    "express": "american to orient federal",
    "go": "to will let lets let's we they you i must should can could would ready on pokemon grab",
    "polish": "nail shoe to",
    "r": "type grade section",
    "react": "to will must can quickly we you they i not",
    "rest": "the a to some",
    "spark": "to a the",
    "spring": "the last next this early late hot coil",
    "swift": "taylor a",
    "teams": "the of our your with cross functional sales sports two three many several all other"
    " both manage managed lead led leading managing global remote product virtual",
    "unity": "national",
    "windows": "the clean cleaning doors shop install installing washing",
    "word": "the spread a every",
    "zoom": "to",
}

NOT_BEFORE = {name: word_set(words) for name, words in _NOT_BEFORE.items()}
NOT_AFTER = {name: word_set(words) for name, words in _NOT_AFTER.items()}

# Words after a name that make it a technology, whatever its case.
TECHNOLOGY_AFTER = word_set(
    """
    programming language developer developers programmer programmers framework lang spreadsheet
    spreadsheets macros formulas hooks orchestration certification
    """
)
# The same, but only after a capitalised name.
NAMED_TECHNOLOGY_AFTER = word_set(
    """
    code engineer engineers scripts script packages package backend microservices library libraries
    skills skill expert experience components component database databases cluster clusters jobs
    apps app applications documents pipelines boards workspace server servers service services
    power pivot advanced user users knowledge proficiency
    """
)
# Words before a name that make it a technology if the phrase ends with the name.
TECHNOLOGY_BEFORE = word_set(
    """
    in with using of know knows learn learning learned language languages used use via ms microsoft
    apache adobe autodesk including like as on knowledge proficient about also some basic
    advanced strong modern or nor no not never
    without speak speaks fluent native שפת מפתח מפתחת תכנות עם של
    """
)
# Plural nouns so common that even "experience with windows" says nothing in lower case.
PLAIN_NOUNS = frozenset({"teams", "windows"})
# Of the words before, the ones that are enough for a common word in lower case.
SKILL_BEFORE = word_set(
    """
    using proficient know knows learn learning learned microsoft ms apache adobe autodesk
    language languages
    """
)
