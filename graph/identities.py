"""Ways into an account, and what its owner agreed to."""

from datetime import datetime
from typing import Self, TypeAlias
from uuid import UUID

import strawberry

from domain.core.errors import DomainError, Missing, NotFound
from domain.sign_in import actions, consents, documents
from domain.sign_in.consent_texts import ConsentText as Text
from domain.sign_in.consent_texts import current_texts
from domain.sign_in.provider_tokens import consent_url
from domain.sign_in.rules import ConsentKind as DomainConsentKind
from domain.sign_in.token_documents import ProviderToken
from graph import ids
from graph.context import Info, SignedIn
from graph.enums import Language
from graph.errors import ConsentError, UnlinkIdentityError, told
from graph.node import Node
from graph.scalars import URL

ConsentKind: TypeAlias = DomainConsentKind
strawberry.enum(ConsentKind, name="ConsentKind", description="What a person can agree to.")


@strawberry.type(description="A way into the viewer's account.")
class Identity(Node):
    provider: str = strawberry.field(
        description="`google`, `github`, or the address of an external issuer."
    )
    name: str | None = strawberry.field(description="What the provider calls the viewer.")
    email: str | None = strawberry.field(description="The address that the provider knows.")
    linked_at: datetime
    last_used_at: datetime
    scopes: list[str] = strawberry.field(
        description="What the provider lets this server do. Empty when it holds no token."
    )
    needs_consent: bool = strawberry.field(
        description="Whether the provider has stopped letting this server in. Signing in still "
        "works; what needs the provider's data waits."
    )
    consent_url: URL | None = strawberry.field(
        description="Where to let the server in again, when `needsConsent`."
    )

    @classmethod
    def of(cls, identity: documents.Identity, tokens: list[ProviderToken], info: Info) -> Self:
        """`tokens` are those of the identity's user."""
        tokens = [token for token in tokens if token.identity_id == identity.id]
        refused = next((token for token in tokens if token.needs_consent), None)
        settings = info.context.deps.settings
        url = consent_url(settings, identity.provider, refused.use) if refused else None
        live = [token for token in tokens if not token.needs_consent]
        return cls(
            id=ids.encode("Identity", identity.id), provider=identity.provider,
            name=identity.name, email=identity.email,
            linked_at=identity.linked_at, last_used_at=identity.last_used_at,
            scopes=list(dict.fromkeys(scope for token in live for scope in token.scopes)),
            needs_consent=refused is not None, consent_url=URL(url) if url else None,
        )  # fmt: skip


@strawberry.type(description="An agreement to one version of a text.")
class Consent:
    kind: ConsentKind
    text_version: str
    given_at: datetime
    withdrawn_at: datetime | None = strawberry.field(description="Null while it is in force.")

    @classmethod
    def of(cls, consent: documents.Consent) -> Self:
        return cls(
            kind=consent.kind, text_version=consent.text_version,
            given_at=consent.given_at, withdrawn_at=consent.withdrawn_at,
        )  # fmt: skip


@strawberry.type(description="The current version of a text that people are asked to agree to.")
class ConsentText:
    kind: ConsentKind
    text_version: str
    language: Language
    title: str
    paragraphs: list[str] = strawberry.field(description="Plain text.")

    @classmethod
    def of(cls, text: Text) -> Self:
        return cls(
            kind=text.kind, text_version=text.version, language=text.language,
            title=text.title, paragraphs=list(text.paragraphs),
        )  # fmt: skip


async def identities_of(info: Info, user_id: UUID) -> list[Identity]:
    """A user's identities, oldest first."""
    tokens = await ProviderToken.of_user(user_id)
    found = await documents.Identity.of_user(user_id)
    return [Identity.of(identity, tokens, info) for identity in found]


async def identity_of(info: Info, id: UUID) -> Identity | None:
    """One of the viewer's identities; None when absent or somebody else's."""
    found = await documents.Identity.theirs(info.context.user_id, id)
    return Identity.of(found, await ProviderToken.of_user(found.user_id), info) if found else None


async def consents_of(user_id: UUID) -> list[Consent]:
    """All that a user ever agreed to, oldest first."""
    return [Consent.of(found) for found in await documents.Consent.of_user(user_id)]


@strawberry.input(description="Which way into the account to take away.")
class UnlinkIdentityInput:
    identity_id: strawberry.ID = strawberry.field(description="Global id of the identity.")


@strawberry.input(description="What the viewer agrees to.")
class GiveConsentInput:
    kind: ConsentKind
    text_version: str = strawberry.field(
        description="Of the text that the viewer has read: the current one of `consentTexts`."
    )


@strawberry.input(description="What the viewer agrees to no longer.")
class WithdrawConsentInput:
    kind: ConsentKind


@strawberry.type(description="Result of unlinkIdentity.")
class UnlinkIdentityPayload:
    identities: list[Identity] | None = strawberry.field(description="Those that are left.")
    errors: list[UnlinkIdentityError]


@strawberry.type(description="Result of giveConsent.")
class GiveConsentPayload:
    consent: Consent | None
    errors: list[ConsentError]


@strawberry.type(description="Result of withdrawConsent.")
class WithdrawConsentPayload:
    consents: list[Consent] | None = strawberry.field(
        description="All of the viewer's, oldest first."
    )
    errors: list[ConsentError]


@strawberry.type
class ConsentQuery:
    @strawberry.field(description="What people are asked to agree to, word for word.")
    async def consent_texts(self, language: Language) -> list[ConsentText]:
        return [ConsentText.of(text) for text in current_texts(language)]


@strawberry.type
class IdentityMutation:
    @strawberry.mutation(
        permission_classes=[SignedIn],
        description="Take a way into the account away and void its tokens. The last one stays.",
    )
    async def unlink_identity(
        self, info: Info, input: UnlinkIdentityInput
    ) -> UnlinkIdentityPayload:
        context = info.context
        try:
            await actions.unlink_identity(
                context.deps, context.user_id, _identity_id(input.identity_id), context.caller
            )
        except DomainError as error:
            return UnlinkIdentityPayload(identities=None, errors=[await told(info, error)])
        left = await identities_of(info, context.user_id)
        return UnlinkIdentityPayload(identities=left, errors=[])

    @strawberry.mutation(
        permission_classes=[SignedIn],
        description="Record that the viewer agrees to the current version of a text. Agreeing "
        "again changes nothing.",
    )
    async def give_consent(self, info: Info, input: GiveConsentInput) -> GiveConsentPayload:
        context = info.context
        try:
            given = await consents.give_consent(
                context.deps, context.user_id, input.kind, input.text_version, context.caller
            )
        except DomainError as error:
            return GiveConsentPayload(consent=None, errors=[await told(info, error)])
        return GiveConsentPayload(consent=Consent.of(given), errors=[])

    @strawberry.mutation(
        permission_classes=[SignedIn],
        description="Withdraw a consent and end what it allowed: for GITHUB_REPOSITORIES, the "
        "token is deleted and GitHub is told that it is void.",
    )
    async def withdraw_consent(
        self, info: Info, input: WithdrawConsentInput
    ) -> WithdrawConsentPayload:
        context = info.context
        try:
            found = await consents.withdraw_consent(
                context.deps, context.user_id, input.kind, context.caller
            )
        except DomainError as error:
            return WithdrawConsentPayload(consents=None, errors=[await told(info, error)])
        return WithdrawConsentPayload(consents=[Consent.of(one) for one in found], errors=[])


def _identity_id(id: str) -> UUID:
    found = ids.decode_as("Identity", id)
    if found is None:
        raise NotFound(Missing.IDENTITY, ["input", "identityId"], id)
    return found
