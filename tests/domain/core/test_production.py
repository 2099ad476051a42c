"""What production mode refuses to start with, and what it only doubts."""

import base64
import hashlib
import json
import os
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core.production import (
    NotForProduction,
    production_faults,
    production_warnings,
    refuse_faulty,
)
from domain.core.settings import Settings, SettingsError, load_settings
from tests.cli.command import assert_refused, careergraph

GOOD_SECRET = "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"

DRAWN = hashlib.sha256(b"any").digest()
"""As good as drawn, and the same in each run: tests are named after it."""


def key(raw: bytes | None = None) -> str:
    return base64.b64encode(raw or os.urandom(32)).decode()


def settings(**more: Any) -> Settings:
    """What a good production server has, but for what is given."""
    good: dict[str, Any] = {
        "production": True,
        "public_url": "https://api.example.com",
        "secret_keys": {"2026-11": key()},
        "mongodb_uri": "mongodb://careergraph:Zk8-qLw2vR@10.0.0.7:27017/?replicaSet=rs0",
        "redis_url": "rediss://:Zk8-qLw2vR@10.0.0.8:6379/0",
        "trusted_proxies": ["10.0.0.2"],
        "allowed_origins": ["https://app.example.com"],
        "google_client_id": "1234.apps.googleusercontent.com",
        "google_client_secret": GOOD_SECRET,
    }
    return load_settings(**good | more)


def test_a_good_production_server_has_neither_fault_nor_doubt() -> None:
    found = settings()

    assert production_faults(found) == []
    assert production_warnings(found) == []
    refuse_faulty(found)


def test_outside_production_nothing_is_wrong() -> None:
    assert production_faults(load_settings()) == []
    assert production_warnings(load_settings()) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"secret_keys": {}}, "SECRET_KEYS is not set"),
        ({"public_url": "http://api.example.com"}, "PUBLIC_URL is http://api.example.com"),
        ({"google_issuer": "http://accounts.example.com"}, "GOOGLE_ISSUER has http://"),
        ({"github_url": "http://github.example.com"}, "GITHUB_URL has http://"),
        ({"github_api_url": "http://github.example.com"}, "GITHUB_API_URL has http://"),
        ({"external_issuers": [{"issuer": "http://127.0.0.1:9", "audience": "a"}]},
         "EXTERNAL_ISSUERS has http://"),
        ({"allowed_origins": ["http://app.example.com"]}, "ALLOWED_ORIGINS has http://"),
        ({"sign_in_return_urls": ["http://app.example.com/x"]}, "SIGN_IN_RETURN_URLS has http://"),
        ({"google_client_secret": None}, "GOOGLE_CLIENT_SECRET is not set"),
        ({"github_client_secret": GOOD_SECRET}, "GITHUB_CLIENT_ID is not set"),
        ({"google_client_id": "your-client-id"}, "GOOGLE_CLIENT_ID is a placeholder"),
        *(({"google_client_secret": secret}, "GOOGLE_CLIENT_SECRET is a placeholder")
          for secret in ("secret", "changeme", "change-me-please-now-1", "<your secret here, ok>",
                         "your-client-secret-goes-here", "xxxxxxxxxxxxxxxxxxxxxxxx", "4fT9qWz71",
                         "0123456789-EXAMPLE-secret")),
        *(({"mongodb_uri": f"mongodb://{login}@db:27017"}, "MONGODB_URI holds a password")
          for login in ("root:root", "app:changeme", "app:secret", "app:x1Y", "app:example-pass")),
        ({"redis_url": "redis://:password@cache:6379/0"}, "REDIS_URL holds a password"),
    ],
)  # fmt: skip
def test_what_no_production_server_may_have(more: dict[str, Any], words: str) -> None:
    [fault] = production_faults(settings(**more))

    assert words in fault
    assert re.search(r"(Set|Make|Use|Put|Serve|Change) ", fault), "what to do"


