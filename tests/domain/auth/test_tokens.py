"""Signed tokens."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OKPKey

from domain.auth.tokens import InvalidToken, TokenSigner, make_signers

KEY = OKPKey.generate_key("Ed25519", parameters={"use": "sig", "alg": "EdDSA"})
KEY.ensure_kid()
SIGNER = TokenSigner(KEY, "issuer", "audience")
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
LIFE = timedelta(minutes=10)
SUBJECT = uuid4()


def claims(**changes: object) -> dict[str, Any]:
    """Good claims with changes; None takes a claim away."""
    second = int(AT.timestamp())
    good = {
        "iss": "issuer", "aud": "audience", "sub": str(SUBJECT), "iat": second, "exp": second + 60,
    }  # fmt: skip
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed(payload: dict[str, Any], key: OKPKey = KEY) -> str:
    return jwt.encode({"alg": "EdDSA"}, payload, key, ["EdDSA"])


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_issued_token_says_what_was_put_in() -> None:
    token = SIGNER.issue(SUBJECT, AT, LIFE, {"analysis": "x"})

    verified = SIGNER.verify(token, AT + LIFE / 2)

    assert verified.subject == SUBJECT
    assert verified.expires_at == AT + LIFE
    assert verified.claims["analysis"] == "x"


def test_two_tokens_are_never_the_same() -> None:
    assert SIGNER.issue(SUBJECT, AT, LIFE) != SIGNER.issue(SUBJECT, AT, LIFE)


def test_claims_of_the_caller_replace_no_registered_one() -> None:
    token = SIGNER.issue(SUBJECT, AT, LIFE, {"sub": str(uuid4()), "exp": 9_999_999_999})

    verified = SIGNER.verify(token, AT)

    assert (verified.subject, verified.expires_at) == (SUBJECT, AT + LIFE)


def test_token_is_good_to_the_second_before_its_end() -> None:
    token = SIGNER.issue(SUBJECT, AT, LIFE)

    assert SIGNER.verify(token, AT + LIFE - timedelta(seconds=1)).subject == SUBJECT
    with pytest.raises(InvalidToken):
        SIGNER.verify(token, AT + LIFE)


SECOND = int(AT.timestamp())


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": SECOND},
        {"exp": SECOND - 60},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": 10**30},
        {"exp": True},
        {"iss": "somebody else"},
        {"iss": None},
        {"iss": ["issuer"]},
        {"aud": "audience/cv-upload"},
        {"aud": []},
        {"aud": None},
        {"sub": None},
        {"sub": "not a UUID"},
        {"sub": 5},
        {"sub": ""},
        {"iat": None},
        {"iat": SECOND + 600},
        {"nbf": SECOND + 600},
    ],
    ids=str,
)
def test_each_claim_is_checked(changes: dict[str, object]) -> None:
    assert SIGNER.verify(signed(claims()), AT).subject == SUBJECT
    with pytest.raises(InvalidToken):
        SIGNER.verify(signed(claims(**changes)), AT)


def test_unsigned_token_is_refused() -> None:
    for alg in ("none", "None", "NONE"):
        with pytest.raises(InvalidToken):
            SIGNER.verify(f"{part({'alg': alg})}.{part(claims())}.", AT)


def test_symmetric_signature_with_the_public_key_is_refused() -> None:
    """The classic confusion: the public key, which anyone may know, as an HMAC secret."""
    secrets = (KEY.as_pem(private=False), json.dumps(KEY.as_dict(private=False)).encode())
    for secret in secrets:
        signed_part = f"{part({'alg': 'HS256'})}.{part(claims())}"
        digest = hmac.digest(secret, signed_part.encode(), "sha256")
        token = f"{signed_part}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
        with pytest.raises(InvalidToken):
            SIGNER.verify(token, AT)


def test_signature_of_another_key_is_refused() -> None:
    other = OKPKey.generate_key("Ed25519")

    with pytest.raises(InvalidToken):
        SIGNER.verify(signed(claims(), other), AT)


def test_changed_token_is_refused() -> None:
    header, payload, signature = SIGNER.issue(SUBJECT, AT, LIFE).split(".")
    stolen = part(claims(sub=str(uuid4())))

    for token in (f"{header}.{stolen}.{signature}", f"{header}.{payload}.{signature[::-1]}"):
        with pytest.raises(InvalidToken):
            SIGNER.verify(token, AT)


@given(st.text() | st.lists(st.text(max_size=30), min_size=3, max_size=5).map(".".join))
def test_garbage_is_an_invalid_token_and_nothing_else(text: str) -> None:
    with pytest.raises(InvalidToken):
        SIGNER.verify(text, AT)


def test_deep_and_long_headers_are_invalid_tokens() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 50_000).decode()
    for token in (f"{deep}.e30.x", "a" * 1_000_000, f"{'.' * 1000}"):
        with pytest.raises(InvalidToken):
            SIGNER.verify(token, AT)


def test_token_of_one_purpose_is_worthless_for_another() -> None:
    signers = make_signers(KEY, "issuer", "audience")
    every = (signers.access, signers.cv_upload, signers.gap_analysis_result)

    for one in every:
        token = one.issue(SUBJECT, AT, LIFE)
        for other in every:
            if other is one:
                assert other.verify(token, AT).subject == SUBJECT
            else:
                with pytest.raises(InvalidToken):
                    other.verify(token, AT)
