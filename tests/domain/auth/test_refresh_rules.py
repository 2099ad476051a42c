"""How refresh tokens are made, recognised and followed by the next one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.auth.refresh_rules import (
    GRACE,
    Family,
    Verdict,
    hash_of,
    judge,
    make_token,
    open_successor,
    seal_successor,
    session_in,
)

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CURRENT, PREVIOUS, OTHER = b"current", b"previous", b"other"


def family(**fields: Any) -> Family:
    given = {
        "current_hash": CURRENT, "previous_hash": PREVIOUS, "rotated_at": AT,
        "expires_at": AT + timedelta(days=30), "revoked_at": None,
    }  # fmt: skip
    return Family(**{**given, **fields})


@pytest.mark.parametrize(
    ("presented", "at", "verdict"),
    [
        (CURRENT, AT, Verdict.ROTATE),
        (CURRENT, AT + timedelta(days=30) - SECOND, Verdict.ROTATE),
        (CURRENT, AT + timedelta(days=30), Verdict.EXPIRED),
        (PREVIOUS, AT, Verdict.REPEAT),
        (PREVIOUS, AT - SECOND, Verdict.REPEAT),  # another process's clock is a little ahead
        (PREVIOUS, AT + GRACE, Verdict.REPEAT),
        (PREVIOUS, AT + GRACE + timedelta(milliseconds=1), Verdict.REPLACED),
        (PREVIOUS, AT + timedelta(days=31), Verdict.EXPIRED),
        (OTHER, AT, Verdict.STRANGE),
    ],
)
def test_judgement_by_token_and_time(presented: bytes, at: datetime, verdict: Verdict) -> None:
    assert judge(family(), presented, at) is verdict
    assert judge(family(revoked_at=AT), presented, at) is Verdict.ENDED


def test_a_session_that_was_never_refreshed_has_no_grace_and_may_have_no_token() -> None:
    fresh = family(previous_hash=None, rotated_at=None)

    assert judge(fresh, CURRENT, AT) is Verdict.ROTATE
    assert judge(fresh, PREVIOUS, AT) is Verdict.STRANGE
    assert judge(family(current_hash=None), CURRENT, AT) is Verdict.STRANGE


def test_token_carries_its_session_and_43_characters_of_secret() -> None:
    id = uuid4()

    token = make_token(id, b"\xff" * 32)

    assert token == f"cgr_{id.hex}_{'_' * 42}8"
    assert session_in(token) == id
    assert len(hash_of(token)) == 32
    with pytest.raises(ValueError, match="32 bytes"):
        make_token(id, b"short")


@pytest.mark.parametrize(
    "text",
    ["", "cgr_", "cgr__", "cgr_" + "0" * 32 + "_", "cgr_" + "0" * 32 + "_" + "a" * 42,
     "cgr_" + "0" * 32 + "_" + "a" * 44, "cgr_" + "0" * 31 + "g_" + "a" * 43,
     "cgr_" + "A" * 32 + "_" + "a" * 43, "cgr_" + "٣" * 32 + "_" + "a" * 43,
     "cgr_" + "0" * 32 + "_" + "a" * 43 + "\n", "\ud800", "x" * 1_000_000],
)  # fmt: skip
def test_anything_else_names_no_session(text: str) -> None:
    assert session_in(text) is None


def test_successor_opens_with_the_token_it_was_sealed_for_and_no_other() -> None:
    old, new, other = (make_token(uuid4(), bytes([n]) * 32) for n in range(3))
    nonce = b"n" * 12

    sealed = seal_successor(old, new, nonce)

    assert open_successor(old, sealed, nonce) == new
    for token, data, with_nonce in [
        (other, sealed, nonce), (hash_of(old).hex(), sealed, nonce),
        (old, sealed[:-1] + b"x", nonce), (old, sealed, b"m" * 12),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match="not sealed for this token"):
            open_successor(token, data, with_nonce)
