"""The catalogue through the API: filters, orders and pages."""

import json
from typing import Any

import pytest

from domain.core.deps import Deps
from domain.job_postings.actions import import_postings
from domain.job_postings.reading import read_rows
from domain.job_postings.rules import SKILL_LABEL_MAX
from tests.client import Client, Json
from tests.graph.cvs import import_seed, parsed_cv

JOBS = """
query ($first: Int, $after: String, $last: Int, $before: String,
       $filter: JobFilter, $orderBy: JobOrder) {
  jobs(first: $first, after: $after, last: $last, before: $before,
       filter: $filter, orderBy: $orderBy) {
    nodes { id postedAt posting { roleTitle companyName } }
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }
}
"""
WHOLE = """
query ($filter: JobFilter) {
  jobs(filter: $filter) {
    nodes {
      id requiredSkills location isRemote postedAt
      posting {
        companyName roleTitle description requirements responsibilities niceToHave language
        sourceUrl
      }
      skillsGap { userSkills requiredSkills missingSkills matchedSkills coverage }
    }
  }
}
"""
NEWEST = {"field": "POSTED_AT", "direction": "DESC"}
OLDEST = {"field": "POSTED_AT", "direction": "ASC"}


@pytest.fixture(scope="module", autouse=True)
async def _seed(deps: Deps, _clean: None) -> None:
    await import_seed(deps)


async def page(client: Client, **arguments: Any) -> Json:
    connection: Json = (await client.data(JOBS, **arguments))["jobs"]
    assert [edge["node"]["id"] for edge in connection["edges"]] == ids_of(connection)
    return connection


def ids_of(connection: Json) -> list[str]:
    return [node["id"] for node in connection["nodes"]]


def titles(connection: Json) -> list[str]:
    return [node["posting"]["roleTitle"] for node in connection["nodes"]]


async def found(client: Client, **filter: Any) -> list[str]:
    return titles(await page(client, first=100, filter=filter))


async def add(deps: Deps, title: str, **values: Any) -> None:
    text = json.dumps({"companyName": "Latecomer", "roleTitle": title, **values})
    report = await import_postings(deps, read_rows(text), lambda _report: None)
    assert (report.added, report.bad) == (1, [])


async def test_words_are_found_in_both_languages(client: Client) -> None:
    nurses = await found(client, query="nurse")
    assert {*nurses[:2]} == {"Registered Nurse, Intensive Care", "Home Care Nurse"}
    assert "Hotel Receptionist" in await found(client, query="receptionist")
    assert await found(client, query="Miravento") == ["Hotel Receptionist"]
    assert "מזכיר/ה משפטי/ת" in await found(client, query="משפטי")
    assert "מפתח/ת Backend" in await found(client, query="ענבר")
    assert await found(client, query="zzzunheardof") == []


async def test_skills_are_found_in_any_spelling(client: Client) -> None:
    by_alias = await found(client, skills=["k8s"])
    by_name = await found(client, skills=["Kubernetes"])
    both = await found(client, skills=["K8S", "postgres"])
    hebrew = await found(client, skills=["סיעוד"])

    assert by_alias == by_name
    assert len(by_alias) >= 5
    assert set(both) < set(by_alias)
    assert "Registered Nurse, Intensive Care" in hebrew
    assert await found(client, skills=["java"]) == await found(client, skills=["Java"])
    assert "Frontend Engineer" not in await found(client, skills=["java"])
    assert await found(client, skills=["whittling of unheard things"]) == []


async def test_other_filters(client: Client) -> None:
    assert await found(client, companyName="KESTREL  ledger") == ["Backend Engineer (Python)"]
    assert await found(client, companyName="Kestrel") == []
    remote = await found(client, isRemote=True)
    local = await found(client, isRemote=False)
    assert "Content Writer" in remote
    assert "Sous Chef" in local
    assert len(remote) + len(local) == 64
    assert await found(client, isRemote=False, skills=["python"], query="Tel Aviv") == [
        "Senior Python Developer"
    ]


async def test_a_filter_with_nulls_filters_nothing(client: Client) -> None:
    everything = await page(
        client,
        first=1,
        filter={"query": None, "skills": None, "companyName": None, "isRemote": None},
    )
    assert everything["totalCount"] == 64
    assert (await page(client, first=1, filter={}))["totalCount"] == 64


@pytest.mark.parametrize(
    "query", ['"', "-", "$where", "-nurse", '"unclosed', "a" * 500, "a " * 250, "\x00", " "]
)
async def test_any_words_may_be_searched(client: Client, query: str) -> None:
    assert isinstance(await found(client, query=query), list)


async def test_orders(client: Client) -> None:
    newest = await page(client, first=100, orderBy=NEWEST)
    oldest = await page(client, first=100, orderBy=OLDEST)
    relevant = await page(client, first=100, filter={"query": "python developer"})
    reverse = await page(
        client, first=100, filter={"query": "python developer"},
        orderBy={"field": "RELEVANCE", "direction": "ASC"},
    )  # fmt: skip

    dates = [node["postedAt"] for node in newest["nodes"]]
    assert dates == sorted(dates, reverse=True)
    assert ids_of(oldest) == ids_of(newest)[::-1]
    assert titles(relevant)[0] == "Senior Python Developer"
    assert ids_of(reverse) == ids_of(relevant)[::-1]
    assert ids_of(await page(client, first=100)) == ids_of(newest)


