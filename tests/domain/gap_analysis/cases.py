"""CVs and postings of several professions, for the tests of the gap rules."""

from datetime import date

from domain.core.language import Language
from domain.cv.parsing.parsed_cv import Experience, ParsedCV
from domain.gap_analysis.analyst import AnalysisRequest, DraftQuestion
from domain.gap_analysis.rules.drafting import draft_questions
from domain.job_postings.posting import Posting
from domain.skills.catalogue import load_catalogue
from domain.skills.extraction import SkillExtractor

CATALOGUE = load_catalogue()
EXTRACTOR = SkillExtractor(CATALOGUE)
TODAY = date(2026, 11, 1)


def skill_id(label: str) -> str:
    """The id of a skill that the catalogue must know."""
    found = EXTRACTOR.canonical(label)
    assert found is not None, label
    return found


def request_of(
    text: str,
    posting: Posting,
    *,
    experience: list[Experience] | None = None,
    cv_language: Language = Language.EN,
    ask_in: Language = Language.EN,
    certifications: list[str] | None = None,
    languages: list[str] | None = None,
) -> AnalysisRequest:
    """A request whose CV states the skills that its text names."""
    held = experience or []
    words = [part for job in held for part in (job.role, job.company, job.description) if part]
    whole = "\n".join([text, *words, *(certifications or []), *(languages or [])])
    cv = ParsedCV(
        language=cv_language,
        skills=EXTRACTOR.skills(whole),
        experience=held,
        certifications=certifications or [],
        languages=languages or [],
    )
    return AnalysisRequest(cv, whole, posting, ask_in)


def drafts_for(request: AnalysisRequest) -> list[DraftQuestion]:
    return draft_questions(request, CATALOGUE, EXTRACTOR, TODAY)


DEVELOPER = request_of(
    "Skills: Python, FastAPI, PostgreSQL, Docker, Amazon ECS, no experience with Terraform",
    Posting(
        company_name="Northwind",
        role_title="Senior Backend Developer",
        requirements=[
            "5+ years of experience with Python",
            "Must have: Kubernetes in production",
            "Strong SQL and experience with REST APIs",
            "Terraform",
            "Haskell or Python",
            "Knowledge of welding",
            "Kafka is an advantage",
        ],
    ),
    experience=[
        Experience(
            role="Backend Developer",
            company="Acme",
            start="2023-01",
            is_current=True,
            description="Built services with Python and FastAPI on Amazon ECS and Docker",
        )
    ],
)

NURSE = request_of(
    "ICU nurse who cares for ventilated patients",
    Posting(
        company_name="Sheba",
        role_title="Registered Nurse, Surgical Ward",
        requirements=[
            "Valid nursing licence",
            "IV therapy",
            "Wound care",
            "Fluent English",
        ],
        nice_to_have=["Forklift licence and forklift operation", "Leading a team of nurses"],
    ),
    experience=[
        Experience(
            role="Senior ICU Nurse",
            company="Rambam",
            start="2015",
            end="2024",
            description="Intensive care nursing, monitoring of patients",
        )
    ],
    languages=["Hebrew (native)", "English"],
)

ACCOUNTANT = request_of(
    "הנהלת חשבונות, התאמות בנקים, הפקת חשבוניות",
    Posting(
        company_name="Harel",
        role_title="Bookkeeper",
        requirements=["Payroll", "VAT reporting", "Accounts payable", "4 years of experience"],
        nice_to_have=["Kubernetes"],
    ),
    experience=[
        Experience(role="מנהלת חשבונות", company="דלתא", start="2022-03", end="2025-02"),
        Experience(role="פקידה", company="בזק", start="2017-01", end="2022-02"),
    ],
    cv_language=Language.HE,
    ask_in=Language.HE,
)

ELECTRICIAN = request_of(
    "Industrial electrics, preventive maintenance, PLC programming",
    Posting(
        company_name="אלקטרה",
        role_title="חשמלאי תעשייתי",
        requirements=["רישיון חשמלאי מוסמך - חובה", "קריאת שרטוטים", "איתור תקלות חשמל"],
        nice_to_have=["סיעוד"],
        language=Language.HE,
    ),
    experience=[
        Experience(role="Industrial Electrician", company="Teva", start="2016", end="2021")
    ],
)

COOK = request_of(
    "בישול, אפייה, תפריטים",
    Posting(
        company_name="מסעדת הים",
        role_title="טבח ראשי",
        description=(
            "דרישות:\nבטיחות מזון - חובה\nניהול מטבח\nניהול צוות של חמישה עובדים\n"
            "יתרונות:\nקונדיטוריה"
        ),
        language=Language.HE,
    ),
    experience=[
        Experience(role="טבח בכיר", company="הדגים", start="2018", end="2024", description="בישול")
    ],
    cv_language=Language.HE,
    ask_in=Language.HE,
)

TEACHER = request_of(
    "Teaching mathematics, tutoring and student assessment",
    Posting(
        company_name="Alon School",
        role_title="Mathematics Teacher",
        requirements=[
            "Curriculum development",
            "Special education - an advantage",
            "Preparing pupils for matriculation exams in small groups",
            "Docker",
        ],
    ),
    experience=[
        Experience(
            role="High School Teacher",
            company="Brenner",
            start="2019-09",
            is_current=True,
            description="Preparing pupils for exams",
        )
    ],
    ask_in=Language.HE,
)

ALL = {
    "developer": DEVELOPER,
    "nurse": NURSE,
    "accountant": ACCOUNTANT,
    "electrician": ELECTRICIAN,
    "cook": COOK,
    "teacher": TEACHER,
}
