"""The viewer's sessions, and ending them."""

from datetime import datetime
from typing import Self

import strawberry

from domain.auth import session_documents
from domain.auth.sessions import (
    revoke_all_sessions,
    revoke_external_token,
    revoke_session,
    sign_out,
)
from domain.core.errors import DomainError, Missing, NotFound
from graph import ids
from graph.context import Context, Info, SignedIn
from graph.cookies import signed_out_cookies
from graph.enums import SignInMethod
from graph.errors import RevokeSessionError, told
from graph.node import Node


@strawberry.type(
    description="A sign-in on one device, until it is ended or expires. Tokens of local work have "
    "sessions too."
)
class Session(Node):
    stored: strawberry.Private[session_documents.Session]
    device: str = strawberry.field(
        description="The browser and system, or the program, that signed in. Such as `Firefox on "
        "Linux`."
    )
    method: SignInMethod = strawberry.field(description="How the person signed in.")
    created_at: datetime = strawberry.field(description="When the person signed in.")
    last_used_at: datetime = strawberry.field(description="When it was last used, to a minute.")
    expires_at: datetime = strawberry.field(
        description="When it ends unless it is used again before."
    )
    address: str | None = strawberry.field(
        description="The network address that its tokens were last renewed from."
    )

    @classmethod
    def of(cls, session: session_documents.Session) -> Self:
        return cls(
            id=ids.encode("Session", session.id), stored=session, device=session.device,
            method=session.method, created_at=session.created_at,
            last_used_at=session.last_used_at, expires_at=session.expires_at,
            address=session.address,
        )  # fmt: skip

    @strawberry.field(description="Whether this request is part of it.")
    def is_current(self, info: Info) -> bool:
        asker = info.context.session.asker
        return asker is not None and asker.session_id == self.stored.id


@strawberry.type(description="Result of signOut.")
class SignOutPayload:
    session: Session | None = strawberry.field(
        description="The session that was ended. Null for an external issuer's token, which has "
        "none here, and when it had ended just before."
    )


@strawberry.input(description="What signOutEverywhere leaves.")
class SignOutEverywhereInput:
    except_current: bool = strawberry.field(
        default=False, description="Whether the session of this request goes on."
    )


@strawberry.type(description="Result of signOutEverywhere.")
class SignOutEverywherePayload:
    count: int = strawberry.field(description="How many sessions were ended.")


@strawberry.input(description="Which session to end.")
class RevokeSessionInput:
    session_id: strawberry.ID = strawberry.field(description="Global id of the session.")


@strawberry.type(description="Result of revokeSession.")
class RevokeSessionPayload:
    session: Session | None = strawberry.field(description="The session that was ended.")
    errors: list[RevokeSessionError] = strawberry.field(description="What kept it from ending.")


@strawberry.type
class SessionMutation:
    @strawberry.mutation(
        permission_classes=[SignedIn],
        description="End the session of this request. Its tokens are refused everywhere within 5 "
        "seconds, and a browser is told to forget its cookies.",
    )
    async def sign_out(self, info: Info) -> SignOutPayload:
        context = info.context
        session = await _current(context)
        await sign_out(context.deps, context.asker, context.caller)
        _clear_cookies(context)
        return SignOutPayload(session=Session.of(session) if session else None)

    @strawberry.mutation(
        permission_classes=[SignedIn],
        description="End all of the viewer's sessions, on every device. Tokens of external "
        "issuers are theirs to end, but for the one of this request.",
    )
    async def sign_out_everywhere(
        self, info: Info, input: SignOutEverywhereInput | None = None
    ) -> SignOutEverywherePayload:
        context, asker = info.context, info.context.asker
        keeps = input is not None and input.except_current
        keep = asker.session_id if keeps else None
        count = await revoke_all_sessions(context.deps, asker.user_id, context.caller, keep)
        if not keeps:
            if asker.session_id is None:
                await revoke_external_token(context.deps, asker, context.caller)
            _clear_cookies(context)
        return SignOutEverywherePayload(count=count)

    @strawberry.mutation(
        permission_classes=[SignedIn],
        description="End one of the viewer's sessions, such as that of a lost telephone.",
    )
    async def revoke_session(self, info: Info, input: RevokeSessionInput) -> RevokeSessionPayload:
        try:
            session = await _revoked(info.context, input.session_id)
        except DomainError as error:
            return RevokeSessionPayload(session=None, errors=[await told(info, error)])
        return RevokeSessionPayload(session=Session.of(session), errors=[])


async def _current(context: Context) -> session_documents.Session | None:
    asker = context.asker
    if asker.session_id is None:
        return None
    return await session_documents.Session.of_user(asker.session_id, asker.user_id)


async def _revoked(context: Context, id: strawberry.ID) -> session_documents.Session:
    """The session as it was before its end. Raises NotFound."""
    user_id, session_id = context.user_id, ids.decode_as("Session", id)
    missing = NotFound(Missing.SESSION, ["input", "sessionId"], id)
    if session_id is None:
        raise missing
    session = await session_documents.Session.of_user(session_id, user_id)
    if session is None:
        raise missing
    if not await revoke_session(context.deps, user_id, session_id, context.caller):
        raise missing
    if session_id == context.asker.session_id:
        _clear_cookies(context)
    return session


def _clear_cookies(context: Context) -> None:
    context.set_cookies.extend(signed_out_cookies(context.deps.settings))
