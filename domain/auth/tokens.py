"""Signed tokens: access tokens for people, and the tokens inside upload and download links."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OKPKey

# RFC 9864 renames EdDSA to Ed25519 in JOSE headers. Verifiers in the field know the old name, and
# the signature is the same, so it stays until they know the new one.
warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)

_ALGORITHMS = ["EdDSA"]


class InvalidToken(Exception):
    """A token is malformed, expired, or signed by someone else or for something else."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a good token says."""

    subject: UUID
    expires_at: datetime
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """Issues and checks the tokens of one purpose, which their `aud` names (RFC 7519)."""

    key: OKPKey
    issuer: str
    audience: str

    def issue(
        self, subject: UUID, at: datetime, life: timedelta, claims: Mapping[str, Any] | None = None
    ) -> str:
        """A compact JWT about `subject`, good from `at` for `life`."""
        registered = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(subject),
            "iat": int(at.timestamp()),
            "exp": int((at + life).timestamp()),
            "jti": uuid4().hex,
        }
        header = {"alg": _ALGORITHMS[0], "kid": self.key.kid, "typ": "JWT"}
        return jwt.encode(header, {**(claims or {}), **registered}, self.key, _ALGORITHMS)

    def verify(self, token: str, at: datetime) -> Verified:
        """Raises InvalidToken unless signature, issuer, audience, times and subject are right."""
        try:
            claims = jwt.decode(token, self.key, _ALGORITHMS).claims
            self._rules(at).validate(claims)
            return Verified(
                subject=UUID(claims["sub"]),
                expires_at=datetime.fromtimestamp(claims["exp"], at.tzinfo),
                claims=claims,
            )
        except (JoseError, ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
            raise InvalidToken(str(error)) from error

    def _rules(self, at: datetime) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(at.timestamp()),
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )


@dataclass(frozen=True, slots=True)
class Signers:
    """One signer for each purpose, so that a token of one is worthless for another."""

    access: TokenSigner
    cv_upload: TokenSigner
    gap_analysis_result: TokenSigner


def make_signers(key: OKPKey, issuer: str, audience: str) -> Signers:
    """The signers of a deployment; `audience` is that of access tokens."""
    return Signers(
        access=TokenSigner(key, issuer, audience),
        cv_upload=TokenSigner(key, issuer, f"{audience}/cv-upload"),
        gap_analysis_result=TokenSigner(key, issuer, f"{audience}/gap-analysis-result"),
    )
