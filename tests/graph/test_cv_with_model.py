"""A model beside the rules: what it adds, what it is not told, and that it may fail."""

import json

import pytest

from domain.clients.claude import Claude
from domain.core.deps import Deps
from domain.cv.documents import CV
from tests.client import Client
from tests.conftest import running_worker, with_model
from tests.graph.cvs import parsed_cv, user_of, whole
from tests.model_script import Step, json_reply, malformed, rate_limited, refusal, server_error
from tests.model_server import ModelServer, running_model_server


@pytest.fixture
async def _nothing_waits(deps: Deps) -> None:
    """No CV of an earlier test is left for this test's worker, and so for its model."""
    await CV.delete_all()


def claude(server: ModelServer) -> Claude:
    return Claude(
        api_key="key", base_url=server.base_url, model="claude-sonnet-5-5",
        timeout_seconds=5, max_tokens=1024, max_retries=0,
    )  # fmt: skip


READING = {
    "skills": ["Git", "Java", "Haskell"],
    "experience": [
        {
            "role": "Backend Developer", "company": "Tidewater Payments", "start": "2020",
            "end": None, "is_current": True, "technologies": ["Python"],
            "description": "Built REST APIs in Python and Django over PostgreSQL.",
        },
        {
            "role": "Junior Developer", "company": "Lark", "start": "2018", "end": "2020",
            "is_current": False, "technologies": ["Flask"],
            "description": "Flask services and pytest suites. No experience with Java.",
        },
    ],
    "education": [],
    "certifications": ["AWS Certified Developer – Associate", "Master of the Universe"],
    "languages": ["English (fluent)"],
}  # fmt: skip


@pytest.mark.usefixtures("_nothing_waits")
async def test_a_model_reads_along_and_is_told_nothing_that_identifies(
    client: Client, deps: Deps
) -> None:
    async with running_model_server() as server:
        server.script(json_reply(READING))
        model = claude(server)
        async with running_worker(with_model(deps, model)):
            cv = await whole(client, await parsed_cv(client))
        await model.aclose()
        [request] = server.requests

    assert {"Python", "Kubernetes", "Git"} <= {*cv["skills"]}
    assert {"Java", "Haskell"}.isdisjoint(cv["skills"])
    assert "Master of the Universe" not in cv["certifications"]
    assert cv["contact"]["name"] == "Omer Katz"
    sent = json.dumps(request.body, ensure_ascii=False)
    assert "Tidewater Payments" in sent
    for secret in ("Omer", "Katz", "omer.katz", "example.com", "555-0161", "omer-katz"):
        assert secret.casefold() not in sent.casefold()
    user = await user_of(deps, client)
    assert str(user.email) not in sent
    assert str(user.id) not in sent


@pytest.mark.usefixtures("_nothing_waits")
@pytest.mark.parametrize(
    "step",
    [server_error(), rate_limited("60"), malformed(), refusal()],
    ids=["server error", "rate limit", "malformed", "refusal"],
)
async def test_the_rules_result_stays_when_the_model_fails(
    client: Client, deps: Deps, step: Step
) -> None:
    async with running_model_server() as server:
        server.script(step)
        model = claude(server)
        async with running_worker(with_model(deps, model)):
            cv = await whole(client, await parsed_cv(client))
        await model.aclose()
        assert len(server.requests) == 1

    assert cv["status"] == "PARSED"
    assert {"Python", "Kubernetes"} <= {*cv["skills"]}
    assert len(cv["experience"]) == 2
