"""The web application: routes, middleware and what lives as long as the process."""

import contextlib
import sys
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route, WebSocketRoute

from domain.core.deps import open_deps
from domain.core.settings import Settings
from graph import (
    account_page,
    agree_routes,
    exports,
    health,
    link_routes,
    metrics,
    pages,
    results,
    session_routes,
    sign_in_pages,
    sign_in_routes,
    uploads,
)
from graph.execution import Executor
from graph.http import GraphQLOverHTTP
from graph.open_sockets import OpenSockets
from graph.perimeter import perimeter
from graph.schema import make_schema
from graph.socket import GraphQLSocket

GRAPHQL = "/graphql"


def graphql_routes(settings: Settings) -> list[BaseRoute]:
    """Both ways to GraphQL, over one executor. HTTP bounds its bodies itself, to tell it in
    GraphQL's shape."""
    executor = Executor(make_schema(), settings)
    return [
        Route(GRAPHQL, GraphQLOverHTTP(executor), max_body_size=sys.maxsize),
        WebSocketRoute(GRAPHQL, GraphQLSocket(executor)),
    ]


def create_app(settings: Settings) -> Starlette:
    """The ASGI application over its own connections to MongoDB and Redis."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_deps(settings) as deps, OpenSockets(deps).running() as open_sockets:
            app.state.deps, app.state.open_sockets = deps, open_sockets
            yield

    return Starlette(
        routes=[
            *graphql_routes(settings),
            *session_routes.ROUTES,
            *sign_in_routes.ROUTES,
            *link_routes.ROUTES,
            *agree_routes.ROUTES,
            *sign_in_pages.ROUTES,
            *account_page.ROUTES,
            *uploads.ROUTES,
            *results.ROUTES,
            *exports.ROUTES,
            *health.ROUTES,
            *metrics.ROUTES,
            *pages.page_routes(pages.WEB, settings),
        ],
        middleware=perimeter(settings),
        lifespan=lifespan,
    )
