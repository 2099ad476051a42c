"""The providers that people sign in with, as far as the server calls them by itself: renewing and
revoking tokens, and GitHub's word on who somebody is. Signing in itself goes through Authlib."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx2

from domain.core.clock import now
from domain.core.settings import Settings

TIMEOUT_SECONDS = 10.0
USER_AGENT = "CareerGraph"
_GITHUB_HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": USER_AGENT,
}
_SCOPE_MAX = 50
_SECONDS_MAX = 10 * 365 * 24 * 3600


class ProviderRefused(Exception):
    """The provider does not accept a token any more: it expired, was used up, or was revoked."""


class ProviderUnavailable(Exception):
    """The provider cannot be reached, is too slow, or answers with something else than it should.

    The message is for the log.
    """


@dataclass(frozen=True, slots=True)
class Grant:
    """What a provider gave. Tokens stay out of its `repr`."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime | None
    """None for a token that is good until it is revoked."""
    scopes: tuple[str, ...]

    @classmethod
    def of(cls, answer: Mapping[str, Any], scopes: Sequence[str]) -> "Grant":
        """The grant in a token endpoint's answer (RFC 6749 section 5.1); `scopes` are those asked
        for, which are meant when the answer names none.

        Raises ProviderUnavailable when it is no such answer.
        """
        access, refresh = answer.get("access_token"), answer.get("refresh_token")
        if not (isinstance(access, str) and access):
            raise ProviderUnavailable("the answer holds no access token")
        return cls(
            access_token=access,
            refresh_token=refresh if isinstance(refresh, str) and refresh else None,
            expires_at=_end(answer.get("expires_in")),
            scopes=_scopes(answer.get("scope")) or tuple(scopes),
        )


def _end(seconds: object) -> datetime | None:
    try:
        life = float(seconds)  # type: ignore[arg-type]  # whatever it is, it is a number or it is none
    except (TypeError, ValueError):
        return None
    return now() + timedelta(seconds=min(life, _SECONDS_MAX)) if life > 0 else None


def _scopes(value: object) -> tuple[str, ...]:
    """Separated by spaces as the standard says, or by commas as GitHub does."""
    if not isinstance(value, str):
        return ()
    return tuple(dict.fromkeys(value.replace(",", " ").split()))[:_SCOPE_MAX]


@dataclass(frozen=True, slots=True)
class GitHubUser:
    """A GitHub account. `email` is its primary address, and only a verified one."""

    id: str
    login: str
    name: str | None
    avatar_url: str | None
    email: str | None


class TokenProvider(Protocol):
    """A provider that renews and revokes what it gave."""

    @property
    def revokes_singly(self) -> bool:
        """Whether revoking one grant leaves others of the same person alone."""

    async def refresh(self, grant: Grant) -> Grant:
        """A new grant for one that has a refresh token. Raises ProviderRefused when that is no
        good any more, ProviderUnavailable."""

    async def revoke(self, grant: Grant) -> bool:
        """Make the grant's tokens worthless; whether the provider says that they are.

        Raises ProviderUnavailable.
        """


class OpenIDProvider:
    """A provider found by OpenID Connect Discovery, such as Google."""

    revokes_singly = False
    """Google ends all that a person let an application do (RFC 7009, section 2.1, allows it)."""

    def __init__(self, issuer: str, client_id: str, client_secret: str) -> None:
        self._issuer = issuer
        self._auth = (client_id, client_secret)

    async def refresh(self, grant: Grant) -> Grant:
        """See TokenProvider."""
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
        address = await self._endpoint("token_endpoint")
        if address is None:
            raise ProviderUnavailable(f"{self._issuer} names no token endpoint")
        answer = await _call("POST", address, data=form, auth=self._auth)
        return _renewed(_json_object(answer), grant)

    async def revoke(self, grant: Grant) -> bool:
        """See TokenProvider. By RFC 7009; revoking a refresh token ends its access tokens too."""
        address = await self._endpoint("revocation_endpoint")
        if address is None:
            return False
        form = {"token": grant.refresh_token or grant.access_token}
        return (await _call("POST", address, data=form, auth=self._auth)).status == 200

    async def _endpoint(self, name: str) -> str | None:
        # Asked for anew each time: a renewal comes once an hour, and addresses may move.
        address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        found = _json_object(await _call("GET", address)).get(name)
        return found if isinstance(found, str) else None


