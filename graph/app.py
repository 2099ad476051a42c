"""The web application: routes, middleware and what lives as long as the process."""

import contextlib
from collections.abc import AsyncIterator

from asgi_correlation_id import CorrelationIdMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, WebSocketRoute

from domain.core.deps import open_deps
from domain.core.settings import Settings
from graph import health, metrics, pages, results, uploads
from graph.endpoint import GraphQLEndpoint

_BODY_SLACK = 64 * 1024
"""What a request may hold beside a file or text of the largest size."""


def create_app(settings: Settings) -> Starlette:
    """The ASGI application over its own connections to MongoDB and Redis."""
    endpoint = GraphQLEndpoint(settings.allowed_origins)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_deps(settings) as deps:
            app.state.deps = deps
            yield

    return Starlette(
        routes=[
            Route("/graphql", endpoint),
            WebSocketRoute("/graphql", endpoint),
            *uploads.ROUTES,
            *results.ROUTES,
            *health.ROUTES,
            *metrics.ROUTES,
            *pages.ROUTES,
        ],
        middleware=[
            Middleware(CorrelationIdMiddleware),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.allowed_origins,
                allow_methods=["GET", "POST", "PUT"],
                allow_headers=["authorization", "content-type", "x-request-id"],
                expose_headers=["x-request-id"],
            ),
        ],
        lifespan=lifespan,
        max_body_size=settings.cv_max_bytes + _BODY_SLACK,
    )
