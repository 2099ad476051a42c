"""Pages by keyset: cursors, bounds, and walking a real collection."""

import base64
import json
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core.deps import Deps
from domain.core.errors import InputRule, InvalidInput
from domain.core.language import Language
from domain.core.pagination import (
    Page,
    PageRequest,
    decode_cursor,
    encode_cursor,
    keyset_filter,
    newest_first,
    page_of,
    page_request,
)
from domain.gap_analysis.documents import GapAnalysis
from domain.job_postings.posting import Posting

AT = datetime(2026, 11, 20, 9, 30, 0, 123000, tzinfo=UTC)


def request(
    first: int | None = None, after: str | None = None,
    last: int | None = None, before: str | None = None,
) -> PageRequest:  # fmt: skip
    return page_request(first, after, last, before, default=20, most=100)


def test_sizes_and_directions() -> None:
    assert request() == PageRequest(20)
    assert request(first=5, after="a") == PageRequest(5, after="a")
    assert request(last=5, before="b") == PageRequest(5, is_backward=True, before="b")
    assert request(first=0) == PageRequest(0)
    assert request(first=100).size == request(last=100).size == 100
    assert request(after="a", before="b") == PageRequest(20, after="a", before="b")


@pytest.mark.parametrize("size", [-1, 101, 2**31])
def test_a_size_out_of_bounds_is_refused(size: int) -> None:
    with pytest.raises(InvalidInput) as first:
        request(first=size)
    with pytest.raises(InvalidInput) as last:
        request(last=size)

    assert first.value.rule is last.value.rule is InputRule.BAD_PAGE_SIZE
    assert (first.value.path, first.value.limit) == (["first"], 100)
    assert (last.value.path, last.value.limit) == (["last"], 100)


def test_first_and_last_together_are_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        request(first=1, last=1)
    assert refused.value.rule is InputRule.FIRST_AND_LAST


@given(st.uuids(), st.floats(allow_nan=False, allow_infinity=False))
def test_a_cursor_keeps_its_key(id: UUID, score: float) -> None:
    cursor = encode_cursor("jobs", (score, AT, id))

    assert decode_cursor(cursor, "jobs", [float, datetime, UUID], "after") == (score, AT, id)
    assert set(cursor).isdisjoint("+/=")


SOME = UUID("4d0b1f6e-5f0c-4d6c-9a2b-6f0e0b7c1d21")


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "", "x", "é", "====", "nonsense", encoded([]), encoded({}), encoded(None), encoded("cvs"),
        encoded(["cvs"]), encoded(["cvs", "x"]), encoded(["cvs", 1]), encoded(["cvs", None]),
        encoded(["cvs", SOME.hex, 1]), encoded(["jobs", SOME.hex]),
        encoded(["cvs", {"$gt": ""}]), encoded(["cvs", [SOME.hex]]),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(), "AAAA" * 10_000,
        encode_cursor("cvs", (SOME,)) + "!",
    ],
)  # fmt: skip
def test_what_is_no_cursor_of_this_list_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        decode_cursor(cursor, "cvs", [UUID], "before")
    assert (refused.value.rule, refused.value.path) == (InputRule.BAD_CURSOR, ["before"])


@pytest.mark.parametrize(
    "instant",
    [
        "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-11-20T09:30:00",
        "2026-11-20T10:30:00+01:00", "2026-W47-5T09:30:00+00:00", "NaN", "",
    ],
)  # fmt: skip
def test_an_instant_that_is_not_ours_is_refused(instant: str) -> None:
    with pytest.raises(InvalidInput):
        decode_cursor(encoded(["jobs", instant, SOME.hex]), "jobs", [datetime, UUID], "after")


def test_a_cursor_has_one_spelling() -> None:
    cursor = encode_cursor("cvs", (SOME,))
    spaced = base64.urlsafe_b64encode(f'[ "cvs","{SOME}"]'.encode()).decode()

    assert decode_cursor(cursor, "cvs", [UUID], "after") == (SOME,)
    for other in (cursor + "=" * (-len(cursor) % 4), spaced):
        if other != cursor:
            with pytest.raises(InvalidInput):
                decode_cursor(other, "cvs", [UUID], "after")


