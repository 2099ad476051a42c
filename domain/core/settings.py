"""Every setting, read once at start-up from environment variables."""

import json
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.core import setting_rules
from domain.core.secrets import read_key
from domain.core.setting_rules import Hosts, Networks, Origins, ReturnUrls, read_list

PREFIX = "CAREERGRAPH_"
MEBIBYTE = 1024 * 1024

TOKEN_SECONDS_MAX = 31 * 24 * 3600
"""The longest life of a signed token: a replaced signing key is kept for as long."""

Count = Annotated[int, Field(ge=1)]
TokenSeconds = Annotated[int, Field(ge=1, le=TOKEN_SECONDS_MAX)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _read_keys(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        keys = json.loads(value)
    except ValueError:
        keys = None
    if not (isinstance(keys, dict) and all(isinstance(key, str) for key in keys.values())):
        raise ValueError('takes a JSON object, such as {"2026-11": "<base64 of 32 bytes>"}')
    return keys


class Feature(StrEnum):
    """What helps developers and attackers alike. In production each is off unless named."""

    INTROSPECTION = "introspection"
    GRAPHIQL = "graphiql"
    SUGGESTIONS = "suggestions"
    GET = "get"
    BATCHING = "batching"


class ExternalIssuer(BaseModel):
    """An OpenID Connect issuer whose tokens are accepted in place of our own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(pattern=r"^https?://")
    """Exactly as in the tokens' `iss`; its keys are found by OpenID Connect Discovery."""
    audience: str = Field(min_length=1)

    @field_validator("issuer")
    @classmethod
    def _is_safe_to_ask(cls, value: str) -> str:
        address = urlsplit(value)
        if address.query or address.fragment or not address.hostname or address.port == 0:
            raise ValueError("is an address without query and fragment (OpenID Connect Core, 2)")
        if address.scheme == "http" and not is_loopback(address.hostname):
            raise ValueError("is https; plain http does for 127.0.0.1, [::1] and localhost only")
        return value


def is_loopback(host: str) -> bool:
    """Whether a host of an address is this machine, as far as that shows without a look-up."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _shared(name: str) -> Any:
    """A variable that other software reads under the same name, so it carries no prefix."""
    return AliasChoices(name, name.lower())


class Settings(BaseSettings):
    """The whole configuration. Variables are the field names in capitals after `CAREERGRAPH_`,
    but for the few that are known everywhere by a name of their own."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,  # compose files and unit files set what is not there to ""
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,  # the cause of a SettingsError is printed with it at times
    )

    mongodb_uri: str = Field(
        "mongodb://127.0.0.1:27017",
        pattern=r"^mongodb(\+srv)?://",
        validation_alias=_shared("MONGODB_URI"),
    )
    mongodb_database: str = Field("careergraph", min_length=1)
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        pattern=r"^(rediss?|unix)://",
        validation_alias=_shared("REDIS_URL"),
    )
    data_dir: Path = Path(".careergraph")
    """Where signing keys lie; for `careergraph up`, the embedded servers' data too."""
    public_url: Annotated[str, AfterValidator(setting_rules.origin)] = Field(
        "http://127.0.0.1:8000", pattern=r"^https?://[^\s/]+$"
    )
    """The address that clients reach this server by, without a path: signed links start with it."""

    production: bool = False
    """Refuses to start with anything that is only good for local work."""
    features: Annotated[list[Feature] | None, NoDecode, BeforeValidator(read_list)] = None
    """What is switched on; None for all outside production and nothing in it."""
    allowed_origins: Origins = []
    """Origins of web pages elsewhere that may call this server, as a JSON list."""
    allowed_hosts: Hosts = []
    """Host names that this server answers to beside that of `public_url`."""
    trusted_proxies: Networks = []
    """Addresses or networks of the proxies whose X-Forwarded-* headers are believed."""
    secret_keys: Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_read_keys)] = {}
    """Key id to base64 of 32 bytes; the first seals, all open. Without: one in the data folder."""
    trusted_documents: Path | None = None
    """A manifest of documents that clients may name by `documentId`."""
    trusted_documents_only: bool = False

    google_client_id: str | None = None
    google_client_secret: SecretStr | None = None
    google_issuer: str = Field("https://accounts.google.com", pattern=r"^https?://")
    github_client_id: str | None = None
    github_client_secret: SecretStr | None = None
    github_url: str = Field("https://github.com", pattern=r"^https?://")
    github_api_url: str = Field("https://api.github.com", pattern=r"^https?://")
    external_issuers: Annotated[list[ExternalIssuer], NoDecode, BeforeValidator(read_list)] = []
    sign_in_return_urls: ReturnUrls = []
    """Addresses elsewhere, each matched exactly, that a sign-in may end at."""

    anthropic_api_key: SecretStr | None = Field(None, validation_alias=_shared("ANTHROPIC_API_KEY"))
    anthropic_base_url: str | None = Field(None, validation_alias=_shared("ANTHROPIC_BASE_URL"))
    model: str = "claude-sonnet-5-5"
    model_timeout_seconds: Seconds = 600
    model_max_tokens: int = Field(8192, ge=256, le=21_333)
    model_input_characters: Count = 60_000
    """How much of a CV and of a posting, each, goes into one prompt."""

    token_issuer: str = Field("careergraph", min_length=1)
    token_audience: str = Field("careergraph-api", min_length=1)
    access_token_seconds: TokenSeconds = 900
    refresh_token_seconds: Count = 30 * 24 * 3600
    """How long a session lasts after its last refresh."""
    upload_url_seconds: TokenSeconds = 900
    result_url_seconds: TokenSeconds = 3600

    cv_max_bytes: Count = 10 * MEBIBYTE
    text_max_characters: Count = 1_000_000
    """The bound of a CV's text, and of a posting's description, requirements and responsibilities
    together."""
    answer_max_characters: Count = 10_000
    gap_questions_max: int = Field(5, ge=1, le=5)
    submits_per_minute: Count = 10
    submit_burst: Count = 3
    cvs_per_minute: Count = 20
    cv_burst: Count = 10
    cost_per_minute: Count = 20_000
    """Points of operation cost (see graph/cost.py) that one user may spend in a minute."""
    address_cost_per_minute: Count = 60_000
    """The same for one address, whoever is behind it."""
    idempotency_hours: Count = 24
    page_size_default: Count = 20
    page_size_max: Count = 100
    skill_engine_seconds: Seconds = 2.0

    worker_concurrency: Count = 10
    worker_grace_seconds: Seconds = 8
    """How long a worker that is told to stop lets its work finish before it hands it back."""
    job_timeout_seconds: Seconds = 900
    job_attempts: Count = 3
    job_total_seconds: Seconds = 3600
    """From acceptance on, all attempts and the waiting between them included."""
    lease_seconds: Seconds = 30
    heartbeat_seconds: Seconds = Field(10, validate_default=True)
    sweep_seconds: Seconds = 10
    sweep_after_seconds: Seconds = 15
    """How long accepted work may lie unclaimed before a worker picks it up by itself."""
    reread_seconds: Seconds = 3
    """How often watched documents are read again, for when Redis loses a hint."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"

    def allows(self, feature: Feature) -> bool:
        """Whether a feature is switched on, by name or because this is not production."""
        return not self.production if self.features is None else feature in self.features

    @field_validator("secret_keys")
    @classmethod
    def _keys_can_be_used(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for key_id, key in value.items():
            read_key(key_id, key.get_secret_value())
        return value

    @field_validator("heartbeat_seconds")
    @classmethod
    def _beats_within_lease(cls, value: float, info: ValidationInfo) -> float:
        lease = info.data.get("lease_seconds", value + 1)
        if value >= lease:
            raise ValueError(f"must be less than {PREFIX}LEASE_SECONDS, which is {lease:g}")
        return value


_SECRET = {"mongodb_uri", "redis_url"} | {
    name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)
}
"""Fields whose values no message repeats: secrets, and addresses that may hold a password."""


class SettingsError(Exception):
    """A setting cannot be used. The message names each variable and what it takes."""


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, with `overrides` by field name on top.

    Raises SettingsError.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        lines = [_explain(dict(item)) for item in error.errors(include_url=False)]
        raise SettingsError("; ".join(lines)) from error


def _explain(item: Mapping[str, Any]) -> str:
    field = str(item["loc"][0]) if item["loc"] else "settings"
    variable = field.upper()
    if field in Settings.model_fields and Settings.model_fields[field].validation_alias is None:
        variable = PREFIX + variable
    message = item["msg"].removeprefix("Value error, ")
    given = "is not usable" if field.lower() in _SECRET else f"is {item['input']!r}"
    return f"{variable} {given}: {message[:1].lower()}{message[1:]}"
