"""`/graphql` over plain HTTP, for tests of what goes over the wire."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from starlette.applications import Starlette

from domain.core.deps import Deps
from graph.app import graphql_routes
from tests.client import Client
from tests.jobs.pieces import quick
from tests.served import served

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
VIEWER = "{ viewer { name } }"
RENAME = """
    mutation ($name: String!) { updateProfile(input: {name: $name}) { viewer { name } } }
"""


@dataclass(frozen=True)
class Endpoint:
    """`/graphql` of one server, asked as one person."""

    client: Client

    async def post(self, body: Any, **headers: str) -> httpx2.Response:
        return await self.send("POST", json.dumps(body).encode(), **headers)

    async def send(
        self, method: str, content: bytes = b"", /, path: str = "/graphql", **headers: str
    ) -> httpx2.Response:
        """The names of headers may be written with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named = {"content-type": JSON, **self.client.headers, **named}
        async with httpx2.AsyncClient() as http:
            address = self.client.base_url + path
            return await http.request(method, address, content=content, headers=named)

    async def get(self, accept: str = RESPONSE_JSON, **params: str) -> httpx2.Response:
        async with httpx2.AsyncClient(headers={**self.client.headers, "accept": accept}) as http:
            return await http.get(f"{self.client.base_url}/graphql", params=params)

    async def name(self) -> str:
        name: str = (await self.client.data(VIEWER))["viewer"]["name"]
        return name


@asynccontextmanager
async def endpoint_with(deps: Deps, client: Client, **settings: object) -> AsyncIterator[Endpoint]:
    """The same person at a server of other settings, over the same databases."""
    other = quick(deps, **settings)
    app = Starlette(routes=graphql_routes(other.settings))
    app.state.deps = other
    async with served(app) as address:
        yield Endpoint(Client(address, client.token))


def code_of(response: httpx2.Response) -> str:
    """The code of the one error, which must say something."""
    body = response.json()
    assert set(body) == {"errors"}, body
    [error] = body["errors"]
    assert len(error["message"]) > 20
    code: str = error["extensions"]["code"]
    return code
