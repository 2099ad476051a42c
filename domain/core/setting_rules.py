"""What addresses in settings must look like. Each rule gives the value as it is compared later.

They raise ValueError saying what the variable takes.
"""

import ipaddress
import json
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

_NAME = r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?"
_HOST = re.compile(rf"{_NAME}|\[[0-9a-f:.]+\]")
_ORIGIN = re.compile(rf"(https?)://({_HOST.pattern})(?::([0-9]{{1,5}}))?", re.IGNORECASE)
_USUAL_PORTS = {"http": "80", "https": "443"}
_OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:[^\s#]+", re.IGNORECASE)


def origin(value: str) -> str:
    """An origin as browsers send it: lower case, without a usual port (RFC 6454, section 6.1)."""
    found = _ORIGIN.fullmatch(value)
    if found is None or not _is_host(found[2]):
        raise ValueError(
            "an origin is scheme://host or scheme://host:port with http or https, such as "
            "https://app.example.com: no path, no wildcard, not 'null'"
        )
    scheme, host, port = found[1].lower(), found[2].lower(), found[3]
    if port is None or port == _USUAL_PORTS[scheme]:
        return f"{scheme}://{host}"
    if not 1 <= int(port) <= 65_535:
        raise ValueError("a port is a number from 1 to 65535")
    return f"{scheme}://{host}:{int(port)}"


def host(value: str) -> str:
    """A host name or address without scheme and port, lower case; IPv6 with or without brackets."""
    name = value.lower()
    if not _is_host(f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name):
        raise ValueError(
            "takes host names or addresses such as api.example.com: no scheme, port or wildcard"
        )
    return name


def network(value: str) -> str:
    """An address or network of proxies, in CIDR notation."""
    try:
        found = ipaddress.ip_network(value)
    except ValueError:
        raise ValueError(
            "takes addresses such as 10.0.0.5, or networks such as 10.0.0.0/24 whose bits after "
            "the prefix are zero"
        ) from None
    if found.prefixlen == 0:
        raise ValueError("would believe everybody: name the proxies' own addresses or networks")
    return value


def return_url(value: str) -> str:
    """An address that a sign-in may end at: a page, or an app's own scheme (RFC 8252, 7.1)."""
    if _OWN_SCHEME.fullmatch(value):
        return value
    try:
        parts = urlsplit(value)
        is_page = origin(f"{parts.scheme}://{parts.netloc}") and not re.search(r"[\s#\\]", value)
    except ValueError:
        is_page = False
    if not is_page:
        raise ValueError(
            "takes whole addresses such as https://app.example.com/signed-in or "
            "com.example.app:/signed-in: no user, no fragment, no wildcard"
        )
    return value


def is_loopback_page(url: str) -> bool:
    """Whether an address is of this machine, as native apps listen at (RFC 8252, 7.3)."""
    return bool(re.match(r"http://(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/?]|$)", url))


def _is_host(value: str) -> bool:
    if not _HOST.fullmatch(value.lower()):
        return False
    if not value.startswith("["):
        return True
    try:
        ipaddress.IPv6Address(value[1:-1])
    except ValueError:
        return False
    return True


def read_list(value: object) -> object:
    """A JSON list, where the value comes as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('takes a JSON list, such as ["https://app.example.com"]') from None


# JSON lists of strings, each by its rule.
Origins = Annotated[
    list[Annotated[str, AfterValidator(origin)]],
    NoDecode,
    BeforeValidator(read_list),
]
Hosts = Annotated[list[Annotated[str, AfterValidator(host)]], NoDecode, BeforeValidator(read_list)]
Networks = Annotated[
    list[Annotated[str, AfterValidator(network)]],
    NoDecode,
    BeforeValidator(read_list),
]
ReturnUrls = Annotated[
    list[Annotated[str, AfterValidator(return_url)]],
    NoDecode,
    BeforeValidator(read_list),
]
