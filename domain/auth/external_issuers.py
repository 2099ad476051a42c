"""Access with tokens of configured OpenID Connect issuers (Cognito, Auth0, Keycloak, …)."""

import asyncio
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from domain.auth.issuer_keys import FETCH_SECONDS, Clock, IssuerKeys
from domain.auth.tokens import InvalidToken, UnverifiedToken, take_apart
from domain.core.settings import ExternalIssuer

if TYPE_CHECKING:
    import httpx2

_ALGORITHMS = ("EdDSA", "RS256")
_TYPES = (None, "jwt", "at+jwt")
"""RFC 9068 asks for the last; most issuers write "JWT" or nothing."""
_OTHER_TYPES = ("id", "refresh", "offline", "logout")
"""What Keycloak writes as `typ` among the claims; access tokens have "Bearer"."""
_OTHER_CLAIMS = {"events", "nonce", "at_hash", "c_hash", "s_hash"}
"""Of logout tokens (OpenID Connect Back-Channel Logout 1.0, 2.4) and of ID tokens (Core 1.0, 2
and 3.3.2.11; Financial-grade API 1.0, part 2, 5.1)."""
_EMAIL_MAX = 254  # RFC 5321, 4.5.3.1.3, without the brackets
_NAME_MAX = 200


@dataclass(frozen=True, slots=True)
class ExternalToken:
    """What a good token of another issuer says."""

    issuer: str
    subject: str
    """Tells people apart within the issuer only."""
    token_id: str
    """Of this token alone, among those of all issuers."""
    expires_at: datetime
    issued_at: datetime
    email: str | None
    """None unless the issuer has verified it."""
    name: str | None


class ExternalIssuers:
    """The issuers of the settings, and the keys they have published."""

    def __init__(self, issuers: Iterable[ExternalIssuer], clock: Clock = time.monotonic) -> None:
        self._audiences: dict[str, set[str]] = {}
        for entry in issuers:
            self._audiences.setdefault(entry.issuer, set()).add(entry.audience)
        self._http: httpx2.AsyncClient | None = None
        self._keys = {name: IssuerKeys(name, self._client, clock) for name in self._audiences}

    def knows(self, issuer: str) -> bool:
        """Whether tokens with exactly this `iss` are accepted."""
        return issuer in self._audiences

    def may_have_issued(self, token: str) -> bool:
        """Whether a token says that it is from one of these. Nothing about it is verified."""
        if not self._audiences:
            return False
        try:
            return self.knows(take_apart(token, _ALGORITHMS).text("iss"))
        except InvalidToken:
            return False

    async def verify(self, token: str, at: datetime) -> ExternalToken:
        """Raises InvalidToken, or IssuerUnavailable when that cannot be told (within 3 s).

        RFC 9068 asks for `at+jwt` as the header's `typ` and for `jti`. Most issuers write "JWT"
        or no type, and some give no `jti`, so neither is asked for. What says that it is an ID
        token, a refresh token or a logout token is refused, whatever its header says.
        """
        found = take_apart(token, _ALGORITHMS)
        issuer = found.text("iss")
        if issuer not in self._audiences:
            raise InvalidToken("its issuer is not one of those configured")
        if found.token_type not in _TYPES:
            raise InvalidToken("it is no access token")
        _check_use(found)
        _check_audience(found, self._audiences[issuer])
        issued_at, expires_at = found.times(at)  # nobody's keys are fetched for what has expired
        key = await self._keys[issuer].find(found.kid, found.algorithm)
        if key is None:
            raise InvalidToken("its key is not one of the issuer's")
        found.check_signature(key)
        return ExternalToken(
            issuer=issuer,
            subject=found.text("sub"),
            token_id=_token_id(found, issuer),
            expires_at=expires_at,
            issued_at=issued_at,
            email=_verified_email(found),
            name=_name(found),
        )

    async def aclose(self) -> None:
        """End what still goes on, and close connections."""
        await asyncio.gather(*(keys.aclose() for keys in self._keys.values()))
        if self._http is not None:
            await self._http.aclose()

    def _client(self) -> "httpx2.AsyncClient":
        if self._http is None:  # opened when needed: it reads all certificates, for some 50 ms
            import httpx2

            self._http = httpx2.AsyncClient(timeout=FETCH_SECONDS, follow_redirects=False)
        return self._http


def _check_use(found: UnverifiedToken) -> None:
    """Raises InvalidToken for what is there to tell who somebody is, or that they left."""
    claims = found.claims
    # `token_use` is Amazon Cognito's.
    is_access = claims.get("token_use", "access") == "access"
    written = str(claims.get("typ")).lower()
    # Keycloak before version 24 also puts the `nonce` of the sign-in into access tokens.
    telling = _OTHER_CLAIMS - {"nonce"} if written == "bearer" else _OTHER_CLAIMS
    if not is_access or written in _OTHER_TYPES or not telling.isdisjoint(claims):
        raise InvalidToken("it is no access token")


def _check_audience(found: UnverifiedToken, accepted: set[str]) -> None:
    """Raises InvalidToken unless the token is for one of `accepted`.

    Access tokens of Amazon Cognito have no `aud`; their `client_id` stands for it (AWS, "Verifying
    JSON web tokens" in the developer guide of Amazon Cognito). Of nobody else's: others put in
    `client_id` who asked for the token, whatever it is for.
    """
    is_cognito = found.claims.get("token_use") == "access"
    stand_in = found.claims.get("client_id") if is_cognito else None
    audience = found.claims.get("aud", stand_in)
    named = audience if isinstance(audience, list) and "aud" in found.claims else [audience]
    if not any(isinstance(name, str) and name in accepted for name in named):
        raise InvalidToken("it is for something else")


def _token_id(found: UnverifiedToken, issuer: str) -> str:
    """A digest of `jti`, or of the signed text where the issuer gives none.

    Of the issuer too, since a `jti` is unique within one only (RFC 7519, 4.1.7). Not of the
    signature: where a signature can be spelled in two ways, revoking one would leave the other.
    """
    segments = found.parts.segments
    signed = segments["header"] + b"." + segments["payload"]
    own = found.text("jti").encode() if "jti" in found.claims else signed
    return hashlib.sha256(issuer.encode() + b"\0" + own).hexdigest()


def _verified_email(found: UnverifiedToken) -> str | None:
    """The address, if `email_verified` is true.

    OpenID Connect Core 1.0, 5.1 has a boolean there. Cognito and Apple are known to write the
    string "true", which can mean nothing else; any other value is taken for no.
    """
    email, is_verified = found.claims.get("email"), found.claims.get("email_verified")
    if not (is_verified is True or is_verified == "true"):
        return None
    if not (isinstance(email, str) and len(email) <= _EMAIL_MAX and email.isprintable()):
        return None
    local, _, domain = email.rpartition("@")
    return email if local and domain and " " not in email else None


def _name(found: UnverifiedToken) -> str | None:
    name = found.claims.get("name")
    if not isinstance(name, str):
        return None
    plain = " ".join(name.split())
    return plain if plain.isprintable() and 0 < len(plain) <= _NAME_MAX else None
