"""Signing keys replaced by others, in one process and among several."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from domain.auth.keys import VERIFIES_FOR, open_key_ring, rotate_keys
from domain.auth.tokens import InvalidToken
from domain.core.clock import now
from tests.domain.auth.signing import in_processes, key_file, signer, stored

ROTATE = "import sys; from pathlib import Path; from domain.auth.keys import rotate_keys; "
ROTATE += "from domain.core.clock import now; "
ROTATE += "print(rotate_keys(Path(sys.argv[1]), now(), drop_old=False))"
HOUR = timedelta(hours=1)
NOTICED_SECONDS = 2.5


def test_after_a_rotation_the_new_key_signs_and_the_old_one_verifies(tmp_path: Path) -> None:
    before = signer(open_key_ring(tmp_path))
    token, subject = before.issue(uuid4(), now(), HOUR), before.ring.current.kid

    kid = rotate_keys(tmp_path, now(), drop_old=False)

    after = signer(open_key_ring(tmp_path))
    assert after.ring.current.kid == kid != subject
    assert after.verify(token, now()).token_id
    assert [key["kid"] for key in stored(tmp_path)] == [kid, subject]


def test_a_replaced_key_loses_its_private_half(tmp_path: Path) -> None:
    first = open_key_ring(tmp_path).current.as_dict(private=True)["d"]

    rotate_keys(tmp_path, now(), drop_old=False)

    assert str(first) not in key_file(tmp_path).read_text()
    assert ["d" in key for key in stored(tmp_path)] == [True, False]


def test_a_running_ring_signs_with_the_new_key_within_two_seconds(tmp_path: Path) -> None:
    ring = open_key_ring(tmp_path)
    old = ring.current.kid

    kid = rotate_keys(tmp_path, now(), drop_old=False)
    deadline = time.monotonic() + NOTICED_SECONDS
    while ring.current.kid == old:
        assert time.monotonic() < deadline
        time.sleep(0.05)

    assert ring.current.kid == kid
    assert ring.current.is_private


def test_a_running_ring_verifies_with_the_new_key_at_once(tmp_path: Path) -> None:
    """Web processes notice at different moments, and one may get the token of another."""
    slow = signer(open_key_ring(tmp_path))
    for _ in range(5):
        rotate_keys(tmp_path, now(), drop_old=False)
        quick = signer(open_key_ring(tmp_path))
        assert slow.verify(quick.issue(uuid4(), now(), HOUR), now()).token_id


def test_a_dropped_key_ends_its_tokens_at_once_and_in_running_processes_soon(
    tmp_path: Path,
) -> None:
    running = signer(open_key_ring(tmp_path))
    token = running.issue(uuid4(), now(), HOUR)
    rotate_keys(tmp_path, now(), drop_old=False)
    still_good = running.issue(uuid4(), now(), HOUR)

    kid = rotate_keys(tmp_path, now(), drop_old=True)
    fresh = signer(open_key_ring(tmp_path))
    time.sleep(NOTICED_SECONDS)

    assert [key["kid"] for key in stored(tmp_path)] == [kid]
    for ended in (token, still_good):
        for each in (fresh, running):
            with pytest.raises(InvalidToken):
                each.verify(ended, now())


def test_a_key_verifies_until_nothing_it_signed_can_be_alive(tmp_path: Path) -> None:
    old = open_key_ring(tmp_path).current.kid
    assert old is not None

    rotate_keys(tmp_path, now() - VERIFIES_FOR + timedelta(seconds=30), drop_old=False)
    almost = open_key_ring(tmp_path)
    assert almost.find(old) is not None
    assert old in {key["kid"] for key in almost.public_jwks()["keys"]}


def test_a_key_past_its_time_is_not_found_and_goes_at_the_next_rotation(tmp_path: Path) -> None:
    old = open_key_ring(tmp_path).current.kid
    assert old is not None
    rotate_keys(tmp_path, now() - VERIFIES_FOR, drop_old=False)
    ring = open_key_ring(tmp_path)

    assert ring.find(old) is None
    assert old not in {key["kid"] for key in ring.public_jwks()["keys"]}
    assert old in {key["kid"] for key in stored(tmp_path)}

    rotate_keys(tmp_path, now(), drop_old=False)
    assert old not in {key["kid"] for key in stored(tmp_path)}
    assert len(stored(tmp_path)) == 2


def test_a_key_ends_in_a_running_ring_too(tmp_path: Path) -> None:
    old = open_key_ring(tmp_path).current.kid
    assert old is not None
    rotate_keys(tmp_path, now() - VERIFIES_FOR + timedelta(seconds=1), drop_old=False)
    ring = open_key_ring(tmp_path)
    assert ring.find(old) is not None

    time.sleep(1.1)

    assert ring.find(old) is None


def test_no_token_outlives_the_key_it_was_signed_with(tmp_path: Path) -> None:
    access = signer(open_key_ring(tmp_path))
    longest = VERIFIES_FOR - timedelta(minutes=5)

    assert access.issue(uuid4(), now(), longest)
    with pytest.raises(ValueError, match="at most"):
        access.issue(uuid4(), now(), longest + timedelta(seconds=1))


def test_processes_that_rotate_at_once_lose_no_key(tmp_path: Path) -> None:
    first = open_key_ring(tmp_path).current.kid
    kids = in_processes(ROTATE, tmp_path, 4)
    with ThreadPoolExecutor(8) as pool:
        turns = [pool.submit(rotate_keys, tmp_path, now(), drop_old=False) for _ in range(8)]
        kids += [turn.result() for turn in turns]

    assert len(set(kids)) == 12
    assert {key["kid"] for key in stored(tmp_path)} == {first, *kids}
    assert [key["kid"] for key in stored(tmp_path) if "d" in key] == [stored(tmp_path)[0]["kid"]]


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    ring = open_key_ring(tmp_path)
    with ThreadPoolExecutor(2) as pool:
        turns = [pool.submit(rotate_keys, tmp_path, now(), drop_old=True) for _ in range(30)]
        while not all(turn.done() for turn in turns):
            assert open_key_ring(tmp_path).current.is_private
            ring.find("no such key")  # makes it read again
            assert ring.current.is_private

    assert {turn.exception() for turn in turns} == {None}


def test_a_file_that_breaks_while_running_signs_nobody_out(tmp_path: Path) -> None:
    access = signer(open_key_ring(tmp_path))
    token = access.issue(uuid4(), now(), HOUR)
    whole = key_file(tmp_path).read_bytes()

    for breaking in (lambda: key_file(tmp_path).write_text("{"), key_file(tmp_path).unlink):
        breaking()
        assert access.ring.find("no such key") is None
        assert access.verify(token, now()).token_id

    key_file(tmp_path).write_bytes(whole)
    kid = rotate_keys(tmp_path, now(), drop_old=False)
    assert access.ring.find(kid) is not None