@pytest.mark.parametrize(
    ("raw", "weakness"),
    [
        (bytes(32), "repeats itself"),
        (b"\xff" * 32, "repeats itself"),
        (bytes.fromhex("deadbeef") * 8, "repeats itself"),
        (DRAWN[:16] * 2, "repeats itself"),
        (bytes(range(32)), "counts"),
        (bytes(range(200, 168, -1)), "counts"),
        (b"correct horse battery staple 123", "is text"),
        (DRAWN[:16].hex().encode(), "is text"),
        (b"\x80" + bytes(31), "too few different bytes"),
        (bytes(16) + bytes(range(16)), "too few different bytes"),
    ],
)
def test_a_key_that_nobody_drew_is_refused(raw: bytes, weakness: str) -> None:
    [fault] = production_faults(settings(secret_keys={"good": key(), "2026-11": key(raw)}))

    assert "the key '2026-11' is not random" in fault
    assert weakness in fault
    assert key(raw) not in fault


def test_one_key_under_two_names_is_no_rotation() -> None:
    same = key()
    [fault] = production_faults(settings(secret_keys={"old": same, "new": same}))
    assert "'new' is the same key as 'old'" in fault


@given(st.binary())
def test_keys_that_look_drawn_are_taken(seed: bytes) -> None:
    drawn = key(sha256(seed).digest())
    assert production_faults(settings(secret_keys={"k": drawn})) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"mongodb_uri": "mongodb://mongo:27017/?replicaSet=rs0"}, "MONGODB_URI has no password"),
        ({"redis_url": "redis://redis:6379/0"}, "REDIS_URL has no password"),
        ({"trusted_proxies": []}, "TRUSTED_PROXIES is empty"),
        ({"features": ["graphiql", "get"]}, "FEATURES switches on graphiql, get"),
        ({"log_level": "DEBUG"}, "LOG_LEVEL is DEBUG"),
        ({"public_url": "https://127.0.0.1:8443"}, "which only this machine can reach"),
    ],
)
def test_what_may_be_meant_is_a_doubt_and_no_fault(more: dict[str, Any], words: str) -> None:
    found = settings(**more)

    assert production_faults(found) == []
    [doubt] = production_warnings(found)
    assert words in doubt


def test_several_hosts_and_certificates_of_mongodb_are_understood() -> None:
    many = "mongodb://app:Zk8-qLw2vR@a:27017,b:27017,c:27017/?replicaSet=rs0"
    certificate = "mongodb+srv://cluster.example.net/?authMechanism=MONGODB-X509&tls=true"
    for uri in (many, certificate):
        assert production_warnings(settings(mongodb_uri=uri)) == []