def test_a_long_cursor_is_not_even_read() -> None:
    long = encoded([[] for _ in range(3_000_000)])
    began = perf_counter()
    with pytest.raises(InvalidInput):
        decode_cursor(long, "cvs", [UUID], "after")
    assert perf_counter() - began < 0.05


@given(st.text())
def test_no_text_breaks_the_decoder(text: str) -> None:
    with pytest.raises(InvalidInput):
        decode_cursor(text, "cvs", [UUID], "after")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "true", '"1"'])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    cursor = base64.urlsafe_b64encode(f'["jobs",{number}]'.encode()).decode()
    with pytest.raises(InvalidInput):
        decode_cursor(cursor, "jobs", [float], "after")


def test_the_filter_follows_each_fields_direction() -> None:
    fields = [("score", -1), ("_id", 1)]

    assert keyset_filter(fields, (0.5, "x"), after=True) == {
        "$or": [{"score": {"$lt": 0.5}}, {"score": 0.5, "_id": {"$gt": "x"}}]
    }
    assert keyset_filter(fields, (0.5, "x"), after=False) == {
        "$or": [{"score": {"$gt": 0.5}}, {"score": 0.5, "_id": {"$lt": "x"}}]
    }


async def none() -> int:
    return 0


def page(rows: list[int], asked: PageRequest) -> Page[int]:
    return page_of(rows, asked, lambda row: (row,), none)


def test_one_row_more_than_asked_tells_that_there_are_more() -> None:
    forward = page([1, 2, 3], PageRequest(2))
    backward = page([3, 2, 1], PageRequest(2, is_backward=True))
    whole = page([1, 2], PageRequest(2, after="a"))
    tail = page([2, 1], PageRequest(2, is_backward=True, before="b"))

    assert (forward.rows, forward.has_next, forward.has_previous) == ([1, 2], True, False)
    assert (backward.rows, backward.has_next, backward.has_previous) == ([2, 3], False, True)
    assert (whole.rows, whole.has_next, whole.has_previous) == ([1, 2], False, True)
    assert (tail.rows, tail.has_next, tail.has_previous) == ([1, 2], True, False)
    assert forward.keys == [(1,), (2,)]


async def walk(user: UUID, size: int, *, backward: bool) -> list[UUID]:
    """All ids, page by page."""
    found: list[UUID] = []
    bound: dict[str, Any] = {}
    while True:
        asked = PageRequest(size, is_backward=backward, **bound)
        rows = await newest_first(GapAnalysis, {"user_id": user}, "test", asked)
        ids = [row.id for row in rows.rows]
        found = [*ids, *found] if backward else [*found, *ids]
        if not (rows.has_previous if backward else rows.has_next):
            assert await rows.count() == len(found)
            return found
        bound = {
            "before" if backward else "after": encode_cursor(
                "test", rows.keys[0 if backward else -1]
            )
        }


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
async def test_a_collection_is_walked_whole_in_both_directions(deps: Deps, size: int) -> None:
    user = uuid4()
    posting = Posting(company_name="A", role_title="B")
    made = [
        await GapAnalysis(
            user_id=user, cv_id=uuid4(), posting=posting, language=Language.EN
        ).insert()
        for _ in range(7)
    ]
    newest = [one.id for one in reversed(made)]

    assert await walk(user, size, backward=False) == newest
    assert await walk(user, size, backward=True) == newest


async def test_an_empty_page_can_be_asked_for(deps: Deps) -> None:
    user = uuid4()
    await GapAnalysis(
        user_id=user, cv_id=uuid4(), language=Language.EN,
        posting=Posting(company_name="A", role_title="B"),
    ).insert()  # fmt: skip

    nothing = await newest_first(GapAnalysis, {"user_id": user}, "test", PageRequest(0))

    assert (nothing.rows, nothing.has_next, await nothing.count()) == ([], True, 1)
