"""Users of external issuers: whom the subject of a token stands for."""

import time
from collections import OrderedDict
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from pymongo.errors import DuplicateKeyError

from domain.auth.caller import UNKNOWN
from domain.auth.tokens import InvalidToken
from domain.core.closed_accounts import ClosedAccount
from domain.profile.documents import User
from domain.sign_in.accounts import account_name, insert_account
from domain.sign_in.documents import DeletedIdentity, Identity
from domain.sign_in.rules import clean_email

if TYPE_CHECKING:
    from domain.auth.external_issuers import ExternalToken
    from domain.core.deps import Deps

log = structlog.get_logger()

KNOWN_SECONDS = 3.0
"""Shorter than the 5 s in which the end of an account is to show everywhere."""
MOST_KNOWN = 10_000
MOST_TRIES = 5

_Subject = tuple[str, str]


class ExternalUsers:
    """Whom subjects stand for, remembered for a few seconds by one process."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Subject, tuple[UUID, float]] = OrderedDict()

    def find(self, subject: _Subject) -> UUID | None:
        user_id, until = self._known.get(subject, (None, 0.0))
        return user_id if until > time.monotonic() else None

    def keep(self, subject: _Subject, user_id: UUID) -> None:
        self._known[subject] = (user_id, time.monotonic() + KNOWN_SECONDS)
        self._known.move_to_end(subject)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


async def user_of_external(deps: "Deps", token: "ExternalToken") -> UUID:
    """The user whom a verified token of an external issuer stands for, made at first sight.

    Raises InvalidToken when the token is older than the deletion of its account.
    """
    subject = (token.issuer, token.subject)
    user_id = deps.external_users.find(subject)
    if user_id is None:
        user_id = await _user_of(deps, token)
        deps.external_users.keep(subject, user_id)
    return user_id


async def _user_of(deps: "Deps", token: "ExternalToken") -> UUID:
    email = clean_email(token.email)
    for _ in range(MOST_TRIES):
        identity = await Identity.of_subject(token.issuer, token.subject)
        if identity is not None:
            if await ClosedAccount.has(identity.user_id):
                raise InvalidToken("the account of this token is being deleted")
            return identity.user_id
        if await DeletedIdentity.refuses(token.issuer, token.subject, token.issued_at):
            raise InvalidToken("the token is older than the deletion of its account")
        try:
            return await _make(deps, token, email)
        except DuplicateKeyError:
            # Either another request made it first, which the next turn finds, or an account has
            # this e-mail: an issuer's word is not enough to be let into that one.
            email = None
    raise InvalidToken("the account of this token cannot be made")


async def _make(deps: "Deps", token: "ExternalToken", email: str | None) -> UUID:
    user = User(email=email, name=account_name(token.name, email))
    identity = Identity(
        user_id=user.id, provider=token.issuer, subject=token.subject,
        email=clean_email(token.email), email_verified=token.email is not None, name=token.name,
    )  # fmt: skip
    await insert_account(deps, user, identity, consent=None, caller=UNKNOWN)
    return user.id