class GitHubProvider:
    """GitHub, or a GitHub Enterprise server."""

    revokes_singly = True

    def __init__(self, url: str, api_url: str, client_id: str, client_secret: str) -> None:
        self._url = url.rstrip("/")
        self._api_url = api_url.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret

    async def refresh(self, grant: Grant) -> Grant:
        """See TokenProvider. GitHub Apps may give tokens that expire; OAuth Apps do not."""
        form = {
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "grant_type": "refresh_token",
            "refresh_token": grant.refresh_token,
        }
        address = f"{self._url}/login/oauth/access_token"
        answer = await _call("POST", address, data=form, headers={"Accept": "application/json"})
        return _renewed(_json_object(answer), grant)

    async def revoke(self, grant: Grant) -> bool:
        """See TokenProvider. One that is gone already is as good as revoked."""
        answer = await _call(
            "DELETE",
            f"{self._api_url}/applications/{self._client_id}/token",
            json={"access_token": grant.access_token},
            auth=(self._client_id, self._client_secret),
            headers=_GITHUB_HEADERS,
        )
        return answer.status in (204, 404)

    async def user(self, access_token: str) -> GitHubUser:
        """Whose token this is. Raises ProviderRefused when it is nobody's, ProviderUnavailable."""
        profile = _json_object(await self._get("/user", access_token))
        emails = (await self._get("/user/emails", access_token)).json_value()
        id, login = profile.get("id"), profile.get("login")
        if not (isinstance(id, int) and isinstance(login, str) and isinstance(emails, list)):
            raise ProviderUnavailable("GitHub's answer about the user is not as documented")
        return GitHubUser(
            id=str(id),
            login=login,
            name=_text(profile.get("name")),
            avatar_url=_text(profile.get("avatar_url")),
            email=_verified_primary(emails),
        )

    async def _get(self, path: str, access_token: str) -> "_Answer":
        headers = {**_GITHUB_HEADERS, "Authorization": f"Bearer {access_token}"}
        answer = await _call("GET", self._api_url + path, headers=headers)
        if answer.status == 401:
            raise ProviderRefused("bad credentials")
        return answer


def _verified_primary(emails: list[Any]) -> str | None:
    """GitHub says which of a person's addresses is theirs; an unverified one may be anybody's."""
    for row in emails:
        if isinstance(row, dict) and row.get("primary") is True and row.get("verified") is True:
            return _text(row.get("email"))
    return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    content: bytes
    address: str

    def json_value(self) -> Any:
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise ProviderUnavailable(f"{self.address}: {self.status}, no JSON") from error


async def _call(method: str, address: str, **request: Any) -> _Answer:
    try:
        async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS) as http:
            response = await http.request(method, address, **request)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ProviderUnavailable(f"{address}: {error!r}") from error
    if response.status_code >= 500 or response.status_code == 429:
        raise ProviderUnavailable(f"{address}: {response.status_code}")
    return _Answer(response.status_code, response.content, address)


def _json_object(answer: _Answer) -> dict[str, Any]:
    value = answer.json_value()
    if isinstance(value, dict):
        return value
    raise ProviderUnavailable(f"{answer.address}: {answer.status}, no JSON object")


def _renewed(answer: dict[str, Any], before: Grant) -> Grant:
    """The new grant. What the answer leaves out stays as it was (RFC 6749 section 6)."""
    if "error" in answer:
        # `invalid_grant` by the standard; GitHub says `bad_refresh_token`.
        if answer["error"] in ("invalid_grant", "bad_refresh_token", "bad_credentials"):
            raise ProviderRefused(str(answer["error"]))
        raise ProviderUnavailable(f"the token endpoint says {answer['error']!r}"[:200])
    fresh = Grant.of(answer, before.scopes)
    refresh_token = fresh.refresh_token or before.refresh_token
    return Grant(fresh.access_token, refresh_token, fresh.expires_at, fresh.scopes)


def google_of(settings: Settings) -> OpenIDProvider | None:
    """Google, if this deployment has it."""
    if settings.google_client_id is None or settings.google_client_secret is None:
        return None
    secret = settings.google_client_secret.get_secret_value()
    return OpenIDProvider(settings.google_issuer, settings.google_client_id, secret)


def github_of(settings: Settings) -> GitHubProvider | None:
    """GitHub, if this deployment has it."""
    if settings.github_client_id is None or settings.github_client_secret is None:
        return None
    secret = settings.github_client_secret.get_secret_value()
    return GitHubProvider(
        settings.github_url, settings.github_api_url, settings.github_client_id, secret
    )
