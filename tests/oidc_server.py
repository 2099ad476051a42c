"""OpenID providers for tests: oidc-provider-mock in a process of its own, and one that cheats."""

import asyncio
import base64
import hashlib
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx2
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID = "google-client"
CLIENT_SECRET = "google-client-secret"
START_SECONDS = 20


@dataclass(frozen=True)
class OIDCServer:
    """A running oidc-provider-mock."""

    issuer: str

    async def set_user(self, sub: str, **claims: Any) -> None:
        """What the provider says about a person."""
        async with httpx2.AsyncClient(base_url=self.issuer) as http:
            (await http.put(f"/users/{sub}", json=claims)).raise_for_status()

    async def revoke(self, sub: str) -> None:
        """As when the person takes the application off their account."""
        async with httpx2.AsyncClient(base_url=self.issuer) as http:
            (await http.post(f"/users/{sub}/revoke-tokens")).raise_for_status()


@asynccontextmanager
async def oidc_server(port: int, token_seconds: int = 3600) -> AsyncIterator[OIDCServer]:
    """oidc-provider-mock as its authors ship it, on loopback."""
    command = ["-m", "oidc_provider_mock", "-p", str(port), "-e", str(token_seconds)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stderr=asyncio.subprocess.DEVNULL
    )
    issuer = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(START_SECONDS):
            await _until_up(issuer, process)
        yield OIDCServer(issuer)
    finally:
        process.terminate()
        await process.wait()


async def _until_up(issuer: str, process: asyncio.subprocess.Process) -> None:
    async with httpx2.AsyncClient() as http:
        while True:
            assert process.returncode is None, "oidc-provider-mock ended at start"
            try:
                await http.get(f"{issuer}/.well-known/openid-configuration")
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
            else:
                return


Claims = dict[str, Any]


@dataclass
class CheatingProvider:
    """An OpenID provider that gives the tokens a test asks for. It keeps to PKCE."""

    issuer: str = ""
    change: Callable[[Claims], Claims] = field(default=lambda claims: claims)
    """What becomes of the right claims before they are signed."""
    signs_with_other_key: bool = False
    metadata_change: Claims = field(default_factory=dict)
    garbage: dict[str, Response] = field(default_factory=dict)
    answer_change: Claims = field(default_factory=dict)
    """Of the token endpoint's answer."""
    verifiers: list[str] = field(default_factory=list)
    refreshes: int = 0
    revoked: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self._other_key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self._codes: dict[str, dict[str, str]] = {}
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/jwks", self._jwks),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/revoke", self._revoke, methods=["POST"]),
            ]
        )

    def rotate_key(self) -> None:
        """Sign with a new key from now on."""
        self._key = RSAKey.generate_key(2048, {"kid": f"k{time.time_ns()}", "use": "sig"})

    async def _metadata(self, _request: Request) -> Response:
        if "metadata" in self.garbage:
            return self.garbage["metadata"]
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "revocation_endpoint": f"{self.issuer}/revoke",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        return JSONResponse(found | self.metadata_change)

    async def _jwks(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        self.asked.append(query)
        code = hashlib.sha256(query["state"].encode()).hexdigest()
        self._codes[code] = query
        back = urlencode({"code": code, "state": query["state"]})
        return RedirectResponse(f"{query['redirect_uri']}?{back}", 302)

    async def _token(self, request: Request) -> Response:
        if "token" in self.garbage:
            return self.garbage["token"]
        form = dict(parse_qsl((await request.body()).decode()))
        if form["grant_type"] == "refresh_token":
            self.refreshes += 1
            return JSONResponse(_answer(access_token=f"renewed-{self.refreshes}"))
        query = self._codes.pop(form["code"], None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if query is None or query.get("code_challenge") != challenge:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.verifiers.append(form["code_verifier"])
        answer = _answer(
            access_token="access", refresh_token="refresh-1", id_token=self._id_token(query)
        )
        return JSONResponse(answer | self.answer_change)

    async def _revoke(self, request: Request) -> Response:
        self.revoked.append(dict(parse_qsl((await request.body()).decode()))["token"])
        return Response(status_code=200)

    def _id_token(self, query: dict[str, str]) -> str:
        at = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "sub": "cheat", "iat": at, "exp": at + 300,
            "nonce": query["nonce"], "email": "cheat@example.com", "email_verified": True,
            "name": "Chea Ting",
        }  # fmt: skip
        key = self._other_key if self.signs_with_other_key else self._key
        changed = {k: v for k, v in self.change(claims).items() if v is not None}
        return jwt.encode({"alg": "RS256", "kid": self._key.kid}, changed, key)


def _answer(**more: Any) -> Claims:
    return {"token_type": "Bearer", "expires_in": 3600, **more}
