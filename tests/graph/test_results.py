"""Downloading the result of a gap analysis by its signed address."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx2
import pytest

from domain.core.clock import now
from domain.core.deps import Deps
from domain.core.language import Language
from domain.core.levels import GapLevel
from domain.gap_analysis.documents import GapAnalysis, GapAnswer
from graph.results import PATH, result_url
from tests.client import Client
from tests.graph.analyses import id_of, one, posting_of, put_analysis, question_of

HOUR = timedelta(hours=1)


@pytest.fixture
async def analysis(client: Client, deps: Deps) -> GapAnalysis:
    """A completed analysis with an answered and an open question."""
    answered = question_of(
        "האם עבדת עם Kafka?", impact=GapLevel.MEDIUM, gap_score=0.72,
        answer=GapAnswer(text="כן", answered_at=now()),
    )  # fmt: skip
    at = now()
    return await put_analysis(
        deps, client, "COMPLETED",
        questions=[answered, question_of("האם הובלת צוות?")], language=Language.HE,
        posting=posting_of(company_name="דקל", role_title="מפתח", description="תיאור"),
        started_at=at, completed_at=at + timedelta(seconds=2.5), progress_percent=100,
    )  # fmt: skip


async def get(url: str, method: str = "GET") -> httpx2.Response:
    """The answer to somebody who has the address and nothing else."""
    async with httpx2.AsyncClient() as http:
        return await http.request(method, url)


async def url_of(client: Client, analysis: GapAnalysis) -> str:
    url: str = (await one(client, id_of(analysis)))["result"]["resultUrl"]
    return url


async def test_the_result_is_served_as_json(client: Client, analysis: GapAnalysis) -> None:
    response = await get(await url_of(client, analysis))

    shown = await one(client, id_of(analysis))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "private, no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-disposition"] == (
        f'attachment; filename="gap-analysis-{analysis.id}.json"'
    )
    result = response.json()
    assert result["jobId"] == shown["jobId"]
    assert (result["status"], result["companyName"], result["roleTitle"]) == (
        "COMPLETED", "דקל", "מפתח",
    )  # fmt: skip
    assert result["metadata"] == shown["result"]["metadata"]
    assert result["metadata"] == {
        "questionsGenerated": 2, "processingTimeSeconds": 2.5, "language": "HE", "engine": "RULES",
    }  # fmt: skip
    assert [question["question"] for question in result["questions"]] == [
        "האם עבדת עם Kafka?", "האם הובלת צוות?",
    ]  # fmt: skip
    first, second = result["questions"]
    assert (first["impact"], first["probability"], first["gapScore"]) == ("MEDIUM", "HIGH", 0.72)
    assert (first["answer"]["text"], second["answer"]) == ("כן", None)


async def test_instants_read_as_in_the_schema(client: Client, analysis: GapAnalysis) -> None:
    result = (await get(await url_of(client, analysis))).json()

    shown = await one(client, id_of(analysis))
    assert result["createdAt"] == shown["createdAt"]
    assert result["completedAt"] == shown["completedAt"]
    assert result["questions"][0]["answer"] == shown["questions"][0]["answer"]


async def test_the_address_lasts_an_hour_and_carries_nothing_readable(
    client: Client, analysis: GapAnalysis, deps: Deps
) -> None:
    before = datetime.now(UTC)
    result = (await one(client, id_of(analysis)))["result"]
    ends = datetime.fromisoformat(result["resultExpiresAt"])
    parts = urlsplit(result["resultUrl"])

    assert timedelta(minutes=59, seconds=58) <= ends - before <= timedelta(hours=1, seconds=5)
    assert result["resultUrl"].startswith(f"{deps.settings.public_url}{PATH}/")
    assert (parts.query, parts.fragment, parts.username) == ("", "", None)
    assert client.token is not None
    assert client.token not in result["resultUrl"]
    token = parts.path.rpartition("/")[2]
    assert deps.signers.gap_analysis_result.verify(token, before).expires_at == ends


async def test_an_expired_address_is_not_found(
    client: Client, analysis: GapAnalysis, deps: Deps
) -> None:
    signer = deps.signers.gap_analysis_result
    base = f"{deps.settings.public_url}{PATH}/"
    at = datetime.now(UTC)

    ended = await get(base + signer.issue(analysis.id, at - HOUR - timedelta(seconds=2), HOUR))
    nearly = await get(base + signer.issue(analysis.id, at - HOUR + timedelta(seconds=30), HOUR))

    assert (ended.status_code, nearly.status_code) == (404, 200)
    assert ended.json()["code"] == "NOT_FOUND"


async def test_a_changed_address_is_not_found(client: Client, analysis: GapAnalysis) -> None:
    url = await url_of(client, analysis)
    base, _, token = url.rpartition("/")
    header, claims, signature = token.split(".")
    flipped = "A" if claims[10] != "A" else "B"
    changed = [
        f"{header}.{claims[:10]}{flipped}{claims[11:]}.{signature}",
        f"{header}.{claims}.{signature[::-1]}",
        f"{header}.{claims}.",
        f"{header}.{claims}",
        f"eyJhbGciOiJub25lIn0.{claims}.",
        token[:-2], token + "A", "x", "a.b.c", "%00", "..%2F..%2Fhealth", str(analysis.id),
    ]  # fmt: skip

    answers = [await get(f"{base}/{one}") for one in changed]

    assert [answer.status_code for answer in answers] == [404] * len(changed)
    assert (await get(f"{url}?x=1")).status_code == 200


async def test_tokens_made_for_other_purposes_are_not_found(
    client: Client, analysis: GapAnalysis, deps: Deps
) -> None:
    at, signers = datetime.now(UTC), deps.signers
    base = f"{deps.settings.public_url}{PATH}/"
    tokens = [
        client.token or "",
        signers.access.issue(analysis.id, at, HOUR),
        signers.cv_upload.issue(analysis.id, at, HOUR),
        signers.gap_analysis_result.issue(analysis.user_id, at, HOUR),
    ]

    answers = [await get(base + token) for token in tokens]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert len({answer.content for answer in answers}) == 1


async def test_a_result_token_opens_nothing_else(
    client: Client, analysis: GapAnalysis, deps: Deps
) -> None:
    token = (await url_of(client, analysis)).rpartition("/")[2]

    answer = await Client(deps.settings.public_url, token).post("{ viewer { name } }")
    upload = await get(f"{deps.settings.public_url}/uploads/cvs/{token}", "PUT")

    assert answer["data"] == {"viewer": None}
    assert upload.status_code in (403, 404)


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING", "FAILED"])
async def test_an_analysis_without_a_result_has_no_address(
    client: Client, deps: Deps, status: str
) -> None:
    analysis = await put_analysis(deps, client, status, questions=[question_of("Q?")])

    forged, _ = result_url(deps, analysis.id)

    assert (await one(client, id_of(analysis)))["result"] is None
    assert (await get(forged)).status_code == 404


async def test_a_deleted_analysis_looks_like_a_changed_address(
    client: Client, analysis: GapAnalysis
) -> None:
    url = await url_of(client, analysis)
    await analysis.delete()

    gone, wrong = await get(url), await get(url + "A")

    assert (gone.status_code, gone.content) == (wrong.status_code, wrong.content)
    assert gone.status_code == 404


async def test_only_reading_is_served(client: Client, analysis: GapAnalysis) -> None:
    url = await url_of(client, analysis)

    assert (await get(url, "HEAD")).status_code == 200
    assert (await get(url, "POST")).status_code == 405
    assert (await get(url, "DELETE")).status_code == 405
