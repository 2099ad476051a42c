"""How refresh tokens are made, recognised and followed by the next one. Pure.

A refresh token is opaque to clients: `cgr_<session id>_<secret>`, the id in hexadecimal, the
secret 32 random bytes in URL-safe base64. We keep its SHA-256 only; a secret of 256 bits needs no
slow hash. Rotation and reuse as RFC 9700 (OAuth 2.0 security), section 4.14.2.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

GRACE = timedelta(seconds=10)
"""How long the token just replaced still answers, for requests that were sent side by side."""
SECRET_BYTES = 32
NONCE_BYTES = 12
_SHAPE = re.compile(r"cgr_([0-9a-f]{32})_[A-Za-z0-9_-]{43}", re.ASCII)
_PURPOSE = b"careergraph refresh token successor"


class Verdict(StrEnum):
    """What is to be done with a refresh token that was presented."""

    ROTATE = "ROTATE"
    """It is the present one: replace it."""
    REPEAT = "REPEAT"
    """It was replaced a moment ago: give its successor once more."""
    REPLACED = "REPLACED"
    """It was the last one before the present one, and its grace is over."""
    STRANGE = "STRANGE"
    """Neither of these: an older one, or never one of ours."""
    EXPIRED = "EXPIRED"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class Family:
    """What a session knows of its refresh tokens."""

    current_hash: bytes | None
    previous_hash: bytes | None
    rotated_at: datetime | None
    expires_at: datetime
    revoked_at: datetime | None


def make_token(session_id: UUID, secret: bytes) -> str:
    """The refresh token of a session with this secret of 32 bytes."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret has {SECRET_BYTES} bytes, got {len(secret)}")
    text = base64.urlsafe_b64encode(secret).decode().rstrip("=")
    return f"cgr_{session_id.hex}_{text}"


def session_in(token: str) -> UUID | None:
    """The session that a refresh token names; None for what has not the shape of one."""
    found = _SHAPE.fullmatch(token)
    return UUID(hex=found.group(1)) if found else None


def hash_of(token: str) -> bytes:
    """The SHA-256 of a refresh token, by which we know it again."""
    return hashlib.sha256(token.encode()).digest()


def judge(family: Family, presented: bytes, at: datetime) -> Verdict:
    """What to do with a token of this hash, presented at this moment."""
    if family.revoked_at is not None:
        return Verdict.ENDED
    if family.expires_at <= at:
        return Verdict.EXPIRED
    if presented == family.current_hash:
        return Verdict.ROTATE
    if presented == family.previous_hash and family.rotated_at is not None:
        in_grace = at - family.rotated_at <= GRACE
        return Verdict.REPEAT if in_grace else Verdict.REPLACED
    return Verdict.STRANGE


def seal_successor(token: str, successor: str, nonce: bytes) -> bytes:
    """`successor`, readable only for who holds `token`; `nonce` is 12 bytes.

    AES-256-GCM under a key derived from `token` by HKDF (RFC 5869). The database has no more of
    `token` than its hash, so what lies there reveals nothing.
    """
    sealed: bytes = AESGCM(_key_of(token)).encrypt(nonce, successor.encode(), _PURPOSE)
    return sealed


def open_successor(token: str, sealed: bytes, nonce: bytes) -> str:
    """What `seal_successor` sealed. Raises ValueError when it was not sealed for `token`."""
    try:
        return AESGCM(_key_of(token)).decrypt(nonce, sealed, _PURPOSE).decode()
    except InvalidTag as error:
        raise ValueError("the successor is not sealed for this token") from error


def _key_of(token: str) -> bytes:
    # The token's secret is uniformly random, so HKDF needs no salt (RFC 5869, section 3.1).
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(token.encode())
