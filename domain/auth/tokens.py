"""Signed tokens: access tokens for people, and the tokens inside links."""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from uuid import UUID, uuid4

from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OKPKey, RSAKey

from domain.auth.keys import KeyRing
from domain.core.settings import TOKEN_SECONDS_MAX

# RFC 9864 renames EdDSA to Ed25519 in JOSE headers. Verifiers in the field know the old name, and
# the signature is the same, so it stays until they know the new one.
warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)

MAX_CHARACTERS = 8 * 1024
"""Longer ones are refused unread. Ours have about 500; HTTP servers cut headers at this size."""

CLOCK_SKEW = timedelta(seconds=30)
"""How far ahead the clock of whoever issued a token may be. Its end is never stretched."""

_TEXT_MAX = 255
_ALGORITHMS = ("EdDSA",)
_PLAIN_TYPE = "jwt"


class InvalidToken(Exception):
    """A token is malformed, expired, or signed by someone else or for something else."""


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """A token taken apart. Nothing in it is to be believed before `check_signature`."""

    parts: jws.CompactSignature
    algorithm: str
    kid: str | None
    token_type: str | None
    """`typ` in lower case and without `application/`, as RFC 7515, 4.1.9 has it compared."""
    claims: Mapping[str, Any]

    def check_signature(self, key: OKPKey | RSAKey) -> None:
        """Raises InvalidToken unless it was signed with `key`, by the algorithm that it names."""
        registry = jws.JWSRegistry(algorithms=[self.algorithm], strict_check_header=False)
        try:
            is_good = jws.validate_compact(self.parts, key, registry=registry)
        except (JoseError, ValueError, TypeError) as error:
            raise InvalidToken(str(error)) from error
        if not is_good:
            raise InvalidToken("the signature is not that of the key")

    def text(self, name: str) -> str:
        """A claim that is a string of 1 to 255 printable characters. Raises InvalidToken."""
        value = self.claims.get(name)
        if not (isinstance(value, str) and 0 < len(value) <= _TEXT_MAX and value.isprintable()):
            raise InvalidToken(f"{name} is missing or no usable string")
        return value

    def times(self, at: datetime) -> tuple[datetime, datetime]:
        """When it was issued and when it ends, both of which it must say.

        Raises InvalidToken unless it is alive at `at` (RFC 7519, 4.1.4 to 4.1.6).
        """
        issued_at, expires_at = self._instant("iat"), self._instant("exp")
        if expires_at <= at:
            raise InvalidToken("it has expired")
        begins_at = self._instant("nbf") if "nbf" in self.claims else issued_at
        if max(issued_at, begins_at) > at + CLOCK_SKEW:
            raise InvalidToken("it is not valid yet")
        return issued_at, expires_at

    def _instant(self, name: str) -> datetime:
        value = self.claims.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidToken(f"{name} is missing or no number")
        try:
            return datetime.fromtimestamp(value, UTC)
        except (OverflowError, ValueError, OSError):
            raise InvalidToken(f"{name} is no time") from None


def take_apart(token: str, algorithms: Sequence[str]) -> UnverifiedToken:
    """Raises InvalidToken unless this is a JWT by one of `algorithms`, within the size, that asks
    for no extension."""
    if len(token) > MAX_CHARACTERS:
        raise InvalidToken(f"it is longer than {MAX_CHARACTERS} characters")
    try:
        parts = jws.extract_compact(token.encode("ascii"))
        header: object = parts.headers()
        claims = _load_json(parts.payload)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise InvalidToken("it is no JSON Web Token") from error
    if not (isinstance(header, dict) and isinstance(claims, dict)):
        raise InvalidToken("it is no JSON Web Token")
    if "crit" in header or "b64" in header:  # RFC 7515, 4.1.11: we understand none
        raise InvalidToken("it asks for an extension")
    algorithm, kid, token_type = (header.get(name) for name in ("alg", "kid", "typ"))
    if not (isinstance(algorithm, str) and algorithm in algorithms):
        raise InvalidToken(f"its algorithm is none of {', '.join(algorithms)}")
    if not (kid is None or (isinstance(kid, str) and kid)):
        raise InvalidToken("kid is no usable string")
    return UnverifiedToken(parts, algorithm, kid, _comparable(token_type), claims)


