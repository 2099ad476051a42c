"""Signed tokens of our own."""

import base64
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws

from domain.auth.keys import KeyRing, open_key_ring
from domain.auth.tokens import CLOCK_SKEW, MAX_CHARACTERS, InvalidToken, TokenSigner, make_signers
from tests.domain.auth.crafted import (
    AT,
    LIFE,
    SECOND,
    SUBJECT,
    Json,
    assert_refused,
    claims,
    header,
    raw,
)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return open_key_ring(tmp_path_factory.mktemp("data"))


@pytest.fixture
def signer(ring: KeyRing) -> TokenSigner:
    return make_signers(ring, "issuer", "audience").access


def test_issued_token_says_what_was_put_in(signer: TokenSigner) -> None:
    token = signer.issue(SUBJECT, AT, LIFE, {"analysis": "x"})

    verified = signer.verify(token, AT + LIFE / 2)

    assert verified.subject == SUBJECT
    assert verified.expires_at == AT + LIFE
    assert verified.claims["analysis"] == "x"
    assert verified.token_id == verified.claims["jti"]
    assert jws.extract_compact(token.encode()).headers()["typ"] == "at+jwt"


def test_two_tokens_are_never_the_same(signer: TokenSigner) -> None:
    tokens = [signer.issue(SUBJECT, AT, LIFE) for _ in range(50)]

    assert len({signer.verify(token, AT).token_id for token in tokens}) == 50


def test_claims_of_the_caller_replace_no_registered_one(signer: TokenSigner) -> None:
    token = signer.issue(SUBJECT, AT, LIFE, {"sub": str(uuid4()), "exp": 9_999_999_999})

    verified = signer.verify(token, AT)

    assert (verified.subject, verified.expires_at) == (SUBJECT, AT + LIFE)


def test_token_is_good_to_the_second_before_its_end(signer: TokenSigner) -> None:
    token = signer.issue(SUBJECT, AT, LIFE)

    assert signer.verify(token, AT + LIFE - timedelta(seconds=1)).subject == SUBJECT
    assert_refused(signer, token, AT + LIFE)


def test_a_clock_may_be_ahead_by_little(signer: TokenSigner) -> None:
    """Of another process that issued the token a moment ago; never at the token's end."""
    assert signer.verify(signer.issue(SUBJECT, AT + CLOCK_SKEW, LIFE), AT).subject == SUBJECT
    assert_refused(signer, signer.issue(SUBJECT, AT + CLOCK_SKEW + timedelta(seconds=1), LIFE))


BAD_CLAIMS = [
    {"exp": SECOND}, {"exp": SECOND - 60}, {"exp": None}, {"exp": "tomorrow"}, {"exp": 10**30},
    {"exp": True}, {"exp": [SECOND + 60]}, {"exp": -1}, {"exp": str(SECOND + 60)},
    {"exp": float("nan")}, {"exp": float("inf")}, {"exp": {}},
    {"iat": None}, {"iat": SECOND + 600}, {"iat": "now"}, {"iat": False}, {"iat": float("-inf")},
    {"nbf": SECOND + 600}, {"nbf": "later"}, {"nbf": False},
    {"iss": "somebody else"}, {"iss": None}, {"iss": ["issuer"]}, {"iss": "Issuer"}, {"iss": 5},
    {"aud": "audience/cv-upload"}, {"aud": []}, {"aud": None}, {"aud": ["audience", 5]},
    {"aud": "audience/"}, {"aud": {"audience": 1}}, {"aud": "aud"},
    {"sub": None}, {"sub": "not a UUID"}, {"sub": 5}, {"sub": ""}, {"sub": [str(SUBJECT)]},
    {"sub": str(SUBJECT) * 20},
    {"jti": None}, {"jti": ""}, {"jti": 5}, {"jti": ["1"]}, {"jti": "x" * 256}, {"jti": "a\0b"},
    {"jti": "\ud800"}, {"jti": {}},
]  # fmt: skip


@pytest.mark.parametrize("changes", BAD_CLAIMS, ids=lambda changes: ascii(changes)[:40])
def test_each_claim_is_checked(signer: TokenSigner, ring: KeyRing, changes: Json) -> None:
    assert signer.verify(raw(ring, header(ring), claims()), AT).subject == SUBJECT
    assert_refused(signer, raw(ring, header(ring), claims(**changes)))


BAD_HEADERS = [
    {"typ": None}, {"typ": "JWT"}, {"typ": "cv-upload+jwt"}, {"typ": "text/at+jwt"}, {"typ": ""},
    {"typ": "application/application/at+jwt"}, {"typ": 5}, {"typ": ["at+jwt"]},
    {"kid": None}, {"kid": ""}, {"kid": 5}, {"kid": ["x"]}, {"kid": "../keys"}, {"kid": "x" * 400},
    {"alg": None}, {"alg": "none"}, {"alg": "RS256"}, {"alg": "HS256"}, {"alg": "Ed25519"},
    {"alg": "eddsa"}, {"alg": ["EdDSA"]}, {"alg": 5}, {"alg": {}},
    {"crit": ["exp"], "exp": SECOND}, {"crit": ["b64"], "b64": True}, {"crit": ["typ"]},
    {"crit": []}, {"crit": 5}, {"crit": None, "b64": False}, {"crit": ["x"], "x": 1},
]  # fmt: skip


