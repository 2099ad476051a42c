"""Tokens of other issuers, against one that runs: discovery and keys over real HTTP."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from domain.auth.external_issuers import ExternalIssuers
from domain.auth.tokens import InvalidToken
from domain.core.settings import ExternalIssuer, SettingsError, load_settings
from tests.conftest import free_port
from tests.domain.auth.issuer_server import (
    AUDIENCE,
    DISCOVERY,
    Issuer,
    assert_good,
    assert_refused,
    eddsa_key,
    issuers_for,
    rsa_key,
    running_issuer,
    verify,
)
from tests.oidc_server import CLIENT_ID, CLIENT_SECRET, oidc_server

RSA_KEY = rsa_key()


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[Issuer]:
    async with running_issuer() as found:
        yield found


@pytest.fixture(scope="module")
async def external(issuer: Issuer) -> AsyncIterator[ExternalIssuers]:
    async with issuers_for(issuer) as found:
        yield found


# What a good token says.


@pytest.mark.parametrize(
    "key",
    [
        eddsa_key(),
        eddsa_key(use="sig", alg="EdDSA"),
        eddsa_key(alg="Ed25519"),
        RSA_KEY,
        rsa_key(use="sig", alg="RS256"),
    ],
)
async def test_good_token_says_who_is_asking(key: Any) -> None:
    async with running_issuer(keys=[key]) as issuer, issuers_for(issuer) as external:
        token = issuer.token(sub="auth0|507f", name=" Dana  Levi ")
        found = await verify(external, token)

    assert (found.issuer, found.subject) == (issuer.issuer, "auth0|507f")
    assert (found.name, found.email) == ("Dana Levi", None)
    assert found.expires_at - found.issued_at == timedelta(hours=1)
    assert issuer.asked == [DISCOVERY, "/jwks"]


@pytest.mark.parametrize("path", ["", "/", "/realms/main", "/realms/main/"])
async def test_issuers_name_may_have_a_path_and_end_in_a_slash(path: str) -> None:
    """Auth0's end in one; Keycloak's have a path (OpenID Connect Discovery 1.0, 4)."""
    async with running_issuer(path) as issuer, issuers_for(issuer) as external:
        await assert_good(external, issuer.token())
        await assert_refused(external, issuer.token(iss=issuer.issuer + "/"))
        await assert_refused(external, issuer.token(iss=issuer.issuer.removesuffix("/") + "x"))
        assert issuer.asked[0] == path.rstrip("/") + DISCOVERY


async def test_token_id_tells_tokens_apart_among_all_issuers() -> None:
    async with (
        running_issuer() as one,
        running_issuer() as other,
        issuers_for(one, other) as external,
    ):
        same = one.token(jti="7")
        ids = [
            (await verify(external, token)).token_id
            for token in (same, other.token(jti="7"), one.token(jti="8"),
                          one.token(jti=None), one.token(jti=None, sub="user-2"))
        ]  # fmt: skip
        again = await verify(external, same)

    assert len(set(ids)) == len(ids) == 5
    assert again.token_id == ids[0]


@pytest.mark.parametrize(
    ("email", "is_verified", "expected"),
    [
        ("dana@example.com", True, "dana@example.com"),
        ("dana@example.com", "true", "dana@example.com"),
        ("dana@example.com", False, None),
        ("dana@example.com", "false", None),
        ("dana@example.com", "True", None),
        ("dana@example.com", 1, None),
        ("dana@example.com", [True], None),
        ("dana@example.com", None, None),
        (None, True, None),
        (["dana@example.com"], True, None),
        ("dana", True, None),
        ("@example.com", True, None),
        ("da na@example.com", True, None),
        ("dana@example.com\r\nBcc: x@y.z", True, None),
        ("d" * 250 + "@example.com", True, None),
    ],
)
async def test_only_an_address_that_is_verified_is_told(
    issuer: Issuer,
    external: ExternalIssuers,
    email: object,
    is_verified: object,
    expected: str | None,
) -> None:
    found = await verify(external, issuer.token(email=email, email_verified=is_verified))

    assert found.email == expected


@pytest.mark.parametrize("name", [None, "", "  ", 5, ["Dana"], "x" * 201, "Da\0na", "\ud800"])
async def test_a_name_that_cannot_be_shown_is_none(
    issuer: Issuer, external: ExternalIssuers, name: object
) -> None:
    assert (await verify(external, issuer.token(name=name))).name is None


# For whom and of what kind it is.


@pytest.mark.parametrize(
    ("claims", "is_good"),
    [
        ({"aud": AUDIENCE}, True),
        ({"aud": ["https://x.example/userinfo", AUDIENCE]}, True),
        ({"aud": None, "client_id": AUDIENCE, "token_use": "access"}, True),
        ({"aud": None, "client_id": AUDIENCE}, False),
        ({"aud": AUDIENCE, "client_id": "other"}, True),
        ({"aud": "other"}, False),
        ({"aud": []}, False),
        ({"aud": [["careergraph-api"]]}, False),
        ({"aud": {AUDIENCE: 1}}, False),
        ({"aud": None}, False),
        ({"aud": "other", "client_id": AUDIENCE, "token_use": "access"}, False),
        ({"aud": [], "client_id": AUDIENCE, "token_use": "access"}, False),
        ({"aud": None, "client_id": [AUDIENCE], "token_use": "access"}, False),
        ({"aud": None, "azp": AUDIENCE}, False),
        ({"aud": AUDIENCE.upper()}, False),
    ],
    ids=str,
)
async def test_the_audience_is_ours(
    issuer: Issuer, external: ExternalIssuers, claims: dict[str, Any], is_good: bool
) -> None:
    if is_good:
        await assert_good(external, issuer.token(**claims))
    else:
        await assert_refused(external, issuer.token(**claims))


async def test_one_issuer_may_have_two_audiences_and_each_its_own() -> None:
    async with running_issuer() as issuer, running_issuer() as other:
        entries = [(issuer, "web"), (issuer, "app"), (other, "third")]
        external = ExternalIssuers(
            ExternalIssuer(issuer=each.issuer, audience=audience) for each, audience in entries
        )
        for audience in ("web", "app"):
            await assert_good(external, issuer.token(aud=audience))
        await assert_refused(external, issuer.token(aud="third"))
        await assert_refused(external, other.token(aud="web"))
        await external.aclose()

    assert issuer.fetches == 1


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT"])
async def test_types_of_access_tokens_are_good(
    issuer: Issuer, external: ExternalIssuers, typ: str | None
) -> None:
    await assert_good(external, issuer.token(header_typ=typ))


BAD = [
    {"header_typ": "logout+jwt"}, {"header_typ": "dpop+jwt"}, {"header_typ": ""}, {"header_typ": 5},
    {"header_kid": ""}, {"header_kid": 5}, {"header_kid": "x"},
    {"header_crit": ["exp"], "header_exp": 1}, {"header_crit": []}, {"header_b64": False},
    {"iss": None}, {"iss": "https://elsewhere.example"}, {"iss": ["x"]}, {"iss": 5},
    {"sub": None}, {"sub": ""}, {"sub": 5}, {"sub": "x" * 256}, {"sub": "a\nb"},
    {"sub": ["user-1"]},
    {"exp": None}, {"exp": 1}, {"exp": "9999999999"}, {"exp": True}, {"exp": 10**30},
    {"exp": float("nan")}, {"exp": float("inf")},
    {"iat": None}, {"iat": 9_999_999_999}, {"iat": "1"}, {"nbf": 9_999_999_999}, {"nbf": "1"},
    {"jti": ""}, {"jti": 5}, {"jti": ["x"]}, {"padding": "x" * 8000},
]  # fmt: skip


@pytest.mark.parametrize("changes", BAD, ids=lambda changes: str(changes)[:40])
async def test_each_claim_and_header_is_checked(
    issuer: Issuer, external: ExternalIssuers, changes: dict[str, Any]
) -> None:
    await assert_good(external, issuer.token())
    await assert_refused(external, issuer.token(**changes))


async def test_only_whom_the_settings_name_is_asked() -> None:
    async with (
        running_issuer() as issuer,
        running_issuer() as stranger,
        issuers_for(issuer) as external,
    ):
        await assert_refused(external, stranger.token())
        assert (stranger.asked, issuer.asked) == ([], [])
        assert external.knows(issuer.issuer)
        assert not external.knows(stranger.issuer)
        assert external.may_have_issued(issuer.token())
        for token in (stranger.token(), "", "x.y.z", issuer.token(iss=None)):
            assert not external.may_have_issued(token)


async def test_tokens_that_cannot_be_good_make_nobody_ask() -> None:
    async with running_issuer() as issuer, issuers_for(issuer) as external:
        for changes in ({"exp": 1}, {"aud": "other"}, {"header_typ": "logout+jwt"}):
            await assert_refused(external, issuer.token(**changes))
        assert issuer.asked == []


async def test_id_token_of_a_provider_by_others_is_no_access_token() -> None:
    """oidc-provider-mock, over its own sign-in."""
    async with oidc_server(free_port()) as server:
        await server.set_user("dana", email="dana@example.com", email_verified=True, name="Dana")
        token = await id_token(server.issuer, "dana")
        entries = [ExternalIssuer(issuer=server.issuer, audience=CLIENT_ID)]
        external = ExternalIssuers(entries)
        assert external.may_have_issued(token)
        with pytest.raises(InvalidToken, match="no access token"):
            await verify(external, token)
        await external.aclose()


async def id_token(issuer: str, sub: str) -> str:
    """Signs in as `sub` with the authorization code flow."""
    back = "http://127.0.0.1:1/back"
    asked = {"client_id": CLIENT_ID, "redirect_uri": back, "response_type": "code", "nonce": "n"}
    scope = {"scope": "openid email profile"}
    async with httpx2.AsyncClient(base_url=issuer) as http:
        signed = await http.post("/oauth2/authorize", params=asked | scope, data={"sub": sub})
        code = str(httpx2.URL(signed.headers["location"]).params["code"])
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        auth = (CLIENT_ID, CLIENT_SECRET)
        answer = await http.post("/oauth2/token", data=form, auth=auth)
    token: str = answer.raise_for_status().json()["id_token"]
    return token


# Settings.


@pytest.mark.parametrize(
    ("issuer", "is_good"),
    [
        ("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc", True),
        ("https://careergraph.eu.auth0.com/", True),
        ("http://127.0.0.1:9000/realms/main", True),
        ("http://localhost:9000", True),
        ("http://[::1]:9000", True),
        ("http://keycloak.internal/realms/main", False),
        ("http://127.0.0.1.attacker.example", False),
        ("https://issuer.example/?tenant=1", False),
        ("https://issuer.example/#x", False),
        ("https://", False),
        ("https://issuer.example:99999", False),
        ("issuer.example", False),
    ],
)
def test_issuers_are_https_or_of_this_machine(issuer: str, is_good: bool) -> None:
    value = json.dumps([{"issuer": issuer, "audience": "a"}])
    if is_good:
        assert load_settings(external_issuers=value).external_issuers[0].issuer == issuer
    else:
        with pytest.raises(SettingsError, match=r"^CAREERGRAPH_EXTERNAL_ISSUERS is"):
            load_settings(external_issuers=value)
