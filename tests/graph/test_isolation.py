"""Another user's object is exactly as absent as one that never existed: the same bytes."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from cli.tokens import issue
from domain.core.deps import Deps
from domain.profile.actions import ensure_user
from graph import ids
from tests.client import Client, Json, receive, subscribe
from tests.conftest import running_worker
from tests.graph.cvs import create_cv, import_seed, parsed_cv

POSTING = {
    "companyName": "Acme", "roleTitle": "Backend Developer",
    "requirements": ["Kubernetes", "Kafka in production", "GraphQL", "Team leadership"],
}  # fmt: skip
ERRORS = (
    "errors { __typename ... on UserError { code message path } "
    "... on NotFoundError { missingId } }"
)
SUBMIT = (
    "mutation ($cv: ID!, $posting: JobPostingInput!) { submitGapAnalysis(input: {cvId: $cv, "
    "jobPosting: $posting}) { gapAnalysis { id } " + ERRORS + " } }"
)
FOLLOW = (
    "subscription ($id: ID!) { gapAnalysisStatus(id: $id) { "
    "gapAnalysis { status questions { id } } } }"
)
CANCEL = (
    "mutation ($id: ID!) { cancelGapAnalysis(input: {gapAnalysisId: $id}) "
    "{ gapAnalysis { id status } " + ERRORS + " } }"
)


@dataclass(frozen=True)
class Owned:
    """What one person has, by global id."""

    user: str
    cv: str
    unread_cv: str
    waiting_cv: str
    analysis: str
    cancelled: str
    pending: str
    question: str
    result_url: str


@pytest.fixture(scope="module")
async def stranger(deps: Deps, _clean: None) -> Client:
    return await _person(deps, "stranger@example.com")


@pytest.fixture(scope="module")
async def owned(deps: Deps, _clean: None) -> Owned:
    """Somebody else's things, in every state."""
    await import_seed(deps)
    client = await _person(deps, "owner@example.com")
    async with running_worker(deps):
        cv = await parsed_cv(client)
        analysis = await _submitted(client, cv)
        last = (await client.events(FOLLOW, id=analysis))[-1]["data"]["gapAnalysisStatus"]
    assert last["gapAnalysis"]["status"] == "COMPLETED"
    cancelled, pending = await _submitted(client, cv), await _submitted(client, cv)
    await client.data(CANCEL, id=cancelled)
    upload = await client.data(
        'mutation { requestCVUpload(input: {filename: "f", contentType: "application/pdf", '
        "sizeBytes: 9}) { cv { id } } }"
    )
    seen = await client.data(
        "query ($id: ID!) { viewer { id } gapAnalysis(id: $id) { result { resultUrl } } }",
        id=analysis,
    )
    return Owned(
        user=seen["viewer"]["id"], cv=cv, unread_cv=(await create_cv(client))["id"],
        waiting_cv=upload["requestCVUpload"]["cv"]["id"], analysis=analysis,
        cancelled=cancelled, pending=pending,
        question=last["gapAnalysis"]["questions"][0]["id"],
        result_url=seen["gapAnalysis"]["result"]["resultUrl"],
    )  # fmt: skip


async def _person(deps: Deps, email: str) -> Client:
    user = await ensure_user(email)
    return Client(deps.settings.public_url, issue(deps, user))


async def _submitted(client: Client, cv: str) -> str:
    made = (await client.data(SUBMIT, cv=cv, posting=POSTING))["submitGapAnalysis"]
    assert made["errors"] == []
    analysis: str = made["gapAnalysis"]["id"]
    return analysis


def never(like: str) -> str:
    """An id of the same kind, whose own part never existed."""
    decoded = ids.decode(like)
    assert decoded is not None
    kind, parts = decoded
    return ids.encode(kind, *(uuid4() for _ in parts))


async def raw(client: Client, query: str, id: str, **variables: Any) -> tuple[int, bytes, Json]:
    """Status, bytes and headers of an answer, with the id asked for taken out."""
    body = {"query": query, "variables": {"id": id, **variables}}
    async with httpx2.AsyncClient(base_url=client.base_url, headers=client.headers) as http:
        response = await http.post("/graphql", json=body)
    varying = ("date", "x-request-id")
    headers = {name: value for name, value in response.headers.items() if name not in varying}
    return response.status_code, response.content.replace(id.encode(), b"ID"), headers


async def frames(client: Client, query: str, id: str) -> list[str]:
    """All frames of one subscription, with the id asked for taken out."""
    found: list[str] = []
    async with client.socket() as socket:
        await subscribe(socket, "1", query, {"id": id})
        while True:
            message = await receive(socket)
            found.append(json.dumps(message).replace(id, "ID"))
            if message["type"] in ("complete", "error"):
                return found


