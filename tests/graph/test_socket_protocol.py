"""graphql-transport-ws from the handshake to the ack, and the answers to single operations."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from domain.core.clock import now
from domain.core.deps import Deps
from tests.client import Client, payloads, raw_socket, receive, send, subscribe
from tests.graph.sockets import STATUS, closing, serving
from tests.jobs.pieces import quick

RENAME = """
mutation ($name: String!) { updateProfile(input: {name: $name}) { viewer { name } } }
"""


async def test_subprotocol_is_agreed_and_init_acknowledged(client: Client) -> None:
    async with raw_socket(client.base_url) as socket:
        assert socket.subprotocol == "graphql-transport-ws"
        await send(socket, type="connection_init", payload=client.headers)
        assert await receive(socket) == {"type": "connection_ack"}


@pytest.mark.parametrize("names", [None, ["graphql-ws"], ["GraphQL-Transport-WS", "json"]])
async def test_other_subprotocols_are_not_spoken(deps: Deps, names: list[str] | None) -> None:
    address = deps.settings.public_url.replace("http", "ws", 1) + "/graphql"
    asked = [Subprotocol(name) for name in names] if names else None
    async with connect(address, subprotocols=asked) as socket:
        code, said = await closing(socket)

    assert (code, said) == (4406, [])
    assert socket.subprotocol is None


async def test_subprotocol_may_be_one_of_several(deps: Deps) -> None:
    address = deps.settings.public_url.replace("http", "ws", 1) + "/graphql"
    asked = [Subprotocol("graphql-ws"), Subprotocol("graphql-transport-ws")]
    async with connect(address, subprotocols=asked) as socket:
        assert socket.subprotocol == "graphql-transport-ws"


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
async def test_token_comes_under_any_spelling_of_its_header(client: Client, name: str) -> None:
    payload = {name: client.headers["Authorization"]}
    async with raw_socket(client.base_url) as socket:
        await send(socket, type="connection_init", payload=payload)
        assert (await receive(socket))["type"] == "connection_ack"
        await subscribe(socket, "1", "{ viewer { name } }")
        [answer] = [payload async for payload in payloads(socket, "1")]

    assert answer["data"]["viewer"] is not None


@pytest.mark.parametrize(
    "value", ["Bearer x.y.z", "Bearer", "Basic dXNlcjpwYXNz", "nothing", 5, ["Bearer"], {"a": 1}]
)
async def test_bad_token_closes_with_4403_and_says_nothing(nobody: Client, value: object) -> None:
    async with raw_socket(nobody.base_url) as socket:
        await send(socket, type="connection_init", payload={"Authorization": value})
        assert await closing(socket) == (4403, [])


async def test_expired_token_closes_with_4403(deps: Deps, nobody: Client) -> None:
    token = deps.signers.access.issue(uuid4(), now() - timedelta(minutes=2), timedelta(minutes=1))
    async with raw_socket(nobody.base_url) as socket:
        await send(socket, type="connection_init", payload={"Authorization": f"Bearer {token}"})
        assert await closing(socket) == (4403, [])


async def test_nobody_may_connect_and_sees_what_nobody_may_see(nobody: Client) -> None:
    async with nobody.socket() as socket:
        await subscribe(socket, "1", "{ viewer { name } }")
        assert [payload async for payload in payloads(socket, "1")] == [{"data": {"viewer": None}}]
        await subscribe(socket, "2", STATUS, {"id": "x"})
        refused = await receive(socket)

    assert (refused["type"], refused["id"]) == ("error", "2")
    assert refused["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_subscribing_before_the_ack_closes_with_4401(client: Client) -> None:
    async with raw_socket(client.base_url) as socket:
        await subscribe(socket, "1", "{ viewer { name } }")
        assert await closing(socket) == (4401, [])


async def test_second_init_closes_with_4429(client: Client) -> None:
    async with client.socket() as socket:
        await send(socket, type="connection_init", payload=client.headers)
        assert await closing(socket) == (4429, [])


async def test_ping_is_answered_before_and_after_the_ack(client: Client) -> None:
    async with raw_socket(client.base_url) as socket:
        await send(socket, type="ping")
        assert await receive(socket) == {"type": "pong"}
        await send(socket, type="connection_init", payload=client.headers)
        assert (await receive(socket))["type"] == "connection_ack"
        await send(socket, type="ping", payload={"any": "thing"})
        assert await receive(socket) == {"type": "pong"}
        await send(socket, type="pong")
        await send(socket, type="ping")
        assert await receive(socket) == {"type": "pong"}


async def test_queries_and_mutations_are_answered_once_and_complete(client: Client) -> None:
    async with client.socket() as socket:
        await subscribe(socket, "q", "{ viewer { language } }")
        answers = [payload async for payload in payloads(socket, "q")]
        assert answers == [{"data": {"viewer": {"language": "EN"}}}]
        await subscribe(socket, "m", RENAME, {"name": "Noa"})
        [answer] = [payload async for payload in payloads(socket, "m")]
        assert answer["data"]["updateProfile"]["viewer"]["name"] == "Noa"
        await subscribe(socket, "q", "{ viewer { name } }")  # the id is free again
        assert (await receive(socket))["payload"]["data"]["viewer"]["name"] == "Noa"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("{ viewer { shoeSize } }", "shoeSize"),
        ("{ viewer {", "Syntax Error"),
        ("", "Syntax Error"),
        ("query ($id: ID!) { node(id: $id) { id } }", "$id"),
        ("query A { viewer { id } } query B { viewer { id } }", "operation"),
    ],
)
async def test_invalid_operation_is_an_error_of_that_operation_alone(
    client: Client, query: str, told: str
) -> None:
    async with client.socket() as socket:
        await subscribe(socket, "1", query)
        message = await receive(socket)
        await subscribe(socket, "1", "{ viewer { language } }")
        assert (await receive(socket))["payload"]["data"] == {"viewer": {"language": "EN"}}

    assert (message["type"], message["id"]) == ("error", "1")
    assert told in message["payload"][0]["message"]
    assert message["payload"][0]["extensions"]["code"]


async def test_trusted_document_is_named_by_its_id(
    deps: Deps, client: Client, tmp_path: Path
) -> None:
    manifest = tmp_path / "documents.json"
    manifest.write_text(json.dumps({"viewer-language": "{ viewer { language } }"}))
    trusting = quick(deps, trusted_documents=manifest, trusted_documents_only=True)
    async with (
        serving(trusting) as address,
        Client(address, client.token).socket() as socket,
    ):
        await send(socket, type="subscribe", id="1", payload={"documentId": "viewer-language"})
        [answer] = [payload async for payload in payloads(socket, "1")]
        await subscribe(socket, "2", "{ viewer { language } }")
        refused = await receive(socket)

    assert answer == {"data": {"viewer": {"language": "EN"}}}
    assert (refused["type"], refused["id"]) == ("error", "2")
    assert refused["payload"][0]["extensions"]["code"] == "TRUSTED_DOCUMENTS_ONLY"
