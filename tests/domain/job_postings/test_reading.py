import json
from datetime import UTC, datetime
from importlib.resources import files

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.core.language import Language
from domain.job_postings.reading import BadRow, ReadPosting, Row, read_rows

NATIVE: dict[str, object] = {"companyName": "Kestrel", "roleTitle": "Cook"}
LINKED: dict[str, object] = {
    "@context": "https://schema.org",
    "@type": "JobPosting",
    "title": "Cook",
    "hiringOrganization": {"@type": "Organization", "name": "Kestrel"},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
PROPERTIES = [
    *["title", "description", "hiringOrganization", "skills", "qualifications", "responsibilities"],
    *["experienceRequirements", "jobLocation", "jobLocationType", "datePosted", "inLanguage"],
    *["url", "identifier", "companyName", "roleTitle", "requirements", "isRemote", "postedAt"],
]


def _rows(*values: object) -> list[Row]:
    return list(read_rows("\n".join(json.dumps(value) for value in values)))


def _one(value: object) -> ReadPosting:
    [row] = _rows(value)
    assert isinstance(row, ReadPosting), row
    return row


def _reason(value: object) -> str:
    [row] = _rows(value)
    assert isinstance(row, BadRow), row
    return row.reason


def test_native_row() -> None:
    row = _one(
        NATIVE
        | {
            "description": "<p>Hot &amp; fast</p><script>x()</script>",
            "requirements": ["Knives", " ", "<li>HACCP</li><li>Sauces</li>", "Knives"],
            "responsibilities": ["• Cook"],
            "niceToHave": ["Bread"],
            "language": "HE",
            "sourceUrl": "https://example.com/1",
            "location": " Galway ",
            "isRemote": False,
            "postedAt": "2026-10-05T12:00:00+03:00",
            "salary": 1,
        }
    )
    assert row.posting.model_dump() == {
        "company_name": "Kestrel",
        "role_title": "Cook",
        "description": "Hot & fast",
        "requirements": ["Knives", "HACCP", "Sauces"],
        "responsibilities": ["Cook"],
        "nice_to_have": ["Bread"],
        "language": Language.HE,
        "source_url": "https://example.com/1",
    }
    assert (row.line, row.location, row.is_remote) == (1, "Galway", False)
    assert row.posted_at == datetime(2026, 10, 5, 9, tzinfo=UTC)
    assert row.external_id == "url:https://example.com/1"


def test_least_native_row_with_nulls() -> None:
    row = _one(NATIVE | {"description": None, "isRemote": None, "requirements": None})
    assert row.posting.language is Language.EN
    assert (row.posting.description, row.posting.requirements) == (None, [])
    assert (row.location, row.is_remote, row.posted_at) == (None, None, None)


def test_language_is_told_by_the_words_unless_given() -> None:
    hebrew = NATIVE | {"roleTitle": "טבח", "description": "מסעדה מחפשת טבח מנוסה"}
    assert _one(hebrew).posting.language is Language.HE
    assert _one(hebrew | {"language": "en"}).posting.language is Language.EN


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"companyName": None}, "companyName is missing; expected a string"),
        ({"companyName": "<p> </p>"}, "companyName is blank; expected some text"),
        ({"roleTitle": " \u200b"}, "roleTitle is blank; expected some text"),
        ({"roleTitle": 7}, "roleTitle is a number; expected a string"),
        ({"roleTitle": "x" * 1001}, "roleTitle is too long; expected at most 1,000 characters"),
        ({"requirements": "SQL"}, "requirements is a string; expected a list of strings"),
        ({"niceToHave": ["a", {}]}, "niceToHave[1] is an object; expected a string"),
        ({"isRemote": "yes"}, "isRemote is a string; expected true or false"),
        ({"language": "fr"}, "language is not known; expected EN or HE"),
        (
            {"postedAt": "yesterday"},
            "postedAt is not a date; expected ISO 8601, such as 2026-10-05T09:00:00Z",
        ),
        (
            {"sourceUrl": "javascript:alert(1)"},
            "sourceUrl is not a web address; expected an absolute http or https URL",
        ),
        (
            {"description": "x" * 999_999, "requirements": ["yy"]},
            "description, requirements and responsibilities have 1,000,001 characters;"
            " expected at most 1,000,000",
        ),
    ],
)
def test_bad_native_rows(change: dict[str, object], reason: str) -> None:
    assert _reason(NATIVE | change) == reason


