"""Reading repositories: a second consent, asked for when it is wanted, and taken back."""

from uuid import UUID

from domain.auth.audit import AuditEvent
from domain.sign_in.consent_texts import current_version
from domain.sign_in.documents import Consent, Identity
from domain.sign_in.provider_tokens import provider_token
from domain.sign_in.rules import ConsentKind, TokenUse
from domain.sign_in.token_documents import ProviderToken
from tests.github_server import GitHubUser
from tests.graph.sign_in.browser import Browser, heading, path_of, token_in
from tests.graph.sign_in.conftest import OpenBrowser, World
from tests.graph.sign_in.test_account_page import github_person
from tests.oidc_server import OIDCServer

PATH = "/auth/github/repositories"
VERSION = current_version(ConsentKind.GITHUB_REPOSITORIES)


async def agree(browser: Browser) -> str:
    """Say yes here and at GitHub; the address that GitHub sends back to."""
    return await browser.consent(await browser.submit(PATH, PATH, text_version=VERSION))


async def scopes_of(user_id: UUID) -> dict[str, list[str]]:
    return {token.use: token.scopes for token in await ProviderToken.of_user(user_id)}


async def test_repositories_are_asked_for_when_the_person_wants_it(
    world: World, browser: Browser
) -> None:
    user_id = await github_person(world, browser)
    assert await scopes_of(user_id) == {"SIGN_IN": ["read:user", "user:email"]}
    assert 'href="/auth/github/repositories"' in (await browser.get("/account")).text

    page = await browser.get(PATH)

    assert heading(page) == "Repository analysis"
    assert "find skills that your code shows" in page.text
    origin = world.deps.settings.github_url
    assert f"form-action 'self' {origin};" in page.headers["content-security-policy"]
    assert path_of(await browser.get(await agree(browser))) == "/account"
    assert world.github.asked[-1]["scope"] == "read:user user:email repo"
    assert await scopes_of(user_id) == {
        "SIGN_IN": ["read:user", "user:email"],
        "REPOSITORIES": ["read:user", "user:email", "repo"],
    }
    consent = await Consent.in_force(user_id, ConsentKind.GITHUB_REPOSITORIES)
    assert consent is not None
    assert consent.text_version == VERSION
    given = [event for event in await AuditEvent.newest(9, user_id) if "kind" in event.details]
    assert given[0].details == {"kind": "GITHUB_REPOSITORIES", "text_version": VERSION}

    # A later sign-in does not take the token away.
    await browser.sign_in("github")
    assert "repo" in (await scopes_of(user_id))["REPOSITORIES"]


async def test_who_takes_it_back_has_the_token_voided(world: World, browser: Browser) -> None:
    user_id = await github_person(world, browser)
    await browser.get(await agree(browser))
    [identity] = await Identity.of_user(user_id)
    token = await provider_token(world.deps, identity, TokenUse.REPOSITORIES)

    action = "/account/consents/github-repositories/withdraw"
    assert path_of(await browser.submit("/account", action)) == "/account"

    assert list(await scopes_of(user_id)) == ["SIGN_IN"]
    assert world.github.revoked == [token]
    assert await Consent.in_force(user_id, ConsentKind.GITHUB_REPOSITORIES) is None
    kept = await Consent.of_user(user_id)
    assert [(one.kind, one.withdrawn_at is None) for one in kept] == [
        ("PRIVACY_POLICY", True),
        ("GITHUB_REPOSITORIES", False),
    ]
    assert await browser.viewer() is not None, "the sign-in stays"


async def test_agreeing_twice_and_taking_it_back_leaves_no_token_that_reads_repositories(
    world: World, browser: Browser
) -> None:
    await github_person(world, browser)
    for _ in range(2):
        await browser.get(await agree(browser))

    await browser.submit("/account", "/account/consents/github-repositories/withdraw")

    assert [token.scope for token in world.github.tokens.values()] == ["read:user,user:email"]
    assert len(world.github.revoked) == 2


async def test_withdrawing_works_while_github_is_down(world: World, browser: Browser) -> None:
    user_id = await github_person(world, browser)
    await browser.get(await agree(browser))
    world.github.is_down = True

    await browser.submit("/account", "/account/consents/github-repositories/withdraw")

    assert list(await scopes_of(user_id)) == ["SIGN_IN"]
    assert world.github.revoked == []
    [event, _] = await AuditEvent.newest(2, user_id)
    assert (event.action, event.details["provider_told"]) == ("PROVIDER_TOKEN_REVOKED", "false")


async def test_without_the_scope_there_is_no_consent(world: World, browser: Browser) -> None:
    user_id = await github_person(world, browser)
    world.github.withholds_scope = "repo"

    refused = await browser.get(await agree(browser))

    assert (refused.status_code, heading(refused)) == (403, "GitHub did not let us in")
    assert await Consent.in_force(user_id, ConsentKind.GITHUB_REPOSITORIES) is None
    assert list(await scopes_of(user_id)) == ["SIGN_IN"]
    assert len(world.github.revoked) == 1, "what it gave is not kept"


async def test_who_says_no_at_github_has_agreed_to_nothing(world: World, browser: Browser) -> None:
    user_id = await github_person(world, browser)
    world.github.denies = True

    refused = await browser.get(await agree(browser))

    assert heading(refused) == "You did not agree"
    assert await Consent.in_force(user_id, ConsentKind.GITHUB_REPOSITORIES) is None


async def test_the_repositories_of_another_github_account_are_not_read(
    world: World, browser: Browser, open_browser: OpenBrowser
) -> None:
    other = await open_browser(world)
    await github_person(world, other)
    stranger = world.github.user
    user_id = await github_person(world, browser)

    for user in (stranger, GitHubUser.make(77, None)):
        world.github.user = user
        refused = await browser.get(await agree(browser))
        assert (refused.status_code, heading(refused)) == (409, "That is another GitHub account")
    assert len(world.github.revoked) == 2, "what they gave is not kept"
    assert list(await scopes_of(user_id)) == ["SIGN_IN"]


async def test_it_needs_a_session_and_a_github_sign_in(
    world: World, oidc: OIDCServer, browser: Browser
) -> None:
    nobody = await browser.get(PATH)
    assert nobody.headers["location"] == "/auth/resume?return_to=%2Fauth%2Fgithub%2Frepositories"
    await oidc.set_user("no-github", email="no-github@example.com", email_verified=True)
    await browser.sign_in("google", "no-github")

    refused = await browser.get(PATH)

    assert refused.status_code == 409
    assert heading(refused) == "Your account has no GitHub sign-in yet"


async def test_people_agree_to_the_present_text(world: World, browser: Browser) -> None:
    await github_person(world, browser)
    form = {"form_token": token_in(await browser.get(PATH)), "text_version": "2020-01-01"}

    refused = await browser.post(PATH, form)

    assert (refused.status_code, heading(refused)) == (409, "The text has changed")


async def test_the_question_is_put_in_the_persons_language(world: World, browser: Browser) -> None:
    await github_person(world, browser)
    await browser.graphql("mutation { updateProfile(input: {language: HE}) { viewer { id } } }")

    page = await browser.get(PATH)

    assert '<section lang="he" dir="rtl">' in page.text
    assert "לעולם אינה כותבת" in page.text
