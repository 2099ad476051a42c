"""Secrets at rest."""

import base64
import hashlib
import hmac
import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from domain.core.key_files import KeyFolderError
from domain.core.secrets import (
    FILE_NAME,
    SealBroken,
    Sealed,
    SecretKeyMissing,
    Secrets,
    load_secrets,
    new_key,
    read_key,
)
from domain.core.settings import Settings, SettingsError, load_settings

OLD, NEW = (hashlib.sha256(name).digest() for name in (b"old", b"new"))
"""The same in each run: tests are named after them."""
MAKE = "import sys; from domain.core.settings import load_settings; "
MAKE += "from domain.core.secrets import load_secrets; "
MAKE += "print(load_secrets(load_settings(data_dir=sys.argv[1])).derived('x').hex())"


def text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def settings(data: Path, **keys: bytes) -> Settings:
    given = {id: text(key) for id, key in keys.items()}
    return load_settings(data_dir=data, secret_keys=json.dumps(given) if given else {})


@given(st.binary(max_size=300), st.text(max_size=50))
def test_what_was_sealed_is_opened_for_the_same_purpose(data: bytes, purpose: str) -> None:
    sealed = Secrets({"new": NEW}).seal(data, purpose)

    assert Secrets({"new": NEW}).open(sealed, purpose) == data
    with pytest.raises(SealBroken):
        Secrets({"new": NEW}).open(sealed, purpose + "x")


def test_a_seal_shows_nothing_and_is_never_the_same() -> None:
    secrets, token = Secrets({"new": NEW}), b"gho_a-token-of-a-provider"

    seals = [secrets.seal(token, "p") for _ in range(1000)]

    assert len({seal.nonce for seal in seals}) == len({seal.data for seal in seals}) == 1000
    assert {len(seal.nonce) for seal in seals} == {12}
    assert {len(seal.data) for seal in seals} == {len(token) + 16}
    assert not any(token[:8] in seal.data for seal in seals)
    assert "data" not in repr(seals[0])


def test_the_first_key_seals_and_all_open() -> None:
    before = Secrets({"old": OLD}).seal(b"token", "p")
    rotated = Secrets({"new": NEW, "old": OLD})

    assert rotated.open(before, "p") == b"token"
    assert rotated.seal(b"token", "p").key_id == "new"
    assert Secrets({"old": OLD, "new": NEW}).seal(b"token", "p").key_id == "old"


def test_a_removed_key_is_named() -> None:
    sealed = Secrets({"2025-01": OLD}).seal(b"token", "p")

    with pytest.raises(SecretKeyMissing, match=r"'2025-01'.*CAREERGRAPH_SECRET_KEYS") as caught:
        Secrets({"2026-01": NEW}).open(sealed, "p")
    assert caught.value.key_id == "2025-01"