def test_a_posting_of_just_the_limit_is_read() -> None:
    row = _one(NATIVE | {"description": "x" * 999_998, "requirements": ["yy"]})
    assert len(row.posting.description or "") == 999_998


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"title": None}, "title is missing; expected a string"),
        ({"title": " "}, "title is blank; expected some text"),
        ({"title": {"a": 1}}, "title is an object; expected a string"),
        ({"hiringOrganization": None}, "hiringOrganization is missing; expected a string"),
        ({"hiringOrganization": {}}, "hiringOrganization.name is missing; expected a string"),
        (
            {"hiringOrganization": 3},
            "hiringOrganization is a number; expected an object with a name",
        ),
        ({"skills": 3}, "skills is a number; expected a string, a list or an object"),
        (
            {"url": "/jobs/1"},
            "url is not a web address; expected an absolute http or https URL",
        ),
        ({"@type": "Organization"}, "the row's @type is another; expected JobPosting"),
        ({"@type": 5}, "the row's @type is another; expected JobPosting"),
    ],
)
def test_bad_linked_rows(change: dict[str, object], reason: str) -> None:
    assert _reason(LINKED | change) == reason


def test_linked_row() -> None:
    row = _one(
        LINKED
        | {
            "@type": ["Thing", "https://schema.org/JobPosting"],
            "hiringOrganization": "Kestrel",
            "description": (
                "<p>We feed a harbour.</p><h3>Responsibilities:</h3><ul><li>Cook</li>"
                "<li>Order</li></ul><p><b>Requirements</b></p><p>You bring:</p><ul><li>Knives</li>"
                "</ul><h3>Nice to have</h3><ul><li>Bread</li></ul><p>We offer lunch.</p>"
            ),
            "responsibilities": "Train commis",
            "qualifications": ["HACCP"],
            "skills": "Sauces, Grilling",
            "experienceRequirements": {"@type": "X", "monthsOfExperience": 36},
            "educationRequirements": {"credentialCategory": "postgraduate degree"},
            "jobLocation": [
                {"address": {"addressLocality": "Galway", "addressCountry": {"name": "Ireland"}}},
                {"@type": "Place", "address": "Cork"},
            ],
            "jobLocationType": "TELECOMMUTE",
            "datePosted": "2026-09-30",
            "inLanguage": "en-IE",
            "url": "https://example.com/cook",
            "identifier": {"@type": "PropertyValue", "name": "Kestrel", "value": 17},
        }
    )
    posting = row.posting
    assert posting.description == "We feed a harbour.\n\nWe offer lunch."
    assert posting.responsibilities == ["Cook", "Order", "Train commis"]
    assert posting.requirements == [
        *["Knives", "HACCP", "36 months of experience", "postgraduate degree"],
        *["Sauces", "Grilling"],
    ]
    assert posting.nice_to_have == ["Bread"]
    assert (posting.language, posting.source_url) == (Language.EN, "https://example.com/cook")
    assert (row.location, row.is_remote) == ("Galway, Ireland; Cork", True)
    assert row.posted_at == datetime(2026, 9, 30, tzinfo=UTC)
    assert row.external_id == "identifier:kestrel:17"


def test_hebrew_description_escaped_by_its_feed() -> None:
    description = (
        "&lt;p&gt;מסעדה מול הים&lt;/p&gt;&lt;p&gt;תחומי אחריות:&lt;/p&gt;&lt;ul&gt;&lt;li&gt;בישול"
        "&lt;/li&gt;&lt;/ul&gt;&lt;p&gt;דרישות התפקיד:&lt;/p&gt;&lt;ul&gt;&lt;li&gt;ניסיון"
        "&lt;/li&gt;&lt;/ul&gt;&lt;p&gt;יתרון:&lt;/p&gt;&lt;ul&gt;&lt;li&gt;אנגלית&lt;/li&gt;&lt;/ul&gt;"
    )
    posting = _one(LINKED | {"description": description}).posting
    assert posting.description == "מסעדה מול הים"
    assert (posting.responsibilities, posting.requirements) == (["בישול"], ["ניסיון"])
    assert (posting.nice_to_have, posting.language) == (["אנגלית"], Language.HE)


