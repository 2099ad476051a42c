"""The signing keys under the data folder: made, published, and taken over from version 0.1."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from domain.auth.keys import FILE_NAME, list_keys, open_key_ring, rotate_keys
from domain.auth.tokens import InvalidToken, make_signers
from domain.core.clock import now
from domain.core.key_files import KeyFolderError
from tests.domain.auth.signing import in_processes, key_file, signer, stored

OPEN = "import sys; from pathlib import Path; from domain.auth.keys import open_key_ring; "
OPEN += "print(open_key_ring(Path(sys.argv[1])).current.kid)"
HOUR = timedelta(hours=1)


def test_key_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "not" / "there" / "yet"

    first, second = open_key_ring(data), open_key_ring(data)

    assert first.current.as_dict(private=True) == second.current.as_dict(private=True)
    assert stat.S_IMODE(key_file(data).stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file(data).parent.stat().st_mode) == 0o700
    assert os.listdir(key_file(data).parent) == [FILE_NAME]


def test_mode_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        open_key_ring(tmp_path)
        made = stat.S_IMODE(key_file(tmp_path).stat().st_mode)
        rotate_keys(tmp_path, now(), drop_old=False)
    finally:
        os.umask(before)

    assert made == 0o600
    files = list(key_file(tmp_path).parent.iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_threads_and_processes_make_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(20) as pool:
        threads = [pool.submit(open_key_ring, tmp_path) for _ in range(20)]
        kids = set(in_processes(OPEN, tmp_path, 3))
        kids |= {thread.result().current.kid or "" for thread in threads}

    assert len(kids) == 1
    assert os.listdir(key_file(tmp_path).parent) == [FILE_NAME]


# What is published.


def test_what_is_published_is_public_and_enough_to_verify_with(tmp_path: Path) -> None:
    access = signer(open_key_ring(tmp_path))
    tokens = [access.issue(uuid4(), now(), HOUR)]
    rotate_keys(tmp_path, now(), drop_old=False)
    ring = open_key_ring(tmp_path)
    tokens.append(signer(ring).issue(uuid4(), now(), HOUR))

    published = ring.public_jwks()

    for key in published["keys"]:
        assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == (
            "OKP", "Ed25519", "sig", "EdDSA",
        )  # fmt: skip
    anyone = KeySet.import_key_set(json.loads(json.dumps(published)))
    for token in tokens:
        assert jwt.decode(token, anyone, ["EdDSA"]).claims["iss"] == "issuer"


# The one key of older versions.


def old_version(data: Path) -> tuple[OKPKey, str]:
    """The file as version 0.1 wrote it, and a token as it issued them."""
    key = OKPKey.generate_key("Ed25519", parameters={"use": "sig", "alg": "EdDSA"})
    key.ensure_kid()
    (data / "keys").mkdir()
    (data / "keys" / "signing-key.json").write_text(json.dumps(key.as_dict(private=True)))
    at = int(datetime.now(UTC).timestamp())
    claims: dict[str, Any] = {"iss": "issuer", "aud": "audience", "sub": str(uuid4()), "jti": "1"}
    claims |= {"iat": at, "exp": at + 3600}
    header = {"alg": "EdDSA", "kid": key.kid, "typ": "JWT"}
    return key, jwt.encode(header, claims, key, ["EdDSA"])


def test_upgrade_signs_nobody_out(tmp_path: Path) -> None:
    key, token = old_version(tmp_path)

    signers = make_signers(open_key_ring(tmp_path), "issuer", "audience")

    assert signers.access.ring.current.kid == key.kid
    assert signers.access.verify(token, now()).token_id
    with pytest.raises(InvalidToken):
        signers.cv_upload.verify(token, now())
    rotate_keys(tmp_path, now(), drop_old=False)
    assert signer(open_key_ring(tmp_path)).verify(token, now()).token_id


def test_the_old_type_is_no_good_for_new_tokens(tmp_path: Path) -> None:
    key, _ = old_version(tmp_path)
    access = signer(open_key_ring(tmp_path))
    at = now() + timedelta(hours=2)
    claims: dict[str, Any] = {"iss": "issuer", "aud": "audience", "sub": str(uuid4()), "jti": "1"}
    claims |= {"iat": int(at.timestamp()), "exp": int(at.timestamp()) + 60}

    def token(typ: str) -> str:
        return jwt.encode({"alg": "EdDSA", "kid": key.kid, "typ": typ}, claims, key, ["EdDSA"])

    assert access.verify(token("at+jwt"), at).token_id == "1"
    with pytest.raises(InvalidToken):
        access.verify(token("JWT"), at)


def test_a_dropped_old_key_does_not_come_back(tmp_path: Path) -> None:
    _, token = old_version(tmp_path)
    rotate_keys(tmp_path, now(), drop_old=True)
    key_file(tmp_path).unlink()

    with pytest.raises(InvalidToken):
        signer(open_key_ring(tmp_path)).verify(token, now())


def test_processes_upgrade_at_once(tmp_path: Path) -> None:
    key, _ = old_version(tmp_path)

    assert set(in_processes(OPEN, tmp_path, 4)) == {key.kid}


def test_damaged_old_key_says_where_and_what_to_do(tmp_path: Path) -> None:
    old_version(tmp_path)
    old = tmp_path / "keys" / "signing-key.json"
    for text in ("", "[]", "{}", "[" * 100_000):
        old.write_text(text)
        with pytest.raises(KeyFolderError, match=r"signing-key\.json is damaged .*remove it"):
            open_key_ring(tmp_path)
    assert not key_file(tmp_path).exists()


# Faults.


def damaged(good: dict[str, Any]) -> list[str]:
    def with_key(**changes: object) -> str:
        key = {name: value for name, value in {**good, **changes}.items() if value is not None}
        return json.dumps({"keys": [key]})

    return [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        json.dumps({}),
        json.dumps({"keys": []}),
        json.dumps({"keys": [good, good]}),
        with_key(d=None),
        with_key(d="AAAA"),
        with_key(x="AAAA"),
        with_key(x=1),
        with_key(d=OKPKey.generate_key("Ed25519").as_dict(private=True)["d"]),
        with_key(crv="X25519"),
        with_key(kty="oct"),
        with_key(alg="HS256"),
        with_key(kid=None),
        with_key(made_at="yesterday"),
    ]


def test_damaged_key_file_says_where_and_what_to_do(tmp_path: Path) -> None:
    open_key_ring(tmp_path)
    [good] = stored(tmp_path)

    for text in damaged(good):
        key_file(tmp_path).write_text(text)
        for use in (open_key_ring, list_keys, rotate):
            with pytest.raises(KeyFolderError, match=r"is damaged .*remove it") as caught:
                use(tmp_path)
            assert str(key_file(tmp_path)) in str(caught.value)
            assert good["d"] not in str(caught.value)


def rotate(data: Path) -> str:
    return rotate_keys(data, now(), drop_old=False)


def test_folder_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where the folder should be")

    for use in (open_key_ring, rotate):
        with pytest.raises(KeyFolderError, match=r"cannot be used .*CAREERGRAPH_DATA_DIR"):
            use(tmp_path)


def test_list_is_empty_before_the_first_run_and_makes_nothing(tmp_path: Path) -> None:
    assert list_keys(tmp_path) == []
    assert os.listdir(tmp_path) == []


def test_nothing_prints_the_private_half(tmp_path: Path) -> None:
    open_key_ring(tmp_path)
    [key] = list_keys(tmp_path)

    assert key.d is not None
    assert key.d not in f"{key!r} {key} {open_key_ring(tmp_path)!r}"
