"""A browser without a screen: cookies, redirects one at a time, and forms."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2

from domain.sign_in.consent_texts import current_version
from domain.sign_in.rules import ConsentKind

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
POLICY = current_version(ConsentKind.PRIVACY_POLICY)


class Browser:
    """One person's browser, on one CareerGraph."""

    def __init__(self, url: str, http: httpx2.AsyncClient) -> None:
        self.url = url
        self.http = http

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator["Browser"]:
        headers = {"User-Agent": FIREFOX, "Accept": "text/html"}
        async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as http:
            yield cls(url, http)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.http.get(path, headers=headers)

    async def back_address(self, path: str, sub: str | None = None) -> str:
        """Go to the provider as from the sign-in page, let it agree, and stop at the address that
        it sends back to."""
        start = f"{path}{'&' if '?' in path else '?'}agreed={POLICY}"
        return await self.consent(await self.get(start), sub)

    async def consent(self, response: httpx2.Response, sub: str | None = None) -> str:
        """The same from the redirect on. `sub` fills in the form of oidc-provider-mock."""
        assert response.status_code == 303, response.text
        there = response.headers["location"]
        async with httpx2.AsyncClient() as elsewhere:  # the provider sees none of our cookies
            if sub is None:
                answer = await elsewhere.get(there)
            else:
                answer = await elsewhere.post(there, data={"sub": sub})
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    async def sign_in(
        self, provider: str, sub: str | None = None, query: str = ""
    ) -> httpx2.Response:
        """The whole way; what the last step answers. Who is asked to agree does."""
        answer = await self.get(await self.back_address(f"/auth/{provider}{query}", sub))
        if answer.headers.get("location") == "/auth/agree":
            return await self.submit("/auth/agree", "/auth/agree", answer="agree")
        return answer

    async def post(
        self, path: str, fields: dict[str, str], origin: str | None = None
    ) -> httpx2.Response:
        return await self.http.post(path, data=fields, headers={"Origin": origin or self.url})

    async def submit(self, page: str, path: str, **fields: str) -> httpx2.Response:
        """Post one of the forms of a page."""
        return await self.post(path, fields_in(await self.get(page), path) | fields)

    async def graphql(self, query: str, **variables: Any) -> Any:
        """An operation as our own pages send it; its data."""
        response = await self.http.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={
                "GraphQL-Require-Preflight": "1",
                "Origin": self.url,
                "Accept": "application/json",
            },
        )
        answer = response.json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def viewer(self) -> dict[str, Any] | None:
        """Who is signed in."""
        query = "{ viewer { id name email } }"
        found: dict[str, Any] | None = (await self.graphql(query))["viewer"]
        return found

    def cookie_names(self) -> set[str]:
        return {cookie.name for cookie in self.http.cookies.jar}

    def drop_cookie(self, name: str) -> None:
        """As when it has expired."""
        for cookie in list(self.http.cookies.jar):
            if cookie.name == name:
                self.http.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)


def fields_in(page: httpx2.Response, path: str) -> dict[str, str]:
    """What one of a page's forms holds by itself."""
    _, found, rest = page.text.partition(f'action="{path}"')
    assert found, page.text
    return {name: html.unescape(value) for name, value in _FIELD.findall(rest.split("</form>")[0])}


def token_in(page: httpx2.Response) -> str:
    found = _TOKEN.search(page.text)
    assert found, page.text
    return html.unescape(found[1])


def heading(page: httpx2.Response) -> str:
    """What a page says at its top."""
    found = re.search(r"<h1>(.*?)</h1>", page.text)
    assert found, page.text
    return html.unescape(found[1])


def path_of(response: httpx2.Response) -> str:
    """Where a redirect goes, without the host."""
    assert response.status_code == 303, response.text
    parts = urlsplit(response.headers["location"])
    return parts.path