@pytest.mark.parametrize(
    ("description", "requirements", "rest"),
    [
        ("Requirements:\n- SQL\n- Go\nWe are kind.", ["SQL", "Go"], "We are kind."),
        ("Qualifications\nSQL\nGo\n\nWe are kind.", ["SQL", "Go"], "We are kind."),
        ("Requirements: 3 years of SQL", ["3 years of SQL"], None),
        ("Key Skills & Experience (must have):\n1. SQL\n2) Go", ["SQL", "Go"], None),
        ("What you'll need\n\n* SQL", ["SQL"], None),
        ("Requirements engineering is our craft.", [], "Requirements engineering is our craft."),
        ("Benefits:\n• Lunch", [], "Benefits:\n• Lunch"),
    ],
)
def test_sections_of_plain_descriptions(
    description: str, requirements: list[str], rest: str | None
) -> None:
    posting = _one(LINKED | {"description": description}).posting
    assert (posting.requirements, posting.description) == (requirements, rest)


def test_bad_rows_keep_their_line_numbers_and_their_neighbours() -> None:
    good = json.dumps(NATIVE)
    lines = [
        *[good, "", "not json", good, '{"companyName": "X", "roleTitle":', good, "oops"],
        *["[]", "5", good + " " + good, '{"companyName": NaN}', '{"companyName": "X"}', good],
        *['{"roleTitle": "cut', good],
    ]
    rows = list(read_rows("\ufeff" + "\r\n".join(lines) + "\r\n"))
    assert [row.line for row in rows if isinstance(row, ReadPosting)] == [1, 4, 6, 13, 15]
    bad = {row.line: row.reason for row in rows if isinstance(row, BadRow)}
    assert list(bad) == [3, 5, 7, 9, 10, 11, 12, 14]
    assert bad[3] == "not JSON (Expecting value at column 1); expected one object a line"
    assert bad[9] == "the row is a number; expected a JSON object"
    assert bad[10] == "text follows the JSON object; expected one object a line"
    assert bad[12] == "roleTitle is missing; expected a string"
    assert all("\n" not in reason for reason in bad.values())


def test_printed_documents_keep_their_line_numbers() -> None:
    document = json.dumps([NATIVE, LINKED, {"roleTitle": "x"}, 5], indent=2)
    rows = list(read_rows("\n" + document))
    assert [(type(row), row.line) for row in rows] == [
        *[(ReadPosting, 3), (ReadPosting, 7), (BadRow, 16), (BadRow, 19)],
    ]


def test_graph_gives_its_postings_and_ignores_other_nodes() -> None:
    nodes = [{"@type": "WebSite", "name": "x"}, LINKED, LINKED | {"title": ""}]
    document = {"@context": {"@graph": []}, "@graph": nodes}
    rows = list(read_rows(json.dumps(document, indent=1)))
    assert [(type(row), row.line) for row in rows] == [(ReadPosting, 10), (BadRow, 19)]


def test_one_printed_object_and_a_broken_document() -> None:
    printed = json.dumps(LINKED, indent=2)
    assert [type(row) for row in read_rows(printed)] == [ReadPosting]
    broken = printed.replace('"title": "Cook"', '"title": Cook')
    rows = list(read_rows(broken + "\n" + json.dumps(NATIVE)))
    assert [(type(row), row.line) for row in rows] == [(BadRow, 1), (ReadPosting, 10)]


