"""The one client for addresses that users give. It reaches public servers, and nothing else.

A fetcher that runs inside a network is a door into it (server-side request forgery). So each
address is read strictly, its host is resolved once, all that it resolves to must be public, and the
connection goes to just that, however the name resolves a moment later (DNS rebinding). The
certificate is still checked by name. Redirects are taken by hand, each through the same checks.
"""

import asyncio
import socket
import ssl
import zlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol

import httpcore2

from domain.clients.guarded_url import FetchFailed, FetchFault, Target, read_url, redirected
from domain.clients.public_addresses import Address, is_public

MAX_REDIRECTS = 3
_CONNECT_SECONDS = 5.0
_REDIRECTS = {301, 302, 303, 307, 308}
_AGENT = b"CareerGraph"

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""All addresses of a host name. Raises OSError when there are none."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer whose status is anything but a redirect."""

    url: str
    """Where it came from in the end."""
    status: int
    content_type: str | None
    body: bytes
    """Decoded, and whole."""


class Fetcher(Protocol):
    """What fetches for users."""

    async def get(self, url: str) -> Fetched:
        """Raises FetchFailed."""
        ...


async def resolve(host: str, port: int) -> Sequence[str]:
    """The system's answer for a whole name: the dot keeps the search list of the network out."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(f"{host}.", port, type=socket.SOCK_STREAM)
    return [str(item[4][0]) for item in found]


class GuardedHTTP:
    """Fetches what is at public https addresses: no cookies, no proxies, nothing of ours sent."""

    def __init__(
        self,
        *,
        max_bytes: int = 2 * 1024 * 1024,
        total_seconds: float = 10,
        ports: Collection[int] = (443,),
        is_allowed: Callable[[Address], bool] = is_public,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`max_bytes` bounds a body before and after decoding, `total_seconds` a whole `get`."""
        self._max_bytes = max_bytes
        self._seconds = total_seconds
        self._ports = ports
        self._is_allowed = is_allowed
        self._resolver = resolver
        self._tls = tls or httpcore2.default_ssl_context()

    async def get(self, url: str) -> Fetched:
        """What is at `url`, after at most three redirects. Raises FetchFailed."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(read_url(url, self._ports))
        except TimeoutError:
            message = f"The server did not answer in whole within {self._seconds:g} s."
            raise FetchFailed(FetchFault.TOO_SLOW, message) from None

    async def _follow(self, target: Target) -> Fetched:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._ask(target)
            if isinstance(answer, Fetched):
                return answer
            target = redirected(target, answer, self._ports)
        message = f"The address redirects more than {MAX_REDIRECTS} times."
        raise FetchFailed(FetchFault.TOO_MANY_REDIRECTS, message)

    async def _ask(self, target: Target) -> Fetched | str:
        """The answer of one server, or where it redirects to."""
        backend = _PinnedBackend(await self._addresses(target))
        url = httpcore2.URL(scheme=b"https", host=target.host, port=target.port, target=target.path)
        headers = [
            (b"Host", target.authority.encode()),
            (b"Accept", b"*/*"),
            (b"Accept-Encoding", b"gzip"),
            (b"User-Agent", _AGENT),
            (b"Connection", b"close"),
        ]
        pool = httpcore2.AsyncConnectionPool(ssl_context=self._tls, network_backend=backend)
        try:
            async with pool, pool.stream("GET", url, headers=headers) as response:
                return await self._read(target, response)
        except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
            raise _unreachable(error) from error
        except httpcore2.ProtocolError as error:
            message = "The server's answer is not HTTP as it should be."
            raise FetchFailed(FetchFault.BAD_ANSWER, message) from error

    async def _addresses(self, target: Target) -> list[Address]:
        """Every address of the host, each allowed. Raises FetchFailed."""
        try:
            is_literal = target.address is not None
            texts = [target.host] if is_literal else await self._resolver(target.host, target.port)
            found = list(dict.fromkeys(map(ip_address, texts)))
        except (OSError, ValueError, UnicodeError):
            found = []
        if not found:
            raise FetchFailed(FetchFault.UNKNOWN_HOST, f"There is no host named {target.host}.")
        # One that is not allowed spoils all: a name that leads inside as well is no accident.
        if not all(map(self._is_allowed, found)):
            message = f"{target.host} is not, or not only, a host of the public internet."
            raise FetchFailed(FetchFault.NOT_PUBLIC, message)
        return found

    async def _read(self, target: Target, response: httpcore2.Response) -> Fetched | str:
        headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
        location = headers.get(b"location")
        if response.status in _REDIRECTS and location is not None:
            return location.encode("latin-1").decode("utf-8", "replace")
        body = _Body(self._max_bytes, headers.get(b"content-encoding", "identity"))
        async for chunk in response.aiter_stream():
            body.take(chunk)
        content_type = headers.get(b"content-type")
        return Fetched(target.url, response.status, content_type, body.whole())


class _PinnedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that were checked, and never looks at the name again."""

    def __init__(self, addresses: list[Address]) -> None:
        self._addresses = addresses
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        problem: Exception = OSError("no address")
        for address in self._addresses:
            try:
                return await self._network.connect_tcp(str(address), port, _CONNECT_SECONDS)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                problem = error
        raise problem


class _Body:
    """A body that is decoded while it comes in, and never grows beyond its bound."""

    def __init__(self, max_bytes: int, encoding: str) -> None:
        coding = encoding.strip().lower()
        if coding not in ("identity", "gzip", "x-gzip", ""):
            message = "The server's answer is compressed in a way that was not asked for."
            raise FetchFailed(FetchFault.BAD_ANSWER, message)
        is_gzip = coding.endswith("gzip")
        self._inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16) if is_gzip else None
        self._max_bytes = max_bytes
        self._taken = 0
        self._decoded = bytearray()

    def take(self, chunk: bytes) -> None:
        """Raises FetchFailed when it becomes too much, or cannot be decoded."""
        self._taken += len(chunk)
        if self._inflate is not None:
            try:
                # Asking for one byte too many at most: a bomb is not blown up to see its size.
                chunk = self._inflate.decompress(chunk, self._max_bytes + 1 - len(self._decoded))
            except zlib.error as error:
                raise _undecodable() from error
        self._decoded += chunk
        if max(self._taken, len(self._decoded)) > self._max_bytes:
            message = f"What is there is larger than {self._max_bytes:,} bytes."
            raise FetchFailed(FetchFault.TOO_LARGE, message)

    def whole(self) -> bytes:
        """Raises FetchFailed when the end is missing, or more follows it."""
        inflate = self._inflate
        if inflate is not None and self._taken and (not inflate.eof or inflate.unused_data):
            raise _undecodable()
        return bytes(self._decoded)


def _undecodable() -> FetchFailed:
    return FetchFailed(FetchFault.BAD_ANSWER, "The server's compressed answer cannot be unpacked.")


def _unreachable(error: Exception) -> FetchFailed:
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        message = "The server's certificate is not one for this host that can be trusted."
        return FetchFailed(FetchFault.BAD_CERTIFICATE, message)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return FetchFailed(FetchFault.UNREACHABLE, "No secure connection to the server came about.")
    return FetchFailed(FetchFault.UNREACHABLE, "The server cannot be reached, or hung up.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came of: each layer of the connection wraps those below."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
