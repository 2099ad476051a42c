"""Signing in and out: sessions, their tokens, and the end of both."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.auth.audit import AuditAction, record
from domain.auth.caller import Caller
from domain.auth.device import device_name
from domain.auth.refresh_rules import (
    NONCE_BYTES,
    SECRET_BYTES,
    Verdict,
    hash_of,
    judge,
    make_token,
    open_successor,
    seal_successor,
    session_in,
)
from domain.auth.session_documents import (
    AccessToken,
    Asker,
    Session,
    SignInMethod,
    Successor,
    Tokens,
)
from domain.auth.token_documents import Ended, RevokedToken, SpentRefreshToken
from domain.auth.tokens import InvalidToken, Verified
from domain.core.clock import now
from domain.core.closed_accounts import ClosedAccount
from domain.core.deps import Deps
from domain.core.errors import AccountClosed, DomainError
from domain.core.ids import new_id

_TRIES = 5
"""Each try that fails means that somebody else's has succeeded."""


class TokenRevoked(InvalidToken):
    """The token was good until its session was ended."""


class RefreshReason(StrEnum):
    """Why a refresh token is refused."""

    UNKNOWN = "UNKNOWN"
    EXPIRED = "EXPIRED"
    ENDED = "ENDED"
    REUSED = "REUSED"


