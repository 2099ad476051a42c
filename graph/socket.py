"""GraphQL over WebSocket: one socket at `/graphql`, from its handshake to its close.

The protocol is graphql-transport-ws (PROTOCOL.md of github.com/enisdenjo/graphql-ws). On top of it:

- `connection_init` comes within 3 s. Its payload carries `Authorization: Bearer …`; without one the
  access cookie of the handshake counts, when the page's origin is known.
- The socket is closed with 4401 when its token expires or its session is ended. A client goes on
  in one of two ways:
  1. It connects again with a fresh token, and subscribes anew with `after`, the last cursor that it
     has seen: what it missed is replayed.
  2. It sends, in time, `{"type": "ping", "payload": {"Authorization": "Bearer …"}}` with a fresh
     token of the same user. The socket goes on under that token with all its subscriptions, and the
     `pong` says until when: `{"expiresAt": "2026-11-01T12:00:00Z"}`. A bad token, or another
     user's, closes with 4403. Pages that sign in by cookie cannot read their token: they take the
     first way.
- 20 operations may be under way on a socket, and 10 sockets be open for a user (for an address,
  when nobody is signed in). One operation more is answered with an `error`; one socket more is
  closed with 4429, as a second `connection_init` is.
- A message that a client does not take within 10 s ends its socket.
- A mutation that has begun is run to its end, as over HTTP, though it be completed or its socket
  closed: its answer is dropped. Until then it is one of the 20.
"""

import asyncio
from datetime import UTC
from typing import Any
from uuid import uuid4

import structlog
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from domain.core.deps import Deps
from domain.core.settings import Settings
from domain.core.tasks import end
from graph.context import ANONYMOUS, Session, make_context, read_session
from graph.cookies import CookieRefused, caller_of, session_of_socket
from graph.execution import Executor
from graph.open_sockets import OpenSockets
from graph.origins import accepted_origins
from graph.rate_limit import network_of
from graph.socket_messages import (
    SUBPROTOCOL,
    ClientMessage,
    CloseCode,
    Complete,
    ConnectionInit,
    Payload,
    Ping,
    Pong,
    SocketClosing,
    Subscribe,
    authorization_of,
    read_message,
)
from graph.socket_operations import Operations, Outbox, SocketGone

log = structlog.get_logger()

INIT_SECONDS = 3.0


