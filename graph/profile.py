"""The viewer."""

from datetime import datetime
from typing import Any, Self

import strawberry

from domain.account.documents import DataExport as StoredExport
from domain.auth.session_documents import Session as StoredSession
from domain.core.errors import DomainError
from domain.cv import documents as cv_documents
from domain.gap_analysis import documents as gap_documents
from domain.profile import actions, documents
from graph import ids
from graph.account import DataExportConnection
from graph.context import Info, SignedIn
from graph.cv import CVConnection
from graph.enums import GapAnalysisStatus, Language
from graph.errors import UpdateProfileError, told, top_level_errors
from graph.gap_analysis import GapAnalysisConnection
from graph.identities import Consent, Identity, consents_of, identities_of
from graph.node import Node
from graph.paging import request_of
from graph.scalars import URL
from graph.sessions import Session


@strawberry.type(description="An account.")
class User(Node):
    stored: strawberry.Private[documents.User]
    name: str
    email: str | None = strawberry.field(description="Visible to the user and to admins only.")
    avatar_url: URL | None
    language: Language = strawberry.field(
        description="Preferred language of texts made for this user."
    )
    location: str | None = strawberry.field(description="Where the user lives or wants to work.")
    prefers_remote: bool | None = strawberry.field(
        description="Whether the user wants to work remotely. Null until said."
    )
    target_roles: list[str] = strawberry.field(description="Roles the user is looking for.")
    created_at: datetime

    @classmethod
    def of(cls, user: documents.User) -> Self:
        return cls(
            id=ids.encode("User", user.id), stored=user, name=user.name, email=user.email,
            avatar_url=URL(user.avatar_url) if user.avatar_url else None, language=user.language,
            location=user.location, prefers_remote=user.prefers_remote,
            target_roles=user.target_roles, created_at=user.created_at,
        )  # fmt: skip

    @strawberry.field(
        description="Where the user is signed in, newest use first. At most 100 are shown."
    )
    async def sessions(self, info: Info) -> list[Session]:
        # Only the viewer is ever shown as a User; their sessions are nobody else's in any case.
        found = await StoredSession.live_of_user(info.context.user_id)
        return [Session.of(one) for one in found if one.user_id == self.stored.id]

    @strawberry.field(description="Skills on the profile, merged from CVs and linked accounts.")
    async def skills(self, info: Info) -> list[str]:
        found = await cv_documents.CV.skills_of_user(self.stored.id)
        return [info.context.deps.catalogue.name(id) for id in found]

    @strawberry.field(description="Exports of the user's data that still exist, newest first.")
    async def data_exports(
        self, info: Info, first: int | None = None, after: str | None = None,
        last: int | None = None, before: str | None = None,
    ) -> DataExportConnection:  # fmt: skip
        async with top_level_errors(info):
            request = request_of(info, first, after, last, before)
            page = await StoredExport.page(self.stored.id, request)
        return DataExportConnection.of(page)

    @strawberry.field(description="The ways into the account, oldest first.")
    async def identities(self, info: Info) -> list[Identity]:
        return await identities_of(info, self.stored.id)

    @strawberry.field(description="All that the user agreed to, and what they withdrew.")
    async def consents(self) -> list[Consent]:
        return await consents_of(self.stored.id)

    @strawberry.field(description="The user's CVs, newest first.")
    async def cvs(
        self, info: Info, first: int | None = None, after: str | None = None,
        last: int | None = None, before: str | None = None,
    ) -> CVConnection:  # fmt: skip
        async with top_level_errors(info):
            request = request_of(info, first, after, last, before)
            page = await cv_documents.CV.page(self.stored.id, request)
        return CVConnection.of(page)

    @strawberry.field(description="The user's gap analyses, newest first.")
    async def gap_analyses(
        self, info: Info, first: int | None = None, after: str | None = None,
        last: int | None = None, before: str | None = None,
        status: GapAnalysisStatus | None = None,
    ) -> GapAnalysisConnection:  # fmt: skip
        async with top_level_errors(info):
            request = request_of(info, first, after, last, before)
            page = await gap_documents.GapAnalysis.page(self.stored.id, status, request)
        return GapAnalysisConnection.of(page)


@strawberry.input(
    description="What to change on the viewer's profile. A field that is left out stays as it is; "
    "`location` and `prefersRemote` can be cleared with null."
)
class UpdateProfileInput:
    name: strawberry.Maybe[str]
    language: strawberry.Maybe[Language]
    location: strawberry.Maybe[str | None]
    prefers_remote: strawberry.Maybe[bool | None]
    target_roles: strawberry.Maybe[list[str]]

    def changes(self) -> dict[str, Any]:
        """The fields given, by their document's names."""
        given = {
            "name": self.name, "language": self.language, "location": self.location,
            "prefers_remote": self.prefers_remote, "target_roles": self.target_roles,
        }  # fmt: skip
        return {name: field.value for name, field in given.items() if field is not None}


@strawberry.type(description="Result of updateProfile.")
class UpdateProfilePayload:
    viewer: User | None
    errors: list[UpdateProfileError]


@strawberry.type
class ProfileQuery:
    @strawberry.field(
        description="The signed-in user, or null when the request carries no valid session."
    )
    async def viewer(self, info: Info) -> User | None:
        user_id = info.context.session.user_id
        user = await info.context.loaders.user_by_id.load(user_id) if user_id else None
        return User.of(user) if user else None


@strawberry.type
class ProfileMutation:
    @strawberry.mutation(
        permission_classes=[SignedIn],
        description="Change the viewer's name, language, location, remote wish or target roles.",
    )
    async def update_profile(self, info: Info, input: UpdateProfileInput) -> UpdateProfilePayload:
        context = info.context
        change = actions.ProfileChange(input.changes())
        try:
            user = await actions.update_profile(context.deps, context.user_id, change)
        except DomainError as error:
            return UpdateProfilePayload(viewer=None, errors=[await told(info, error)])
        return UpdateProfilePayload(viewer=User.of(user) if user else None, errors=[])
