import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.skills.catalogue import load_catalogue
from domain.skills.extraction import SkillExtractor
from tests.domain.skills.cases import CASES
from tests.growth import assert_linear

EXTRACTOR = SkillExtractor(load_catalogue())


@pytest.mark.parametrize(("text", "present", "absent"), CASES)
def test_finds_what_a_text_claims_and_nothing_else_named(
    text: str, present: str, absent: str
) -> None:
    found = set(EXTRACTOR.skills(text))
    assert set(present.split()) <= found
    assert not set(absent.split()) & found


def test_cases_name_known_skills() -> None:
    assert len(CASES) >= 150
    named = {skill for _, present, absent in CASES for skill in (present + " " + absent).split()}
    assert named <= load_catalogue().keys()


def test_denied_mentions_are_reported_as_negated() -> None:
    text = "no experience with Docker, but strong Python"
    found = [(text[m.start : m.end], m.is_negated) for m in EXTRACTOR.mentions(text)]
    assert found == [("Docker", True), ("Python", False)]


def test_skills_come_once_in_order_of_first_mention() -> None:
    assert EXTRACTOR.skills("SQL, Python, sql and Docker") == ["sql", "python", "docker"]


def test_offsets_point_into_the_original() -> None:
    text = "  Pýthon\u200b,\r\n\r\n  machine\u00a0 \u05d1־Docker ו-בסיסי   נתונים"
    spans = [text[m.start : m.end] for m in EXTRACTOR.mentions(text)]
    assert spans == ["Pýthon", "Docker", "בסיסי   נתונים"]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Python", "python"),
        ("Python (primary)", "python"),
        ("5+ years of Python", "python"),
        ("3-5 years Python experience", "python"),
        ("at least 2 years of experience with SQL", "sql"),
        ("k8s", "kubernetes"),
        ("AWS (EC2, S3)", "aws"),
        ("Amazon stuff (AWS)", "aws"),
        ("C", "c"),
        ("c", "c"),
        ("C++", "cpp"),
        ("C#", "csharp"),
        ("R", "r"),
        ("go", "go"),
        ("Go (primary)", "go"),
        ("strong Go", "go"),
        (".NET", "dotnet"),
        ("excel", "excel"),
        ("Advanced Excel skills", "excel"),
        ("React", "react"),
        ("3 years React Native", "react-native"),
        ("Java 17", "java"),
        ("Fluent English", "english"),
        ("Postgres", "postgresql"),
        ("פייתון", "python"),
        ("ניסיון של 3 שנים ב-Python", "python"),
        ("שליטה באקסל", "excel"),
        ("no Docker", None),
        ("bananas", None),
        ("", None),
        ("()", None),
    ],
)
def test_canonical(label: str, expected: str | None) -> None:
    assert EXTRACTOR.canonical(label) == expected


def test_every_label_of_the_catalogue_is_canonical() -> None:
    catalogue = load_catalogue()
    wrong = [
        label
        for skill in catalogue.values()
        for label in skill.labels
        if EXTRACTOR.canonical(label) != skill.id
    ]
    assert wrong == []


HOSTILE = [
    "no no no ",
    "c,c,c,",
    "a",
    "((((",
    "python,c,",
    "no python,",
    "no experience with docker or ",
    "React ",
    "not C# ",
    "want to learn ",
    "python1.1.1.1.",
    "https://a@b",
    "אין לי ניסיון ב",
    "ו",
    "\u05b0\u200b",
    "'",
]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_hostile_text_takes_linear_time(pattern: str) -> None:
    assert_linear(lambda size: EXTRACTOR.mentions(pattern * (size // len(pattern))), 50_000)


FRAGMENTS = st.sampled_from(
    [
        *("Python", "c", "C++", "Go", "Excel", "React", "K8s", "פייתון", "בסיסי נתונים"),
        *("no ", "experience with ", "don't know ", "want to learn ", " or ", "but ", "לא "),
        *("ב-", "ו", " ", ", ", "\n", "-", "(", ")", ".", "''", "1", "@", "/", "\x00"),
        *("\u05b0", "\u200b", "\u0301", "İ", "ﬁ"),
    ]
)
TEXTS = st.lists(st.one_of(FRAGMENTS, st.text(max_size=4)), max_size=30).map("".join)


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_mentions_are_ordered_spans_of_the_text(text: str) -> None:
    mentions = EXTRACTOR.mentions(text)
    position = 0
    for mention in mentions:
        assert position <= mention.start < mention.end <= len(text)
        assert EXTRACTOR.canonical(text[mention.start : mention.end]) == mention.skill_id
        position = mention.end
    assert EXTRACTOR.mentions(text) == mentions


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_canonical_is_idempotent(label: str) -> None:
    found = EXTRACTOR.canonical(label)
    if found is not None:
        assert EXTRACTOR.canonical(load_catalogue().name(found)) == found
