"""Ways into an account and consents, over GraphQL."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from domain.auth.caller import UNKNOWN
from domain.clients.identity_providers import Grant
from domain.core.clock import now
from domain.core.deps import Deps
from domain.sign_in.documents import Identity
from domain.sign_in.provider_tokens import keep_grant
from domain.sign_in.rules import TokenUse
from domain.sign_in.token_documents import ProviderToken
from graph import ids
from tests.client import Client
from tests.conftest import SignIn

IDENTITIES = """
{ viewer { identities {
    id provider name email linkedAt lastUsedAt scopes needsConsent consentUrl
} } }
"""
UNLINK = """
mutation ($id: ID!) { unlinkIdentity(input: {identityId: $id}) {
    identities { provider }
    errors { __typename ... on UserError { code message path } }
} }
"""
GIVE = """
mutation ($kind: ConsentKind!, $version: String!) {
  giveConsent(input: {kind: $kind, textVersion: $version}) {
    consent { kind textVersion givenAt withdrawnAt }
    errors { __typename ... on UserError { code message path } }
} }
"""
WITHDRAW = """
mutation ($kind: ConsentKind!) { withdrawConsent(input: {kind: $kind}) {
    consents { kind textVersion withdrawnAt }
    errors { __typename ... on UserError { code message path } }
} }
"""
CONSENTS = "{ viewer { consents { kind textVersion givenAt withdrawnAt } } }"
TEXTS = """
query ($language: Language!) { consentTexts(language: $language) {
    kind textVersion language title paragraphs
} }
"""


async def add_identity(deps: Deps, client: Client, provider: str) -> Identity:
    """Give the client's user a way in, with a token."""
    viewer = (await client.data("{ viewer { id } }"))["viewer"]
    user_id = ids.decode_as("User", viewer["id"])
    assert user_id is not None
    identity = Identity(
        user_id=user_id, provider=provider, subject=uuid4().hex,
        email="noa@example.com", email_verified=True, name="Noa",
    )  # fmt: skip
    await identity.insert()
    grant = Grant("secret-access", "secret-refresh", now() + timedelta(hours=1), ("openid",))
    await keep_grant(deps, identity, TokenUse.SIGN_IN, grant, UNKNOWN)
    return identity


async def identities(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.data(IDENTITIES))["viewer"]["identities"]
    return found


async def test_identities_show_what_they_let_the_server_do(deps: Deps, client: Client) -> None:
    assert await identities(client) == []
    await add_identity(deps, client, "google")
    await add_identity(deps, client, "https://issuer.example.com")

    google, issuer = await identities(client)

    assert google["provider"] == "google"
    assert (google["name"], google["email"]) == ("Noa", "noa@example.com")
    assert google["scopes"] == ["openid"]
    assert (google["needsConsent"], google["consentUrl"]) == (False, None)
    assert issuer["provider"] == "https://issuer.example.com"
    assert "secret" not in str([google, issuer])


async def test_a_refused_token_shows_where_to_agree_again(deps: Deps, client: Client) -> None:
    identity = await add_identity(deps, client, "google")
    token = await ProviderToken.of_identity(identity.id, TokenUse.SIGN_IN)
    assert token is not None
    await token.mark_refused()

    [shown] = await identities(client)

    assert shown["needsConsent"] is True
    assert shown["scopes"] == []
    url = f"{deps.settings.public_url}/auth/google?consent=again&return_to=%2Faccount"
    assert shown["consentUrl"] == url


async def test_an_identity_is_refetched_by_its_owner_alone(
    deps: Deps, client: Client, sign_in: SignIn
) -> None:
    await add_identity(deps, client, "github")
    [shown] = await identities(client)
    query = "query ($id: ID!) { node(id: $id) { id ... on Identity { provider } } }"
    other = await sign_in()

    assert (await client.data(query, id=shown["id"]))["node"]["provider"] == "github"
    assert (await other.data(query, id=shown["id"]))["node"] is None


