"""Signatures of external issuers: which key counts, and which never does."""

from joserfc import jws
from joserfc.jwk import ECKey, OctKey

from tests.domain.auth.issuer_server import (
    assert_good,
    assert_refused,
    eddsa_key,
    encoded,
    issuers_for,
    rsa_key,
    running_issuer,
)

RSA_KEY = rsa_key()


async def test_signature_is_that_of_the_named_key_and_of_its_kind() -> None:
    async with running_issuer(keys=[eddsa_key(), RSA_KEY]) as issuer:
        ed, rsa = issuer.keys
        async with issuers_for(issuer) as external:
            await assert_good(external, issuer.token(ed))
            await assert_good(external, issuer.token(rsa))
            await assert_refused(external, issuer.token(eddsa_key(), header_kid=ed.kid))
            await assert_refused(external, issuer.token(rsa_key(), header_kid=rsa.kid))
            await assert_refused(external, issuer.token(ed, header_kid=rsa.kid))
            await assert_refused(external, issuer.token(rsa, header_kid=ed.kid))
            head, payload, _ = issuer.token(ed).split(".")
            await assert_refused(external, f"{head}.{payload}.")


async def test_keys_inside_of_tokens_are_not_believed() -> None:
    mine = eddsa_key()
    async with (
        running_issuer() as issuer,
        running_issuer(keys=[mine]) as attacker,
        issuers_for(issuer) as external,
    ):
        for header in (
            {"header_jwk": mine.as_dict(private=False)},
            {"header_jku": f"{attacker.issuer}/jwks"},
            {"header_x5u": f"{attacker.issuer}/jwks"},
        ):
            await assert_refused(external, issuer.token(mine, **header))
            await assert_refused(
                external, issuer.token(mine, header_kid=issuer.keys[0].kid, **header)
            )
        assert attacker.asked == []


async def test_other_algorithms_are_refused_even_with_keys_for_them() -> None:
    secret, curve = OctKey.generate_key(256), ECKey.generate_key("P-256")
    entries = [
        {**secret.as_dict(private=True), "kid": "HS256"},
        {**curve.as_dict(private=False), "kid": "ES256"},
    ]
    async with running_issuer(more_entries=entries) as issuer, issuers_for(issuer) as external:
        good = issuer.token()
        payload = jws.extract_compact(good.encode()).payload
        await assert_good(external, good)
        for algorithm, key in (("HS256", secret), ("ES256", curve)):
            header = {"alg": algorithm, "kid": algorithm}
            token = jws.serialize_compact(header, payload, key, [algorithm])
            await assert_refused(external, token)


async def test_entries_that_cannot_be_used_are_passed_over() -> None:
    """RFC 7517, 5: a set may hold keys of kinds and uses that we do not know."""
    good = RSA_KEY.as_dict(private=False)
    weak = {"kty": "RSA", "kid": "weak", "n": encoded(2**1023 + 1), "e": "AQAB"}
    huge = {"kty": "RSA", "kid": "huge", "n": encoded(2**20_000 + 1), "e": "AQAB"}
    entries: list[object] = [
        None, 5, [], {}, {"kty": "AKP", "kid": "pq", "alg": "ML-DSA-44", "pub": "x"}, weak, huge,
        {"kty": "OKP", "crv": "Ed25519", "kid": "x", "x": "AAAA"}, {"kty": "OKP", "kid": "y"},
        {"kty": "OKP", "crv": "X25519", "kid": "z", "x": good["n"]},
        {**good, "kid": "enc", "use": "enc"}, {**good, "kid": "oaep", "alg": "RSA-OAEP"},
        {**good, "kid": "sign", "key_ops": ["sign"]}, {**good, "kid": "ops", "key_ops": 5},
        {**good, "kid": 5}, {**good, "kid": None}, {**good, "kid": "n", "n": 5},
        {**good, "kid": "e", "e": "AQ"}, {**good, "kid": "e0", "e": ""},
        {**good, "kid": "e5", "e": 5},
    ]  # fmt: skip
    async with (
        running_issuer(more_entries=entries, keys=[RSA_KEY]) as issuer,
        issuers_for(issuer) as external,
    ):
        await assert_good(external, issuer.token())
        for kid in ("enc", "oaep", "sign", "ops", "n", "e", "e0", "e5", "weak", "huge"):
            await assert_refused(external, issuer.token(header_kid=kid))


async def test_certificates_beside_a_key_are_not_in_the_way() -> None:
    entry = {**RSA_KEY.as_dict(private=False), "kid": "c", "x5c": ["MII"], "x5t": "x", "iss": "i"}
    async with running_issuer(more_entries=[entry]) as issuer, issuers_for(issuer) as external:
        await assert_good(external, issuer.token(RSA_KEY, header_kid="c", header_x5t="x"))


async def test_without_a_name_the_key_is_the_only_one_that_fits() -> None:
    """OpenID Connect Core, 10.1: a token may leave its key out where there is one for it."""
    async with running_issuer(keys=[eddsa_key(), RSA_KEY]) as issuer:
        async with issuers_for(issuer) as external:
            for key in issuer.keys:
                await assert_good(external, issuer.token(key, header_kid=None))
            await assert_refused(external, issuer.token(eddsa_key(), header_kid=None))

        issuer.keys.append(eddsa_key())
        async with issuers_for(issuer) as external:
            await assert_good(external, issuer.token(RSA_KEY, header_kid=None))
            await assert_refused(external, issuer.token(issuer.keys[0], header_kid=None))


async def test_a_key_without_a_name_serves_tokens_without_one_only() -> None:
    entry = {name: RSA_KEY.as_dict(private=False)[name] for name in ("kty", "n", "e")}
    async with running_issuer(more_entries=[entry]) as issuer, issuers_for(issuer) as external:
        await assert_good(external, issuer.token(RSA_KEY, header_kid=None))
        await assert_refused(external, issuer.token(RSA_KEY, header_kid="None"))
