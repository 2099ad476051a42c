from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.core.language import Language
from domain.core.levels import GapLevel
from domain.cv.parsing.parsed_cv import Experience, ParsedCV
from domain.gap_analysis.analyst import AnalysisRequest, DraftQuestion
from domain.gap_analysis.rule_analyst import RuleAnalyst
from domain.gap_analysis.rules.phrases import Case, phrase
from domain.gap_analysis.rules.scoring import TENTHS, gap_score
from domain.gap_analysis.rules.vocabulary import affinities
from domain.gap_analysis.rules.wording import MAX_QUESTION_CHARS, is_in_language
from domain.job_postings.posting import Posting
from domain.skills.catalogue import SkillKind
from domain.skills.folding import fold_label
from tests.domain.gap_analysis.cases import (
    ACCOUNTANT,
    ALL,
    CATALOGUE,
    COOK,
    DEVELOPER,
    ELECTRICIAN,
    EXTRACTOR,
    NURSE,
    TEACHER,
    drafts_for,
    request_of,
    skill_id,
)
from tests.growth import assert_linear

HIGH, MEDIUM, LOW = GapLevel.HIGH, GapLevel.MEDIUM, GapLevel.LOW


def levels(drafts: list[DraftQuestion]) -> dict[str | None, tuple[GapLevel, GapLevel]]:
    return {draft.skill: (draft.impact, draft.probability) for draft in drafts}


def test_developer_in_english() -> None:
    drafts = drafts_for(DEVELOPER)
    assert levels(drafts) == {
        skill_id("Kubernetes"): (HIGH, HIGH),
        skill_id("SQL"): (HIGH, HIGH),
        skill_id("REST API"): (HIGH, HIGH),
        None: (HIGH, LOW),  # 46 months of Python, 60 asked for
        skill_id("Kafka"): (LOW, LOW),
    }
    by_skill = {draft.skill: draft.question for draft in drafts}
    assert "Docker and Amazon ECS (Backend Developer, Acme)" in by_skill[skill_id("Kubernetes")]
    assert "PostgreSQL" in by_skill[skill_id("SQL")]
    assert "FastAPI" in by_skill[skill_id("REST API")]
    assert "5 years with Python" in by_skill[None]
    everything = " ".join(by_skill.values())
    assert not any(word in everything for word in ("Terraform", "Haskell", "elding"))


def test_nurse_in_english() -> None:
    drafts = drafts_for(NURSE)
    assert levels(drafts)[skill_id("IV therapy")] == (HIGH, HIGH)
    assert levels(drafts)[skill_id("Wound care")] == (MEDIUM, MEDIUM)
    licence, english, leading = (draft for draft in drafts if draft.skill is None)
    assert "Valid nursing licence" in licence.question
    assert "Senior ICU Nurse, Rambam" in licence.question
    assert (licence.impact, licence.probability) == (HIGH, HIGH)
    assert "Fluent English" in english.question
    assert "Leading a team of nurses" in leading.question
    assert leading.impact is LOW
    assert "orklift" not in " ".join(draft.question for draft in drafts)


def test_hebrew_accountant_for_an_english_posting() -> None:
    drafts = drafts_for(ACCOUNTANT)
    assert [draft.skill for draft in drafts] == [
        skill_id("Payroll"),
        skill_id("VAT reporting"),
        skill_id("Accounts payable"),
        None,
    ]
    assert (drafts[0].impact, drafts[2].impact) == (HIGH, MEDIUM)
    assert "דלתא" in drafts[0].question
    assert "4 שנים" in drafts[3].question
    assert drafts[3].probability is HIGH  # three years named as such, eight in all


def test_english_electrician_for_a_hebrew_posting() -> None:
    drafts = drafts_for(ELECTRICIAN)
    assert levels(drafts) == {
        None: (HIGH, HIGH),
        skill_id("Blueprint reading"): (HIGH, HIGH),
        skill_id("Electrical troubleshooting"): (MEDIUM, HIGH),
    }
    assert "רישיון חשמלאי" in drafts[0].question
    assert "Industrial Electrician, Teva" in drafts[0].question