async def test_unlinking_leaves_one_way_in(deps: Deps, client: Client, sign_in: SignIn) -> None:
    await add_identity(deps, client, "google")
    await add_identity(deps, client, "github")
    google, github = await identities(client)
    other = await sign_in()

    stranger = (await other.data(UNLINK, id=google["id"]))["unlinkIdentity"]
    garbage = (await client.data(UNLINK, id="x"))["unlinkIdentity"]
    done = (await client.data(UNLINK, id=google["id"]))["unlinkIdentity"]
    last = (await client.data(UNLINK, id=github["id"]))["unlinkIdentity"]

    for refused in (stranger, garbage):
        [error] = refused["errors"]
        assert (error["__typename"], error["code"]) == ("NotFoundError", "IDENTITY_NOT_FOUND")
    assert done == {"identities": [{"provider": "github"}], "errors": []}
    [error] = last["errors"]
    assert (error["__typename"], error["code"]) == ("InvalidStateError", "INVALID_STATE")
    assert "only way into your account" in error["message"]
    assert [one["provider"] for one in await identities(client)] == ["github"]


async def test_a_consent_is_given_to_the_present_text_once(client: Client) -> None:
    texts = (await client.data(TEXTS, language="EN"))["consentTexts"]
    version = {text["kind"]: text["textVersion"] for text in texts}["GITHUB_REPOSITORIES"]

    old = await client.data(GIVE, kind="GITHUB_REPOSITORIES", version="2020-01-01")
    first = await client.data(GIVE, kind="GITHUB_REPOSITORIES", version=version)
    second = await client.data(GIVE, kind="GITHUB_REPOSITORIES", version=version)

    [error] = old["giveConsent"]["errors"]
    assert (error["code"], error["path"]) == ("VALIDATION_ERROR", ["input", "textVersion"])
    assert "consentTexts" in error["message"]
    assert first["giveConsent"]["errors"] == []
    assert first == second
    [consent] = (await client.data(CONSENTS))["viewer"]["consents"]
    assert consent == first["giveConsent"]["consent"]


async def test_a_withdrawn_consent_stays_on_record_and_can_be_given_again(client: Client) -> None:
    texts = (await client.data(TEXTS, language="EN"))["consentTexts"]
    version = {text["kind"]: text["textVersion"] for text in texts}["GITHUB_REPOSITORIES"]
    await client.data(GIVE, kind="GITHUB_REPOSITORIES", version=version)

    await client.data(WITHDRAW, kind="GITHUB_REPOSITORIES")
    gone = (await client.data(WITHDRAW, kind="GITHUB_REPOSITORIES"))["withdrawConsent"]
    await client.data(GIVE, kind="GITHUB_REPOSITORIES", version=version)

    assert gone["errors"] == []
    [consent] = gone["consents"]
    assert consent["withdrawnAt"] is not None
    found = (await client.data(CONSENTS))["viewer"]["consents"]
    assert [one["withdrawnAt"] is None for one in found] == [False, True]


async def test_the_privacy_policy_goes_with_the_account_only(client: Client) -> None:
    await client.data("mutation { updateProfile(input: {language: HE}) { viewer { id } } }")

    refused = (await client.data(WITHDRAW, kind="PRIVACY_POLICY"))["withdrawConsent"]

    [error] = refused["errors"]
    assert (error["code"], refused["consents"]) == ("INVALID_STATE", None)
    assert "יש למחוק את החשבון" in error["message"]


async def test_anybody_can_read_what_people_agree_to(nobody: Client) -> None:
    english = (await nobody.data(TEXTS, language="EN"))["consentTexts"]
    hebrew = (await nobody.data(TEXTS, language="HE"))["consentTexts"]

    assert [text["kind"] for text in english] == ["PRIVACY_POLICY", "GITHUB_REPOSITORIES"]
    for one, other in zip(english, hebrew, strict=True):
        assert one["textVersion"] == other["textVersion"]
        assert len(one["paragraphs"]) == len(other["paragraphs"]) > 2
        assert (one["language"], other["language"]) == ("EN", "HE")


async def test_nobody_changes_anything(nobody: Client) -> None:
    calls = [
        (UNLINK, {"id": "x"}),
        (GIVE, {"kind": "PRIVACY_POLICY", "version": "x"}),
        (WITHDRAW, {"kind": "PRIVACY_POLICY"}),
    ]
    for query, variables in calls:
        answer = await nobody.post(query, **variables)
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
