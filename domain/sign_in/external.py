"""Users of external issuers: whom the subject of a token stands for."""

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from pymongo.errors import DuplicateKeyError
from redis.exceptions import RedisError

from domain.auth.audit import AuditAction, record
from domain.auth.caller import Caller
from domain.auth.session_documents import Asker
from domain.auth.tokens import InvalidToken
from domain.core.clock import now
from domain.core.closed_accounts import ClosedAccount
from domain.profile.documents import User
from domain.sign_in.accounts import account_name, insert_account
from domain.sign_in.documents import DeletedIdentity, Identity
from domain.sign_in.rules import clean_email

if TYPE_CHECKING:
    from domain.auth.external_issuers import ExternalToken
    from domain.core.deps import Deps

KNOWN_SECONDS = 3.0
"""Shorter than the 5 s in which the end of an account is to show everywhere."""
MOST_KNOWN = 10_000
MOST_TRIES = 5

_Subject = tuple[str, str]


@dataclass(frozen=True, slots=True)
class WayIn:
    """Whom a subject stands for."""

    user_id: UUID
    identity_id: UUID


class ExternalUsers:
    """Whom subjects stand for, remembered for a few seconds by one process; and which tokens it
    has seen."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Subject, tuple[WayIn, float]] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()

    def find(self, subject: _Subject) -> WayIn | None:
        way_in, until = self._known.get(subject, (None, 0.0))
        return way_in if until > time.monotonic() else None

    def keep(self, subject: _Subject, way_in: WayIn) -> None:
        self._known[subject] = (way_in, time.monotonic() + KNOWN_SECONDS)
        self._known.move_to_end(subject)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def is_first_sight(self, token_id: str) -> bool:
        """Whether this token was not asked about before, as far as is remembered."""
        is_first = token_id not in self._seen
        self._seen[token_id] = None
        self._seen.move_to_end(token_id)
        while len(self._seen) > MOST_KNOWN:
            self._seen.popitem(last=False)
        return is_first


async def note_first_use(deps: "Deps", asker: Asker, issuer: str, caller: Caller) -> None:
    """Record that somebody came in with a token, once for each token, whichever process sees it.

    Without Redis, once in each process.
    """
    if not deps.external_users.is_first_sight(asker.token_id):
        return
    seconds = max(1, int((asker.expires_at - now()).total_seconds()) + 1)
    try:
        name = f"careergraph:external-token-seen:{asker.token_id}"
        is_first = await deps.redis.set(name, 1, nx=True, ex=seconds)
    except (RedisError, OSError, TimeoutError):
        is_first = True
    if is_first:
        await record(
            AuditAction.SIGNED_IN, caller, asker.user_id,
            method=asker.method.value, provider=issuer,
        )  # fmt: skip


async def lapsed(askers: Iterable[Asker]) -> set[Asker]:
    """Of those who ask with tokens of external issuers, the ones whom nothing leads in any more:
    their account is closed, or their way in was taken away."""
    ways = {asker: asker.identity_id for asker in askers if asker.identity_id is not None}
    if not ways:
        return set()
    leading = await Identity.leading(set(ways.values()))
    closed = await ClosedAccount.among({asker.user_id for asker in ways})
    return {
        asker for asker, identity_id in ways.items()
        if asker.user_id in closed or leading.get(identity_id) != asker.user_id
    }  # fmt: skip


async def way_in_of_external(deps: "Deps", token: "ExternalToken", caller: Caller) -> WayIn:
    """Whom a verified token of an external issuer stands for, made at first sight.

    Raises InvalidToken when the token is older than the deletion of its account.
    """
    subject = (token.issuer, token.subject)
    way_in = deps.external_users.find(subject)
    if way_in is None:
        way_in = await _way_in_of(deps, token, caller)
        deps.external_users.keep(subject, way_in)
    return way_in


async def _way_in_of(deps: "Deps", token: "ExternalToken", caller: Caller) -> WayIn:
    email = clean_email(token.email)
    for _ in range(MOST_TRIES):
        identity = await Identity.of_subject(token.issuer, token.subject)
        if identity is not None:
            if await ClosedAccount.has(identity.user_id):
                raise InvalidToken("the account of this token is being deleted")
            return WayIn(identity.user_id, identity.id)
        if await DeletedIdentity.refuses(token.issuer, token.subject, token.issued_at):
            raise InvalidToken("the token is older than the deletion of its account")
        try:
            return await _make(deps, token, email, caller)
        except DuplicateKeyError:
            # Either another request made it first, which the next turn finds, or an account has
            # this e-mail: an issuer's word is not enough to be let into that one.
            email = None
    raise InvalidToken("the account of this token cannot be made")


async def _make(deps: "Deps", token: "ExternalToken", email: str | None, caller: Caller) -> WayIn:
    user = User(email=email, name=account_name(token.name, email))
    identity = Identity(
        user_id=user.id, provider=token.issuer, subject=token.subject,
        email=clean_email(token.email), email_verified=token.email is not None, name=token.name,
    )  # fmt: skip
    await insert_account(deps, user, identity, consent=None, caller=caller)
    return WayIn(user.id, identity.id)
