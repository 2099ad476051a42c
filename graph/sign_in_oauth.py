"""Google and GitHub through Authlib: the way there, and what they say on the way back."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth, OAuthError, StarletteOAuth2App
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import Response

from domain.clients.identity_providers import (
    TIMEOUT_SECONDS,
    USER_AGENT,
    Grant,
    ProviderRefused,
    ProviderUnavailable,
    github_of,
)
from domain.core.settings import Settings
from domain.sign_in.profiles import NAME_MAX, SUBJECT_MAX, ProviderProfile
from domain.sign_in.rules import Provider, TokenUse, clean_email, clean_picture
from graph.sign_in_faults import Fault, SignInRefused

PROVIDER_NAMES = {Provider.GOOGLE: "Google", Provider.GITHUB: "GitHub"}
SCOPES = {
    (Provider.GOOGLE, TokenUse.SIGN_IN): "openid email profile",
    (Provider.GITHUB, TokenUse.SIGN_IN): "read:user user:email",
    (Provider.GITHUB, TokenUse.REPOSITORIES): "read:user user:email repo",
}
_METADATA_SECONDS = 3600
_ID_TOKEN_ALGORITHMS = ["RS256", "EdDSA"]
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_CLOCK_SKEW_SECONDS = 60


class OpenIDApp(StarletteOAuth2App):  # type: ignore[misc]  # Authlib has no types
    """Authlib's client, strict about the provider's metadata.

    Stock, it takes over whatever they hold, algorithms and options of its HTTP client too, keeps
    them for ever, and does not compare the issuer (OpenID Connect Discovery 1.0, section 4.3).
    """

    issuer = ""
    server_metadata: dict[str, Any]

    async def load_server_metadata(self) -> dict[str, Any]:
        """The endpoints, asked for once an hour."""
        known = self.server_metadata
        if known.get("_loaded_at", float("-inf")) + _METADATA_SECONDS < time.monotonic():
            async with self._get_session() as http:
                response = await http.request("GET", self._server_metadata_url, withhold_token=True)
            response.raise_for_status()
            self.server_metadata = self._checked(response.json())
        return self.server_metadata

    def _checked(self, found: Any) -> dict[str, Any]:
        if not isinstance(found, dict) or found.get("issuer") != self.issuer:
            raise ValueError("the metadata are not of the configured issuer")
        for name in _ENDPOINTS:
            address = found.get(name)
            if not (isinstance(address, str) and address.startswith(("https://", "http://"))):
                raise ValueError(f"the metadata have no usable {name}")
        return {name: found[name] for name in _ENDPOINTS} | {
            "issuer": self.issuer,
            "id_token_signing_alg_values_supported": _ID_TOKEN_ALGORITHMS,
            "_loaded_at": time.monotonic(),
        }


class ProviderApps:
    """Authlib's clients of one web process, by the settings that they are made of."""

    def __init__(self) -> None:
        self._apps: dict[tuple[str | None, ...], StarletteOAuth2App] = {}

    def find(self, settings: Settings, provider: Provider) -> StarletteOAuth2App:
        """Raises SignInRefused when this deployment does not have the provider."""
        id, secret, address = _client_of(settings, provider)
        if id is None or secret is None:
            raise SignInRefused(Fault.NOT_CONFIGURED)
        key = (provider, id, secret, address)
        if key not in self._apps:
            make = _google if provider is Provider.GOOGLE else _github
            self._apps[key] = make(id, secret, address)
        return self._apps[key]


def configured(settings: Settings) -> list[Provider]:
    """The providers that this deployment has."""
    return [provider for provider in Provider if None not in _client_of(settings, provider)]


def _client_of(settings: Settings, provider: Provider) -> tuple[str | None, str | None, str]:
    if provider is Provider.GOOGLE:
        id, secret = settings.google_client_id, settings.google_client_secret
        address = settings.google_issuer
    else:
        id, secret = settings.github_client_id, settings.github_client_secret
        address = settings.github_url
    return id, secret.get_secret_value() if secret else None, address


def _google(id: str, secret: str, issuer: str) -> StarletteOAuth2App:
    app = OAuth().register(
        Provider.GOOGLE.value,
        client_cls=OpenIDApp,
        client_id=id,
        client_secret=secret,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs=_client_kwargs(Provider.GOOGLE),
        user_agent=USER_AGENT,
    )
    app.issuer = issuer
    return app


def _github(id: str, secret: str, url: str) -> StarletteOAuth2App:
    address = f"{url.rstrip('/')}/login/oauth"
    return OAuth().register(
        Provider.GITHUB.value,
        client_id=id,
        client_secret=secret,
        authorize_url=f"{address}/authorize",
        access_token_url=f"{address}/access_token",
        # GitHub wants the secret in the form, and no Authorization header.
        client_kwargs=_client_kwargs(Provider.GITHUB)
        | {"token_endpoint_auth_method": "client_secret_post"},
        user_agent=USER_AGENT,
    )


