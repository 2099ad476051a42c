"""Settings from the environment."""

import pytest
from pydantic import ValidationError

from domain.core.settings import Settings, SettingsError, load_settings

OWN_NAMES = ("MONGODB_URI", "REDIS_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(f"CAREERGRAPH_{field.upper()}", raising=False)
    for name in OWN_NAMES:
        monkeypatch.delenv(name, raising=False)


def test_defaults_are_those_of_the_requirements() -> None:
    settings = load_settings()

    assert (settings.submits_per_minute, settings.submit_burst) == (10, 3)
    assert (settings.lease_seconds, settings.heartbeat_seconds) == (30, 10)
    assert (settings.sweep_seconds, settings.sweep_after_seconds) == (10, 15)
    assert (settings.job_attempts, settings.job_timeout_seconds) == (3, 900)
    assert (settings.model_timeout_seconds, settings.skill_engine_seconds) == (600, 2)
    assert (settings.cv_max_bytes, settings.text_max_characters) == (10 * 1024**2, 1_000_000)
    assert (settings.result_url_seconds, settings.idempotency_hours) == (3600, 24)
    assert (settings.page_size_default, settings.page_size_max) == (20, 100)
    assert settings.gap_questions_max == 5
    assert settings.anthropic_api_key is None


def test_well_known_variables_carry_no_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(OWN_NAMES, ("mongodb://m", "redis://r", "key", "http://a"), strict=True):
        monkeypatch.setenv(name, value)

    settings = load_settings()

    assert (settings.mongodb_uri, settings.redis_url) == ("mongodb://m", "redis://r")
    assert settings.anthropic_base_url == "http://a"
    assert settings.anthropic_api_key is not None
    assert settings.anthropic_api_key.get_secret_value() == "key"
    assert "'key'" not in repr(settings)


def test_other_variables_carry_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREERGRAPH_SUBMIT_BURST", "7")
    monkeypatch.setenv("SUBMIT_BURST", "9")
    monkeypatch.setenv("CAREERGRAPH_ALLOWED_ORIGINS", '["https://app.example.com"]')

    settings = load_settings()

    assert settings.submit_burst == 7
    assert settings.allowed_origins == ["https://app.example.com"]


def test_empty_variables_count_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = load_settings()
    for name in (*OWN_NAMES, "CAREERGRAPH_SUBMIT_BURST", "CAREERGRAPH_ALLOWED_ORIGINS"):
        monkeypatch.setenv(name, "")

    assert load_settings() == defaults
    assert load_settings().anthropic_api_key is None


def test_overrides_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URI", "mongodb://environment")

    assert load_settings(mongodb_uri="mongodb://given").mongodb_uri == "mongodb://given"


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("CAREERGRAPH_LEASE_SECONDS", "soon", "valid number"),
        ("CAREERGRAPH_LEASE_SECONDS", "0", "greater than 0"),
        ("CAREERGRAPH_LEASE_SECONDS", "inf", "finite number"),
        ("CAREERGRAPH_LEASE_SECONDS", "10", "less than CAREERGRAPH_LEASE_SECONDS, which is 10"),
        ("CAREERGRAPH_SUBMIT_BURST", "1.5", "valid integer"),
        ("CAREERGRAPH_MODEL_MAX_TOKENS", "99999", "less than or equal to 21333"),
        ("CAREERGRAPH_GAP_QUESTIONS_MAX", "6", "less than or equal to 5"),
        ("CAREERGRAPH_RESULT_URL_SECONDS", "2678401", "less than or equal to 2678400"),
        ("CAREERGRAPH_LOG_LEVEL", "LOUD", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("CAREERGRAPH_PUBLIC_URL", "example.com", "pattern '^https?://"),
        ("CAREERGRAPH_ALLOWED_ORIGINS", "https://a.example", "JSON list"),
    ],
)
def test_bad_value_is_named_with_what_the_variable_takes(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, takes: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert "CAREERGRAPH_" in str(caught.value)
    assert takes in str(caught.value)
    if "which is" not in takes:
        assert str(caught.value).startswith(f"{name} is {value!r}: ")


def test_every_bad_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREERGRAPH_SUBMIT_BURST", "0")
    monkeypatch.setenv("CAREERGRAPH_PAGE_SIZE_MAX", "many")

    with pytest.raises(SettingsError, match=r"SUBMIT_BURST is '0'.*; .*PAGE_SIZE_MAX is 'many'"):
        load_settings()


def test_variable_without_prefix_is_named_without(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"^ANTHROPIC_BASE_URL is 5: "):
        load_settings(anthropic_base_url=5)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().submit_burst = 9
