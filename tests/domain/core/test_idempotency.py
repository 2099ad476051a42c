"""Doing a thing once under one key."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.core.clock import now
from domain.core.deps import Deps
from domain.core.errors import IdempotencyKeyMismatch
from domain.core.idempotency import Idempotency, fingerprint
from domain.core.language import Language
from domain.gap_analysis.documents import GapAnalysis
from domain.job_postings.posting import Posting

DAY = timedelta(hours=24)


def once(key: str = "key", input: str = "input") -> Idempotency:
    return Idempotency(key=key, fingerprint=fingerprint("test", {"input": input}))


def analysis(user_id: UUID, idempotency: Idempotency | None) -> GapAnalysis:
    return GapAnalysis(
        user_id=user_id, cv_id=uuid4(), language=Language.EN, idempotency=idempotency,
        posting=Posting(company_name="A", role_title="B"),
    )  # fmt: skip


def test_equal_input_has_one_fingerprint() -> None:
    cv, values = uuid4(), {"a": 1, "b": ["x", {"c": None}]}

    assert fingerprint("op", {"cv": cv, **values}) == fingerprint("op", {**values, "cv": cv})
    assert len(fingerprint("op", values)) == 64


@pytest.mark.parametrize(
    "other",
    [
        {"a": "1"}, {"a": 2}, {"b": 1}, {"a": 1, "b": None}, {"a": [1]}, {},
    ],
)  # fmt: skip
def test_other_input_has_another_fingerprint(other: dict[str, object]) -> None:
    assert fingerprint("op", other) != fingerprint("op", {"a": 1})
    assert fingerprint("other", other) != fingerprint("op", other)


def test_parts_cannot_be_shifted_between_fields() -> None:
    assert fingerprint("op", {"a": ["x", "y"]}) != fingerprint("op", {"a": ["x, y"]})
    assert fingerprint("op", {"a": "x", "b": "y"}) != fingerprint("op", {"a": "xy", "b": ""})


async def test_a_key_finds_what_it_made(deps: Deps) -> None:
    user = uuid4()
    made, is_new = await analysis(user, once()).insert_once(DAY)

    found = await GapAnalysis.made_before(user, once(), DAY)

    assert is_new
    assert found is not None
    assert found.id == made.id
    assert await GapAnalysis.made_before(user, once("other"), DAY) is None
    assert await GapAnalysis.made_before(uuid4(), once(), DAY) is None
    assert await GapAnalysis.made_before(user, None, DAY) is None


async def test_a_key_with_other_input_is_a_mismatch(deps: Deps) -> None:
    user = uuid4()
    await analysis(user, once()).insert_once(DAY)

    with pytest.raises(IdempotencyKeyMismatch):
        await GapAnalysis.made_before(user, once(input="other"), DAY)
    with pytest.raises(IdempotencyKeyMismatch):
        await analysis(user, once(input="other")).insert_once(DAY)


async def test_inserts_at_once_under_one_key_leave_one(deps: Deps) -> None:
    user = uuid4()

    made = await asyncio.gather(*(analysis(user, once()).insert_once(DAY) for _ in range(30)))

    assert sum(is_new for _, is_new in made) == 1
    assert len({one.id for one, _ in made}) == 1
    assert await GapAnalysis.find({"user_id": user}).count() == 1


async def test_documents_without_a_key_do_not_meet(deps: Deps) -> None:
    user = uuid4()

    made = [await analysis(user, None).insert_once(DAY) for _ in range(3)]

    assert [is_new for _, is_new in made] == [True, True, True]


async def test_an_old_key_is_free_for_other_input(deps: Deps) -> None:
    user = uuid4()
    old = analysis(user, once())
    old.created_at = now() - DAY - timedelta(seconds=1)
    await old.insert()

    assert await GapAnalysis.made_before(user, once(input="other"), DAY) is None
    new, is_new = await analysis(user, once(input="other")).insert_once(DAY)

    assert is_new
    kept = await GapAnalysis.get(old.id)
    assert kept is not None
    assert kept.idempotency is None
    found = await GapAnalysis.made_before(user, once(input="other"), DAY)
    assert found is not None
    assert found.id == new.id
