import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.skills.gap import skills_gap

IDS = st.lists(st.sampled_from(["python", "sql", "docker", "go", "excel"]))


def test_the_order_of_the_requirements_is_kept() -> None:
    gap = skills_gap(["go", "sql", "python"], ["python", "docker", "sql", "python"])
    assert gap.user_skills == ("go", "sql", "python")
    assert gap.required_skills == ("python", "docker", "sql")
    assert gap.matched_skills == ("python", "sql")
    assert gap.missing_skills == ("docker",)
    assert gap.coverage == pytest.approx(0.6667)


def test_nothing_required_is_fully_covered() -> None:
    assert skills_gap(["go"], []).coverage == 1


def test_nothing_known_covers_nothing() -> None:
    assert skills_gap([], ["go"]).coverage == 0


@given(IDS, IDS)
def test_matched_and_missing_make_up_the_required(user: list[str], required: list[str]) -> None:
    gap = skills_gap(user, required)
    assert sorted(gap.matched_skills + gap.missing_skills) == sorted(gap.required_skills)
    assert set(gap.matched_skills) <= set(gap.user_skills)
    assert not set(gap.missing_skills) & set(gap.user_skills)
    assert 0 <= gap.coverage <= 1