def test_hebrew_cook_whose_posting_has_only_a_description() -> None:
    drafts = drafts_for(COOK)
    assert levels(drafts) == {
        skill_id("Food safety"): (HIGH, HIGH),
        skill_id("Kitchen management"): (MEDIUM, HIGH),
        None: (MEDIUM, HIGH),
        skill_id("Pastry making"): (LOW, HIGH),
    }
    assert "בישול" in drafts[0].question


def test_teacher_asked_in_hebrew() -> None:
    drafts = drafts_for(TEACHER)
    assert levels(drafts) == {
        skill_id("Curriculum development"): (HIGH, HIGH),
        None: (MEDIUM, MEDIUM),
        skill_id("Special education"): (LOW, HIGH),
    }
    assert "matriculation exams" in drafts[1].question
    assert "High School Teacher, Brenner" in drafts[1].question


def test_the_language_of_the_cv_is_asked_about() -> None:
    posting = Posting(company_name="A", role_title="B", requirements=["אנגלית ברמה גבוהה"])
    cv = request_of("I drive a taxi", posting)
    assert levels(drafts_for(cv)) == {skill_id("English"): (HIGH, HIGH)}
    assert drafts_for(request_of("I drive a taxi", posting, languages=["English (C1)"])) == []
    assert drafts_for(request_of("נהג מונית", posting, cv_language=Language.HE)) == []


@pytest.mark.parametrize(
    ("end", "text", "is_asked"),
    [
        ("2020-12", "", True),
        ("2022-12", "", False),  # five years, as asked
        ("2020-12", "6 years of Python at several places", False),
        ("2018-02", "", False),  # too far from five
        (None, "", True),  # not dated
    ],
)
def test_years_against_dates(end: str | None, text: str, is_asked: bool) -> None:
    held = Experience(role="Analyst", company="X", start="2018-01", end=end, description="Python")
    posting = Posting(company_name="A", role_title="B", requirements=["5+ years of Python"])
    drafts = drafts_for(request_of(text, posting, experience=[held]))
    assert [draft.skill for draft in drafts] == ([None] if is_asked else [])


def test_scale_is_asked_where_the_cv_has_no_figures() -> None:
    posting = Posting(
        company_name="A", role_title="Warehouse manager", requirements=["High-volume operation"]
    )
    held = Experience(role="Warehouse manager", company="Port", description="Ran the place")
    counted = held.model_copy(update={"description": "Ran the place, 400 orders a day"})
    (draft,) = drafts_for(request_of("", posting, experience=[held]))
    assert "High-volume operation" in draft.question
    assert drafts_for(request_of("", posting, experience=[counted])) == []


def test_nothing_in_common_asks_nothing() -> None:
    unrelated = replace(COOK, posting=DEVELOPER.posting)
    assert drafts_for(unrelated) == []
    assert drafts_for(request_of("", Posting(company_name="", role_title=""))) == []


def test_evidence_unfit_to_repeat_is_not_repeated() -> None:
    posting = Posting(company_name="A", role_title="Developer", requirements=["Kubernetes"])
    held = Experience(
        role="<script>x</script>", company="http://evil.example", description="Docker, Helm"
    )
    (draft,) = drafts_for(request_of("", posting, experience=[held]))
    assert "Docker" in draft.question
    assert "evil" not in draft.question
    assert "script" not in draft.question


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("case", list(Case))
def test_wordings_fit_and_name_no_skill_of_their_own(case: Case, language: Language) -> None:
    values = {"topic": "T" * 50, "evidence": "E" * 130, "quote": "Q" * 90, "years": "12"}
    wordings = {phrase(case, language, turn, values) for turn in range(4)}
    assert len(wordings) >= 3
    for wording in wordings:
        assert wording is not None
        assert len(wording) <= MAX_QUESTION_CHARS
        assert is_in_language(wording, language)
        kinds = {CATALOGUE[skill].kind for skill in EXTRACTOR.skills(wording)}
        assert kinds <= {SkillKind.GENERAL}, wording


def test_affinities_name_skills_of_the_catalogue() -> None:
    families, implied = affinities()
    labels = {label for family in families for label in family}
    labels.update(implied, *implied.values())
    assert {label for label in labels if fold_label(label) not in CATALOGUE.id_by_label} == set()


