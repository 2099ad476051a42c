from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz
from rapidfuzz.utils import default_process

from domain.core.language import Language
from domain.job_postings.documents import JobSummary
from domain.recommendations.rules import (
    MOST_ROLES,
    TITLE_FLOOR,
    WEIGHTS,
    Candidate,
    Match,
    ReasonKind,
    distinct_roles,
    languages_spoken,
    match,
)

BOTH = frozenset({Language.EN, Language.HE})


def job(
    *skills: str,
    title: str = "Gardener",
    location: str | None = None,
    is_remote: bool | None = None,
    language: Language = Language.EN,
) -> JobSummary:
    return JobSummary(
        _id=uuid4(), role_title=title, language=language, required_skills=[*skills],
        location=location, is_remote=is_remote,
    )  # fmt: skip


def kinds(found: Match) -> list[ReasonKind]:
    return [reason.kind for reason in found.reasons]


def score(candidate: Candidate, posting: JobSummary) -> float:
    return match(candidate, posting).score


def test_weights_make_one() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_a_perfect_match_scores_one() -> None:
    candidate = Candidate(
        skills=("a", "b", "c"), roles=("Gardener",), location="Haifa", languages=BOTH
    )
    found = match(candidate, job("a", "b", "c", location="Haifa, Israel"))
    assert found.score == 1.0
    assert kinds(found) == [
        ReasonKind.SKILLS, ReasonKind.TITLE, ReasonKind.LOCATION, ReasonKind.LANGUAGE,
    ]  # fmt: skip


def test_a_stranger_to_everything_scores_nothing() -> None:
    candidate = Candidate(
        skills=("x",), roles=("Nurse",), location="Oslo", languages=frozenset({Language.HE})
    )
    found = match(candidate, job("a", "b", "c", location="Haifa", is_remote=False))
    assert (found.score, found.reasons) == (0.0, ())


def test_more_matched_skills_score_higher() -> None:
    posting = job("a", "b", "c", "d")
    scores = [score(Candidate(skills=("a", "b", "c", "d")[:n]), posting) for n in range(5)]
    assert scores == sorted(scores)
    assert len(set(scores)) == 5


def test_one_of_one_skill_says_less_than_three_of_three() -> None:
    candidate = Candidate(skills=("a", "b", "c"))
    assert score(candidate, job("a")) < score(candidate, job("a", "b", "c"))


def test_a_job_that_names_no_skill_gains_none() -> None:
    assert kinds(match(Candidate(skills=("a",)), job())) == []


def test_common_skills_count_for_less_on_both_sides() -> None:
    common = frozenset({"english"})
    posting = job("english", "a", "b", "c")
    only_common = match(Candidate(skills=("english",)), posting, common)
    only_own = match(Candidate(skills=("a",)), posting, common)
    all_own = match(Candidate(skills=("a", "b", "c")), posting, common)

    assert only_common.score < only_own.score
    assert only_common.reasons[0].values == ("english",)
    assert all_own.score > match(Candidate(skills=("a", "b", "c")), posting).score


def test_skills_reason_holds_the_matched_in_the_postings_order() -> None:
    [reason, *_] = match(Candidate(skills=("c", "x", "a")), job("a", "b", "c")).reasons
    assert (reason.kind, reason.values, reason.total) == (ReasonKind.SKILLS, ("a", "c"), 3)


@pytest.mark.parametrize(
    ("role", "title", "is_near"),
    [
        ("Backend Developer", "Senior Backend Developer", True),
        ("backend developer", "BACKEND DEVELOPER", True),
        ("Nurse", "Registered Nurse, Intensive Care", True),
        ("מפתח Backend", "מפתח/ת Backend", True),
        ("Truck Driver", "Commercial Lawyer", False),
        ("Chef", "Data Scientist", False),
        ("", "Gardener", False),
    ],
)
def test_titles(role: str, title: str, is_near: bool) -> None:
    found = match(Candidate(roles=(role,)), job(title=title))
    assert (ReasonKind.TITLE in kinds(found)) is is_near


