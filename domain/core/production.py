"""What a server that strangers use must not be started with.

In production mode nothing that is good for local work alone is let through quietly. What is wrong
beyond doubt is a fault and ends the start; what may be meant is a warning.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from domain.core.secrets import KEY_BYTES, read_key
from domain.core.setting_rules import is_loopback_page
from domain.core.settings import PREFIX, Settings, is_loopback

_PLACEHOLDER = re.compile(
    r"(?:change|replace|fill)[-_ ]?(?:me|this|it|in)|your[-_ ]|example|placeholder|dummy|todo"
    r"|insert[-_ ]|^(?:secret|password|passwort|admin|root|test|default|none|null|x+|<.*>)$",
    re.IGNORECASE,
)
_SECRET_LEAST = 16
"""Characters of a client secret; GitHub's have 40, Google's 35."""
_DISTINCT_LEAST = 18
"""Different bytes among the 32 of a key. Fewer come once in 10**12 keys drawn at random."""


class NotForProduction(Exception):
    """Production mode was asked for with settings that forbid it. The message holds every fault."""

    def __init__(self, faults: list[str]) -> None:
        numbered = " ".join(f"({number}) {fault}" for number, fault in enumerate(faults, 1))
        super().__init__(
            f"This cannot run in production mode ({PREFIX}PRODUCTION) as it is set up. {numbered}"
        )
        self.faults = faults


def refuse_faulty(settings: Settings) -> None:
    """Raises NotForProduction when production mode is on and anything forbids it."""
    if faults := production_faults(settings):
        raise NotForProduction(faults)


def production_faults(settings: Settings) -> list[str]:
    """What forbids a start in production mode, each with what to do; empty outside of it."""
    if not settings.production:
        return []
    checks = (_keys, _addresses, _origins, _providers, _passwords)
    return [fault for check in checks for fault in check(settings)]


def production_warnings(settings: Settings) -> list[str]:
    """What may be meant, but is worth a second look, each with what to do; empty outside of it."""
    return list(_doubts(settings)) if settings.production else []


def _keys(settings: Settings) -> Iterator[str]:
    if not settings.secret_keys:
        yield (
            f"{PREFIX}SECRET_KEYS is not set, and a key made on one machine is lost with it. Make "
            'one with `careergraph secrets new`, and set it as {"<id>": "<key>"}.'
        )
    seen: dict[bytes, str] = {}
    for key_id, text in settings.secret_keys.items():
        key = read_key(key_id, text.get_secret_value())
        if weakness := _weakness(key):
            yield (
                f"{PREFIX}SECRET_KEYS: the key {key_id!r} is not random: it {weakness}. Make "
                "another with `careergraph secrets new`."
            )
        elif key in seen:
            yield (
                f"{PREFIX}SECRET_KEYS: {key_id!r} is the same key as {seen[key]!r}. Make another "
                "with `careergraph secrets new`."
            )
        seen[key] = key_id


def _weakness(key: bytes) -> str | None:
    """How 32 bytes show that nobody drew them at random; None when they look as if drawn."""
    if all(32 <= byte < 127 for byte in key):
        return "is text"
    if any(key == (key[:length] * KEY_BYTES)[:KEY_BYTES] for length in range(1, 17)):
        return "repeats itself"
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    if len(steps) == 1:
        return "counts"
    if len(set(key)) < _DISTINCT_LEAST:
        return "has too few different bytes"
    return None


def _addresses(settings: Settings) -> Iterator[str]:
    if not settings.public_url.startswith("https://"):
        yield (
            f"{PREFIX}PUBLIC_URL is {settings.public_url}: cookies, tokens and links need https. "
            "Put a proxy with TLS in front, and set the https address that clients use."
        )
    plain = [
        (f"{PREFIX}GOOGLE_ISSUER", settings.google_issuer),
        (f"{PREFIX}GITHUB_URL", settings.github_url),
        (f"{PREFIX}GITHUB_API_URL", settings.github_api_url),
        *((f"{PREFIX}EXTERNAL_ISSUERS", item.issuer) for item in settings.external_issuers),
    ]
    for variable, url in plain:
        if url.startswith("http://"):
            yield f"{variable} has {url}: tokens and keys are fetched there. Use https."


def _origins(settings: Settings) -> Iterator[str]:
    for origin in settings.allowed_origins:
        if origin.startswith("http://"):
            yield (
                f"{PREFIX}ALLOWED_ORIGINS has {origin}: anybody on the way could change that page, "
                "and it may use people's sessions. Serve it by https, or take it out."
            )
    for url in settings.sign_in_return_urls:
        if url.startswith("http://") and not is_loopback_page(url):
            yield f"{PREFIX}SIGN_IN_RETURN_URLS has {url}: a sign-in must end at https. Change it."


def _providers(settings: Settings) -> Iterator[str]:
    for name in ("google", "github"):
        client_id: str | None = getattr(settings, f"{name}_client_id")
        secret: SecretStr | None = getattr(settings, f"{name}_client_secret")
        id_variable = f"{PREFIX}{name.upper()}_CLIENT_ID"
        variable = f"{PREFIX}{name.upper()}_CLIENT_SECRET"
        if (client_id is None) != (secret is None):
            missing = id_variable if client_id is None else variable
            yield f"{missing} is not set, though its other half is. Set both, or neither."
        elif client_id is not None and _PLACEHOLDER.search(client_id):
            yield f"{id_variable} is a placeholder. Set the id that the provider gave."
        if secret is not None and _is_placeholder(secret.get_secret_value()):
            yield f"{variable} is a placeholder. Set the secret that the provider gave."


def _is_placeholder(secret: str) -> bool:
    return (
        len(secret) < _SECRET_LEAST
        or len(set(secret)) < _SECRET_LEAST / 2
        or bool(_PLACEHOLDER.search(secret))
    )


def _passwords(settings: Settings) -> Iterator[str]:
    for variable, uri in _databases(settings):
        user, password = _credentials(uri)
        if password and (password == user or len(password) < 8 or _PLACEHOLDER.search(password)):
            yield f"{variable} holds a password that anybody would guess. Set another."


def _databases(settings: Settings) -> list[tuple[str, str]]:
    return [("MONGODB_URI", settings.mongodb_uri), ("REDIS_URL", settings.redis_url)]


def _credentials(uri: str) -> tuple[str, str]:
    """User and password. A URI of MongoDB may name several hosts, which only `urlsplit` is fine
    with as long as nobody asks for the port."""
    parts = urlsplit(uri)
    return unquote(parts.username or ""), unquote(parts.password or "")


def _doubts(settings: Settings) -> Iterator[str]:
    for variable, uri in _databases(settings):
        has_certificate = "authmechanism=" in uri.lower()
        if not (_credentials(uri)[1] or has_certificate or uri.startswith("unix:")):
            yield f"{variable} has no password: see that nothing else can reach that server."
    if not settings.trusted_proxies:
        yield (
            f"{PREFIX}TRUSTED_PROXIES is empty: all callers seem to have the proxy's address, and "
            "share its budget. Name the proxy that brings https."
        )
    if settings.features:
        names = ", ".join(settings.features)
        yield f"{PREFIX}FEATURES switches on {names}, for strangers too."
    if settings.log_level == "DEBUG":
        yield f"{PREFIX}LOG_LEVEL is DEBUG: what models answer about people goes into the log."
    if is_loopback(urlsplit(settings.public_url).hostname or ""):
        yield f"{PREFIX}PUBLIC_URL is {settings.public_url}, which only this machine can reach."