class GraphQLSocket:
    """The ASGI application for WebSockets at `/graphql`.

    Expects `deps` and `open_sockets` in the state of the Starlette application around it.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        await receive()  # websocket.connect
        if not _is_known_origin(websocket.app.state.deps.settings, websocket):
            await websocket.send_denial_response(_origin_refused())
            return
        try:
            await self._accept(websocket, receive, send)
        except OSError:
            log.debug("a client left during the handshake")

    async def _accept(self, websocket: WebSocket, receive: Receive, send: Send) -> None:
        if SUBPROTOCOL not in websocket.scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            code = int(CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE)
            reason = f"Ask for the subprotocol {SUBPROTOCOL}."
            await send({"type": "websocket.close", "code": code, "reason": reason})
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        await Connection(self._executor, websocket, receive, Outbox(send)).serve()


class Connection:
    """An accepted socket.

    One task reads and answers messages in turn, each operation has its own, and all of them but
    the mutations that have begun end before the socket is closed, whoever asks for that.
    """

    def __init__(
        self, executor: Executor, websocket: WebSocket, receive: Receive, outbox: Outbox
    ) -> None:
        self.id = uuid4()
        self.owner: str | None = None
        self.session = ANONYMOUS
        self._deps: Deps = websocket.app.state.deps
        self._open_sockets: OpenSockets = websocket.app.state.open_sockets
        self._websocket = websocket
        self._receive = receive
        self._outbox = outbox
        self._caller = caller_of(websocket)
        self._operations = Operations(executor, outbox, lost=self._lost, broken=self._broken)
        self._is_acknowledged = False
        loop = asyncio.get_running_loop()
        self._closing: asyncio.Future[SocketClosing | None] = loop.create_future()
        late = SocketClosing(CloseCode.INITIALISATION_TIMEOUT, "Connection initialisation timeout")
        self._init_timer = loop.call_later(INIT_SECONDS, self.close, late)

    async def serve(self) -> None:
        """Returns when the socket is closed and nothing of it is left: so uvicorn holds on to the
        mutations that have begun, and gives them its graceful time at shutdown."""
        try:
            await self._serve()
        finally:
            await self._operations.finish()

    async def _serve(self) -> None:
        reading = asyncio.create_task(self._read())
        try:
            await asyncio.wait({self._closing})
        finally:
            self._init_timer.cancel()
            await self._let_go(reading)
        closing = self._closing.result()
        if closing is not None:
            try:
                await self._outbox.close(closing)
            except SocketGone:
                log.debug("a client left before its socket was closed")

    async def _let_go(self, reading: asyncio.Task[None]) -> None:
        """End the socket's tasks and give its place back. Whatever fails, it is still closed."""
        try:
            await end(reading)
            await self._operations.end()
            await self._open_sockets.remove(self)
        except Exception:
            log.exception("a socket was not let go")

    def close(self, closing: SocketClosing) -> None:
        """Begin to close, if that has not begun. Does not wait."""
        if not self._closing.done():
            self._closing.set_result(closing)

    def _lost(self) -> None:
        """End without a close frame: there is nobody to read it."""
        if not self._closing.done():
            self._closing.set_result(None)

    def _broken(self) -> None:
        self.close(SocketClosing(CloseCode.INTERNAL_SERVER_ERROR, "Internal server error"))

    async def _read(self) -> None:
        """Answer messages until the socket is closed, and see to it that it is then."""
        try:
            while True:
                event = await self._receive()
                if event["type"] == "websocket.disconnect":
                    break
                await self._handle(read_message(event.get("text")))
        except SocketClosing as closing:
            self.close(closing)
        except SocketGone:
            pass
        except Exception:
            log.exception("a socket broke")
            self._broken()
        self._lost()

    async def _handle(self, message: ClientMessage) -> None:
        """Raises SocketClosing, SocketGone."""
        match message:
            case Subscribe():
                if not self._is_acknowledged:
                    raise SocketClosing(CloseCode.UNAUTHORIZED, "Unauthorized")
                context = make_context(self._deps, self.session, self._caller)
                await self._operations.start(message, context)
            case Complete(id):
                self._operations.complete(id)
            case Ping(payload):
                await self._outbox.put(await self._pong(payload))
            case ConnectionInit(payload):
                await self._initialise(payload)
            case Pong():
                pass

    async def _initialise(self, payload: Payload) -> None:
        self._init_timer.cancel()
        if self._is_acknowledged:
            raise SocketClosing(CloseCode.TOO_MANY_REQUESTS, "Too many initialisation requests")
        try:
            session = await session_of_socket(self._deps, self._websocket, payload)
        except CookieRefused as refused:
            raise SocketClosing(CloseCode.FORBIDDEN, str(refused)) from None
        _require_sound(session)
        self.session = session
        self.owner = _owner(session, self._caller.address)
        await self._open_sockets.add(self)
        self._is_acknowledged = True
        await self._outbox.put({"type": "connection_ack"})

    async def _pong(self, payload: Payload) -> dict[str, Any]:
        """The answer to a ping, which may bring a fresh token."""
        authorization = authorization_of(payload)
        if not self._is_acknowledged or authorization is None:
            return {"type": "pong"}
        session = await read_session(self._deps, authorization, self._caller)
        _require_sound(session)
        if session.asker is None or session.user_id != self.session.user_id:
            reason = "The token is another user's. Open another socket for them."
            raise SocketClosing(CloseCode.FORBIDDEN, reason)
        self.session = session
        expires_at = session.asker.expires_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return {"type": "pong", "payload": {"expiresAt": expires_at}}


def _require_sound(session: Session) -> None:
    if session.problem is not None:
        raise SocketClosing(CloseCode.FORBIDDEN, f"Forbidden: {session.problem}")


def _owner(session: Session, address: str | None) -> str | None:
    """Whose sockets are counted together."""
    if session.user_id is not None:
        return f"user:{session.user_id.hex}"
    return None if address is None else f"address:{network_of(address)}"


def _is_known_origin(settings: Settings, websocket: WebSocket) -> bool:
    """Browsers send cookies with any page's handshake and name the page's origin; other programs
    name none."""
    return accepted_origins(settings).issuperset(websocket.headers.getlist("origin"))


def _origin_refused() -> JSONResponse:
    message = (
        "Pages of this origin may not open sockets here. The server's operator names those that "
        "may in CAREERGRAPH_ALLOWED_ORIGINS."
    )
    error = {"message": message, "extensions": {"code": "ORIGIN_REFUSED"}}
    return JSONResponse({"errors": [error]}, 403)