def test_a_broken_list_keeps_what_came_before_and_after() -> None:
    good = json.dumps(NATIVE)
    rows = list(read_rows(f"[\n{good},\n{{oops}},\n{good}\n]"))
    assert [(type(row), row.line) for row in rows] == [
        *[(ReadPosting, 2), (BadRow, 3), (ReadPosting, 4)],
    ]
    printed = json.dumps([LINKED, LINKED, LINKED], indent=2)
    rows = list(read_rows(printed.replace('"title": "Cook"', '"title": Cook', 1)))
    assert [(type(row), row.line) for row in rows] == [
        *[(BadRow, 2), (ReadPosting, 11), (ReadPosting, 20)],
    ]
    rows = list(read_rows(f"[1, 2\n{good}\n{good}"))
    assert [(type(row), row.line) for row in rows] == [
        *[(BadRow, 1), (BadRow, 1), (BadRow, 1), (ReadPosting, 2), (ReadPosting, 3)],
    ]


def test_deep_nesting_is_a_bad_row() -> None:
    deep = '{"a":' * 200_000
    assert [type(row) for row in read_rows(deep + "\n" + json.dumps(NATIVE))] == [
        *[BadRow, ReadPosting],
    ]


def test_external_id_by_content() -> None:
    base = NATIVE | {"location": "Galway", "description": "Hot & fast"}
    same = {
        "companyName": "KESTREL ",
        "description": "<p>Hot &amp;\n fast</p>",
        "niceToHave": ["x"],
    }
    assert _one(base).external_id.startswith("sha256:")
    assert _one(base).external_id == _one(base | same).external_id
    for key in ("companyName", "roleTitle", "location", "description"):
        assert _one(base).external_id != _one(base | {key: "other"}).external_id
    other_employer = LINKED | {"hiringOrganization": "Finch", "identifier": "17"}
    assert _one(LINKED | {"identifier": "17"}).external_id != _one(other_employer).external_id


def test_seed_reads_completely() -> None:
    text = files("domain.job_postings").joinpath("seed.jsonl").read_text(encoding="utf-8")
    rows = [row for row in read_rows(text) if isinstance(row, ReadPosting)]
    assert len(rows) == len(text.splitlines()) == 64
    assert len({row.external_id for row in rows}) == 64
    assert sum(row.posting.language is Language.HE for row in rows) >= 14
    assert all(4 <= len(r.posting.requirements + r.posting.nice_to_have) <= 8 for r in rows)
    assert {row.is_remote for row in rows} == {True, False}
    dates = [row.posted_at for row in rows if row.posted_at]
    assert len(dates) == 64
    assert max(dates) < datetime(2026, 11, 1, tzinfo=UTC)
    assert len({(row.location or "").split(", ")[-1] for row in rows}) >= 10


def test_seed_covers_many_kinds_of_work() -> None:
    text = files("domain.job_postings").joinpath("seed.jsonl").read_text(encoding="utf-8")
    titles = [row.posting.role_title for row in read_rows(text) if isinstance(row, ReadPosting)]
    kinds = {
        "software": ("Backend", "Developer"),
        "health": ("Nurse", "Pharmacist"),
        "finance": ("Accountant", "Payroll"),
        "marketing": ("Marketing", "Sales"),
        "people": ("HR", "Recruiter"),
        "trades": ("Electrician", "Welder"),
        "hospitality": ("Chef", "Receptionist"),
        "teaching": ("Teacher", "מורה"),
        "logistics": ("Warehouse", "Driver"),
        "law and office": ("Lawyer", "Administrator"),
        "design": ("Product Designer", "Graphic Designer"),
        "service": ("Customer Support", "שירות"),
    }
    for kind, words in kinds.items():
        assert all(any(word in title for title in titles) for word in words), kind


@example("\x0c")
@given(st.text())
def test_any_text_is_read_without_an_exception(text: str) -> None:
    assert all(row.line >= 1 for row in read_rows(text))


@given(st.dictionaries(st.sampled_from(PROPERTIES), JSON), st.sampled_from([NATIVE, LINKED, {}]))
def test_any_json_is_read_without_an_exception(
    changes: dict[str, object], base: dict[str, object]
) -> None:
    for row in _rows(base | changes):
        assert isinstance(row, ReadPosting) or "\n" not in row.reason