@pytest.mark.parametrize("name", ALL)
async def test_the_analyst_yields_the_drafts(name: str) -> None:
    analyst = RuleAnalyst(CATALOGUE, EXTRACTOR)
    assert analyst.engine == "RULES"
    drafts = [draft async for draft in analyst.questions(ALL[name])]
    assert drafts
    assert drafts == [draft async for draft in analyst.questions(ALL[name])]


def test_a_long_cv_and_posting_are_read() -> None:
    lines = "\n".join(
        [*DEVELOPER.posting.requirements, "We value people and their 3 years of work"]
    )
    posting = DEVELOPER.posting.model_copy(
        update={"description": (lines + "\n") * (900_000 // len(lines))}
    )
    drafts = drafts_for(replace(DEVELOPER, posting=posting, cv_text=DEVELOPER.cv_text * 2000))
    assert drafts[0].skill == skill_id("Kubernetes")


@pytest.mark.parametrize("unit", ["1", "a", " ", "Go, ", "5 years of Go. ", "lead "])
def test_hostile_texts_take_linear_time(unit: str) -> None:
    def draft(size: int) -> None:
        hostile = "5 " + unit * (size // len(unit))
        posting = Posting(
            company_name=hostile, role_title="Nurse", requirements=["5 years", "licence", hostile]
        )
        held = Experience(role="Nurse", company=hostile[:1000], description="Wards")
        drafts_for(request_of(hostile, posting, experience=[held]))

    assert_linear(draft, 15_000)


NAMES = st.sampled_from([skill.name for skill in CATALOGUE.values()])
HEBREW_NAMES = st.sampled_from([s.hebrew[0] for s in CATALOGUE.values() if s.hebrew])
PHRASES = (
    "5+ years of|שלוש שנות|must|יתרון|Leading a team of 5|licence|ניהול צוות|at scale|or|"
    "no experience with|fluent|http://a.example|<b>|Nurse"
)
WORDS = st.one_of(NAMES, HEBREW_NAMES, st.text(max_size=20), st.sampled_from(PHRASES.split("|")))
LINES = st.lists(WORDS, max_size=6).map(" ".join)
JOBS = st.builds(
    Experience,
    role=st.none() | LINES,
    company=st.none() | st.text(max_size=20),
    start=st.sampled_from([None, "2015", "2019-07", "x"]),
    end=st.sampled_from([None, "2021", "2017-02", "9999-99"]),
    is_current=st.booleans(),
    description=LINES,
)


@st.composite
def requests(draw: st.DrawFn) -> AnalysisRequest:
    posting = Posting(
        company_name=draw(LINES),
        role_title=draw(LINES),
        description=draw(st.none() | LINES),
        requirements=draw(st.lists(LINES, max_size=4)),
        responsibilities=draw(st.lists(LINES, max_size=2)),
        nice_to_have=draw(st.lists(LINES, max_size=2)),
        language=draw(st.sampled_from(Language)),
    )
    return request_of(
        draw(LINES),
        posting,
        experience=draw(st.lists(JOBS, max_size=3)),
        cv_language=draw(st.sampled_from(Language)),
        ask_in=draw(st.sampled_from(Language)),
        languages=draw(st.lists(LINES, max_size=1)),
    )


@settings(max_examples=150, deadline=None)
@given(requests())
def test_whatever_is_read_the_questions_keep_the_rules(request: AnalysisRequest) -> None:
    drafts = drafts_for(request)
    assert len(drafts) <= 5
    keys = [(gap_score(d.impact, d.probability), TENTHS[d.impact]) for d in drafts]
    assert keys == sorted(keys, reverse=True)
    stated = {*request.cv.skills, *EXTRACTOR.skills(request.cv_text)}
    asked = {d.skill for d in drafts} - {None}
    assert not asked & stated
    posting = request.posting
    texts = [posting.role_title, posting.description or "", *posting.requirements]
    texts += [*posting.responsibilities, *posting.nice_to_have]
    named = {m.skill_id for text in texts for m in EXTRACTOR.mentions(text)}
    assert asked <= named
    for question in (d.question for d in drafts):
        assert 0 < len(question) <= MAX_QUESTION_CHARS
        assert is_in_language(question, request.language)
        assert "http" not in question


def test_an_empty_cv_is_no_error() -> None:
    empty = AnalysisRequest(ParsedCV(language=Language.EN), "", DEVELOPER.posting, Language.EN)
    assert drafts_for(empty) == []
