"""What every resolver is given."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLError
from strawberry.permission import BasePermission

from domain.auth.caller import UNKNOWN, Caller
from domain.auth.issuer_keys import IssuerUnavailable
from domain.auth.session_documents import Asker
from domain.auth.sessions import TokenRevoked
from domain.auth.tokens import InvalidToken
from domain.core.deps import Deps
from domain.core.language import Language
from domain.sign_in.actions import authenticate
from graph.loaders import Loaders


@dataclass(frozen=True, slots=True)
class Session:
    """Who is asking. Without a user, `problem` says what is wrong with the token, if one came."""

    user_id: UUID | None = None
    problem: str | None = None
    asker: Asker | None = None


ANONYMOUS = Session()


async def read_session(deps: Deps, authorization: object, caller: Caller = UNKNOWN) -> Session:
    """The session that an `Authorization: Bearer …` value stands for."""
    if authorization is None or authorization == "":
        return ANONYMOUS
    scheme, _, token = str(authorization).strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return Session(problem="The Authorization header must read `Bearer <token>`.")
    return await session_of_token(deps, token.strip(), caller)


async def session_of_token(deps: Deps, token: str, caller: Caller = UNKNOWN) -> Session:
    """The session that an access token stands for, ours or an external issuer's."""
    try:
        asker = await authenticate(deps, token, caller)
    except TokenRevoked:
        return Session(problem="This session was ended. Sign in again.")
    except InvalidToken:
        return Session(
            problem="The access token is expired or not of this server. Sign in again; for local "
            "work, `careergraph token --user EMAIL` makes a new one."
        )
    except IssuerUnavailable as error:
        return Session(problem=f"This access token cannot be checked now. {error}")
    return Session(asker.user_id, asker=asker)


@dataclass(slots=True)
class Context:
    """One HTTP request, or one socket with all its operations."""

    deps: Deps
    session: Session
    loaders: Loaders
    caller: Caller = UNKNOWN
    set_cookies: list[str] = field(default_factory=list)
    """Set-Cookie values for the answer over HTTP; on a socket they go nowhere."""
    connection_params: dict[str, Any] | None = None

    def sign_in(self, session: Session) -> None:
        """Take on the session that a socket's connection_init brought."""
        self.session = session
        self.loaders = Loaders(self.deps, session.user_id)

    @property
    def user_id(self) -> UUID:
        """The signed-in user's id, where `SignedIn` guards the field."""
        return self.asker.user_id

    @property
    def asker(self) -> Asker:
        """What the access token says, where `SignedIn` guards the field."""
        if self.session.asker is None:
            raise GraphQLError("Sign in first.", extensions={"code": "UNAUTHENTICATED"})
        return self.session.asker

    async def language(self) -> Language:
        """The language to talk to the viewer in."""
        if self.session.user_id is None:
            return Language.EN
        user = await self.loaders.user_by_id.load(self.session.user_id)
        return user.language if user else Language.EN


def make_context(deps: Deps, session: Session, caller: Caller = UNKNOWN) -> Context:
    """A context with loaders of its own. Each is a use of its session."""
    if session.asker is not None and session.asker.session_id is not None:
        deps.last_use.note(session.asker.session_id)
    return Context(deps, session, Loaders(deps, session.user_id), caller)


Info = strawberry.Info[Context, None]


class SignedIn(BasePermission):
    """Only for requests with a valid access token."""

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        session = info.context.session
        if session.user_id is None:
            message = session.problem or (
                "Sign in first: send the header `Authorization: Bearer <token>`, or the same in "
                "the payload of connection_init. Pages renew their cookies by POST /auth/refresh."
            )
            raise GraphQLError(message, extensions={"code": "UNAUTHENTICATED"})
        return True
