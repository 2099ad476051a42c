"""Reading an address that a user gave, so strictly that everybody reads it alike.

Programs disagree on odd addresses, and that is what attacks on fetchers live on: one program checks
what another never asks. So what is not plainly one thing is refused. The parts are those of RFC
3986; international names are as in IDNA 2008, without any mapping.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, urljoin

import idna

from domain.clients.public_addresses import Address

URL_MAX = 2048
"""Characters."""
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
"""`str.lower` would turn a Kelvin sign into a k."""
_PATH_SAFE = "/?:@!$&'()*+,;=-._~%[]"


class FetchFault(StrEnum):
    """Why nothing was fetched."""

    NOT_A_URL = "NOT_A_URL"
    NOT_HTTPS = "NOT_HTTPS"
    HAS_USER = "HAS_USER"
    BAD_PORT = "BAD_PORT"
    BAD_HOST = "BAD_HOST"
    UNKNOWN_HOST = "UNKNOWN_HOST"
    NOT_PUBLIC = "NOT_PUBLIC"
    UNREACHABLE = "UNREACHABLE"
    BAD_CERTIFICATE = "BAD_CERTIFICATE"
    BAD_ANSWER = "BAD_ANSWER"
    TOO_MANY_REDIRECTS = "TOO_MANY_REDIRECTS"
    TOO_LARGE = "TOO_LARGE"
    TOO_SLOW = "TOO_SLOW"


class FetchFailed(Exception):
    """An address was not fetched. The message says what and why, and names no address inside."""

    def __init__(self, fault: FetchFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Target:
    """An https address, read."""

    host: str
    """A name in ASCII and lower case, or an address without brackets."""
    port: int
    path: str
    """With the query, in ASCII."""

    @property
    def address(self) -> Address | None:
        """The host, where that is an address."""
        return _literal(self.host)

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"https://{self.authority}{self.path}"


def read_url(url: str, ports: Collection[int]) -> Target:
    """Raises FetchFailed."""
    found = _URL.match(url) if len(url) <= URL_MAX and not _UNSAFE.search(url) else None
    if found is None:
        raise FetchFailed(
            FetchFault.NOT_A_URL,
            f"This is not a web address of at most {URL_MAX:,} characters, such as "
            "https://example.com/jobs.",
        )
    if found["scheme"].lower() != "https":
        raise FetchFailed(FetchFault.NOT_HTTPS, "Only addresses that begin with https:// are read.")
    if "@" in found["authority"]:
        message = "The address holds a user name or password. Leave out everything up to the @."
        raise FetchFailed(FetchFault.HAS_USER, message)
    host, port = _split(found["authority"])
    if port not in ports:
        allowed = ", ".join(map(str, sorted(ports)))
        raise FetchFailed(FetchFault.BAD_PORT, f"The address has a port other than {allowed}.")
    rest = found["rest"] if found["rest"].startswith("/") else "/" + found["rest"]
    return Target(_host(host), port, quote(rest, safe=_PATH_SAFE))


def redirected(target: Target, location: str, ports: Collection[int]) -> Target:
    """Where a redirect leads. Raises FetchFailed."""
    try:
        url = urljoin(target.url, location)
    except ValueError:
        url = ""
    return read_url(url, ports)


def _split(authority: str) -> tuple[str, int]:
    host, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):
        return authority, 443
    if not re.fullmatch(r"[0-9]{1,5}", port):
        raise FetchFailed(FetchFault.BAD_PORT, "The port of the address is not a number.")
    return host, int(port)


def _host(text: str) -> str:
    """A host in its one spelling. Raises FetchFailed."""
    host = text.translate(_LOWER)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        address = _literal(host)
        if isinstance(address, IPv6Address) and "%" not in host:
            return str(address)
        raise _bad_host("is not an IPv6 address")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):  # programs that know old spellings take it for an address
        if isinstance(_literal(host), IPv4Address):
            return host
        raise _bad_host("is an address in a spelling other than 203.0.113.7")
    if len(labels) < 2:
        raise _bad_host("is not a whole name such as example.com")
    name = ".".join(map(_ascii_label, labels))
    if len(name) > 253:
        raise _bad_host("is too long")
    return name


def _ascii_label(label: str) -> str:
    """Raises FetchFailed."""
    if not label.isascii() or label.startswith("xn--"):
        try:
            return idna.alabel(label).decode()
        except (idna.IDNAError, UnicodeError):
            raise _bad_host("holds characters that names on the internet have not") from None
    if not _LABEL.fullmatch(label):
        raise _bad_host("is not made of letters, digits and hyphens between single dots")
    return label


def _literal(host: str) -> Address | None:
    """An address in its usual spelling; of IPv6 every spelling is usual."""
    for kind in (IPv4Address, IPv6Address):
        try:
            return kind(host)
        except ValueError:
            continue
    return None


def _bad_host(why: str) -> FetchFailed:
    return FetchFailed(FetchFault.BAD_HOST, f"The host of the address {why}.")