def test_a_refused_start_tells_every_fault_at_once() -> None:
    with pytest.raises(NotForProduction) as caught:
        refuse_faulty(load_settings(production=True, github_client_id="Iv1.8a61f9b3a7aba766"))

    assert [words in str(caught.value) for words in ("SECRET_KEYS", "PUBLIC_URL", "GITHUB")] == [
        True
    ] * 3
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed_origins", "*"),
        ("allowed_origins", "null"),
        ("allowed_origins", "app.example.com"),
        ("allowed_origins", "https://*.example.com"),
        ("allowed_origins", "https://app.example.com/"),
        ("allowed_origins", "https://app.example.com/path"),
        ("allowed_origins", "https://user@app.example.com"),
        ("allowed_origins", "https://app.example.com:99999"),
        ("allowed_origins", "file:///etc"),
        ("allowed_origins", "https://[::1"),
        ("allowed_hosts", "*"),
        ("allowed_hosts", "*.example.com"),
        ("allowed_hosts", "https://api.example.com"),
        ("allowed_hosts", "api.example.com:443"),
        ("allowed_hosts", "[::1]:80"),
        ("allowed_hosts", "a b"),
        ("trusted_proxies", "*"),
        ("trusted_proxies", "proxy.example.com"),
        ("trusted_proxies", "0.0.0.0/0"),
        ("trusted_proxies", "::/0"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("trusted_proxies", "10.0.0"),
        ("sign_in_return_urls", "/signed-in"),
        ("sign_in_return_urls", "https://*.example.com/x"),
        ("sign_in_return_urls", "https://a@app.example.com/x"),
        ("sign_in_return_urls", "https://app.example.com/#x"),
        ("sign_in_return_urls", "javascript:alert(1)"),
        ("sign_in_return_urls", "data:text/html,x"),
    ],
)
def test_addresses_that_are_none_end_the_start_anywhere(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^CAREERGRAPH_{name.upper()} is '"):
        load_settings(**{name: [value]})


def test_addresses_are_kept_as_they_are_compared() -> None:
    found = load_settings(
        public_url="https://API.Example.com:443",
        allowed_origins=["HTTPS://App.example.com:443", "http://localhost:5173", "https://[::1]"],
        allowed_hosts=["API.example.com", "::1", "10.0.0.4"],
        trusted_proxies=["10.0.0.0/24", "fd00::/8", "127.0.0.1"],
        sign_in_return_urls=["com.example.app:/signed-in", "http://127.0.0.1:7000/done"],
    )

    assert found.public_url == "https://api.example.com"
    assert found.allowed_origins == [
        "https://app.example.com",
        "http://localhost:5173",
        "https://[::1]",
    ]
    assert found.allowed_hosts == ["api.example.com", "::1", "10.0.0.4"]
    assert found.trusted_proxies == ["10.0.0.0/24", "fd00::/8", "127.0.0.1"]


@pytest.mark.parametrize("name", ["MONGODB_URI", "REDIS_URL", "CAREERGRAPH_SECRET_KEYS"])
def test_a_refused_setting_that_holds_a_secret_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, '{"key": "s3cr3t-in-there"}')
    with pytest.raises(SettingsError, match=rf"^{name} is not usable: ") as caught:
        load_settings()
    assert "s3cr3t" not in str(caught.value)


PRODUCTION = {"CAREERGRAPH_PRODUCTION": "1", "CAREERGRAPH_GITHUB_CLIENT_ID": "Iv1.8a61f9b3a7aba76"}


@pytest.mark.parametrize("command", ["web", "worker"])
async def test_a_process_with_local_settings_does_not_start_in_production(command: str) -> None:
    outcome = await careergraph(command, env=PRODUCTION)

    assert_refused(
        outcome, "production mode", "(1) CAREERGRAPH_SECRET_KEYS is not set", "(2) CAREERGRAPH_PUB",
        "(3) CAREERGRAPH_GITHUB_CLIENT_SECRET", "careergraph secrets new", code=2,
    )  # fmt: skip


async def test_up_is_not_for_production(tmp_path: Path) -> None:
    outcome = await careergraph("up", "--data", tmp_path, env=PRODUCTION)

    assert_refused(outcome, "local work", "CAREERGRAPH_PRODUCTION is on", "careergraph web")
    assert os.listdir(tmp_path) == []


async def test_doctor_tells_what_production_mode_refuses_and_doubts(tmp_path: Path) -> None:
    refused = await careergraph("doctor", "--json", "--data", tmp_path, env=PRODUCTION)
    good = {
        "CAREERGRAPH_PRODUCTION": "1",
        "CAREERGRAPH_PUBLIC_URL": "https://api.example.com",
        "CAREERGRAPH_SECRET_KEYS": json.dumps({"2026-11": key()}),
    }
    doubted = await careergraph("doctor", "--json", "--data", tmp_path, env=good)

    [first] = [line for line in json.loads(refused.out) if line["name"] == "production"]
    assert (refused.code, first["status"]) == (1, "missing")
    assert "SECRET_KEYS is not set" in first["detail"]
    assert "PUBLIC_URL" in first["detail"]
    [second] = [line for line in json.loads(doubted.out) if line["name"] == "production"]
    assert second["status"] == "optional"
    assert "TRUSTED_PROXIES is empty" in second["detail"]