@pytest.mark.parametrize(
    "arguments",
    [
        {"orderBy": NEWEST},
        {"orderBy": OLDEST},
        {"filter": {"query": "experience"}},
        {"filter": {"query": "python"}, "orderBy": {"field": "RELEVANCE", "direction": "ASC"}},
    ],
)
async def test_pages_cover_the_list_once_in_both_directions(
    client: Client, arguments: Json
) -> None:
    whole = ids_of(await page(client, first=100, **arguments))
    forward: list[str] = []
    after = None
    while True:
        here = await page(client, first=7, after=after, **arguments)
        forward += ids_of(here)
        assert here["pageInfo"]["hasPreviousPage"] is (after is not None)
        assert here["totalCount"] == len(whole)
        after = here["pageInfo"]["endCursor"]
        if not here["pageInfo"]["hasNextPage"]:
            break
    backward: list[str] = []
    before = None
    while True:
        here = await page(client, last=7, before=before, **arguments)
        backward = ids_of(here) + backward
        before = here["pageInfo"]["startCursor"]
        if not here["pageInfo"]["hasPreviousPage"]:
            break

    assert forward == whole
    assert backward == whole
    assert len(set(whole)) == len(whole) > 0


async def test_jobs_that_come_in_between_shift_nothing(client: Client, deps: Deps) -> None:
    whole = ids_of(await page(client, first=100, orderBy=NEWEST))
    first = await page(client, first=10, orderBy=NEWEST)

    await add(deps, "Newer than all", postedAt="2030-01-01")
    second = await page(client, first=10, after=first["pageInfo"]["endCursor"], orderBy=NEWEST)
    top = await page(client, last=10, before=first["pageInfo"]["endCursor"], orderBy=NEWEST)

    assert ids_of(first) + ids_of(second) == whole[:20]
    assert titles(top)[0] == "Newer than all"
    assert ids_of(top)[1:] == whole[:9]


async def test_a_cursor_is_of_its_order_only(client: Client) -> None:
    cursor = (await page(client, first=1, orderBy=NEWEST))["pageInfo"]["endCursor"]
    for arguments in (
        {"orderBy": OLDEST},
        {"filter": {"query": "python"}},
    ):
        answer = await client.post(JOBS, first=1, after=cursor, **arguments)
        assert answer["errors"][0]["extensions"]["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    "arguments",
    [
        {"after": "nonsense"}, {"before": "é"}, {"after": "W10"}, {"after": "MTI"},
        {"after": "WyJqb2JzL2xpc3RlZF9hdC8tMSIsMSwyXQ"}, {"first": 101}, {"first": -1},
        {"last": 101}, {"first": 1, "last": 1},
    ],
)  # fmt: skip
async def test_bad_cursors_and_sizes(client: Client, arguments: Json) -> None:
    answer = await client.post(JOBS, **arguments)
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("filter", "limit"),
    [
        ({"query": "a" * 501}, 500),
        ({"skills": ["python", "a" * 101]}, 100),
        ({"skills": ["python"] * 51}, 50),
        ({"companyName": "a" * 301}, 300),
    ],
)
async def test_a_filter_is_bounded(client: Client, filter: Json, limit: int) -> None:
    [error] = (await client.post(JOBS, filter=filter))["errors"]
    assert error["extensions"]["code"] == "VALIDATION_ERROR"
    assert f"t most {limit} " in error["message"]


async def test_every_spelling_of_a_skill_may_be_searched(deps: Deps) -> None:
    labels = [label for skill in deps.catalogue.values() for label in skill.labels]
    assert max(map(len, labels)) <= SKILL_LABEL_MAX // 2


async def test_a_page_of_none_only_counts(client: Client) -> None:
    none = await page(client, first=0)
    assert none["nodes"] == []
    assert none["totalCount"] >= 64
    assert none["pageInfo"]["hasNextPage"] is True


async def test_a_job_shows_everything_and_no_gap_without_skills(client: Client) -> None:
    filter = {"companyName": "ענבר מערכות"}
    [job] = (await client.data(WHOLE, filter=filter))["jobs"]["nodes"]

    assert job["requiredSkills"][:3] == ["Python", "FastAPI", "Django"]
    assert (job["location"], job["isRemote"]) == ("תל אביב, ישראל", True)
    assert job["posting"]["language"] == "HE"
    assert "שליטה ב-PostgreSQL" in job["posting"]["requirements"]
    assert job["posting"]["sourceUrl"] is None or job["posting"]["sourceUrl"].startswith("http")
    assert job["skillsGap"] is None


async def test_the_gap_is_the_viewers(client: Client, worker: None) -> None:
    await parsed_cv(client)
    filter = {"companyName": "Kestrel Ledger"}

    [job] = (await client.data(WHOLE, filter=filter))["jobs"]["nodes"]

    gap = job["skillsGap"]
    assert gap["requiredSkills"] == job["requiredSkills"]
    assert {"Python", "Kubernetes"} <= {*gap["matchedSkills"]} <= {*gap["userSkills"]}
    assert sorted(gap["matchedSkills"] + gap["missingSkills"]) == sorted(gap["requiredSkills"])
    share = len(gap["matchedSkills"]) / len(gap["requiredSkills"])
    assert gap["coverage"] == pytest.approx(share, abs=0.0001)


async def test_nobody_sees_no_jobs(nobody: Client) -> None:
    answer = await nobody.post(JOBS)
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
