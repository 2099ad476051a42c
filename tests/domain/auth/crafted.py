"""Tokens with any header and any claims, rightly signed by keys of ours."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.auth.keys import KeyRing
from domain.auth.tokens import InvalidToken, TokenSigner

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = int(AT.timestamp())
LIFE = timedelta(minutes=10)
SUBJECT = UUID("4d0b1f6e-5f0c-4d6c-9a2b-6f0e0b7c1d21")
Json = dict[str, Any]


def claims(**changes: object) -> Json:
    """Good claims with changes; None takes a claim away."""
    good = {
        "iss": "issuer", "aud": "audience", "sub": str(SUBJECT), "jti": "1",
        "iat": SECOND, "exp": SECOND + 60,
    }  # fmt: skip
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def header(ring: KeyRing, **changes: object) -> Json:
    good = {"alg": "EdDSA", "kid": ring.current.kid, "typ": "at+jwt"}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def part(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def raw(ring: KeyRing, header: object, payload: object) -> str:
    """A token with a true signature of ours over whatever is given: objects, or text as it is."""
    signing = f"{part(header)}.{part(payload)}"
    private = ring.current.private_key
    assert private is not None
    signature = private.sign(signing.encode())  # type: ignore[union-attr]  # an Ed25519 key
    return f"{signing}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def assert_refused(signer: TokenSigner, token: str, at: datetime = AT) -> None:
    with pytest.raises(InvalidToken):
        signer.verify(token, at)