NODE = """
query ($id: ID!) {
  node(id: $id) {
    __typename id
    ... on CV { filename contact { name } }
    ... on User { name email }
    ... on GapAnalysis { status }
    ... on GapQuestion { question }
    ... on JobRecommendation { score }
  }
}
"""
NODES = "query ($id: ID!) { nodes(ids: [$id, $id]) { __typename id } }"
OBJECTS = ["user", "cv", "unread_cv", "waiting_cv", "analysis", "cancelled", "pending", "question"]


@pytest.mark.parametrize("query", [NODE, NODES], ids=["node", "nodes"])
@pytest.mark.parametrize("name", OBJECTS)
async def test_refetching(stranger: Client, owned: Owned, name: str, query: str) -> None:
    theirs = getattr(owned, name)

    answer = await raw(stranger, query, theirs)

    assert answer == await raw(stranger, query, never(theirs))
    expected = {"node": None} if query is NODE else {"nodes": [None, None]}
    assert json.loads(answer[1]) == {"data": expected}


async def test_refetching_a_recommendation_for_anothers_cv(stranger: Client, owned: Owned) -> None:
    jobs = await stranger.data("{ jobs(first: 1) { nodes { id } } }")
    job = ids.decode_as("Job", jobs["jobs"]["nodes"][0]["id"])
    cv = ids.decode_as("CV", owned.cv)
    assert job is not None
    assert cv is not None
    theirs = ids.encode("JobRecommendation", cv, job)
    absent = ids.encode("JobRecommendation", uuid4(), job)

    answer = await raw(stranger, NODE, theirs)

    assert answer == await raw(stranger, NODE, absent)
    assert json.loads(answer[1]) == {"data": {"node": None}}
    assert (await stranger.data(NODE, id=ids.encode("JobRecommendation", job)))["node"]["score"] > 0


QUERIES = {
    "gapAnalysis": ("query ($id: ID!) { gapAnalysis(id: $id) { id } }", "JOB_NOT_FOUND"),
    "jobRecommendations": (
        "query ($id: ID!) { jobRecommendations(cvId: $id) { nodes { id } } }", "CV_NOT_FOUND",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "name"),
    [
        *(("gapAnalysis", name) for name in ("analysis", "cancelled", "pending", "cv")),
        *(("jobRecommendations", name) for name in ("cv", "unread_cv", "waiting_cv", "analysis")),
    ],
)
async def test_queries(stranger: Client, owned: Owned, field: str, name: str) -> None:
    query, code = QUERIES[field]
    theirs = getattr(owned, name)

    answer = await raw(stranger, query, theirs)

    assert answer == await raw(stranger, query, never(theirs))
    assert json.loads(answer[1])["errors"][0]["extensions"]["code"] == code


MUTATIONS = {
    "submit": (
        "mutation ($id: ID!, $posting: JobPostingInput!) { submitGapAnalysis(input: {cvId: $id, "
        "jobPosting: $posting, idempotencyKey: \"0190d9c5-7e5c-7000-8000-000000000001\"}) "
        "{ gapAnalysis { id } " + ERRORS + " } }"
    ),
    "cancel": CANCEL,
    "retry": (
        "mutation ($id: ID!) { retryGapAnalysis(input: {gapAnalysisId: $id}) "
        "{ gapAnalysis { id } " + ERRORS + " } }"
    ),
    "answer": (
        "mutation ($id: ID!, $question: ID!) { answerGapQuestions(input: {gapAnalysisId: $id, "
        'answers: [{questionId: $question, text: "Yes."}]}) { gapAnalysis { id } ' + ERRORS + " } }"
    ),
}  # fmt: skip


def _beside(field: str, id: str) -> Json:
    """The other variables of a mutation on this id."""
    if field == "submit":
        return {"posting": POSTING}
    decoded = ids.decode(id)
    assert decoded is not None
    return {"question": ids.encode("GapQuestion", decoded[1][0], UUID(int=7))}


