"""GraphQL over HTTP and WebSocket."""

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UnsetType

from domain.core.deps import Deps
from graph.context import ANONYMOUS, Context, make_context, read_session
from graph.schema import make_schema

_INIT_TIMEOUT = timedelta(seconds=10)


class GraphQLEndpoint(GraphQL[Context, None]):
    """`/graphql`: POST and GET for queries and mutations, graphql-transport-ws for all."""

    def __init__(self, allowed_origins: list[str]) -> None:
        super().__init__(
            make_schema(),
            allowed_origins=allowed_origins,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=_INIT_TIMEOUT,
        )

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        deps: Deps = request.app.state.deps
        if isinstance(request, WebSocket):
            return make_context(deps, ANONYMOUS)  # who it is comes with connection_init
        return make_context(deps, read_session(deps, request.headers.get("authorization")))

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """Take the session from connection_init; a token that is no good closes with 4403."""
        session = read_session(context.deps, _authorization(context.connection_params or {}))
        if session.problem is not None:
            raise ConnectionRejectionError
        context.sign_in(session)
        return UnsetType()  # an ack without a payload

    async def render_graphql_ide(self, request: Request) -> Response:
        """A browser that opens the endpoint is shown to GraphiQL."""
        return RedirectResponse("/graphiql")


def _authorization(params: dict[str, Any]) -> object:
    """`Authorization` in any case, as headers are."""
    named = {name.lower(): value for name, value in params.items()}
    return named.get("authorization")
