"""Choosing and checking TCP ports."""

import errno
import os
import random
import socket
from collections.abc import Iterator

from cli.local.errors import LocalServerError

PORTS = range(27100, 29100)
"""Below the kernel's ephemeral range (32768 on Linux, 49152 on macOS). Inside it, a client that
retries while the server is down can be given that very port, connect to itself, and keep it."""


def bind_error(host: str, port: int) -> int:
    """The errno that listening on `host`:`port` would meet, 0 when it is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno or errno.EADDRINUSE
    return 0


def free_ports(remembered: int | None) -> Iterator[int]:
    """Ports of 127.0.0.1 that are free now: the remembered one first, then others at random."""
    if remembered is not None and not bind_error("127.0.0.1", remembered):
        yield remembered
    for port in random.sample(PORTS, len(PORTS)):
        if not bind_error("127.0.0.1", port):
            yield port


def require_free_port(host: str, port: int) -> None:
    """Raise LocalServerError when nothing can listen on `host`:`port`."""
    code = bind_error(host, port)
    if not code:
        return
    why = "another program listens there" if code == errno.EADDRINUSE else os.strerror(code)
    raise LocalServerError(
        f"port {port} of {host} cannot be used", why, "Choose another with --port PORT."
    )
