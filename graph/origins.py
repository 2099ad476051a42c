"""Which pages are ours: the origins (RFC 6454) that may use a session's cookie and open sockets."""

import functools
from urllib.parse import urlsplit

from domain.core.settings import Settings

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def accepted_origins(settings: Settings) -> frozenset[str]:
    """This server's own origins and those on the list.

    A server for local work goes by every name of this machine, as its Host check lets it: there a
    page may have been opened under one and the link to it printed under another.
    """
    return _accepted(settings.public_url, tuple(settings.allowed_origins), settings.production)


@functools.cache
def _accepted(
    public_url: str, allowed_origins: tuple[str, ...], production: bool
) -> frozenset[str]:
    own = [public_url]
    parts = urlsplit(public_url)
    if not production and parts.netloc.startswith(_LOOPBACK):
        port = f":{parts.port}" if parts.port else ""
        own += [f"{parts.scheme}://{name}{port}" for name in _LOOPBACK]
    return frozenset([*own, *allowed_origins])