@pytest.mark.parametrize(
    ("field", "name"),
    [
        *(("submit", name) for name in ("cv", "unread_cv", "waiting_cv", "analysis")),
        *(
            (field, name)
            for field in ("cancel", "retry", "answer")
            for name in ("analysis", "cancelled", "pending", "cv")
        ),
    ],
)
async def test_mutations(stranger: Client, owned: Owned, field: str, name: str) -> None:
    theirs = getattr(owned, name)
    answers = [
        await raw(stranger, MUTATIONS[field], id, **_beside(field, id))
        for id in (theirs, never(theirs))
    ]

    answer = answers[0]
    assert answer == answers[1]
    [payload] = json.loads(answer[1])["data"].values()
    [error] = payload["errors"]
    assert payload["gapAnalysis"] is None
    assert error["__typename"] == "NotFoundError"
    assert error["code"] == ("CV_NOT_FOUND" if field == "submit" else "JOB_NOT_FOUND")
    assert error["missingId"] == "ID"


async def test_anothers_question_in_ones_own_analysis(
    stranger: Client, owned: Owned, deps: Deps
) -> None:
    async with running_worker(deps):
        mine = await _submitted(stranger, await parsed_cv(stranger))
        await stranger.events(FOLLOW, id=mine)
    query = (
        "mutation ($id: ID!, $mine: ID!) { answerGapQuestions(input: {gapAnalysisId: $mine, "
        'answers: [{questionId: $id, text: "Yes."}]}) { gapAnalysis { id } ' + ERRORS + " } }"
    )

    answer = await raw(stranger, query, owned.question, mine=mine)

    assert answer == await raw(stranger, query, never(owned.question), mine=mine)
    [error] = json.loads(answer[1])["data"]["answerGapQuestions"]["errors"]
    assert (error["code"], error["missingId"]) == ("QUESTION_NOT_FOUND", "ID")


SUBSCRIPTIONS = {
    "cvStatus": ("subscription ($id: ID!) { cvStatus(id: $id) { cv { id } } }", "CV_NOT_FOUND"),
    "gapAnalysisStatus": (
        "subscription ($id: ID!) { gapAnalysisStatus(id: $id) { gapAnalysis { id } } }",
        "JOB_NOT_FOUND",
    ),
}


@pytest.mark.parametrize(
    ("field", "name"),
    [
        *(("cvStatus", name) for name in ("cv", "unread_cv", "waiting_cv", "analysis")),
        *(("gapAnalysisStatus", name) for name in ("analysis", "cancelled", "pending", "cv")),
    ],
)
async def test_subscriptions(stranger: Client, owned: Owned, field: str, name: str) -> None:
    query, code = SUBSCRIPTIONS[field]
    theirs = getattr(owned, name)

    found = await frames(stranger, query, theirs)

    assert found == await frames(stranger, query, never(theirs))
    assert code in found[0]
    assert json.loads(found[-1])["type"] == "complete"


async def test_downloads_of_a_result_that_never_was_and_one_with_anothers_token(
    deps: Deps, stranger: Client, owned: Owned
) -> None:
    base, own_token = owned.result_url.rsplit("/", 1)
    analysis = ids.decode_as("GapAnalysis", owned.analysis)
    cancelled = ids.decode_as("GapAnalysis", owned.cancelled)
    assert analysis is not None
    assert cancelled is not None
    now, hour = datetime.now(UTC), timedelta(hours=1)
    tokens = [
        deps.signers.gap_analysis_result.issue(uuid4(), now, hour),
        deps.signers.gap_analysis_result.issue(cancelled, now, hour),
        deps.signers.gap_analysis_result.issue(analysis, now - 2 * hour, hour),
        deps.signers.cv_upload.issue(analysis, now, hour),
        stranger.token or "",
        own_token[:-4],
        str(analysis),
    ]
    async with httpx2.AsyncClient(headers=stranger.headers) as http:
        answers = [await http.get(f"{base}/{token}") for token in tokens]
        good = await http.get(owned.result_url)

    assert good.status_code == 200
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


async def test_the_stranger_changed_nothing(deps: Deps, stranger: Client, owned: Owned) -> None:
    owner = await _person(deps, "owner@example.com")
    query = (
        "query ($ids: [ID!]!) { nodes(ids: $ids) "
        "{ ... on GapAnalysis { status questions { answer { text } } } } }"
    )
    nodes = (await owner.data(query, ids=[owned.analysis, owned.cancelled]))["nodes"]

    assert [node["status"] for node in nodes] == ["COMPLETED", "FAILED"]
    assert all(question["answer"] is None for question in nodes[0]["questions"])
    mine = await stranger.data("{ viewer { cvs { nodes { id } } gapAnalyses { nodes { id } } } }")
    theirs = {owned.cv, owned.unread_cv, owned.waiting_cv, owned.analysis, owned.pending}
    shown = [*mine["viewer"]["cvs"]["nodes"], *mine["viewer"]["gapAnalyses"]["nodes"]]
    assert theirs.isdisjoint(node["id"] for node in shown)
