"""The published keys of one external issuer: found by discovery, kept, and fetched again."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

from domain.core.settings import is_loopback
from domain.core.tasks import end

if TYPE_CHECKING:
    import httpx2

FRESH_SECONDS = 600.0
"""How long keys are taken for current."""
UNKNOWN_KID_SECONDS = 30.0
"""How often a key that is not there makes us look again: anyone can send such tokens."""
RETRY_SECONDS = 5.0
"""The pause after a failure."""
KEPT_SECONDS = 24 * 3600.0
"""How long keys go on serving while the issuer does not answer."""
FETCH_SECONDS = 3.0
MAX_BYTES = 256 * 1024
_RSA_BITS = range(2048, 8192 + 1)  # from NIST SP 800-131A; above, checking a signature is work
_KEY_TYPES = {"EdDSA": "OKP", "RS256": "RSA"}
_DISCOVERY = "/.well-known/openid-configuration"

log = structlog.get_logger()

PublicKey = OKPKey | RSAKey
Clock = Callable[[], float]
"""Seconds that never go back, as of time.monotonic."""


class IssuerUnavailable(Exception):
    """The keys of an issuer cannot be had now, so nothing is known about its tokens."""

    def __init__(self, issuer: str) -> None:
        super().__init__(f"The keys of {issuer} cannot be fetched. Try again in some seconds.")
        self.issuer = issuer


class _BadAnswer(Exception):
    """An issuer's answer is not what OpenID Connect asks for. Says how."""


@dataclass(frozen=True, slots=True)
class _Fetched:
    keys: list[tuple[str | None, PublicKey]]
    """With the `kid` of each, where it has one."""
    at: float

    def find(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key of that name; without one, the only key that fits (OpenID Connect Core, 10.1)."""
        if kid is not None:
            return next((key for name, key in self.keys if name == kid), None)
        fitting = [key for _, key in self.keys if key.key_type == _KEY_TYPES[algorithm]]
        return fitting[0] if len(fitting) == 1 else None


class IssuerKeys:
    """The keys of one issuer. One fetch goes on at a time, for all who wait for it."""

    def __init__(self, issuer: str, client: "Callable[[], httpx2.AsyncClient]", clock: Clock):
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._fetched: _Fetched | None = None
        self._failed_at: float | None = None
        """When the last fetch failed; None when it did not."""
        self._looked_again_at: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key that a token is signed with, by what its header says; None when there is none
        such. Raises IssuerUnavailable, within 3 s."""
        before = self._fetched
        await self._keep_up()
        key = self._current().find(kid, algorithm)
        if key is None and self._fetched is before and self._may_look_again():
            await self._fetch()
            key = self._current().find(kid, algorithm)
        if key is None and self._failed_at is not None:  # it may be among those we cannot get
            raise IssuerUnavailable(self._issuer)
        return key

    async def aclose(self) -> None:
        """End a fetch that goes on."""
        if self._fetching is not None:
            await end(self._fetching)

    async def _keep_up(self) -> None:
        is_fresh = self._fetched and self._clock() - self._fetched.at < FRESH_SECONDS
        is_due = self._failed_at is None or self._clock() - self._failed_at >= RETRY_SECONDS
        if is_fresh or not is_due:
            return
        if self._fetched is not None and self._failed_at is not None:
            self._start()  # the issuer is known to be away: nobody waits for it
        else:
            await self._fetch()

    def _current(self) -> _Fetched:
        fetched = self._fetched
        if fetched is None or self._clock() - fetched.at >= KEPT_SECONDS:
            raise IssuerUnavailable(self._issuer)
        return fetched

    def _may_look_again(self) -> bool:
        at, last = self._clock(), self._looked_again_at
        if last is not None and at - last < UNKNOWN_KID_SECONDS:
            return self._fetching is not None and not self._fetching.done()
        self._looked_again_at = at
        return True

    def _start(self) -> "asyncio.Task[None]":
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._refresh())
        return self._fetching

    async def _fetch(self) -> None:
        await asyncio.shield(self._start())  # who goes away does not take it from the others

    async def _refresh(self) -> None:
        import httpx2  # it takes 50 ms to load, and most deployments have no external issuer

        try:
            async with asyncio.timeout(FETCH_SECONDS):
                keys = await self._ask(self._client())
            self._fetched, self._failed_at = _Fetched(keys, self._clock()), None
        except (httpx2.HTTPError, httpx2.InvalidURL, _BadAnswer, TimeoutError, OSError) as error:
            self._failed_at = self._clock()
            reason = str(error) or type(error).__name__
            log.warning("issuer_keys_not_fetched", issuer=self._issuer, reason=reason)

    async def _ask(self, http: "httpx2.AsyncClient") -> list[tuple[str | None, PublicKey]]:
        found = await _get_object(http, self._issuer.removesuffix("/") + _DISCOVERY)
        if found.get("issuer") != self._issuer:  # OpenID Connect Discovery 1.0, 4.3
            raise _BadAnswer("the discovery document is of another issuer")
        address = found.get("jwks_uri")
        if not (isinstance(address, str) and self._is_safe(address)):
            raise _BadAnswer("jwks_uri is missing or not https")
        keys = _usable_keys(await _get_object(http, address))
        if not keys:
            raise _BadAnswer("there is no key for EdDSA or RS256 (of 2048 bits or more)")
        return keys

    def _is_safe(self, address: str) -> bool:
        try:
            there, here = urlsplit(address), urlsplit(self._issuer)
            is_whole = bool(there.hostname) and there.port != 0  # reading a bad port raises
        except ValueError:
            return False
        if there.scheme == "http":
            return here.scheme == "http" and is_loopback(there.hostname or "") and is_whole
        return there.scheme == "https" and is_whole


