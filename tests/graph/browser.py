"""A browser's side of sessions in cookies: what it keeps, and what its pages send."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http.cookies import Morsel, SimpleCookie
from typing import Any
from uuid import uuid4

import httpx2

from domain.auth.caller import Caller
from domain.auth.session_documents import SignInMethod, Tokens
from domain.auth.sessions import open_session
from domain.core.deps import Deps
from domain.profile.documents import User
from graph.cookies import cookie_names

LAPTOP = Caller("192.0.2.7", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0")


@dataclass
class Browser:
    """Keeps cookies by name and sends them all, with the headers that pages of `origin` send.

    Real browsers heed paths too; what is sent where is checked on the cookies themselves.
    """

    base_url: str
    origin: str
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """Of a page of ours."""
        return {"GraphQL-Require-Preflight": "1", "Origin": self.origin}

    async def post(
        self, path: str, headers: dict[str, str] | None = None, **content: Any
    ) -> httpx2.Response:
        """POST with these headers, or with those of a page of ours."""
        sent = dict(self.headers if headers is None else headers)
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with httpx2.AsyncClient(base_url=self.base_url) as http:
            answer = await http.post(path, headers=sent, **content)
        for cookie in set_cookies(answer):
            self.cookies.pop(cookie.key, None)
            if cookie["max-age"] != "0":
                self.cookies[cookie.key] = cookie.value
        return answer

    async def ask(self, query: str, headers: dict[str, str] | None = None) -> httpx2.Response:
        return await self.post("/graphql", headers, json={"query": query})

    async def viewer(self) -> str | None:
        """Whom the server takes this browser for."""
        viewer = (await self.ask("{ viewer { name } }")).json()["data"]["viewer"]
        return str(viewer["name"]) if viewer else None


def set_cookies(answer: httpx2.Response) -> list[Morsel[str]]:
    """The cookies that an answer sets or clears."""
    found: list[Morsel[str]] = []
    for line in answer.headers.get_list("set-cookie"):
        found += SimpleCookie(line).values()
    return found


def by_name(cookies: Sequence[str]) -> dict[str, Morsel[str]]:
    """Set-Cookie values, taken apart."""
    return {name: cookie for line in cookies for name, cookie in SimpleCookie(line).items()}


async def signed_in(deps: Deps, user_id: Any = None) -> Tokens:
    return await open_session(deps, user_id or uuid4(), SignInMethod.GOOGLE, LAPTOP)


async def browser_of(deps: Deps, name: str = "Somebody") -> tuple[Browser, Tokens]:
    """A browser signed in as somebody new, and the tokens in its cookies."""
    user = await User.ensure(f"{uuid4().hex}@example.com", name)
    tokens = await signed_in(deps, user.id)
    base_url = deps.settings.public_url
    return Browser(base_url, base_url, cookies_of(deps, tokens)), tokens


def cookies_of(deps: Deps, tokens: Tokens) -> dict[str, str]:
    names = cookie_names(deps.settings)
    return {names.access: tokens.access_token, names.refresh: tokens.refresh_token or ""}
