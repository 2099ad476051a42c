"""What a sign-in may ask for, and what its parts look like."""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import urlencode, urlsplit, urlunsplit


class Provider(StrEnum):
    """The providers that people sign in with on our pages."""

    GOOGLE = "google"
    GITHUB = "github"


class TokenUse(StrEnum):
    """What one of a provider's tokens was asked for."""

    SIGN_IN = "SIGN_IN"
    REPOSITORIES = "REPOSITORIES"


class ConsentKind(StrEnum):
    """What a person can agree to."""

    PRIVACY_POLICY = "PRIVACY_POLICY"
    GITHUB_REPOSITORIES = "GITHUB_REPOSITORIES"


ACCOUNT_PATH = "/account"
LINK_PATH = "/auth/link"
AGREE_PATH = "/auth/agree"
REPOSITORIES_PATH = "/auth/github/repositories"
OWN_PATHS = (ACCOUNT_PATH, "/graphiql", "/", LINK_PATH, REPOSITORIES_PATH)
URL_MAX = 2048
EMAIL_MAX = 254
"""RFC 5321 section 4.5.3.1.3, less the two angle brackets."""

# RFC 7636 section 4.2: base64url of a SHA-256 digest, without padding.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
# RFC 7636 section 4.1.
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


def allowed_return(value: str | None, elsewhere: Sequence[str]) -> str | None:
    """Where a sign-in may end, or None when it may not end there.

    Whole values are compared with fixed lists and nothing is parsed, so no spelling of another
    address gets through (RFC 9700 section 4.11).
    """
    if value is None:
        return ACCOUNT_PATH
    return value if value in OWN_PATHS or value in elsewhere else None


def is_challenge(value: str) -> bool:
    """Whether a value can be a PKCE code challenge of method S256."""
    return _CHALLENGE.fullmatch(value) is not None


def answers_challenge(verifier: str, challenge: str) -> bool:
    """Whether a PKCE code verifier belongs to an S256 challenge (RFC 7636 section 4.6)."""
    if _VERIFIER.fullmatch(verifier) is None:
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"="), challenge.encode())


def with_query(address: str, **params: str) -> str:
    """The address with parameters added to those that it has."""
    parts = urlsplit(address)
    query = "&".join(filter(None, [parts.query, urlencode(params)]))
    return urlunsplit(parts._replace(query=query))


def origin_of(address: str) -> str:
    """What a Content Security Policy calls the address's source: an origin, or a bare scheme
    for the private-use schemes of apps (RFC 8252 section 7.1)."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def clean_email(value: object) -> str | None:
    """An e-mail address as accounts keep it; None for what is none."""
    if not isinstance(value, str) or len(value) > EMAIL_MAX:
        return None
    address = value.strip().lower()
    return address if _EMAIL.fullmatch(address) else None


def clean_picture(value: object) -> str | None:
    """The address of a picture on the web; None for anything else."""
    if not isinstance(value, str) or len(value) > URL_MAX or not value.isprintable():
        return None
    return value if value.startswith(("https://", "http://")) else None


def tombstone_key(provider: str, subject: str) -> str:
    """What is kept of a deleted identity: a digest that only its own token leads to."""
    return hashlib.sha256(f"{provider}\0{subject}".encode()).hexdigest()
