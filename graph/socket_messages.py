"""What clients say on a graphql-transport-ws socket, and the codes a socket is closed with.

The protocol is PROTOCOL.md of github.com/enisdenjo/graphql-ws; where that text leaves the form of
a message open, its own server's checks are the rule.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from graph.execution import Params
from graph.request_body import HTTPRefused, params_of, read_json

SUBPROTOCOL = "graphql-transport-ws"
MESSAGE_MAX_BYTES = 64 * 1024
ID_MAX_CHARACTERS = 128
_REASON_MAX_BYTES = 123
"""A close frame holds 125 bytes, two of them the code (RFC 6455, 5.5)."""

Payload = dict[str, Any]


class CloseCode(IntEnum):
    """As the protocol names them."""

    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INITIALISATION_TIMEOUT = 4408
    SUBSCRIBER_ALREADY_EXISTS = 4409
    TOO_MANY_REQUESTS = 4429
    INTERNAL_SERVER_ERROR = 4500


class SocketClosing(Exception):
    """The socket is to be closed with this code. The reason is told to the client, cut to what a
    close frame holds."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:_REASON_MAX_BYTES].decode(errors="ignore")


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    payload: Payload


@dataclass(frozen=True, slots=True)
class Ping:
    payload: Payload


@dataclass(frozen=True, slots=True)
class Pong:
    pass


@dataclass(frozen=True, slots=True)
class Subscribe:
    id: str
    params: Params


@dataclass(frozen=True, slots=True)
class Complete:
    id: str


ClientMessage = ConnectionInit | Ping | Pong | Subscribe | Complete


def read_message(text: str | None) -> ClientMessage:
    """A message as it came; None stands for a binary frame.

    Raises SocketClosing with 4400 for whatever is not of the protocol.
    """
    if text is None:
        raise _malformed("Messages are text; this one is binary.")
    message = _read_object(text)
    match message.get("type"):
        case "subscribe":
            return Subscribe(_id_of(message), _params_of(message))
        case "complete":
            return Complete(_id_of(message))
        case "ping":
            return Ping(_payload_of(message))
        case "pong":
            _payload_of(message)
            return Pong()
        case "connection_init":
            return ConnectionInit(_payload_of(message))
        case str():
            raise _malformed("The type is none that a client sends.")
        case _:
            raise _malformed("A message needs a type, which is text.")


def authorization_of(payload: Payload) -> object:
    """The value of `Authorization`, in any case as headers are; None without."""
    named = {name.lower(): value for name, value in payload.items()}
    return named.get("authorization")


def _malformed(reason: str) -> SocketClosing:
    return SocketClosing(CloseCode.BAD_REQUEST, reason)


def _read_object(text: str) -> Payload:
    """As strictly as the body of an HTTP request."""
    data = text.encode()
    if len(data) > MESSAGE_MAX_BYTES:
        raise _malformed(f"A message has at most {MESSAGE_MAX_BYTES:,} bytes.")
    try:
        message = read_json(data, "The message")
    except HTTPRefused as refused:
        raise _malformed(str(refused)) from None
    if not isinstance(message, dict):
        raise _malformed("A message is a JSON object.")
    return message


def _id_of(message: Payload) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not id.strip():
        raise _malformed("The id is text that is not blank.")
    if len(id) > ID_MAX_CHARACTERS:
        raise _malformed(f"The id has at most {ID_MAX_CHARACTERS} characters.")
    return id


def _payload_of(message: Payload) -> Payload:
    payload = message.get("payload")
    if payload is None:
        return {}
    if not isinstance(payload, dict):
        raise _malformed("The payload is an object.")
    return payload


def _params_of(message: Payload) -> Params:
    try:
        return params_of(message.get("payload"))
    except HTTPRefused as refused:
        raise _malformed(str(refused)) from None
