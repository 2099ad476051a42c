"""A server in GitHub's shape: OAuth for web applications with PKCE, users, e-mails, revocation.

After GitHub's documentation: "Authorizing OAuth apps", "Refreshing user access tokens", and the
REST API's "Users", "Emails" and "OAuth authorizations". Nobody has to click: whoever is set as
`user` agrees at once, unless `denies` is set.
"""

import asyncio
import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID = "github-client"
CLIENT_SECRET = "github-client-secret"


@dataclass
class GitHubUser:
    """An account at GitHub."""

    id: int
    login: str
    name: str | None = None
    emails: list[dict[str, Any]] = field(default_factory=list)
    avatar_url: str = "https://avatars.githubusercontent.com/u/1"

    @classmethod
    def make(cls, id: int, email: str | None, *, verified: bool = True) -> "GitHubUser":
        rows = [{"email": f"spare-{id}@example.net", "primary": False, "verified": True}]
        if email is not None:
            rows.append({"email": email, "primary": True, "verified": verified})
        return cls(id, f"octo{id}", f"Octo {id}", rows)


@dataclass
class _Code:
    user: GitHubUser
    scope: str
    redirect_uri: str
    challenge: str | None


@dataclass
class _Token:
    user: GitHubUser
    scope: str


class GitHubServer:
    """The provider, with what tests set and what they look at."""

    def __init__(self) -> None:
        self.reset()
        self.app = Starlette(
            routes=[
                Route("/login/oauth/authorize", self._authorize),
                Route("/login/oauth/access_token", self._access_token, methods=["POST"]),
                Route("/user", self._user),
                Route("/user/emails", self._emails),
                Route("/applications/{id}/token", self._revoke, methods=["DELETE"]),
            ]
        )

    def reset(self) -> None:
        """Forget everything."""
        self.user = GitHubUser.make(1, None)
        self.denies = False
        self.withholds_scope: str | None = None
        """A scope that the person does not grant."""
        self.gives_expiring_tokens = False
        self.delay_seconds = 0.0
        self.is_down = False
        """Whether the API answers 503."""
        self.garbage: dict[str, Response] = {}
        """Path to what it answers in place of the right thing."""
        self.tokens: dict[str, _Token] = {}
        self.refresh_tokens: dict[str, _Token] = {}
        self.revoked: list[str] = []
        self.refreshes = 0
        self.asked: list[dict[str, str]] = []
        """The parameters of each visit to the authorize page."""
        self._codes: dict[str, _Code] = {}
        self.app = Starlette(
            routes=[
                Route("/login/oauth/authorize", self._authorize),
                Route("/login/oauth/access_token", self._access_token, methods=["POST"]),
                Route("/user", self._user),
                Route("/user/emails", self._emails),
                Route("/applications/{id}/token", self._revoke, methods=["DELETE"]),
            ]
        )

    def forget(self, access_token: str) -> None:
        """As when the person revokes the application on GitHub's pages."""
        self.tokens.pop(access_token)

    async def _authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        self.asked.append(query)
        if query.get("client_id") != CLIENT_ID:
            return PlainTextResponse("no such application", 404)
        back = {"state": query["state"]}
        if self.denies:
            back |= {"error": "access_denied", "error_description": "The user has denied access"}
        else:
            code = back["code"] = secrets.token_hex(10)
            self._codes[code] = _Code(
                self.user, query["scope"], query["redirect_uri"], query.get("code_challenge")
            )
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(back)}", 302)

    async def _access_token(self, request: Request) -> Response:
        await asyncio.sleep(self.delay_seconds)
        if "token" in self.garbage:
            return self.garbage["token"]
        form = dict(parse_qsl((await request.body()).decode()))
        # GitHub answers 200 to these, with an error inside.
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return JSONResponse({"error": "incorrect_client_credentials"})
        if form.get("grant_type") == "refresh_token":
            return self._refresh(form)
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or form.get("redirect_uri") != code.redirect_uri:
            return JSONResponse({"error": "bad_verification_code"})
        if not _answers(form.get("code_verifier", ""), code.challenge):
            return JSONResponse({"error": "bad_verification_code", "why": "PKCE"})
        granted = [scope for scope in code.scope.split() if scope != self.withholds_scope]
        return JSONResponse(self.give(code.user, ",".join(granted)))

    def _refresh(self, form: dict[str, str]) -> Response:
        self.refreshes += 1
        known = self.refresh_tokens.pop(form.get("refresh_token", ""), None)  # good once
        if known is None:
            return JSONResponse({"error": "bad_refresh_token"})
        return JSONResponse(self.give(known.user, known.scope))

    def give(self, user: GitHubUser, scope: str) -> dict[str, Any]:
        access = f"gho_{secrets.token_hex(18)}"
        self.tokens[access] = _Token(user, scope)
        answer = {"access_token": access, "scope": scope, "token_type": "bearer"}
        if not self.gives_expiring_tokens:
            return answer
        refresh = f"ghr_{secrets.token_hex(38)}"
        self.refresh_tokens[refresh] = _Token(user, scope)
        return answer | {"expires_in": 28800, "refresh_token": refresh}

    async def _user(self, request: Request) -> Response:
        if "user" in self.garbage:
            return self.garbage["user"]
        token = self._token_of(request)
        if token is None:
            return JSONResponse({"message": "Bad credentials"}, 401)
        user = token.user
        return JSONResponse(
            {"id": user.id, "login": user.login, "name": user.name, "avatar_url": user.avatar_url}
        )

    async def _emails(self, request: Request) -> Response:
        token = self._token_of(request)
        if token is None:
            return JSONResponse({"message": "Bad credentials"}, 401)
        if "user:email" not in token.scope:
            return JSONResponse({"message": "Not Found"}, 404)
        return JSONResponse(token.user.emails)

    async def _revoke(self, request: Request) -> Response:
        if self.is_down:
            return PlainTextResponse("down", 503)
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return JSONResponse({"message": "Requires authentication"}, 401)
        access = (await request.json())["access_token"]
        if self.tokens.pop(access, None) is None:
            return JSONResponse({"message": "Not Found"}, 404)
        self.revoked.append(access)
        return Response(status_code=204)

    def _token_of(self, request: Request) -> _Token | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return self.tokens.get(token) if scheme.lower() == "bearer" else None


def _answers(verifier: str, challenge: str | None) -> bool:
    digest = hashlib.sha256(verifier.encode()).digest()
    return challenge == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
