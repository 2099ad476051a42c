"""GraphQL over HTTP as its specification has it: methods, media types and statuses."""

from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette

from domain.core.deps import Deps
from domain.core.settings import Feature
from graph.app import graphql_routes
from tests.client import Client
from tests.graph.endpoint import (
    JSON,
    RENAME,
    RESPONSE_JSON,
    VIEWER,
    Endpoint,
    code_of,
    endpoint_with,
)
from tests.served import served

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SUBSCRIPTION = 'subscription { gapAnalysisStatus(id: "x") { gapAnalysis { id } } }'


@pytest.fixture
def endpoint(client: Client) -> Endpoint:
    return Endpoint(client)


@pytest.mark.parametrize("accept", [RESPONSE_JSON, JSON])
async def test_answer_comes_in_the_type_that_is_asked_for(endpoint: Endpoint, accept: str) -> None:
    response = await endpoint.post({"query": VIEWER}, accept=accept)

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert response.json() == {"data": {"viewer": {"name": "Somebody"}}}


async def test_answer_is_kept_by_no_cache(endpoint: Endpoint) -> None:
    for body in ({"query": VIEWER}, {"query": "{"}, 5):
        headers = (await endpoint.post(body)).headers
        assert headers["cache-control"] == "no-store"
        assert {"Accept", "Authorization", "Cookie"} <= set(headers["vary"].split(", "))


async def test_who_takes_neither_type_is_told_which_there_are(endpoint: Endpoint) -> None:
    response = await endpoint.post(
        {"query": RENAME, "variables": {"name": "Ran"}}, accept="image/png"
    )

    assert (response.status_code, code_of(response)) == (406, "NOT_ACCEPTABLE")
    assert await endpoint.name() == "Somebody"


NOT_RUN = {
    "parse": {"query": "{"},
    "validation": {"query": "{ shoes }"},
    "no operation": {"query": "query A { viewer { id } } query B { viewer { id } }"},
    "no such operation": {"query": VIEWER, "operationName": "Missing"},
    "variable missing": {"query": "query ($n: Int!) { jobs(first: $n) { nodes { id } } }"},
    "variable of a wrong kind": {
        "query": "query ($n: Int) { jobs(first: $n) { nodes { id } } }",
        "variables": {"n": "x"},
    },
    "subscription": {"query": SUBSCRIPTION},
}


@pytest.mark.parametrize("body", NOT_RUN.values(), ids=NOT_RUN)
async def test_document_that_cannot_be_run_is_told_by_the_types_own_status(
    endpoint: Endpoint, body: dict[str, Any]
) -> None:
    modern = await endpoint.post(body, accept=RESPONSE_JSON)
    legacy = await endpoint.post(body, accept=JSON)

    assert (modern.status_code, legacy.status_code) == (400, 200)
    assert modern.json() == legacy.json()
    assert code_of(modern)


async def test_error_of_a_field_stands_beside_the_data(nobody: Client) -> None:
    body = {"query": '{ viewer { name } gapAnalysis(id: "x") { status } }'}
    response = await Endpoint(nobody).post(body, accept=RESPONSE_JSON)

    assert response.status_code == 200
    assert response.json()["data"] == {"viewer": None, "gapAnalysis": None}
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"])
async def test_other_methods_are_told_which_there_are(endpoint: Endpoint, method: str) -> None:
    response = await endpoint.send(method, b'{"query": "{ viewer { name } }"}')

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"
    assert method == "HEAD" or code_of(response) == "METHOD_NOT_ALLOWED"


async def test_get_answers_queries(endpoint: Endpoint) -> None:
    query = "query Q($n: String!) { __type(name: $n) { name } }"
    response = await endpoint.get(
        query=query, variables='{"n": "User"}', operationName="Q", extensions="{}"
    )

    assert response.status_code == 200
    assert response.json() == {"data": {"__type": {"name": "User"}}}


@pytest.mark.parametrize("accept", [RESPONSE_JSON, JSON])
async def test_mutation_by_get_is_405(endpoint: Endpoint, accept: str) -> None:
    response = await endpoint.get(accept, query=RENAME, variables='{"name": "By GET"}')

    assert (response.status_code, code_of(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "POST"
    assert await endpoint.name() == "Somebody"


@pytest.mark.parametrize(
    "params",
    [{}, {"query": ""}, {"query": VIEWER, "variables": "5"}, {"query": VIEWER, "variables": "{"}],
)
async def test_get_without_a_request_is_400(endpoint: Endpoint, params: dict[str, str]) -> None:
    response = await endpoint.get(JSON, **params)
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


async def test_get_can_be_switched_off(deps: Deps, client: Client) -> None:
    async with endpoint_with(deps, client, features=[]) as endpoint:
        asked = await endpoint.get(query=VIEWER)
        opened = await endpoint.get(BROWSER)
        posted = await endpoint.post({"query": VIEWER})

    assert (asked.status_code, code_of(asked)) == (405, "METHOD_NOT_ALLOWED")
    assert asked.headers["allow"] == opened.headers["allow"] == "POST"
    assert posted.status_code == 200


async def test_browser_is_shown_to_graphiql_only_from_the_bare_address(endpoint: Endpoint) -> None:
    opened = await endpoint.get(BROWSER)
    asked = await endpoint.get(BROWSER, query=VIEWER)
    program = await endpoint.get(JSON)

    assert (opened.status_code, opened.headers["location"]) == (307, "/graphiql")
    assert asked.json() == {"data": {"viewer": {"name": "Somebody"}}}
    assert program.status_code == 400


async def test_without_graphiql_a_browser_is_told_what_a_request_is(
    deps: Deps, client: Client
) -> None:
    async with endpoint_with(deps, client, features=[Feature.GET]) as endpoint:
        response = await endpoint.get(BROWSER)

    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


async def test_bug_outside_of_any_field_is_masked_too(deps: Deps, client: Client) -> None:
    """A server that lacks a part it cannot do without."""
    app = Starlette(routes=graphql_routes(deps.settings))
    app.state.deps = replace(deps, signers=None)  # type: ignore[arg-type]  # that is the fault
    async with served(app) as address:
        endpoint = Endpoint(Client(address, client.token))
        response = await endpoint.post({"query": VIEWER}, accept=RESPONSE_JSON)

    assert (response.status_code, code_of(response)) == (500, "INTERNAL_SERVER_ERROR")
    assert response.headers["content-type"].startswith(RESPONSE_JSON)
    assert "requestId" in response.json()["errors"][0]["extensions"]
    assert "NoneType" not in response.text
