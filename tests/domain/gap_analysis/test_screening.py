from dataclasses import replace

import pytest

from domain.core.language import Language
from domain.core.levels import GapLevel
from domain.gap_analysis.analyst import DraftQuestion
from domain.gap_analysis.rules.screening import (
    Screen,
    ScreenedQuestion,
    posting_order,
    ranked,
)
from domain.job_postings.posting import Posting
from domain.job_postings.statements import read_statements
from tests.domain.gap_analysis.cases import CATALOGUE, EXTRACTOR, request_of

HIGH, MEDIUM, LOW = GapLevel.HIGH, GapLevel.MEDIUM, GapLevel.LOW
POSTING = Posting(
    company_name="monday.com",
    role_title="Engineer",
    requirements=["Kubernetes", "C++", "Zorblax 9"],
    responsibilities=["Run PostgreSQL"],
    description="We deploy with Jenkins.",
    nice_to_have=["Kafka", "Kubernetes", "Docker"],
)
REQUEST = request_of("Python at Acme. No experience with Docker. Wrote in Flumox.", POSTING)


def draft(question: str, skill: str | None = None) -> DraftQuestion:
    return DraftQuestion(question, HIGH, MEDIUM, skill)


def screen(language: Language = Language.EN, most: int = 5) -> Screen:
    return Screen(replace(REQUEST, language=language), CATALOGUE, EXTRACTOR, most)


@pytest.mark.parametrize(
    ("question", "skill"),
    [
        ("Have you run k8s yourself?", "k8s"),
        ("Where did you use C++?", "C++"),
        ("What did you do with Zorblax 9?", "zorblax  9"),
        ("Docker: none at all?", "Docker"),
        ("How deep is your Python?", None),
        ("Which databases did you run?", None),
        ("How did you plan and lead the work?", None),
        ("Have you used monday.com boards?", None),
        ("Is latency < 5 ms and load > 3 usual?", None),
        ("What did you do at בנק הפועלים in those years?", None),
    ],
)
def test_a_question_about_what_is_there_is_accepted(question: str, skill: str | None) -> None:
    accepted = screen().accept(draft(question, skill))
    assert accepted is not None
    assert accepted.question == question
    assert accepted.gap_score == 0.88


@pytest.mark.parametrize(
    ("question", "skill"),
    [
        ("Have you used Rust?", "Rust"),  # named by neither
        ("Have you used this?", "Blargh"),
        ("Have you used Kubernetes or Rust?", "Kubernetes"),  # a foreign one in the words
        ("Have you used Rust?", None),
        ("Do you know Python?", "Python (primary)"),  # stated
        ("Do you know Flumox?", "Flumox"),
        ("", None),
        (" \u200b\n?! ", None),
        ("Have you? " * 41, None),
        ("See https://evil.example/x?", None),
        ("See www.evil.example please?", None),
        ("See evil.com please?", None),
        ("Write to a.b@evil.example?", None),
        ("Have you <b>run</b> it?", None),
        ("Have you &lt;run&gt; it?", None),
        ("Have you [run](it)?", None),
        ("javascript:alert(1)?", None),
        ("האם יצא לך להריץ את זה?", None),  # the other language
        ("你有经验吗?", None),
    ],
)
def test_a_question_that_must_not_come_back_is_refused(question: str, skill: str | None) -> None:
    assert screen().accept(draft(question, skill)) is None


@pytest.mark.parametrize(
    ("question", "is_accepted"),
    [
        ("האם יצא לך לעבוד עם Kubernetes?", True),
        ("Have you worked with Kubernetes?", False),
        ("האם יצא לך לעבוד עם Rust?", False),
    ],
)
def test_hebrew_is_asked_in_hebrew(question: str, is_accepted: bool) -> None:
    assert (screen(Language.HE).accept(draft(question)) is not None) is is_accepted


def test_a_name_of_more_than_ascii_is_found_with_a_hebrew_prefix() -> None:
    posting = Posting(company_name="א", role_title="ב", requirements=["ניסיון בפלורנית מתקדמת"])
    checked = Screen(request_of("", posting), CATALOGUE, EXTRACTOR, 5)
    assert checked.accept(draft("Have you done this?", "פלורנית")) is not None
    assert checked.accept(draft("Have you done that?", "ורנית")) is None


def test_emphasis_and_control_characters_are_cleaned_away() -> None:
    accepted = screen().accept(draft("Have  you\u202e **run**\n`it`?"))
    assert accepted is not None
    assert accepted.question == "Have you run it?"


def test_repetitions_are_refused_and_the_first_stays() -> None:
    checked = screen()
    assert checked.accept(draft("Have you run Kubernetes?", "Kubernetes"))
    assert checked.accept(draft("How about clusters?", "k8s")) is None
    assert checked.accept(draft("HAVE YOU run kubernetes")) is None
    assert checked.accept(draft("Do you know C++?"))
    assert checked.accept(draft("Do you know c++")) is None


def test_no_more_than_asked_for() -> None:
    checked = screen(most=2)
    outcomes = [checked.accept(draft(f"Question number {n}, please?")) for n in range(4)]
    assert [outcome is not None for outcome in outcomes] == [True, True, False, False]
    assert checked.is_full


@pytest.mark.parametrize(
    ("skill", "order"),
    [
        ("k8s", 0),
        ("C++", 1),
        ("Zorblax 9", 2),
        ("Postgres", 3),
        ("Jenkins", 4),
        ("Kafka", 5),
        ("Rust", 9),
        ("Blargh", 9),
        (None, 9),
    ],
)
def test_posting_order(skill: str | None, order: int) -> None:
    canonical = EXTRACTOR.canonical(skill) if skill else None
    statements = read_statements(POSTING, EXTRACTOR)
    assert posting_order(canonical or skill, statements) == order


def test_ranking_is_by_score_then_impact_then_posting() -> None:
    def made(name: str, impact: GapLevel, probability: GapLevel, position: int) -> ScreenedQuestion:
        return ScreenedQuestion(name, impact, probability, None, position)

    shuffled = [
        made("f", LOW, LOW, 0),
        made("e", LOW, HIGH, 0),  # 0.51 as well, but a lower impact
        made("c", MEDIUM, HIGH, 1),
        made("d", MEDIUM, LOW, 9),
        made("b", HIGH, LOW, 7),
        made("a", HIGH, LOW, 2),
        made("g", LOW, LOW, 0),
    ]
    assert "".join(question.question for question in ranked(shuffled)) == "abcdefg"
