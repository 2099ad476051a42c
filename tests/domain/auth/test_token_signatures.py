"""Signed tokens of our own: whose signature counts."""

import base64
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey, RSAKey

from domain.auth.keys import KeyRing, open_key_ring, rotate_keys
from domain.auth.tokens import TokenSigner, make_signers
from domain.core.clock import now
from tests.domain.auth.crafted import AT, LIFE, SUBJECT, assert_refused, claims, header, part, raw

_OWN_REGISTRY = jws.JWSRegistry(algorithms=["EdDSA", "RS256"], strict_check_header=False)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return open_key_ring(tmp_path_factory.mktemp("data"))


@pytest.fixture
def signer(ring: KeyRing) -> TokenSigner:
    return make_signers(ring, "issuer", "audience").access


def test_unsigned_token_is_refused(signer: TokenSigner, ring: KeyRing) -> None:
    for alg in ("none", "None", "NONE", "nOnE", "EdDSA"):
        assert_refused(signer, f"{part(header(ring, alg=alg))}.{part(claims())}.")


def test_symmetric_signature_with_the_public_key_is_refused(
    signer: TokenSigner, ring: KeyRing
) -> None:
    """The classic confusion: the public key, which anyone may know, as an HMAC secret."""
    key = ring.current
    x = base64.urlsafe_b64decode(str(key.as_dict()["x"]) + "=")
    secrets = (key.as_pem(private=False), json.dumps(key.as_dict(private=False)).encode(), x)
    for secret in secrets:
        for alg in ("HS256", "EdDSA"):
            signing = f"{part(header(ring, alg=alg))}.{part(claims())}"
            digest = hmac.digest(secret, signing.encode(), "sha256")
            mac = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            assert_refused(signer, f"{signing}.{mac}")


def forgeries(ring: KeyRing) -> Iterator[str]:
    """Tokens signed with keys of the attacker, who says in many ways where to find those."""
    ed, rsa = OKPKey.generate_key("Ed25519"), RSAKey.generate_key(2048)
    ours = {"kid": ring.current.kid, "typ": "at+jwt"}
    payload = json.dumps(claims())
    for key, alg in ((ed, "EdDSA"), (rsa, "RS256")):
        own = {"alg": alg, "jwk": key.as_dict(private=False)}
        for head in (
            {**ours, "alg": alg},
            {**ours, "alg": alg, "kid": key.thumbprint()},
            {**ours, **own},
            {**ours, **own, "kid": key.thumbprint()},
            {**ours, "alg": alg, "jku": "https://attacker.example/jwks.json"},
            {**ours, "alg": alg, "x5u": "https://attacker.example/cert.pem"},
        ):
            yield jws.serialize_compact(head, payload, key, registry=_OWN_REGISTRY)


def test_signature_of_another_key_is_refused(signer: TokenSigner, ring: KeyRing) -> None:
    tokens = list(forgeries(ring))

    assert len(tokens) == 12
    for token in tokens:
        assert_refused(signer, token)


def test_the_key_is_the_one_that_is_named_and_no_other(tmp_path: Path) -> None:
    """Signed with one of our keys, and naming another of them."""
    ring = open_key_ring(tmp_path)
    token = raw(ring, header(ring), claims())
    kid = rotate_keys(tmp_path, now(), drop_old=False)
    signer = make_signers(ring, "issuer", "audience").access
    _, payload, signature = token.split(".")

    assert ring.find(kid) is not None
    assert signer.verify(token, AT).subject == SUBJECT
    assert_refused(signer, f"{part(header(ring, kid=kid))}.{payload}.{signature}")


def test_changed_token_is_refused(signer: TokenSigner) -> None:
    head, payload, signature = signer.issue(SUBJECT, AT, LIFE).split(".")
    stolen = part(claims(sub=str(uuid4())))
    changed = [f"{head}.{stolen}.{signature}", f"{head}.{payload}.{signature[::-1]}"]
    changed += [f"{head}.{payload}.", f"{head}.{payload}.{signature[:-2]}", f"{head}.{payload}"]
    changed += [f"{head}.{payload}.{signature}.{signature}", f"{head}..{signature}"]

    for token in changed:
        assert_refused(signer, token)


def test_a_token_can_be_spelled_in_one_way(signer: TokenSigner) -> None:
    """No second spelling of the same bytes: it would get past lists of revoked tokens."""
    token = signer.issue(SUBJECT, AT, LIFE)
    head, payload, signature = token.split(".")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twins = [signature[:-1] + letter for letter in last if letter != signature[-1]]
    twins += [signature + "=", signature + "==", signature + "\n", " " + signature]
    standard = signature.replace("-", "+").replace("_", "/")
    twins += [standard] if standard != signature else []

    for twin in twins:
        assert_refused(signer, f"{head}.{payload}.{twin}")
