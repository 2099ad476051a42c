"""Every setting, read once at start-up from environment variables."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "CAREERGRAPH_"
MEBIBYTE = 1024 * 1024

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _read_list(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('takes a JSON list, such as ["https://app.example.com"]') from None


Origins = Annotated[list[str], NoDecode, BeforeValidator(_read_list)]


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
    public_url: str = Field("http://127.0.0.1:8000", pattern=r"^https?://[^\s/]+$")
    """The address that clients reach this server by, without a path: signed links start with it."""

    allowed_origins: Origins = []
    """Origins of web pages elsewhere that may call this server, as a JSON list."""

    anthropic_api_key: SecretStr | None = Field(None, validation_alias=_shared("ANTHROPIC_API_KEY"))
    anthropic_base_url: str | None = Field(None, validation_alias=_shared("ANTHROPIC_BASE_URL"))
    model: str = "claude-sonnet-5-5"
    model_timeout_seconds: Seconds = 600
    model_max_tokens: int = Field(8192, ge=256, le=21_333)
    model_input_characters: Count = 60_000
    """How much of a CV and of a posting, each, goes into one prompt."""

    token_issuer: str = Field("careergraph", min_length=1)
    token_audience: str = Field("careergraph-api", min_length=1)
    token_seconds: Count = 12 * 3600
    upload_url_seconds: Count = 900
    result_url_seconds: Count = 3600

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

    @field_validator("heartbeat_seconds")
    @classmethod
    def _beats_within_lease(cls, value: float, info: ValidationInfo) -> float:
        lease = info.data.get("lease_seconds", value + 1)
        if value >= lease:
            raise ValueError(f"must be less than {PREFIX}LEASE_SECONDS, which is {lease:g}")
        return value


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
    return f"{variable} is {item['input']!r}: {message[:1].lower()}{message[1:]}"