async def _get_object(http: "httpx2.AsyncClient", address: str) -> dict[str, Any]:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with http.stream("GET", address, headers=headers) as response:
        if response.status_code != 200:
            raise _BadAnswer(f"{address} answers {response.status_code}")
        if "content-encoding" in response.headers:  # 256 KB of gzip may be 256 MB of zeros
            raise _BadAnswer(f"{address} answers in an encoding that was not asked for")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_BYTES:
                raise _BadAnswer(f"{address} answers with more than {MAX_BYTES} bytes")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise _BadAnswer(f"{address} does not answer with JSON") from None
    if not isinstance(value, dict):
        raise _BadAnswer(f"{address} does not answer with a JSON object")
    return value


def _usable_keys(jwks: dict[str, Any]) -> list[tuple[str | None, PublicKey]]:
    """Those of a JWK Set that can check signatures. Others are passed over (RFC 7517, 5)."""
    entries = jwks.get("keys")
    if not isinstance(entries, list):
        return []
    objects = [entry for entry in entries if isinstance(entry, dict)]
    usable = [(entry.get("kid"), _usable_key(entry)) for entry in objects]
    return [(kid, key) for kid, key in usable if key is not None]


def _usable_key(entry: dict[str, Any]) -> PublicKey | None:
    kid, operations = entry.get("kid"), entry.get("key_ops", ["verify"])
    if not (kid is None or (isinstance(kid, str) and kid)) or entry.get("use", "sig") != "sig":
        return None
    if not (isinstance(operations, list) and "verify" in operations):
        return None
    try:
        match entry:
            case {"kty": "OKP", "crv": "Ed25519", "x": x} if _is_for(entry, "EdDSA", "Ed25519"):
                return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
            case {"kty": "RSA", "n": str(n), "e": e} if _is_for(entry, "RS256"):
                bits = int.from_bytes(urlsafe_b64decode(n.encode())).bit_length()
                public = {"kty": "RSA", "n": n, "e": e}
                return RSAKey.import_key(public) if bits in _RSA_BITS else None
    except (JoseError, ValueError, TypeError, OverflowError):
        return None
    return None


def _is_for(entry: dict[str, Any], *algorithms: str) -> bool:
    return entry.get("alg") in (None, *algorithms)
