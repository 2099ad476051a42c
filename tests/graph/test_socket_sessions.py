"""Who a socket is of, from which pages, and what becomes of it when that session ends."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from domain.auth.caller import UNKNOWN
from domain.auth.session_documents import SignInMethod, Tokens
from domain.auth.sessions import open_session, revoke_session
from domain.core.clock import now
from domain.core.deps import Deps
from domain.profile.documents import User
from domain.sign_in.actions import unlink_identity
from domain.sign_in.documents import Identity
from domain.sign_in.external import ExternalUsers
from graph.cookies import cookie_names
from tests.client import Client, payloads, raw_socket, receive, send, subscribe
from tests.domain.auth.issuer_server import Issuer, issuers_for, running_issuer
from tests.graph.sockets import STATUS, closing, end, global_id, mine, serving, until_listeners
from tests.graph.web_process import WebProcess
from tests.jobs.pieces import quick

VIEWER = "{ viewer { id } }"
LONG = timedelta(hours=1)


async def signed_in(deps: Deps, life: timedelta = LONG, user_id: UUID | None = None) -> Tokens:
    """A new session, of a new user unless one is named."""
    if user_id is None:
        user_id = (await User.ensure(f"{uuid4().hex}@example.com", "Somebody")).id
    return await open_session(deps, user_id, SignInMethod.LOCAL, UNKNOWN, life)


def client_of(deps: Deps, tokens: Tokens) -> Client:
    return Client(deps.settings.public_url, tokens.access_token)


async def ping(socket: ClientConnection, token: str) -> None:
    await send(socket, type="ping", payload={"authorization": f"Bearer {token}"})


@asynccontextmanager
async def connected(deps: Deps, **headers: str) -> AsyncIterator[ClientConnection]:
    """A socket as a browser opens it: with these headers and no others."""
    origin = headers.pop("origin", None)
    async with connect(
        deps.settings.public_url.replace("http", "ws", 1) + "/graphql",
        subprotocols=[Subprotocol("graphql-transport-ws")],
        origin=Origin(origin) if origin else None,
        additional_headers=headers,
    ) as socket:
        yield socket


async def test_socket_without_an_init_is_closed_with_4408_after_3_s(nobody: Client) -> None:
    """Whatever else it says."""
    async with raw_socket(nobody.base_url) as socket:
        opened = time.monotonic()
        await send(socket, type="ping")
        code, said = await closing(socket)

    assert (code, said) == (4408, ['{"type":"pong"}'])
    assert 2.9 < time.monotonic() - opened < 4.5


async def test_socket_with_an_init_lives_on(nobody: Client) -> None:
    async with nobody.socket() as socket:
        await asyncio.sleep(3.5)
        await send(socket, type="ping")
        assert await receive(socket) == {"type": "pong"}


async def test_expired_token_closes_the_socket_with_4401_within_5_s(deps: Deps) -> None:
    tokens = await signed_in(deps, timedelta(seconds=3))
    client = client_of(deps, tokens)
    analysis = await mine(deps, client)
    async with client.socket() as socket:
        await subscribe(socket, "1", STATUS, {"id": global_id(analysis)})
        assert (await receive(socket))["type"] == "next"
        code, said = await closing(socket, seconds=8)

    assert (code, said) == (4401, [])
    assert "expired" in (socket.close_reason or "")
    assert timedelta() <= now() - tokens.access_expires_at < timedelta(seconds=5)
    await until_listeners(deps, analysis, 0)


async def test_revoked_session_closes_its_sockets_and_no_others(deps: Deps) -> None:
    ended = await signed_in(deps)
    other = await signed_in(deps, user_id=ended.user_id)
    async with (
        client_of(deps, ended).socket() as first,
        client_of(deps, ended).socket() as second,
        client_of(deps, other).socket() as third,
    ):
        assert await revoke_session(deps, ended.user_id, ended.session_id, UNKNOWN)
        begun = time.monotonic()
        assert [(await closing(one))[0] for one in (first, second)] == [4401, 4401]
        assert time.monotonic() - begun < 5
        await send(third, type="ping")
        assert await receive(third) == {"type": "pong"}


async def test_sign_out_over_a_socket_closes_it_and_its_like(deps: Deps) -> None:
    client = client_of(deps, await signed_in(deps))
    async with client.socket() as socket, client.socket() as other:
        await subscribe(socket, "1", "mutation { signOutEverywhere { count } }")
        [answer] = [payload async for payload in payloads(socket, "1")]
        assert [(await closing(one))[0] for one in (socket, other)] == [4401, 4401]

    assert answer == {"data": {"signOutEverywhere": {"count": 1}}}


async def test_session_revoked_in_another_process_closes_its_sockets(deps: Deps) -> None:
    tokens = await signed_in(deps)
    web = WebProcess(deps)
    async with web.running(), Client(web.address, tokens.access_token).socket() as socket:
        await revoke_session(deps, tokens.user_id, tokens.session_id, UNKNOWN)
        begun = time.monotonic()
        assert (await closing(socket))[0] == 4401
        assert time.monotonic() - begun < 5


async def test_ping_with_a_fresh_token_carries_the_subscriptions_on(deps: Deps) -> None:
    short = await signed_in(deps, timedelta(seconds=3))
    fresh = await signed_in(deps, LONG, short.user_id)
    client = client_of(deps, short)
    analysis = await mine(deps, client)
    async with client.socket() as socket:
        await subscribe(socket, "1", STATUS, {"id": global_id(analysis)})
        assert (await receive(socket))["type"] == "next"
        await ping(socket, fresh.access_token)
        pong = await receive(socket)
        await asyncio.sleep((short.access_expires_at - now()).total_seconds() + 2.5)
        await end(deps, analysis)
        [event] = [payload async for payload in payloads(socket, "1")]
        await revoke_session(deps, fresh.user_id, fresh.session_id, UNKNOWN)
        assert (await closing(socket))[0] == 4401  # the fresh session is the socket's own now

    assert set(pong) == {"type", "payload"}
    assert datetime.fromisoformat(pong["payload"]["expiresAt"]) == fresh.access_expires_at
    assert event["data"]["gapAnalysisStatus"]["gapAnalysis"]["status"] == "COMPLETED"


async def test_ping_with_a_token_that_is_no_good_closes_with_4403(deps: Deps) -> None:
    tokens, other = await signed_in(deps), await signed_in(deps)
    ended = await signed_in(deps, user_id=tokens.user_id)
    await revoke_session(deps, ended.user_id, ended.session_id, UNKNOWN)
    for token in ("x.y.z", "", other.access_token, ended.access_token):
        async with client_of(deps, tokens).socket() as socket:
            await ping(socket, token)
            assert await closing(socket) == (4403, [])


async def test_ping_does_not_sign_in_a_socket_of_nobody(deps: Deps, nobody: Client) -> None:
    tokens = await signed_in(deps)
    async with nobody.socket() as socket:
        await ping(socket, tokens.access_token)
        assert await closing(socket) == (4403, [])


async def test_revoked_token_does_not_connect(deps: Deps) -> None:
    tokens = await signed_in(deps)
    await revoke_session(deps, tokens.user_id, tokens.session_id, UNKNOWN)
    async with raw_socket(deps.settings.public_url) as socket:
        await send(socket, type="connection_init", payload=client_of(deps, tokens).headers)
        assert await closing(socket) == (4403, [])
        assert "ended" in (socket.close_reason or "")


async def test_cookie_counts_with_an_origin_of_ours(deps: Deps) -> None:
    tokens = await signed_in(deps)
    cookie = f"{cookie_names(deps.settings).access}={tokens.access_token}"
    async with connected(deps, origin=deps.settings.public_url, cookie=cookie) as socket:
        await send(socket, type="connection_init")
        assert await receive(socket) == {"type": "connection_ack"}
        await subscribe(socket, "1", VIEWER)
        [answer] = [payload async for payload in payloads(socket, "1")]

    assert answer["data"]["viewer"] is not None


async def test_cookie_without_an_origin_closes_with_4403(deps: Deps) -> None:
    tokens = await signed_in(deps)
    cookie = f"{cookie_names(deps.settings).access}={tokens.access_token}"
    async with connected(deps, cookie=cookie) as socket:
        await send(socket, type="connection_init")
        assert await closing(socket) == (4403, [])


async def test_token_in_the_init_goes_before_the_cookie(deps: Deps) -> None:
    tokens, other = await signed_in(deps), await signed_in(deps)
    cookie = f"{cookie_names(deps.settings).access}={other.access_token}"
    viewer = await client_of(deps, tokens).data(VIEWER)
    async with connected(deps, origin=deps.settings.public_url, cookie=cookie) as socket:
        await send(socket, type="connection_init", payload=client_of(deps, tokens).headers)
        assert await receive(socket) == {"type": "connection_ack"}
        await subscribe(socket, "1", VIEWER)
        assert [payload async for payload in payloads(socket, "1")] == [{"data": viewer}]


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1", "file://"],
)
async def test_page_of_another_origin_is_refused_before_the_handshake(
    deps: Deps, origin: str
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with connected(deps, origin=origin):
            pass

    response = caught.value.response
    assert response.status_code == 403
    assert b"ORIGIN_REFUSED" in (response.body or b"")


async def test_page_of_an_allowed_origin_may_connect(deps: Deps) -> None:
    origin = "https://app.example.com"
    allowing = quick(deps, allowed_origins=[origin])
    async with (
        serving(allowing) as address,
        connected(quick(allowing, public_url=address), origin=origin) as socket,
    ):
        await send(socket, type="connection_init")
        assert await receive(socket) == {"type": "connection_ack"}


@asynccontextmanager
async def with_issuer(deps: Deps) -> AsyncIterator[tuple[Deps, Issuer]]:
    """A server that takes the tokens of an external issuer."""
    async with running_issuer() as issuer, issuers_for(issuer) as external:
        parts = replace(deps, external_issuers=external, external_users=ExternalUsers())
        async with serving(parts) as address:
            yield quick(parts, public_url=address), issuer


async def test_external_token_of_a_deleted_account_closes_its_socket(deps: Deps) -> None:
    """The account was deleted with another token of the same person."""
    words = {"confirmation": "delete my account"}
    mutation = "mutation ($input: DeleteMyAccountInput!) { deleteMyAccount(input: $input) { "
    mutation += "deletion { status } } }"
    async with with_issuer(deps) as (parts, issuer):
        url, name = parts.settings.public_url, uuid4().hex
        first, second = (Client(url, issuer.token(sub=name)) for _ in range(2))
        async with first.socket() as socket, Client(url, issuer.token()).socket() as other:
            await second.data(mutation, input=words)
            begun = time.monotonic()
            assert (await closing(socket)) == (4401, [])
            assert time.monotonic() - begun < 5
            await send(other, type="ping")
            assert await receive(other) == {"type": "pong"}


async def test_external_token_of_an_unlinked_identity_closes_its_socket(deps: Deps) -> None:
    async with with_issuer(deps) as (parts, issuer):
        name = uuid4().hex
        async with Client(parts.settings.public_url, issuer.token(sub=name)).socket() as socket:
            identity = await Identity.of_subject(issuer.issuer, name)
            assert identity is not None
            await Identity(user_id=identity.user_id, provider="github", subject=name).insert()
            await asyncio.sleep(2.5)  # another way in, and all is well
            await send(socket, type="ping")
            assert await receive(socket) == {"type": "pong"}
            await unlink_identity(parts, identity.user_id, identity.id, UNKNOWN)
            begun = time.monotonic()
            assert (await closing(socket)) == (4401, [])
            assert time.monotonic() - begun < 5
