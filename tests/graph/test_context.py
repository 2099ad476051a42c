"""Whom a request is taken for, and what it is told when that is nobody."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from domain.auth.caller import UNKNOWN
from domain.auth.external_issuers import ExternalIssuers
from domain.auth.session_documents import SignInMethod
from domain.auth.sessions import open_session, revoke_session
from domain.core.clock import now
from domain.core.deps import Deps
from domain.core.settings import ExternalIssuer
from graph.context import ANONYMOUS, read_session
from tests.conftest import free_port
from tests.tokens import access_token


async def problem(deps: Deps, authorization: object) -> str:
    """Why this Authorization makes nobody of a request."""
    session = await read_session(deps, authorization)
    assert (session.user_id, session.asker) == (None, None)
    assert session.problem is not None
    return session.problem


async def test_a_good_token_is_its_user_and_session(deps: Deps) -> None:
    tokens = await open_session(deps, uuid4(), SignInMethod.GOOGLE, UNKNOWN)

    session = await read_session(deps, f"bearer  {tokens.access_token} ")

    assert session.user_id == tokens.user_id
    assert session.asker is not None
    assert session.asker.session_id == tokens.session_id
    assert session.problem is None


async def test_without_a_token_there_is_no_problem(deps: Deps) -> None:
    assert await read_session(deps, None) == ANONYMOUS
    assert await read_session(deps, "") == ANONYMOUS


async def test_each_fault_says_what_to_do(deps: Deps) -> None:
    ended = await open_session(deps, uuid4(), SignInMethod.GOOGLE, UNKNOWN)
    await revoke_session(deps, ended.user_id, ended.session_id, UNKNOWN)
    expired = deps.signers.access.issue(uuid4(), now() - timedelta(hours=1), timedelta(minutes=1))
    good = await access_token(deps)

    assert await problem(deps, f"Bearer {ended.access_token}") == (
        "This session was ended. Sign in again."
    )
    for token in (expired, "x.y.z", good[:-4], "\ud800", "x" * 100_000):
        assert "careergraph token --user EMAIL" in await problem(deps, f"Bearer {token}")
    wrong: list[object] = [good, f"Basic {good}", "Bearer", "Bearer ", 7, ["Bearer", good], {}]
    for value in wrong:
        assert "must read `Bearer <token>`" in await problem(deps, value)


async def test_an_issuer_that_cannot_be_reached_is_named(deps: Deps) -> None:
    issuer = f"http://127.0.0.1:{free_port()}"
    issuers = ExternalIssuers([ExternalIssuer(issuer=issuer, audience="careers")])
    at = int(now().timestamp())
    claims = {"iss": issuer, "aud": "careers", "sub": "7", "iat": at, "exp": at + 600}
    parts = [json.dumps(part).encode() for part in ({"alg": "EdDSA", "kid": "1"}, claims)]
    token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)

    said = await problem(replace(deps, external_issuers=issuers), f"Bearer {token}.c2ln")

    assert issuer in said
    assert "cannot be fetched" in said
    await issuers.aclose()
