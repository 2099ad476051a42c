"""An OpenID Connect issuer for tests: publishes keys, rotates them, misbehaves if told to."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import OKPKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from domain.auth.external_issuers import ExternalIssuers, ExternalToken
from domain.auth.tokens import InvalidToken
from domain.core.settings import ExternalIssuer
from tests.served import served

AUDIENCE = "careergraph-api"
DISCOVERY = "/.well-known/openid-configuration"
Json = dict[str, Any]
Key = OKPKey | RSAKey


def eddsa_key(**parameters: str) -> OKPKey:
    return OKPKey.generate_key("Ed25519", parameters=_named(parameters))


def rsa_key(bits: int = 2048, **parameters: str) -> RSAKey:
    return RSAKey.generate_key(bits, parameters=_named(parameters))


def _named(parameters: dict[str, str]) -> Any:
    return {"kid": uuid4().hex, **parameters}


@dataclass
class Issuer:
    """What it publishes, and how it behaves; tests change both while it runs."""

    keys: list[Key] = field(default_factory=lambda: [eddsa_key()])
    more_entries: list[object] = field(default_factory=list)
    """Entries of the JWK Set beside `keys`."""
    discovery: Json = field(default_factory=dict)
    """Changes to the discovery document."""
    answer: Response | None = None
    """Given instead of the JWK Set."""
    discovery_answer: Response | None = None
    delay: float = 0
    issuer: str = ""
    asked: list[str] = field(default_factory=list)
    """The paths of all requests so far."""

    @property
    def fetches(self) -> int:
        """How often the keys were asked for."""
        return self.asked.count("/jwks")

    def token(self, key: Key | None = None, /, **changes: object) -> str:
        """A token like an access token of most issuers, with changes; None takes a claim away.
        Names that start with `header_` change the header."""
        key = key or self.keys[0]
        alg = "EdDSA" if isinstance(key, OKPKey) else "RS256"
        at = int(datetime.now(UTC).timestamp())
        header: Json = {"alg": alg, "kid": key.kid, "typ": "JWT"}
        claims: Json = {
            "iss": self.issuer, "aud": AUDIENCE, "sub": "user-1", "jti": uuid4().hex,
            "iat": at, "exp": at + 3600,
        }  # fmt: skip
        for name, value in changes.items():
            part, bare = (header, name[7:]) if name.startswith("header_") else (claims, name)
            part[bare] = value
        parts = ({name: value for name, value in part.items() if value is not None}
                 for part in (header, claims))  # fmt: skip
        signing = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        return f"{signing}.{encoded(sign(key, signing.encode()))}"

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/{path:path}jwks", self._jwks),
                Route("/{path:path}.well-known/openid-configuration", self._discovery),
            ]
        )

    async def _discovery(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        await asyncio.sleep(self.delay)
        found = {"issuer": self.issuer, "jwks_uri": f"{self.issuer.rstrip('/')}/jwks"}
        return self.discovery_answer or JSONResponse({**found, **self.discovery})

    async def _jwks(self, request: Request) -> Response:
        self.asked.append("/jwks")
        await asyncio.sleep(self.delay)
        keys = [key.as_dict(private=False) for key in self.keys]
        return self.answer or JSONResponse({"keys": [*self.more_entries, *keys]})


@asynccontextmanager
async def running_issuer(path: str = "", **more: Any) -> AsyncIterator[Issuer]:
    """An issuer at a loopback address; `path` is what follows the port in its name."""
    issuer = Issuer(**more)
    async with served(issuer.app()) as address:
        issuer.issuer = address + path
        yield issuer


def redirect(address: str) -> Response:
    return RedirectResponse(address, 302)


def sign(key: Key, data: bytes) -> bytes:
    """A signature of the key's kind, whatever the header says."""
    private = key.private_key
    if isinstance(private, RSAPrivateKey):
        return private.sign(data, PKCS1v15(), SHA256())
    assert isinstance(private, Ed25519PrivateKey)
    return private.sign(data)


def encoded(value: bytes | int) -> str:
    """Base64url, as in tokens and in the `n` of a JWK."""
    data = value.to_bytes((value.bit_length() + 7) // 8) if isinstance(value, int) else value
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


@asynccontextmanager
async def issuers_for(
    *issuers: Issuer, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[ExternalIssuers]:
    """What checks tokens of these."""
    entries = [ExternalIssuer(issuer=each.issuer, audience=AUDIENCE) for each in issuers]
    external = ExternalIssuers(entries, clock)
    try:
        yield external
    finally:
        await external.aclose()


async def verify(external: ExternalIssuers, token: str) -> ExternalToken:
    return await external.verify(token, datetime.now(UTC))


async def assert_good(external: ExternalIssuers, token: str) -> None:
    assert (await verify(external, token)).subject == "user-1"


async def assert_refused(external: ExternalIssuers, token: str) -> None:
    with pytest.raises(InvalidToken):
        await verify(external, token)
