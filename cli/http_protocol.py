"""uvicorn's HTTP protocol, held to bounds: how long a peer that sends no whole request, or does
not read its answer, may keep a connection of this process.

There is no bound on their number beyond that of the process's open files: uvicorn's own,
`limit_concurrency`, counts the sockets that wait with the requests that work, so whoever opens
enough of either would have everybody else refused with 503, sooner than without it.
"""

import asyncio
import contextlib
import fcntl
import struct
import sys
import termios
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from cli.websocket_protocol import reset

HEAD_SECONDS = 10.0
"""How long a request's head may take: from the opening of the connection, or from the first byte
after an answer."""
STALL_SECONDS = 10.0
"""How long a peer may take nothing of what is left of its answer."""
_LOOKS = 10
"""In that time."""
_HEAD_LATE = (
    b"HTTP/1.1 408 Request Timeout\r\n"
    b"content-length: 0\r\n"
    b"connection: close\r\n"
    b"\r\n"
)  # fmt: skip


class HTTPProtocol(HttpToolsProtocol):
    """One connection.

    - While no request is being answered, a whole head has to come in time. uvicorn's 5 s for an
      idle connection end with any byte, one that begins no request included.
    - Once the kernel takes no more for a peer, the peer has to take some of it in time, and again
      as long as anything is left. However little that is, it may go on. Otherwise the connection
      is reset. asyncio alone would wait without end, also when the application has ended.
    """

    head_seconds: ClassVar[float] = HEAD_SECONDS
    stall_seconds: ClassVar[float] = STALL_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._progress_at = 0.0
        self._unsent = 0
        self._has_begun = False
        self.transport.set_write_buffer_limits(high=0)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        self._stop_stall_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._has_begun = True
        self._expect_head()
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._stop_head_timer()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_stall_timer()
        self._progress_at = self.loop.time()
        self._unsent = sys.maxsize
        self._look_later()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_stall_timer()

    def on_response_complete(self) -> None:
        self._has_begun = False
        super().on_response_complete()

    def _expect_head(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        if self._head_timer is None and not is_answering:
            self._head_timer = self.loop.call_later(self.head_seconds, self._end_late)

    def _end_late(self) -> None:
        if not self.transport.is_closing():
            if self._has_begun:
                self.transport.write(_HEAD_LATE)
            self.transport.close()

    def _look_later(self) -> None:
        seconds = self.stall_seconds / _LOOKS
        self._stall_timer = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Whether the peer has taken anything since the last look."""
        unsent = self.transport.get_write_buffer_size() + _in_kernel(self.transport)
        at = self.loop.time()
        if unsent < self._unsent:
            self._progress_at = at
        self._unsent = unsent
        if at - self._progress_at >= self.stall_seconds:
            reset(self.transport)
        else:
            self._look_later()

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None


def _in_kernel(transport: asyncio.Transport) -> int:
    """Bytes that the peer has not acknowledged. The kernel takes more only once a third of its
    own buffer, of megabytes, is free: nobody who reads slowly would be seen to without this."""
    file = transport.get_extra_info("socket").fileno()
    size = bytes(4)
    with contextlib.suppress(OSError):  # systems that cannot tell
        size = fcntl.ioctl(file, termios.TIOCOUTQ, size)
    return int(struct.unpack("i", size)[0])