class RefreshRefused(DomainError):
    """A refresh token gives no new tokens; its holder has to sign in again."""

    def __init__(self, reason: RefreshReason) -> None:
        super().__init__(f"refresh refused: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Access:
    """An access token and what the session keeps of it."""

    token: str
    kept: AccessToken


async def open_session(
    deps: Deps, user_id: UUID, method: SignInMethod, caller: Caller,
    access_life: timedelta | None = None, *, identity_id: UUID | None = None,
) -> Tokens:  # fmt: skip
    """Start a session of somebody who has just shown who they are, by `identity_id`.

    With `access_life`, for local work, it is one access token of that life and no refresh token.

    Raises AccountClosed when the account is being deleted.
    """
    at, id = _second(now()), new_id()
    ends = at + (access_life or timedelta(seconds=deps.settings.refresh_token_seconds))
    access = _issue(deps, user_id, id, method, at, access_life or _access_life(deps))
    refresh = None if access_life else make_token(id, secrets.token_bytes(SECRET_BYTES))
    session = Session.opened(
        id, user_id, method, device_name(caller.user_agent), caller.address, at, ends,
        hash_of(refresh) if refresh else None, access.kept, identity_id,
    )  # fmt: skip
    await session.insert()
    if await ClosedAccount.has(user_id):
        await session.delete()
        raise AccountClosed
    action = AuditAction.TOKEN_ISSUED if access_life else AuditAction.SIGNED_IN
    await record(action, caller, user_id, session_id=str(id), method=method.value)
    return Tokens(access.token, access.kept.expires_at, refresh, ends, id, user_id)


async def refresh_session(deps: Deps, refresh_token: str, caller: Caller) -> Tokens:
    """New tokens for a refresh token, which is replaced.

    Whoever presents the replaced one again within 10 s gets the same successor, so that requests
    sent side by side all go on with one session; later, or with an older one, the session ends.

    Raises RefreshRefused.
    """
    for _ in range(_TRIES):
        session, verdict = await _judged(refresh_token)
        match verdict:
            case Verdict.ROTATE:
                tokens = await _rotate(deps, session, refresh_token, caller)
            case Verdict.REPEAT:
                tokens = await _repeat(deps, session, refresh_token)
            case _:
                raise await _refusal(deps, session, verdict, refresh_token, caller)
        if tokens is not None:
            return tokens
    raise RefreshRefused(RefreshReason.UNKNOWN)


async def sign_out(deps: Deps, asker: Asker, caller: Caller) -> None:
    """End the session that the asker's token is of, or an external issuer's token itself."""
    if asker.session_id is None:
        await revoke_external_token(deps, asker, caller)
    else:
        await _revoke(deps, asker.user_id, asker.session_id, caller, AuditAction.SIGNED_OUT)


async def sign_out_with_refresh_token(deps: Deps, refresh_token: str, caller: Caller) -> None:
    """End the session of a refresh token. One that is over or unknown is no error: it is out."""
    try:
        session, verdict = await _judged(refresh_token)
    except RefreshRefused:
        return
    if verdict in (Verdict.ROTATE, Verdict.REPEAT):
        await _revoke(deps, session.user_id, session.id, caller, AuditAction.SIGNED_OUT)
    else:
        await _refusal(deps, session, verdict, refresh_token, caller)


async def revoke_session(deps: Deps, user_id: UUID, session_id: UUID, caller: Caller) -> bool:
    """End one of a user's sessions. False when it is absent, ended or somebody else's."""
    return await _revoke(deps, user_id, session_id, caller, AuditAction.SESSION_REVOKED)


async def revoke_all_sessions(
    deps: Deps, user_id: UUID, caller: Caller, keep: UUID | None = None,
    identity_id: UUID | None = None,
) -> int:  # fmt: skip
    """End all of a user's sessions but `keep`, or those of one way in. How many those were."""
    count = await Session.revoke_of_user(user_id, keep, identity_id)
    for session in await Session.revoked_of_user(user_id):
        await _announce(deps, session)
    if count:
        await record(AuditAction.SESSION_REVOKED, caller, user_id, sessions=str(count))
    return count


async def revoke_external_token(deps: Deps, asker: Asker, caller: Caller) -> None:
    """Refuse an external issuer's token from now on. Its issuer may still think it good."""
    await RevokedToken.put(asker.token_id, asker.expires_at)
    token = AccessToken(token_id=asker.token_id, expires_at=asker.expires_at)
    ended = Ended(asker.token_id, now(), asker.expires_at)
    await deps.revocations.announce(ended, [token])
    await record(AuditAction.SIGNED_OUT, caller, asker.user_id, method=asker.method.value)


async def verify_access(deps: Deps, token: str) -> Asker:
    """Who one of our own access tokens is of. Raises InvalidToken, or TokenRevoked of its kind."""
    asker = _asker(deps.signers.access.verify(token, now()))
    if await deps.revocations.is_revoked(asker):
        raise TokenRevoked("its session was ended")
    return asker


def _asker(verified: Verified) -> Asker:
    claims = verified.claims
    try:
        return Asker(
            user_id=verified.subject,
            session_id=UUID(claims["sid"]),
            token_id=verified.token_id,
            expires_at=verified.expires_at,
            method=SignInMethod(claims["method"]),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InvalidToken(f"not of a session: {error!r}") from error


async def _judged(refresh_token: str) -> tuple[Session, Verdict]:
    """The token's session and what to do. Raises RefreshRefused where there is no session."""
    id = session_in(refresh_token)
    session = await Session.get(id) if id else None
    if session is None:
        raise RefreshRefused(RefreshReason.UNKNOWN)
    return session, judge(session.family, hash_of(refresh_token), now())


async def _rotate(
    deps: Deps, session: Session, refresh_token: str, caller: Caller
) -> Tokens | None:
    """New tokens; None when another request was first."""
    at, presented = now(), hash_of(refresh_token)
    ends = at + timedelta(seconds=deps.settings.refresh_token_seconds)
    fresh = make_token(session.id, secrets.token_bytes(SECRET_BYTES))
    nonce = secrets.token_bytes(NONCE_BYTES)
    successor = Successor(nonce=nonce, data=seal_successor(refresh_token, fresh, nonce))
    access = _issue(deps, session.user_id, session.id, session.method, at, _access_life(deps))
    # Before the rotation: otherwise a crash in between could leave a spent token unrecognised.
    await SpentRefreshToken.note(presented, session.id, ends)
    is_done = await Session.rotate(
        session.id, presented, hash_of(fresh), successor, at, ends, access.kept, caller.address
    )
    if not is_done:
        return None
    return Tokens(access.token, access.kept.expires_at, fresh, ends, session.id, session.user_id)


async def _repeat(deps: Deps, session: Session, refresh_token: str) -> Tokens | None:
    """The successor once more, with an access token of its own; None when it is replaced too."""
    if session.successor is None:
        return None
    access = _issue(deps, session.user_id, session.id, session.method, now(), _access_life(deps))
    if not await Session.add_access(session.id, hash_of(refresh_token), access.kept):
        return None
    found = session.successor
    successor = open_successor(refresh_token, found.data, found.nonce)
    return Tokens(
        access.token, access.kept.expires_at, successor, session.expires_at, session.id,
        session.user_id,
    )  # fmt: skip


async def _refusal(
    deps: Deps, session: Session, verdict: Verdict, refresh_token: str, caller: Caller
) -> RefreshRefused:
    """Why the token is refused. One that was ours and is replaced ends its session."""
    if verdict is Verdict.EXPIRED:
        return RefreshRefused(RefreshReason.EXPIRED)
    if verdict is Verdict.ENDED:
        return RefreshRefused(RefreshReason.ENDED)
    # Anybody can send a made-up token with a session's id in it: that must not end the session.
    presented = hash_of(refresh_token)
    if verdict is Verdict.STRANGE and not await SpentRefreshToken.knows(presented, session.id):
        return RefreshRefused(RefreshReason.UNKNOWN)
    await _revoke(deps, session.user_id, session.id, caller, AuditAction.REFRESH_REUSED)
    return RefreshRefused(RefreshReason.REUSED)


async def _revoke(
    deps: Deps, user_id: UUID, session_id: UUID, caller: Caller, action: AuditAction
) -> bool:
    session = await Session.revoke(session_id, user_id)
    if session is None:
        return False
    await _announce(deps, session)
    await record(action, caller, user_id, session_id=str(session_id), device=session.device)
    return True


async def _announce(deps: Deps, session: Session) -> None:
    at = session.revoked_at or now()
    await deps.revocations.announce(
        Ended(session.id, at, session.access_until), session.access_tokens
    )


def _issue(
    deps: Deps, user_id: UUID, session_id: UUID, method: SignInMethod, at: datetime, life: timedelta
) -> _Access:
    signer = deps.signers.access
    at = _second(at)
    token = signer.issue(user_id, at, life, {"sid": str(session_id), "method": method.value})
    verified = signer.verify(token, at)
    kept = AccessToken(token_id=verified.token_id, expires_at=verified.expires_at)
    return _Access(token, kept)


def _access_life(deps: Deps) -> timedelta:
    """An access token never outlives its session."""
    settings = deps.settings
    return timedelta(seconds=min(settings.access_token_seconds, settings.refresh_token_seconds))


def _second(at: datetime) -> datetime:
    """Cut to whole seconds, as the times in tokens are."""
    return at.replace(microsecond=0)