@pytest.mark.parametrize("changes", BAD_HEADERS, ids=str)
def test_each_header_is_checked(signer: TokenSigner, ring: KeyRing, changes: Json) -> None:
    assert_refused(signer, raw(ring, header(ring, **changes), claims()))


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"])
def test_type_is_compared_as_media_types_are(signer: TokenSigner, ring: KeyRing, typ: str) -> None:
    """RFC 7515, 4.1.9: letters' case says nothing, and `application/` may be left out."""
    assert signer.verify(raw(ring, header(ring, typ=typ), claims()), AT).subject == SUBJECT


@pytest.mark.parametrize("text", ["", "[]", '"alg"', "5", "null", "{", "[" * 2000, '{"alg":1e999}'])
def test_parts_that_are_no_objects_are_refused(
    signer: TokenSigner, ring: KeyRing, text: str
) -> None:
    assert_refused(signer, raw(ring, text, claims()))
    assert_refused(signer, raw(ring, header(ring), text))


@pytest.mark.parametrize("exp", ["NaN", "Infinity", "1e400", "9" * 5000])
def test_numbers_that_are_no_times_are_refused(
    signer: TokenSigner, ring: KeyRing, exp: str
) -> None:
    text = json.dumps(claims(exp="EXP")).replace('"EXP"', exp)

    assert_refused(signer, raw(ring, header(ring), text))


def test_long_tokens_are_refused_though_they_are_ours(signer: TokenSigner) -> None:
    """Ours never get there; whatever comes is measured before it is looked at."""
    most = signer.issue(SUBJECT, AT, LIFE, {"x": "x" * 5500})
    more = signer.issue(SUBJECT, AT, LIFE, {"x": "x" * 6000})

    assert len(most) <= MAX_CHARACTERS < len(more)
    assert signer.verify(most, AT).subject == SUBJECT
    with pytest.raises(InvalidToken, match="longer than 8192"):
        signer.verify(more, AT)


@given(st.text() | st.lists(st.text(max_size=30), min_size=3, max_size=5).map(".".join))
def test_garbage_is_an_invalid_token_and_nothing_else(ring: KeyRing, text: str) -> None:
    assert_refused(make_signers(ring, "issuer", "audience").access, text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
HEADER_NAMES = ("alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c", "cty")
CLAIM_NAMES = ("iss", "aud", "sub", "exp", "iat", "nbf", "jti")


@given(
    st.dictionaries(st.sampled_from(HEADER_NAMES), JSON, max_size=2),
    st.dictionaries(st.sampled_from(CLAIM_NAMES), JSON, max_size=2),
)
def test_any_values_are_an_invalid_token_or_a_good_one(
    ring: KeyRing, head: Json, payload: Json
) -> None:
    """Rightly signed: only the values decide, and none of them is an error of another kind."""
    signer = make_signers(ring, "issuer", "audience").access
    token = raw(ring, {**header(ring), **head}, {**claims(), **payload})
    try:
        verified = signer.verify(token, AT)
    except InvalidToken:
        return
    assert (verified.claims["iss"], verified.claims["aud"]) == ("issuer", "audience")
    assert verified.expires_at > AT


def test_deep_and_long_headers_are_invalid_tokens(signer: TokenSigner) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 50_000).decode()
    for token in (f"{deep}.e30.x", f"{deep[:8000]}.e30.x", "a" * 1_000_000, f"{'.' * 1000}", ".."):
        assert_refused(signer, token)


def test_token_of_one_purpose_is_worthless_for_another(ring: KeyRing) -> None:
    signers = make_signers(ring, "issuer", "audience")
    every = [getattr(signers, name) for name in signers.__slots__]

    assert len(every) == 5
    assert len({one.audience for one in every}) == len({one.token_type for one in every}) == 5
    for one in every:
        token = one.issue(SUBJECT, AT, LIFE)
        for other in every:
            if other is one:
                assert other.verify(token, AT).subject == SUBJECT
            else:
                assert_refused(other, token)


def test_audience_alone_and_type_alone_keep_purposes_apart(ring: KeyRing) -> None:
    signer = TokenSigner(ring, "issuer", "audience", "a+jwt")
    for other in (
        TokenSigner(ring, "issuer", "audience", "b+jwt"),
        TokenSigner(ring, "issuer", "other", "a+jwt"),
        TokenSigner(ring, "other", "audience", "a+jwt"),
    ):
        assert_refused(signer, other.issue(SUBJECT, AT, LIFE))
