"""Whole CVs of several professions and layouts, in English and Hebrew."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.core.language import Language
from domain.cv.parsing.contact import redact_contact
from domain.cv.parsing.parse import parse_cv
from domain.cv.parsing.parsed_cv import Contact, Education, Experience, ParsedCV
from tests.domain.cv.samples import CVS, EXTRACTOR, parsed, read
from tests.growth import assert_linear


def test_software_engineer_in_markdown() -> None:
    assert parsed("software.md") == ParsedCV(
        language=Language.EN,
        contact=Contact(
            name="Dana Levi",
            emails=["dana.levi@example.com"],
            phones=["+972-52-123-4567"],
            links=["https://www.linkedin.com/in/dana-levi-dev", "github.com/danalevi"],
        ),
        skills=[
            "python", "graphql", "postgresql", "kubernetes", "kafka", "java", "redis", "mongodb",
            "docker",
        ],
        experience=[
            Experience(
                role="Senior Backend Engineer",
                company="Wix",
                start="2020-01",
                is_current=True,
                description=(
                    "Built GraphQL services in Python 3.11 and PostgreSQL 15 for 2019-2021 traffic"
                    " peaks\nMoved 40 services to Kubernetes\nMentored 4 developers"
                ),
                technologies=["graphql", "python", "postgresql", "kubernetes"],
            ),
            Experience(
                role="Backend Developer",
                company="Taboola",
                start="2016-03",
                end="2019-12",
                description="Wrote Kafka consumers in Java\nOn-call for Redis and MongoDB",
                technologies=["kafka", "java", "redis", "mongodb"],
            ),
        ],
        education=[
            Education(
                institution="Tel Aviv University",
                degree="B.Sc. Computer Science",
                start="2012",
                end="2015",
            )
        ],
        certifications=[
            "AWS Certified Solutions Architect – Associate (2021)",
            "Certified Kubernetes Administrator",
        ],
        languages=["Hebrew (native)", "English (fluent)"],
    )  # fmt: skip


def test_nurse_with_role_employer_and_dates_on_three_lines() -> None:
    cv = parsed("nurse.txt")
    assert cv.contact.name == "MARY O'BRIEN"
    assert cv.contact.phones == ["(415) 555-2671"]
    assert cv.contact.addresses == ["14 Harbour Road, Cork T12 X4Y6"]
    assert positions(cv) == [
        ("Charge Nurse", "St. Vincent Hospital", "2018-03", None, True),
        ("Staff Nurse", "Mercy University Hospital", "2013-06", "2018-02", False),
    ]
    assert cv.experience[0].technologies == ["triage"]
    assert cv.experience[1].description.startswith("Medication administration")
    assert studies(cv) == [
        ("Bachelor of Science in Nursing", "University College Cork", "2009", "2013")
    ]
    assert cv.certifications == [
        "Registered Nurse, NMBI, license no. 845512",
        "Advanced Cardiac Life Support (ACLS), 2022",
    ]
    assert cv.languages == ["English (native)", "Irish (conversational)"]


def test_accountant_with_dates_in_brackets_and_lists_on_the_heading_line() -> None:
    cv = parsed("accountant.txt")
    assert cv.contact.name == "Robert Baker"
    assert positions(cv) == [
        ("Senior Accountant", "Caterpillar Inc.", "2017", None, True),
        ("Accountant", "Miller & Sons LLP", "2013", "2017", False),
    ]
    assert [job.technologies for job in cv.experience] == [["sap", "excel"], ["quickbooks"]]
    assert studies(cv) == [("BSc in Accounting", "University of Illinois", "2009", "2013")]
    assert cv.certifications == ["Certified Public Accountant", "CMA"]
    assert cv.languages == ["English", "Spanish (intermediate)"]
    assert cv.skills == ["sap", "excel", "quickbooks"]


def test_electrician_with_tabs_and_dates_first() -> None:
    cv = parsed("electrician.txt")
    assert cv.contact.name == "John Carpenter"
    assert cv.contact.phones == ["07911 123456"]
    assert positions(cv) == [
        ("Site Electrician", "Balfour Beatty", "2018", None, True),
        ("Maintenance Electrician", "Unilever Ltd", "2014", "2018", False),
        ("Apprentice Electrician", "Manchester City Council", "2010", "2014", False),
    ]
    assert cv.experience[0].description.endswith("Tested to BS 7671:2018, 400 V and 11 kV")
    assert [study.institution for study in cv.education] == ["Manchester College"]
    assert cv.certifications == ["18th Edition Wiring Regulations (2019)", "ECS Gold Card"]


def test_cook_with_employer_first_and_dates_on_the_next_line() -> None:
    cv = parsed("cook.txt")
    assert cv.contact.phones == ["+39 347 123 4567"]
    assert positions(cv) == [
        ("Sous Chef", "Trattoria Da Mario", "2019-05", None, True),
        ("Line Cook", "Hilton Milan", "2015-09", "2019-04", False),
        ("Apprentice Baker", "Bakery Forno Antico", "2014", None, False),
    ]
    assert cv.experience[0].technologies == ["haccp"]
    assert studies(cv) == [
        ("Diploma in Culinary Arts", "Istituto Alberghiero Carlo Porta", "2010", "2014")
    ]
    assert cv.languages == ["Italian (native)", "English (B2)"]


def test_sales_with_employers_as_headings_under_headings() -> None:
    cv = parsed("sales.md")
    assert cv.contact.name == "Amir Haddad"
    assert positions(cv) == [
        ("Enterprise Account Executive", "Globex Corporation", "2021-02", None, True),
        ("Sales Development Representative", "Initech", "2018-07", "2021-01", False),
    ]
    assert studies(cv) == [("BA, Business Administration", "Tel Aviv University", "2015", "2018")]
    assert cv.languages == ["Arabic (native)", "Hebrew (fluent)", "English (fluent)"]


def test_teacher_with_right_aligned_dates() -> None:
    cv = parsed("teacher.txt")
    assert cv.contact.name == "Jordan Miller"
    assert positions(cv) == [
        ("Physics Teacher", "Lincoln High School", "2016-08", "2022-06", False),
        ("Science Tutor", "Mathnasium", "2014", "2016", False),
    ]
    assert studies(cv) == [
        ("M.Ed. Secondary Education", "Portland State University", None, "2016"),
        ("B.S. Physics", "Reed College", None, "2014"),
    ]
    assert cv.languages == ["English", "German (A2)"]


def test_hebrew_teacher() -> None:
    cv = parsed("teacher_he.txt")
    assert cv.language is Language.HE
    assert cv.contact == Contact(
        name="רונית אברהמי",
        emails=["ronit.a@example.co.il"],
        phones=["054-7654321"],
        addresses=["רחוב הרצל 12, חיפה"],
    )
    assert positions(cv) == [
        ("מורה למתמטיקה", "תיכון אורט חיפה", "2015", None, True),
        ("מחנכת ומורה", "חטיבת ביניים אלון", "2011", "2015", False),
    ]
    assert studies(cv) == [
        ("תואר ראשון במתמטיקה", "אוניברסיטת חיפה", "2007", "2010"),
        ("תעודת הוראה", "מכללת אורנים", None, "2011"),
    ]
    assert cv.languages == ["עברית (שפת אם)", "אנגלית (רמה טובה מאוד)", "ערבית (בסיסית)"]
    assert cv.certifications == ["קורס עזרה ראשונה"]


def test_hebrew_developer_in_markdown_with_military_service() -> None:
    cv = parsed("software_he.md")
    assert cv.language is Language.HE
    assert cv.contact.name == "יוסי כהן"
    assert positions(cv) == [
        ("מפתח Full Stack", "Monday.com", "2021-01", None, True),
        ("מתכנת Java", 'אלביט מערכות בע"מ', "2017-03", "2020-12", False),
        ("קצין תוכנה", "חיל המודיעין", "2012", "2015", False),
    ]
    assert cv.experience[0].technologies == ["react", "postgresql", "docker", "kubernetes"]
    assert studies(cv) == [("תואר ראשון במדעי המחשב", "הטכניון", "2013", "2017")]
    assert cv.languages == ["עברית (שפת אם)", "אנגלית (שוטפת)"]


def test_hebrew_nurse() -> None:
    cv = parsed("nurse_he.txt")
    assert cv.contact.name == "מיכל בן דוד"
    assert cv.contact.addresses == ["שד' רוטשילד 45, תל אביב 6578403"]
    assert positions(cv) == [
        ("אחות מוסמכת", "בית חולים שיבא", "2016", None, True),
        ("אחות", "קופת חולים כללית", "2012", "2016", False),
    ]
    assert studies(cv) == [("תואר ראשון בסיעוד", "אוניברסיטת תל אביב", "2008", "2012")]
    assert cv.certifications == ["רישיון אחות מוסמכת, מספר רישיון 778812", "קורס טיפול נמרץ (2015)"]
    assert cv.languages == ["עברית (שפת אם)", "רוסית (שוטפת)", "אנגלית (טובה)"]


def test_a_cv_without_headings_gives_its_dated_roles() -> None:
    text = "Noa Peretz\nWaitress, Cafe Nordau, 2019-2021\nserved 80 guests\nBorn to run, 1990-2020"
    assert positions(parse_cv(text, EXTRACTOR)) == [
        ("Waitress", "Cafe Nordau", "2019", "2021", False)
    ]


def test_an_address_names_no_skill() -> None:
    text = "Ann Lee\nann@python.example\nhttps://github.com/ann/docker\n\nSkills\nJava"
    assert parse_cv(text, EXTRACTOR).skills == ["java"]


def test_lines_that_end_as_windows_or_hide_bidi_marks_read_the_same() -> None:
    text = read("teacher_he.txt")
    marked = "\u200f" + text.replace("\n", "\r\n").replace("054", "\u202a054")
    assert parse_cv(marked, EXTRACTOR) == parse_cv(text, EXTRACTOR)


@pytest.mark.parametrize("path", CVS, ids=lambda path: path.name)
def test_nothing_of_the_contact_is_left_after_redaction(path: Path) -> None:
    text = read(path.name)
    contact = parsed(path.name).contact
    redacted = redact_contact(text, contact)
    found = [*contact.emails, *contact.phones, *contact.links, *contact.addresses]
    assert contact.name is not None
    assert found
    for value in [*found, contact.name]:
        assert value.casefold() not in redacted.casefold()
    assert "@" not in redacted


CV_LINES = st.sampled_from(
    [line for path in CVS for line in path.read_text(encoding="utf-8").split("\n")]
)
HOSTILE = st.one_of(
    st.text(max_size=400),
    st.lists(st.one_of(CV_LINES, st.text(max_size=30)), max_size=30).map("\n".join),
    st.text(alphabet="0129 -./+()@:|#*\tabאב\n’'\"", max_size=200),
)


@settings(max_examples=200, deadline=None)
@given(HOSTILE)
def test_any_text_parses_and_is_redacted_of_what_was_found(text: str) -> None:
    cv = parse_cv(text, EXTRACTOR)
    redacted = redact_contact(text, cv.contact)
    for value in (*cv.contact.emails, *cv.contact.phones, *cv.contact.links, cv.contact.name):
        assert value is None or value not in redacted
    for job in cv.experience:
        assert not (job.is_current and job.end)


@pytest.mark.parametrize(
    "unit",
    [
        "a@a.", "1-", "(0", "2019\n", "A b\n", "Name: Ab Cd\n", " ", "\t", "+1 ", "x.y.", "**",
        "# Experience\n2019-2020 Cook, X\n", "Skills: a\n",
        "Certifications\na" + " " * 9999 + "b\n",
    ],
)  # fmt: skip
def test_hostile_text_takes_time_in_proportion_to_its_length(unit: str) -> None:
    def read(size: int) -> None:
        text = unit * (size // len(unit))
        redact_contact(text, parse_cv(text, EXTRACTOR).contact)

    assert_linear(read, 25_000)


Position = tuple[str | None, str | None, str | None, str | None, bool]
Study = tuple[str | None, str | None, str | None, str | None]


def positions(cv: ParsedCV) -> list[Position]:
    return [(job.role, job.company, job.start, job.end, job.is_current) for job in cv.experience]


def studies(cv: ParsedCV) -> list[Study]:
    return [(study.degree, study.institution, study.start, study.end) for study in cv.education]
