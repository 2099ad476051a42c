"""What a provider says about who signs in, and how that waits, sealed, for a confirmation."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.clients.identity_providers import Grant
from domain.core.ids import new_id
from domain.core.secrets import SealBroken, SecretKeyMissing
from domain.sign_in.documents import Identity
from domain.sign_in.flow_documents import PendingLink, new_secret
from domain.sign_in.rules import Provider, clean_email

if TYPE_CHECKING:
    from domain.core.secrets import Secrets

SUBJECT_MAX = 255
"""OpenID Connect Core 1.0, section 2."""
NAME_MAX = 200


@dataclass(frozen=True, slots=True)
class ProviderProfile:
    """A provider's word on somebody who has just signed in there."""

    provider: Provider
    subject: str
    email: str | None
    email_verified: bool
    name: str | None
    avatar_url: str | None
    grant: Grant

    @property
    def verified_email(self) -> str | None:
        """The address, in lower case, if the provider vouches for it."""
        return clean_email(self.email) if self.email_verified else None

    def identity_of(self, user_id: UUID) -> Identity:
        """The identity that this is of a user."""
        return Identity(
            user_id=user_id, provider=self.provider, subject=self.subject,
            email=self.email, email_verified=self.email_verified, name=self.name,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """A profile that waits for its person's word."""

    id: UUID
    profile: ProviderProfile
    then: dict[str, Any]
    """What the sign-in goes on with."""
    user_id: UUID | None
    """Who may link it; None where a new account waits for an agreement."""


async def hold_profile(
    secrets: "Secrets", profile: ProviderProfile, then: dict[str, Any], user_id: UUID | None
) -> str:
    """Keep a profile until its person says what is to become of it; the secret that leads to it.

    `then` and `user_id` are those of Held.
    """
    id, secret = new_id(), new_secret()
    grant = profile.grant
    data = {
        "profile": asdict(profile),
        "expires_at": grant.expires_at.isoformat() if grant.expires_at else None,
        "then": then,
        "user_id": str(user_id) if user_id else None,
    }
    text = json.dumps(data, default=lambda _: None)
    await PendingLink.add(id, secret, secrets.seal(text.encode(), _purpose(id)))
    return secret


def held_profile(secrets: "Secrets", link: PendingLink) -> Held | None:
    """What a pending link holds; None when its key is gone."""
    try:
        data = json.loads(secrets.open(link.sealed_profile, _purpose(link.id)))
    except (SecretKeyMissing, SealBroken):
        return None
    fields = data["profile"]
    grant = fields["grant"] | {
        "expires_at": datetime.fromisoformat(data["expires_at"]) if data["expires_at"] else None,
        "scopes": tuple(fields["grant"]["scopes"]),
    }
    provider = Provider(fields["provider"])
    profile = ProviderProfile(**fields | {"provider": provider, "grant": Grant(**grant)})
    user_id = UUID(data["user_id"]) if data["user_id"] else None
    return Held(link.id, profile, data["then"], user_id)


def _purpose(id: UUID) -> str:
    return f"pending-link:{id}"