def _client_kwargs(provider: Provider) -> dict[str, Any]:
    return {
        "scope": SCOPES[provider, TokenUse.SIGN_IN],
        "code_challenge_method": "S256",
        "timeout": TIMEOUT_SECONDS,
    }


def redirect_address(settings: Settings, provider: Provider) -> str:
    """Where the provider sends people back to: exactly what is registered there."""
    return f"{settings.public_url}/auth/callback/{provider}"


async def send_off(
    app: StarletteOAuth2App, request: Request, settings: Settings,
    provider: Provider, use: TokenUse, *, again: bool,
) -> tuple[Response, str]:  # fmt: skip
    """The redirect to the provider, and its `state`. `again` asks for consent though it was given.

    Raises SignInRefused.
    """
    extra: dict[str, str] = {"scope": SCOPES[provider, use]}
    if provider is Provider.GOOGLE:
        extra["access_type"] = "offline"  # Google's own way to ask for a refresh token
        if again:
            extra["prompt"] = "consent"
    with _faults():
        found = await app.create_authorization_url(redirect_address(settings, provider), **extra)
        await app.save_authorize_data(
            request, redirect_uri=redirect_address(settings, provider), **found
        )
    response = Response(status_code=303, headers={"Location": found["url"]})
    return response, str(found["state"])


async def profile_of(
    app: StarletteOAuth2App, request: Request, settings: Settings,
    provider: Provider, use: TokenUse,
) -> ProviderProfile:  # fmt: skip
    """What the provider says about who comes back from it.

    Raises SignInRefused.
    """
    with _faults():
        token = await app.authorize_access_token(
            request,
            claims_options={
                "iss": {"essential": True, "value": getattr(app, "issuer", "")},
                "aud": {"essential": True, "value": app.client_id},
            },
            leeway=_CLOCK_SKEW_SECONDS,
        )
        grant = Grant.of(token, SCOPES[provider, use].split())
        if provider is Provider.GOOGLE:
            return _of_claims(token["userinfo"], grant)
        return await _of_github(settings, grant)


def _of_claims(claims: dict[str, Any], grant: Grant) -> ProviderProfile:
    email = clean_email(claims.get("email"))
    return ProviderProfile(
        provider=Provider.GOOGLE,
        subject=_subject(claims.get("sub")),
        email=email,
        email_verified=email is not None and claims.get("email_verified") is True,
        name=_name(claims.get("name")),
        avatar_url=clean_picture(claims.get("picture")),
        grant=grant,
    )


async def _of_github(settings: Settings, grant: Grant) -> ProviderProfile:
    github = github_of(settings)
    if github is None:
        raise SignInRefused(Fault.NOT_CONFIGURED)
    user = await github.user(grant.access_token)
    email = clean_email(user.email)
    return ProviderProfile(
        provider=Provider.GITHUB,
        subject=_subject(user.id),
        email=email,
        email_verified=email is not None,
        name=_name(user.name or user.login),
        avatar_url=clean_picture(user.avatar_url),
        grant=grant,
    )


def _subject(value: object) -> str:
    if isinstance(value, str) and 0 < len(value) <= SUBJECT_MAX and value.isprintable():
        return value
    raise ValueError("no usable subject")


def _name(value: object) -> str | None:
    return value[:NAME_MAX] if isinstance(value, str) and value.strip() else None


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    """What Authlib and the clients raise about a provider, as SignInRefused.

    Authlib trusts the shape of answers, so a wrong one may show as any of the last few.
    """
    try:
        yield
    except httpx2.TimeoutException as error:
        raise SignInRefused(Fault.PROVIDER_SLOW, repr(error)) from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise SignInRefused(Fault.PROVIDER_DOWN, repr(error)) from error
    except ProviderUnavailable as error:
        slow = isinstance(error.__cause__, httpx2.TimeoutException)
        fault = Fault.PROVIDER_SLOW if slow else Fault.BAD_ANSWER
        raise SignInRefused(fault, str(error)) from error
    except OAuthError as error:
        # The standard's name for a spent or wrong code, and GitHub's.
        is_code = error.error in ("invalid_grant", "bad_verification_code")
        fault = Fault.CODE_REFUSED if is_code else Fault.BAD_ANSWER
        raise SignInRefused(fault, str(error)) from error
    except (AuthlibBaseError, JoseError, ProviderRefused) as error:
        raise SignInRefused(Fault.BAD_ANSWER, repr(error)) from error
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
        raise SignInRefused(Fault.BAD_ANSWER, repr(error)) from error
