"""GraphQL over HTTP: who is asking, what is wrong, and what the edge refuses."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from graphql import get_introspection_query

from domain.core.clock import now
from domain.core.deps import Deps
from domain.profile.documents import User
from tests.client import Client
from tests.conftest import free_port
from tests.jobs.pieces import until
from tests.tokens import access_token

ORIGIN = "https://app.example.com"
VIEWER = "{ viewer { name } }"
JOB = '{ gapAnalysis(id: "x") { status } }'


@dataclass(frozen=True)
class WebProcess:
    """`careergraph web` as a process of its own, and what it logs as JSON."""

    base_url: str
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture(scope="module")
async def web(deps: Deps, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WebProcess]:
    port, log = free_port(), tmp_path_factory.mktemp("web") / "web.log"
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    environment = kept | {
        "MONGODB_URI": deps.settings.mongodb_uri,
        "REDIS_URL": deps.settings.redis_url,
        "CAREERGRAPH_MONGODB_DATABASE": deps.settings.mongodb_database,
        "CAREERGRAPH_DATA_DIR": str(deps.settings.data_dir),
        "CAREERGRAPH_ALLOWED_ORIGINS": json.dumps([ORIGIN]),
        "CAREERGRAPH_LOG_FORMAT": "json",
    }
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli.main", "web", "--port", str(port),
            env=environment, stderr=stderr,
        )  # fmt: skip
    running = WebProcess(f"http://127.0.0.1:{port}", log)
    try:
        await until(lambda: _is_live(running.base_url))
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def _is_live(base_url: str) -> bool:
    try:
        return (await fetch("GET", f"{base_url}/health/live")).status_code == 200
    except httpx2.TransportError:
        return False


async def fetch(method: str, url: str, **options: Any) -> httpx2.Response:
    async with httpx2.AsyncClient() as http:
        return await http.request(method, url, **options)


async def ask(client: Client, query: str, **headers: str) -> dict[str, Any]:
    address = f"{client.base_url}/graphql"
    answer: dict[str, Any] = (
        await fetch("POST", address, json={"query": query}, headers=headers)
    ).json()
    return answer


async def test_absent_token_is_nobody(nobody: Client) -> None:
    assert await ask(nobody, VIEWER) == {"data": {"viewer": None}}


def _tokens(deps: Deps) -> dict[str, str]:
    expired = deps.signers.access.issue(uuid4(), now() - timedelta(hours=2), timedelta(hours=1))
    foreign = deps.signers.cv_upload.issue(uuid4(), now(), timedelta(hours=1))
    return {
        "expired": f"Bearer {expired}",
        "for another purpose": f"Bearer {foreign}",
        "garbage": "Bearer x.y.z",
        "another scheme": "Basic dXNlcjpwYXNz",
        "no token": "Bearer",
    }


async def test_bad_token_is_nobody_and_every_other_field_says_what_to_do(
    deps: Deps, nobody: Client
) -> None:
    for kind, value in _tokens(deps).items():
        answer = await ask(nobody, VIEWER, Authorization=value)
        assert answer == {"data": {"viewer": None}}, kind
        refused = await ask(nobody, JOB, Authorization=value)
        [error] = refused["errors"]
        assert error["extensions"] == {"code": "UNAUTHENTICATED"}, kind
        assert "careergraph token" in error["message"] or "`Bearer <token>`" in error["message"]
        assert refused["data"] == {"gapAnalysis": None}


async def test_without_a_token_other_fields_say_how_to_send_one(nobody: Client) -> None:
    [error] = (await ask(nobody, JOB))["errors"]

    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    assert "Authorization: Bearer <token>" in error["message"]


async def test_token_of_a_user_who_is_gone_is_nobody(deps: Deps) -> None:
    token = await access_token(deps)

    assert (await Client(deps.settings.public_url, token).data(VIEWER)) == {"viewer": None}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("{ viewer {", "Syntax Error"),
        ("", "Unexpected <EOF>"),
        ("{ shoes }", "Cannot query field 'shoes'"),
        ("query ($n: Int!) { jobs(first: $n) { nodes { id } } }", "$n"),
        ("{ viewer { ...F } }", "Unknown fragment 'F'"),
    ],
)
async def test_mistakes_in_the_query_are_named_as_they_are(
    client: Client, query: str, says: str
) -> None:
    address = f"{client.base_url}/graphql"
    response = await fetch("POST", address, json={"query": query}, headers=client.headers)

    assert response.status_code < 500
    assert says in response.text
    assert "request id" not in response.text


async def test_hostile_depth_does_not_break_the_server(client: Client) -> None:
    deep = "{ viewer " * 3000 + "{ id }" + "}" * 3000
    answer = await fetch(
        "POST", f"{client.base_url}/graphql", json={"query": deep}, headers=client.headers
    )

    assert answer.status_code < 500
    assert "errors" in answer.json()
    assert (await client.data(VIEWER))["viewer"]


async def test_introspection_works(nobody: Client) -> None:
    schema = (await nobody.data(get_introspection_query()))["__schema"]

    assert schema["queryType"]["name"] == "Query"
    assert schema["subscriptionType"]["name"] == "Subscription"


async def test_request_id_is_echoed_or_made(nobody: Client) -> None:
    given = uuid4().hex
    address = f"{nobody.base_url}/graphql"
    body = {"query": VIEWER}

    echoed = await fetch("POST", address, json=body, headers={"x-request-id": given})
    made = await fetch("POST", address, json=body)
    forged = await fetch("POST", address, json=body, headers={"x-request-id": "<script>"})

    assert echoed.headers["x-request-id"] == given
    assert len(made.headers["x-request-id"]) == 32
    assert forged.headers["x-request-id"] != "<script>"


async def test_page_of_an_allowed_origin_may_call(web: WebProcess) -> None:
    asks = {
        "origin": ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    preflight = await fetch("OPTIONS", f"{web.base_url}/graphql", headers=asks)
    call = await fetch(
        "POST", f"{web.base_url}/graphql", json={"query": VIEWER}, headers={"origin": ORIGIN}
    )
    other = await fetch(
        "OPTIONS", f"{web.base_url}/graphql", headers={**asks, "origin": "https://evil.example"}
    )

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    assert call.headers["access-control-allow-origin"] == ORIGIN
    assert "x-request-id" in call.headers["access-control-expose-headers"].lower()
    assert "access-control-allow-origin" not in other.headers


async def test_bug_is_masked_and_logged_with_its_request_id(deps: Deps, web: WebProcess) -> None:
    """A damaged document in the database is what a resolver cannot expect."""
    user = await User.ensure(f"{uuid4().hex}@example.com", "Damaged")
    damage = {"$set": {"target_roles": {"secret": "of the database"}}}
    await User.get_pymongo_collection().update_one({"_id": user.id}, damage)
    given = uuid4().hex
    headers = {
        "Authorization": f"Bearer {await access_token(deps, user.id)}",
        "x-request-id": given,
    }

    response = await fetch(
        "POST", f"{web.base_url}/graphql", json={"query": VIEWER}, headers=headers
    )
    await user.delete()

    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "requestId": given}
    assert given in error["message"]
    assert "target_roles" not in response.text
    assert "secret" not in response.text
    [logged] = [line for line in web.lines() if line.get("request_id") == given]
    assert (logged["level"], logged["path"]) == ("error", ["viewer"])
    assert "target_roles" in logged["exception"]


async def test_clients_own_mistakes_are_not_logged_as_errors(web: WebProcess) -> None:
    await fetch("POST", f"{web.base_url}/graphql", json={"query": "{ shoes }"})
    await fetch("POST", f"{web.base_url}/graphql", json={"query": JOB})

    assert not [line for line in web.lines() if "shoes" in str(line) or "Sign in" in str(line)]