def test_every_changed_bit_breaks_the_seal() -> None:
    secrets = Secrets({"k": NEW})
    good = secrets.seal(b"tok", "p")

    for name in ("nonce", "data"):
        value: bytes = getattr(good, name)
        for bit in range(len(value) * 8):
            changed = bytearray(value)
            changed[bit // 8] ^= 1 << bit % 8
            with pytest.raises(SealBroken):
                secrets.open(good.model_copy(update={name: bytes(changed)}), "p")


@pytest.mark.parametrize("nonce", [b"", b"short", bytes(11), bytes(13), bytes(200)], ids=len)
def test_a_nonce_of_another_length_is_a_broken_seal(nonce: bytes) -> None:
    with pytest.raises(SealBroken):
        Secrets({"k": NEW}).open(Sealed(key_id="k", nonce=nonce, data=bytes(40)), "p")


@pytest.mark.parametrize("length", [0, 1, 15, 16])
def test_data_cut_short_is_a_broken_seal(length: int) -> None:
    secrets = Secrets({"k": NEW})
    sealed = secrets.seal(b"token", "p")

    with pytest.raises(SealBroken):
        secrets.open(sealed.model_copy(update={"data": sealed.data[:length]}), "p")


def test_a_key_under_the_id_of_another_breaks_the_seal() -> None:
    sealed = Secrets({"k": OLD}).seal(b"token", "p")

    with pytest.raises(SealBroken):
        Secrets({"k": NEW}).open(sealed, "p")


def test_derived_keys_follow_from_the_first_key_and_the_purpose() -> None:
    one, other = Secrets({"a": OLD, "b": NEW}), Secrets({"b": NEW, "a": OLD})

    assert one.derived("cookies") == Secrets({"z": OLD}).derived("cookies")
    assert len({one.derived("a"), one.derived("b"), other.derived("a"), OLD, NEW}) == 5
    assert len(one.derived("a")) == 32


def test_no_derived_key_opens_what_is_sealed() -> None:
    """A purpose that is named like the one behind sealing must not give its key away."""
    secrets = Secrets({"k": NEW})
    sealed = secrets.seal(b"token", "p")

    for purpose in ("seal", "", "careergraph/seal", "derived:seal"):
        with pytest.raises(SealBroken):
            Secrets({"k": secrets.derived(purpose)}).open(sealed, "p")
        with pytest.raises(InvalidTag):
            AESGCM(secrets.derived(purpose)).decrypt(sealed.nonce, sealed.data, b"p")


def test_derivation_is_that_of_the_standard() -> None:
    """HKDF-SHA256 of RFC 5869 without salt, written out: T(1) = HMAC(PRK, info | 0x01)."""
    prk = hmac.digest(bytes(32), NEW, "sha256")
    expected = hmac.digest(prk, b"careergraph/derived:cookies\x01", "sha256")

    assert Secrets({"k": NEW}).derived("cookies") == expected


def test_keys_of_the_settings_come_first_and_leave_the_folder_alone(tmp_path: Path) -> None:
    secrets = load_secrets(settings(tmp_path, new=NEW, old=OLD))

    assert secrets.open(Secrets({"old": OLD}).seal(b"token", "p"), "p") == b"token"
    assert secrets.seal(b"token", "p").key_id == "new"
    assert os.listdir(tmp_path) == []


def test_without_a_setting_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "not" / "yet"
    sealed = load_secrets(settings(data)).seal(b"token", "p")

    file = data / "keys" / FILE_NAME
    assert load_secrets(settings(data)).open(sealed, "p") == b"token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert os.listdir(file.parent) == [FILE_NAME]


def test_the_file_can_be_taken_over_into_the_setting(tmp_path: Path) -> None:
    sealed = load_secrets(settings(tmp_path)).seal(b"token", "p")
    value = (tmp_path / "keys" / FILE_NAME).read_text()

    moved = load_secrets(load_settings(data_dir=tmp_path / "elsewhere", secret_keys=value))

    assert moved.open(sealed, "p") == b"token"


def test_two_folders_never_have_the_same_id(tmp_path: Path) -> None:
    one, other = (load_secrets(settings(tmp_path / name)) for name in ("one", "other"))

    with pytest.raises(SecretKeyMissing):
        other.open(one.seal(b"token", "p"), "p")


def test_threads_and_processes_make_one_key(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAKE, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    with ThreadPoolExecutor(20) as pool:
        ours = set(pool.map(lambda _: load_secrets(settings(tmp_path)).derived("x"), range(20)))
    theirs = {bytes.fromhex(process.communicate()[0]) for process in processes}

    assert len(ours | theirs) == 1


GOOD = text(OLD)
BAD_KEYS = {
    "short": (text(OLD[:16]), "16 bytes"),
    "long": (text(OLD * 2), "64 bytes"),
    "empty": ("", "0 bytes"),
    "not base64": (GOOD[:-2] + "!=", "not base64"),
    "url-safe": ("_" * 43 + "=", "not base64"),
    "no padding": (GOOD.rstrip("="), "not base64"),
    "hex": (OLD.hex(), "48 bytes"),
    "a letter": ("é" * 44, "not base64"),
}


@pytest.mark.parametrize(("value", "why"), BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_bad_key_is_refused_at_start_and_never_shown(value: str, why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(secret_keys=json.dumps({"good": GOOD, "mine": value}))

    message = str(caught.value)
    assert message.startswith("CAREERGRAPH_SECRET_KEYS is not usable: ")
    assert "base64 of 32 bytes" in message
    assert "'mine'" in message
    assert why in message
    for shown in (message, str(caught.value.__cause__)):
        assert GOOD[:10] not in shown
        assert len(value) < 10 or value[:10] not in shown


@pytest.mark.parametrize(
    "value", ["", "{", "[]", "5", GOOD, f'["{GOOD}"]', f'{{"a": ["{GOOD}"]}}', '{"a": null}']
)
def test_another_shape_is_refused_at_start_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("CAREERGRAPH_SECRET_KEYS", value)
    if not value:
        assert load_settings().secret_keys == {}  # as unset: compose files write it so
        return
    with pytest.raises(SettingsError, match=r"^CAREERGRAPH_SECRET_KEYS .* JSON object") as caught:
        load_settings()
    assert GOOD[:10] not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize("id", ["", "x" * 65, "two\nlines", "\0"])
def test_a_bad_id_is_refused(id: str) -> None:
    with pytest.raises(SettingsError, match="ids of 1 to 64 printable characters"):
        load_settings(secret_keys=json.dumps({id: GOOD}))


def test_settings_do_not_show_keys(tmp_path: Path) -> None:
    loaded = settings(tmp_path, k=OLD)

    assert GOOD not in f"{loaded!r} {loaded} {loaded.model_dump()}"


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", "null", '{"a": 5}', '{"a": "AAAA"}', f'{{"": "{GOOD}"}}', "[" * 100_000],
    ids=lambda content: content[:12],
)
def test_a_damaged_file_says_where_and_what_to_do(tmp_path: Path, content: str) -> None:
    load_secrets(settings(tmp_path))
    file = tmp_path / "keys" / FILE_NAME
    file.write_text(content)

    with pytest.raises(KeyFolderError, match=r"is damaged .*remove it") as caught:
        load_secrets(settings(tmp_path))
    assert str(file) in str(caught.value)
    assert GOOD[:10] not in str(caught.value)


def test_a_folder_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where the folder should be")

    with pytest.raises(KeyFolderError, match=r"cannot be used .*CAREERGRAPH_DATA_DIR"):
        load_secrets(settings(tmp_path))


def test_new_keys_are_such_as_the_setting_takes() -> None:
    keys = {new_key() for _ in range(100)}

    assert len(keys) == 100
    assert {len(read_key("k", key)) for key in keys} == {32}
