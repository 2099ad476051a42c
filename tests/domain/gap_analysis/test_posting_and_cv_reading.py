from datetime import date

import pytest

from domain.core.levels import GapLevel
from domain.cv.parsing.parsed_cv import Experience
from domain.gap_analysis.rules.roles import is_same_work
from domain.gap_analysis.rules.tenure import months_held, years_named
from domain.job_postings.posting import Posting
from domain.job_postings.statements import Section, statements

HIGH, MEDIUM, LOW = GapLevel.HIGH, GapLevel.MEDIUM, GapLevel.LOW
TODAY = date(2026, 11, 1)


def test_impact_follows_place_and_wording() -> None:
    posting = Posting(
        company_name="A",
        role_title="Clerk",
        requirements=["One", "Two - an advantage", "Three", "Four", "Five is a must", "שש - יתרון"],
        responsibilities=["Seven"],
        description="Eight. Nine is required",
        nice_to_have=["Ten"],
    )
    assert [(part.text, part.impact) for part in statements(posting)] == [
        ("One", HIGH),
        ("Two - an advantage", LOW),
        ("Three", HIGH),
        ("Four", MEDIUM),
        ("Five is a must", HIGH),
        ("שש - יתרון", LOW),
        ("Seven", MEDIUM),
        ("Eight.", MEDIUM),
        ("Nine is required", HIGH),
        ("Ten", LOW),
        ("Clerk", HIGH),
    ]


def test_headings_sort_a_description_without_requirements() -> None:
    text = "We bake.\nRequirements:\nOvens\nWhat you'll do\nBread\nיתרון:\nCakes"
    posting = Posting(company_name="A", role_title="B", description=text)
    assert [(part.text, part.section) for part in statements(posting)][:-1] == [
        ("We bake.", Section.DESCRIPTION),
        ("Ovens", Section.REQUIREMENTS),
        ("Bread", Section.RESPONSIBILITIES),
        ("Cakes", Section.NICE_TO_HAVE),
    ]


def test_one_sentence_may_hold_a_must_and_an_advantage() -> None:
    posting = Posting(
        company_name="A", role_title="B", requirements=["Python required, Kubernetes a plus"]
    )
    impacts = [part.impact for part in statements(posting)]
    assert impacts == [HIGH, LOW, HIGH]


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("5+ years of Python", 5),
        ("3-5 years", 3),
        ("at least four (4) years", 4),
        ("שלוש שנות ניסיון", 3),
        ("לפחות 7 שנים", 7),
        ("ניסיון של שנתיים", 2),
        ("must be 18 years old", None),
        ("founded 1998", None),
        ("a 100 years old house", None),
    ],
)
def test_years_named(text: str, years: int | None) -> None:
    assert years_named(text) == years


@pytest.mark.parametrize(
    ("spans", "months"),
    [
        ([("2020-01", "2020-12")], 12),
        ([("2020", "2020")], 12),
        ([("2020-01", "2020-12"), ("2020-06", "2021-06")], 18),
        ([("2019-01", "2019-03"), ("2021-01", "2021-03")], 6),
        ([("2021-05", "2020-01"), ("nonsense", "2020")], None),
        ([], None),
    ],
)
def test_months_held(spans: list[tuple[str, str]], months: int | None) -> None:
    assert months_held([Experience(start=a, end=b) for a, b in spans], TODAY) == months


def test_a_current_position_lasts_until_today() -> None:
    assert months_held([Experience(start="2026-01", is_current=True)], TODAY) == 11
    assert months_held([Experience(start="2026-01")], TODAY) is None


@pytest.mark.parametrize(
    ("title", "other", "is_same"),
    [
        ("Backend Developer", "Senior Software Engineer", True),
        ("מפתחת תוכנה", "Full-Stack Developer", True),
        ("אחות טיפול נמרץ", "Registered Nurse", True),
        ("חשמלאי מוסמך", "Industrial Electrician", True),
        ("Civil Engineer", "Software Engineer", False),
        ("Team Lead", "Team Manager", False),
        ("Cook", "Teacher", False),
        ("", "", False),
    ],
)
def test_same_work_in_both_languages(title: str, other: str, is_same: bool) -> None:
    assert is_same_work(title, other) is is_same
