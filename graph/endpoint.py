"""GraphQL over HTTP and WebSocket."""

import json
from datetime import timedelta
from typing import Any

from cross_web import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send
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

    def decode_json(self, data: str | bytes) -> object:
        """A body, a frame or a parameter. All are objects, and anything else is no JSON to us:
        the client is told so by 400 or 4400, where the library would stumble."""
        try:
            value = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise json.JSONDecodeError("not readable", "", 0) from error
        if not isinstance(value, dict) or _has_lone_surrogate(data, value):
            raise json.JSONDecodeError("not an object of text", "", 0)
        return value

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As the library's, but a request it refuses gets an answer in GraphQL's own shape."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        try:
            response = await self.run(Request(scope, receive))
        except HTTPException as refusal:
            error = {"message": refusal.reason, "extensions": {"code": "BAD_REQUEST"}}
            response = JSONResponse({"errors": [error]}, refusal.status_code)
        await response(scope, receive, send)

    async def render_graphql_ide(self, request: Request) -> Response:
        """A browser that opens the endpoint is shown to GraphiQL."""
        return RedirectResponse("/graphiql")


def _has_lone_surrogate(data: str | bytes, value: object) -> bool:
    """Half of an escaped surrogate pair is no character: nothing could store or send it."""
    escape = b"\\ud" if isinstance(data, bytes) else "\\ud"
    if escape not in data.lower():  # type: ignore[operator]  # both are bytes, or both str
        return False
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _authorization(params: dict[str, Any]) -> object:
    """`Authorization` in any case, as headers are."""
    named = {name.lower(): value for name, value in params.items()}
    return named.get("authorization")
