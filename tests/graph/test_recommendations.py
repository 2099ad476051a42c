"""Recommendations through the API: order, reasons, pages, and a gap that may be missing."""

from importlib.resources import files
from typing import Any

import pytest

from domain.core.deps import Deps
from tests.client import Client, Json
from tests.conftest import SignIn, running_worker
from tests.graph.cvs import import_seed, parsed_cv

RECOMMENDED = """
query ($first: Int, $after: String, $last: Int, $before: String, $cvId: ID) {
  jobRecommendations(first: $first, after: $after, last: $last, before: $before, cvId: $cvId) {
    nodes { id score reasons job { id posting { roleTitle } } }
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }
}
"""
WITH_GAPS = """
query ($first: Int, $cvId: ID) {
  jobRecommendations(first: $first, cvId: $cvId) {
    nodes {
      id score reasons
      job { requiredSkills skillsGap { coverage } }
      skillsGap { userSkills requiredSkills missingSkills matchedSkills coverage }
    }
  }
}
"""
NODE = """
query ($id: ID!) {
  node(id: $id) {
    id
    ... on JobRecommendation {
      score reasons skillsGap { coverage } job { id posting { roleTitle } }
    }
  }
}
"""
NURSE = """Maria Fernandes

EXPERIENCE
Staff Nurse, Royal Lothian Infirmary
March 2020 - present
- Care of ventilated patients, medication administration, wound care, IV therapy

LANGUAGES
English
"""
ACCOUNTANT = """רות אברהמי

ניסיון תעסוקתי
מנהלת חשבונות, דקל ושות'
2018 - היום
- הנהלת חשבונות כפולה בתוכנת פריוריטי, התאמות בנקים ודיווחי מע"מ
- הכנת שכר ודוחות ב-Excel

שפות
עברית - שפת אם
אנגלית - טובה
"""
ELECTRICIAN = """Sam Okafor

EXPERIENCE
Electrician, Southbank Electrical
2017 - present
- Wiring of homes, rooftop solar panels, reading electrical drawings
- A-grade electrical licence, driving licence

LANGUAGES
English
"""
DEMO = files("domain.job_postings").joinpath("seed_cv.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
async def _seed(deps: Deps, _clean: None) -> None:
    await import_seed(deps)


@pytest.fixture
async def person(sign_in: SignIn, deps: Deps) -> Client:
    """Somebody with the demo CV."""
    client = await sign_in()
    async with running_worker(deps):
        await parsed_cv(client, DEMO)
    return client


async def page(client: Client, **arguments: Any) -> Json:
    connection: Json = (await client.data(RECOMMENDED, **arguments))["jobRecommendations"]
    assert [edge["node"]["id"] for edge in connection["edges"]] == [
        node["id"] for node in connection["nodes"]
    ]
    return connection


def titles(connection: Json) -> list[str]:
    return [node["job"]["posting"]["roleTitle"] for node in connection["nodes"]]


def jobs_of(connection: Json) -> list[str]:
    return [node["job"]["id"] for node in connection["nodes"]]


async def test_the_best_come_first_with_scores_and_reasons(person: Client) -> None:
    whole = await page(person, first=100)

    scores = [node["score"] for node in whole["nodes"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert scores[0] > 0.6 > 0.3 > scores[-1]
    assert titles(whole)[0] == "Senior Python Developer"
    reasons = whole["nodes"][0]["reasons"]
    assert reasons[0].startswith("You have 10 of 11 required skills: Python, FastAPI, PostgreSQL")
    assert reasons[0].endswith("and 6 more")
    assert "Written in English, which you know" in reasons
    assert any(reason.startswith("Close to your role: ") for reason in reasons)


async def test_reasons_are_in_the_viewers_language(person: Client) -> None:
    await person.data(
        'mutation { updateProfile(input: {language: HE, location: "Tel Aviv"}) '
        "{ viewer { name } } }"
    )
    reasons = (await page(person, first=1))["nodes"][0]["reasons"]

    assert reasons[0].startswith("יש לך 10 מתוך 11 הכישורים הנדרשים: Python")
    assert "קרוב אליך: Tel Aviv, Israel" in reasons
    assert all(any("א" <= letter <= "ת" for letter in reason) for reason in reasons)


async def test_the_profile_counts(person: Client) -> None:
    before = {node["id"]: node["score"] for node in (await page(person, first=100))["nodes"]}
    await person.data(
        'mutation { updateProfile(input: {targetRoles: ["Sous Chef"], prefersRemote: false, '
        'location: "Galway"}) { viewer { name } } }'
    )
    after = await page(person, first=100)

    by_title = {node["job"]["posting"]["roleTitle"]: node for node in after["nodes"]}
    chef = by_title["Sous Chef"]
    assert chef["score"] > before[chef["id"]]
    assert "Close to your role: Sous Chef" in chef["reasons"]
    assert "Near you: Galway, Ireland" in chef["reasons"]
    assert not any("remotely" in reason for node in after["nodes"] for reason in node["reasons"])


@pytest.mark.parametrize(
    ("text", "best"),
    [
        (NURSE, ["Registered Nurse, Intensive Care", "Home Care Nurse"]),
        (ACCOUNTANT, ["מנהל/ת חשבונות", "Payroll Specialist"]),
        (ELECTRICIAN, ["Electrician", "חשמלאי/ת מוסמך/ת"]),
    ],
    ids=["nurse", "accountant", "electrician"],
)
async def test_other_kinds_of_work(
    client: Client, worker: None, text: str, best: list[str]
) -> None:
    await parsed_cv(client, text)
    assert titles(await page(client, first=len(best))) == best


async def test_one_cv_or_all_of_them(client: Client, worker: None) -> None:
    nurse = await parsed_cv(client, NURSE)
    electrician = await parsed_cv(client, ELECTRICIAN)

    by_nurse = await page(client, first=1, cvId=nurse)
    by_electrician = await page(client, first=1, cvId=electrician)
    by_both = titles(await page(client, first=3))

    assert titles(by_nurse) == ["Registered Nurse, Intensive Care"]
    assert titles(by_electrician) == ["Electrician"]
    assert {"Registered Nurse, Intensive Care", "Electrician"} <= {*by_both}
    gap = (await client.data(WITH_GAPS, first=1, cvId=nurse))["jobRecommendations"]["nodes"][0]
    assert "Electrical Work" not in gap["skillsGap"]["userSkills"]


async def test_without_a_cv_everything_is_missing(client: Client) -> None:
    answer = await client.post(WITH_GAPS, first=5)

    assert "errors" not in answer
    nodes = answer["data"]["jobRecommendations"]["nodes"]
    gaps = [node["skillsGap"] for node in nodes]
    assert len(gaps) == 5
    assert all(gap["userSkills"] == gap["matchedSkills"] == [] for gap in gaps)
    assert all(gap["missingSkills"] == gap["requiredSkills"] for gap in gaps)


async def test_a_cv_of_another_or_of_nobody_is_not_found(
    person: Client, sign_in: SignIn, worker: None
) -> None:
    theirs = await parsed_cv(await sign_in(), NURSE)
    for cv_id in (theirs, "nonsense", ""):
        answer = await person.post(RECOMMENDED, cvId=cv_id)
        [error] = answer["errors"]
        assert error["extensions"]["code"] == "CV_NOT_FOUND"
        assert error["message"] == "No such CV."
        assert answer["data"] is None


async def test_pages_cover_each_job_once_in_both_directions(person: Client) -> None:
    whole = jobs_of(await page(person, first=100))
    forward: list[str] = []
    backward: list[str] = []
    after = before = None
    for number in range(7):
        here = await page(person, first=10, after=after)
        forward += jobs_of(here)
        after = here["pageInfo"]["endCursor"]
        back = await page(person, last=10, before=before)
        backward = jobs_of(back) + backward
        before = back["pageInfo"]["startCursor"]
        assert here["pageInfo"]["hasNextPage"] is (number < 6)
        assert back["pageInfo"]["hasPreviousPage"] is (number < 6)
        assert here["totalCount"] == 64

    assert forward == backward == whole
    assert len(set(whole)) == 64


@pytest.mark.parametrize(
    "arguments", [{"after": "nonsense"}, {"first": 101}, {"last": -1}, {"first": 1, "last": 1}]
)
async def test_bad_cursors_and_sizes(client: Client, arguments: Json) -> None:
    [error] = (await client.post(RECOMMENDED, **arguments))["errors"]
    assert error["extensions"]["code"] == "VALIDATION_ERROR"


async def test_a_recommendation_can_be_refetched(person: Client) -> None:
    [first] = (await page(person, first=1))["nodes"]
    node = (await person.data(NODE, id=first["id"]))["node"]
    assert {name: node[name] for name in first} == first
    assert node["skillsGap"]["coverage"] > 0.5


async def test_gaps_are_consistent(person: Client) -> None:
    nodes = (await person.data(WITH_GAPS, first=64))["jobRecommendations"]["nodes"]

    for node in nodes:
        gap = node["skillsGap"]
        assert gap["requiredSkills"] == node["job"]["requiredSkills"]
        assert sorted(gap["matchedSkills"] + gap["missingSkills"]) == sorted(gap["requiredSkills"])
        assert set(gap["matchedSkills"]) <= set(gap["userSkills"])
        assert 0 <= gap["coverage"] <= 1
        assert node["job"]["skillsGap"] == {"coverage": gap["coverage"]}


async def test_nobody_gets_no_recommendations(nobody: Client) -> None:
    [error] = (await nobody.post(RECOMMENDED))["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
