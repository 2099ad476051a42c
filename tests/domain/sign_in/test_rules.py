import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sign_in.rules import (
    OWN_PATHS,
    allowed_return,
    answers_challenge,
    clean_email,
    clean_picture,
    is_challenge,
    origin_of,
    tombstone_key,
    with_query,
)

ELSEWHERE = ["https://app.example.com/in", "com.example.app:/in"]


@given(st.text())
def test_only_listed_addresses_are_returned_to(value: str) -> None:
    found = allowed_return(value, ELSEWHERE)

    assert found == (value if value in (*OWN_PATHS, *ELSEWHERE) else None)


def test_without_a_wish_it_ends_at_the_account() -> None:
    assert allowed_return(None, []) == "/account"


def test_the_verifier_of_rfc_7636_answers_its_challenge() -> None:
    """Appendix B of the RFC."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    assert is_challenge(challenge)
    assert answers_challenge(verifier, challenge)
    assert not answers_challenge(verifier + "x", challenge)


@pytest.mark.parametrize("verifier", ["x" * 42, "x" * 129, "x" * 42 + "é", "x" * 42 + "\n", ""])
def test_a_verifier_of_another_shape_answers_nothing(verifier: str) -> None:
    digest = hashlib.sha256(verifier.encode()).digest()

    assert not answers_challenge(verifier, base64.urlsafe_b64encode(digest).decode().rstrip("="))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://a.example/in", "https://a.example/in?code=1%262"),
        ("https://a.example/in?x=y#part", "https://a.example/in?x=y&code=1%262#part"),
        ("com.example.app:/in", "com.example.app:/in?code=1%262"),
    ],
)
def test_parameters_join_those_that_are_there(address: str, expected: str) -> None:
    assert with_query(address, code="1&2") == expected


def test_an_origin_is_what_a_content_security_policy_takes() -> None:
    assert origin_of("https://a.example:8443/in?x") == "https://a.example:8443"
    assert origin_of("com.example.app:/in") == "com.example.app:"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Noa@Example.com ", "noa@example.com"),
        ("noa", None),
        ("noa@", None),
        ("noa bar@example.com", None),
        ("noa@example.com, eve@example.com", None),
        ("noa@@example.com", None),
        ("x" * 250 + "@e.io", None),
        (None, None),
        (7, None),
    ],
)
def test_an_address_is_kept_in_one_spelling(value: object, expected: str | None) -> None:
    assert clean_email(value) == expected


@pytest.mark.parametrize(
    "value", ["javascript:alert(1)", "data:image/png;base64,x", "https://x/\n", None, "x" * 3000]
)
def test_a_picture_lies_on_the_web(value: object) -> None:
    assert clean_picture(value) is None
    assert clean_picture("https://example.com/a.png") == "https://example.com/a.png"


def test_a_tombstone_tells_provider_and_subject_apart() -> None:
    assert tombstone_key("ab", "c") != tombstone_key("a", "bc")
    assert "subject" not in tombstone_key("google", "subject")