def test_the_nearest_role_is_the_reason() -> None:
    candidate = Candidate(roles=("Head Chef", "Data Scientist", "Data Engineer"))
    [reason] = match(candidate, job(title="Data Engineer")).reasons
    assert (reason.kind, reason.values) == (ReasonKind.TITLE, ("Data Engineer",))


NAMES = st.lists(
    st.sampled_from(["Senior", "Data", "Nurse,", "engineer", "מפתח/ת", "C++", "of", "-", "Chef"]),
    max_size=5,
).map(" ".join)


@given(st.lists(NAMES, max_size=6), NAMES)
def test_titles_are_held_against_each_role(roles: list[str], title: str) -> None:
    ratios = [fuzz.token_set_ratio(role, title, processor=default_process) for role in [*roles, ""]]
    nearest = max(ratios)
    part = max(0.0, (nearest - TITLE_FLOOR) / (100 - TITLE_FLOOR))

    found = match(Candidate(roles=tuple(roles), languages=BOTH, location="x"), job(title=title))

    told = {reason.kind: reason for reason in found.reasons}
    assert (ReasonKind.TITLE in told) is (part > 0)
    if part > 0:
        assert told[ReasonKind.TITLE].weight == pytest.approx(WEIGHTS["title"] * part)
        assert told[ReasonKind.TITLE].values == (roles[ratios.index(nearest)],)


def test_roles_are_the_first_of_each_name_and_not_too_many() -> None:
    assert distinct_roles(["Nurse", "Chef", "NURSE!", "Nurse"]) == ("Nurse", "Chef")
    many = [f"Role {number}" for number in range(MOST_ROLES + 1)]
    assert distinct_roles(many) == tuple(many[:MOST_ROLES])


def test_only_the_beginning_of_an_endless_title_is_compared() -> None:
    posting = job(title="Data Engineer " + "x" * 1000)
    assert match(Candidate(roles=("Data Engineer " + "y" * 1000,)), posting).reasons == ()
    assert kinds(match(Candidate(roles=("Data Engineer",)), posting)) == [ReasonKind.TITLE]


def test_remote_work_is_best_for_who_wants_it_and_nothing_for_who_does_not() -> None:
    posting = job(is_remote=True)
    wants, says_nothing, refuses = (
        match(Candidate(prefers_remote=wish), posting) for wish in (True, None, False)
    )
    assert wants.score > says_nothing.score > refuses.score
    assert kinds(wants) == kinds(says_nothing) == [ReasonKind.REMOTE]
    assert kinds(refuses) == []


def test_a_place_is_near_by_any_of_its_words() -> None:
    candidate = Candidate(location="tel aviv")
    near = match(candidate, job(location="Tel Aviv, Israel"))
    assert kinds(near) == [ReasonKind.LOCATION]
    assert near.reasons[0].values == ("Tel Aviv, Israel",)
    assert near.score > score(candidate, job(location="Berlin, Germany"))


def test_a_posting_in_a_language_one_does_not_know_falls_behind() -> None:
    candidate = Candidate(languages=frozenset({Language.EN}))
    english = match(candidate, job(language=Language.EN))
    hebrew = match(candidate, job(language=Language.HE))
    assert english.score > hebrew.score
    assert kinds(hebrew) == []


def test_reasons_are_the_weightiest_first() -> None:
    candidate = Candidate(skills=("a",), roles=("Gardener",), languages=BOTH, prefers_remote=True)
    weights = [reason.weight for reason in match(candidate, job("a", "b", is_remote=True)).reasons]
    assert weights == sorted(weights, reverse=True)
    assert len(weights) == 4


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["English (fluent)", "French"], {Language.EN}),
        (["עברית - שפת אם", "אנגלית - טובה"], {Language.EN, Language.HE}),
        (["HEBREW"], {Language.HE}),
        ([], set()),
    ],
)
def test_languages_spoken(texts: list[str], found: set[Language]) -> None:
    assert languages_spoken(texts) == found
