"""Global ids."""

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import ids

A, B = UUID(int=1), UUID(int=2**128 - 1)
KINDS = st.sampled_from(["CV", "GapAnalysis", "GapQuestion", "Job", "User"])


@given(KINDS, st.lists(st.uuids(), min_size=1, max_size=3))
def test_round_trip(kind: str, parts: list[UUID]) -> None:
    id = ids.encode(kind, *parts)

    assert ids.decode(id) == (kind, tuple(parts))
    assert ids.decode_as(kind, id, len(parts)) == parts[-1]
    assert ids.decode_as(kind, id, len(parts) + 1) is None
    assert id.replace("-", "").replace("_", "").isalnum()  # fit for an address as it is


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_garbage_is_nothing(text: str) -> None:
    assert ids.decode(text) is None
    assert ids.decode_as("CV", text) is None


@given(KINDS, st.uuids(), st.integers(0, 200), st.characters())
def test_changed_id_is_nothing_or_another_id(
    kind: str, part: UUID, position: int, character: str
) -> None:
    id = ids.encode(kind, part)
    changed = id[:position] + character + id[position + 1 :]
    found = ids.decode(changed)

    assert found is None or ids.encode(found[0], *found[1]) == changed


def test_an_id_longer_than_any_of_ours_is_nothing() -> None:
    parts = [A] * 100

    assert ids.decode(ids.encode("CV", *parts[:10])) is not None
    assert ids.decode(ids.encode("CV", *parts)) is None


def test_id_of_another_type_is_nothing() -> None:
    assert ids.decode_as("CV", ids.encode("Job", A)) is None
    assert ids.decode_as("GapQuestion", ids.encode("GapQuestion", A, B), parts=2) == B


@pytest.mark.parametrize(
    "text", ["CV", "CV:", f"CV:{A}", f"CV:{A.hex}:", f"CV:{{{A}}}", f"CV:urn:uuid:{A}"]
)
def test_other_spellings_are_no_ids(text: str) -> None:
    plain = base64.urlsafe_b64encode(text.encode()).decode()

    assert ids.decode(plain.rstrip("=")) is None
    assert ids.decode(ids.encode("CV", A) + "==") is None