def _comparable(token_type: object) -> str | None:
    if token_type is None:
        return None
    if not isinstance(token_type, str):
        raise InvalidToken("typ is no string")
    bare = token_type.lower().removeprefix("application/")
    return token_type.lower() if "/" in bare else bare


def _load_json(payload: bytes) -> Any:
    return json.loads(payload, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")  # an `exp` of NaN is never in the past


@dataclass(frozen=True, slots=True)
class Verified:
    """What a good token says."""

    subject: UUID
    expires_at: datetime
    token_id: str
    """Its `jti`."""
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """Issues and checks the tokens of one purpose, which `aud` and `typ` name."""

    ring: KeyRing
    issuer: str
    audience: str
    token_type: str

    def issue(
        self, subject: UUID, at: datetime, life: timedelta, claims: Mapping[str, Any] | None = None
    ) -> str:
        """A compact JWT about `subject`, good from `at` for `life`.

        Raises ValueError when that is longer than a replaced key verifies.
        """
        if life > timedelta(seconds=TOKEN_SECONDS_MAX):
            raise ValueError(f"a token lives {TOKEN_SECONDS_MAX} s at most, got {life!r}")
        registered = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(subject),
            "iat": int(at.timestamp()),
            "exp": int((at + life).timestamp()),
            "jti": uuid4().hex,
        }
        key = self.ring.current
        header = {"alg": _ALGORITHMS[0], "kid": key.kid, "typ": self.token_type}
        return jwt.encode(header, {**(claims or {}), **registered}, key, _ALGORITHMS)

    def verify(self, token: str, at: datetime) -> Verified:
        """Raises InvalidToken unless signature, type, issuer, audience, times, subject and id are
        there and right."""
        found = take_apart(token, _ALGORITHMS)
        key = found.kid and self.ring.find(found.kid)
        if not key:
            raise InvalidToken("its key is not one of ours")
        found.check_signature(key)
        if found.text("iss") != self.issuer or found.text("aud") != self.audience:
            raise InvalidToken("it is for something else")
        issued_at, expires_at = found.times(at)
        if found.token_type != self.token_type and not self._is_older(found, issued_at):
            raise InvalidToken("it is of another type")
        try:
            subject = UUID(found.text("sub"))
        except ValueError:
            raise InvalidToken("its subject is no UUID") from None
        return Verified(subject, expires_at, found.text("jti"), found.claims)

    def _is_older(self, found: UnverifiedToken, issued_at: datetime) -> bool:
        if found.kid is None or found.token_type != _PLAIN_TYPE:
            return False
        return self.ring.accepts_plain_typ(found.kid, issued_at)


@dataclass(frozen=True, slots=True)
class Signers:
    """One signer for each purpose, so that a token of one is worthless for another."""

    access: TokenSigner
    cv_upload: TokenSigner
    gap_analysis_result: TokenSigner
    data_export: TokenSigner
    deletion_receipt: TokenSigner


def make_signers(ring: KeyRing, issuer: str, audience: str) -> Signers:
    """The signers of a deployment; `audience` is that of access tokens."""

    def signer(purpose: str) -> TokenSigner:
        return TokenSigner(ring, issuer, f"{audience}/{purpose}", f"{purpose}+jwt")

    return Signers(
        access=TokenSigner(ring, issuer, audience, "at+jwt"),  # RFC 9068, 2.1
        cv_upload=signer("cv-upload"),
        gap_analysis_result=signer("gap-analysis-result"),
        data_export=signer("data-export"),
        deletion_receipt=signer("deletion-receipt"),
    )
