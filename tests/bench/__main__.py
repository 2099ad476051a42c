"""What things cost here: `make bench`. Prints figures and judges nothing; compare runs by ratio."""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx2

from domain.core.text import clean_text
from domain.cv.parsing.parse import parse_cv
from domain.skills.engine import load_extractor
from tests.conftest import free_port

MILLION = 1_000_000
RUNS = 100
RECOMMENDATIONS = """{ jobRecommendations(first: 20) { nodes {
  score reasons job { posting { roleTitle } }
  skillsGap { matchedSkills missingSkills coverage } } } }"""
SUBMIT = """mutation ($input: SubmitGapAnalysisInput!) {
  submitGapAnalysis(input: $input) { gapAnalysis { id } errors { __typename } } }"""
STATUS = "query ($id: ID!) { gapAnalysis(id: $id) { status } }"
POSTING = {
    "companyName": "Acme",
    "roleTitle": "Backend Engineer",
    "requirements": ["Python", "Kubernetes", "GraphQL", "5 years of experience"],
}


def texts() -> None:
    """The rules, on a real CV and on a million characters."""
    extractor = load_extractor()
    data = files("domain.job_postings")
    cv = data.joinpath("seed_cv.md").read_text(encoding="utf-8")
    long = (cv + "\n") * (MILLION // len(cv))
    _show("find skills in the demo CV", _seconds(lambda: extractor.mentions(cv), 50))
    _show("find skills in 1,000,000 characters", _seconds(lambda: extractor.mentions(long), 1))
    _show("parse the demo CV", _seconds(lambda: parse_cv(cv, extractor), 20))
    _show("parse 1,000,000 characters", _seconds(lambda: parse_cv(long, extractor), 1))
    _show("clean 1,000,000 characters of tags", _seconds(lambda: clean_text("<div>a" * 166_666), 1))


async def server() -> None:
    """A whole deployment, asked one request after the other."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        process, block = await _up(Path(folder))
        _show("`careergraph up` to its block, first start", time.perf_counter() - began)
        headers = {"Authorization": f"Bearer {block['token']}"}
        try:
            async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
                await _requests(http, block)
        finally:
            process.terminate()
            await process.wait()


async def _up(folder: Path) -> tuple[asyncio.subprocess.Process, dict[str, Any]]:
    command = [sys.executable, "-m", "cli.main", "up", "--json", "--data", str(folder / "data")]
    process = await asyncio.create_subprocess_exec(
        *command, "--port", str(free_port()), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    block: dict[str, Any] = json.loads(await process.stdout.readline())
    return process, block


async def _requests(http: httpx2.AsyncClient, block: dict[str, Any]) -> None:
    async def ask(query: str, **variables: Any) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        answer: dict[str, Any] = (await http.post(block["graphql"], json=body)).json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    async def analyse() -> None:
        given = {"cvId": block["cvId"], "jobPosting": POSTING}
        id = (await ask(SUBMIT, input=given))["submitGapAnalysis"]["gapAnalysis"]["id"]
        while (await ask(STATUS, id=id))["gapAnalysis"]["status"] not in ("COMPLETED", "FAILED"):  # noqa: ASYNC110  # what it waits for is in another process
            await asyncio.sleep(0.01)

    await _show_spread("viewer { name }", lambda: ask("{ viewer { name } }"), RUNS)
    await _show_spread("20 recommendations with gaps", lambda: ask(RECOMMENDATIONS), RUNS)
    await _show_spread("submit to COMPLETED, by rules", analyse, 3)  # the burst of the rate limit


async def _show_spread(name: str, run: Callable[[], Awaitable[object]], runs: int) -> None:
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        await run()
        seconds.append(time.perf_counter() - began)
    worst = max(seconds) if runs < RUNS else statistics.quantiles(seconds, n=20)[-1]
    label = "longest" if runs < RUNS else "p95"
    print(f"{name:<46}{statistics.median(seconds) * 1000:>9.1f} ms  {label} {worst * 1000:.1f} ms")  # noqa: T201  # its output


def _seconds(run: Callable[[], object], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - began) / times


def _show(name: str, seconds: float) -> None:
    print(f"{name:<46}{seconds * 1000:>9.1f} ms")  # noqa: T201  # its output


if __name__ == "__main__":
    texts()
    asyncio.run(server())
