"""uvicorn's WebSocket protocol, held to bounds: what a peer that does not read, or does not end
its messages, may keep in this process, and for how long."""

import asyncio
import socket
import struct
from asyncio.transports import BaseTransport
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

STALL_SECONDS = 10.0
"""How long a peer may leave unread what was sent to it."""
MALFORMED = 4400
"""graphql-transport-ws' code for a message that cannot be read. RFC 6455, 7.1.7, asks for a fitting
one, and 1007 would be another name for the same fault."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection.

    - Once the kernel takes no more for a peer, the application's next send waits; after 10 s the
      connection is reset. That holds too for what is left when the application has ended, which
      asyncio alone would wait for without end.
    - What cannot be read (over-long messages, bad UTF-8, frames against RFC 6455) is answered with
      its close frame, which reaches a peer that is still sending: closing at once, with data
      unread, would reset the connection and take the frame with it.
    """

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self._stall_timer: asyncio.TimerHandle | None = None
        self.transport.set_write_buffer_limits(high=0)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_stall_timer()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self._reset)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_stall_timer()

    def shutdown(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:  # RFC 6455, 5.5.3, lets pongs be left out
            self.conn.data_to_send()

    def handle_cont(self, event: Frame) -> None:
        """Into one buffer: fragments may be empty, and a list of them would have no bound."""
        frames: list[Any] = self.frames
        if not isinstance(frames[0], bytearray):
            frames[0] = bytearray(frames[0])
        frames[0] += event.data
        if event.fin:
            self.send_receive_event_to_app()

    def send_receive_event_to_app(self) -> None:
        is_text = self.curr_msg_data_type == "text" and not self.close_sent
        if is_text and not _is_utf_8(b"".join(self.frames)):
            self.frames = []
            self.conn.send_close(MALFORMED, "Messages are UTF-8.")
            self.handle_parser_exception()
        else:  # uvicorn's own check would log an error of ours
            super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        if self.close_sent:
            return  # what comes after the close frame is of no interest
        closing = self.conn.close_sent
        if closing is None:  # before the handshake was answered
            self.transport.close()
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self._end(closing.code, closing.reason)
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._end(1011, "keepalive ping timeout")

    def _end(self, code: int, reason: str) -> None:
        """Tell the application, whose sends are from now on those to a peer that has left."""
        self.close_sent = self.disconnected = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})

    def _stop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _reset(self) -> None:
        reset(self.transport)


def reset(transport: asyncio.Transport) -> None:
    """Drop a connection with all that is unsent, in the kernel too."""
    linger = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
