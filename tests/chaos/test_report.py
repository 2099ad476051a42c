"""The judge of a chaos run must see what is made up here."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.followers import End, Event, Followed, Stream
from tests.chaos.kills import Target
from tests.chaos.kinds import GAP_ANALYSIS
from tests.chaos.load import Asked
from tests.chaos.report import Run, judge, report_lines, stream_problems
from tests.chaos.stored import Stored, rescue_times

STORED = Stored(
    kind=GAP_ANALYSIS, id="one", key="key-one", status="COMPLETED", is_open=False, attempts=1,
    final_steps=1, goes_back=False, repeats_question=False, failure=None, began_at=100.0,
    ended_at=104.0,
)  # fmt: skip


def asked(**fields: Any) -> Asked:
    return Asked(**{"kind": GAP_ANALYSIS, "key": "key-one", "ids": {"one"}, **fields})


def stream(*events: tuple[int, str], after: str | None = None, end: End = End.COMPLETE) -> Stream:
    """Events by cursor and state, the first one a snapshot unless the stream resumes."""
    shown = [
        Event(str(cursor), status, number == 0 and after is None)
        for number, (cursor, status) in enumerate(events)
    ]
    return Stream(after, shown, end)


def followed(*streams: Stream) -> Followed:
    return Followed(GAP_ANALYSIS, "one", list(streams), saw_end_at=104.5)


WHOLE = stream((1, "PENDING"), (2, "PROCESSING"), (3, "COMPLETED"))


def run_of(**fields: Any) -> Run:
    """A run of one submit that went well, but for `fields`."""
    well: dict[str, Any] = {
        "asked": [asked()],
        "stored": [STORED],
        "followed": [followed(WHOLE)],
        "kills": Counter({Target.WORKER: 2}),
        "submits_promised": 1,
        "kills_promised": Counter({Target.WORKER: 2}),
    }
    return Run(**{**well, **fields})


def test_a_good_run_is_good() -> None:
    run = run_of()
    verdict = judge(run)
    assert verdict.is_good
    assert report_lines(run, verdict, 60)[-1] == "GOOD"


@pytest.mark.parametrize(
    ("fields", "blamed"),
    [
        pytest.param({"stored": []}, "lost", id="accepted and absent"),
        pytest.param({"stored": [replace(STORED, status="PROCESSING")]}, "lost", id="not final"),
        pytest.param({"stored": [replace(STORED, is_open=True)]}, "lost", id="final but open"),
        pytest.param({"stored": [STORED, replace(STORED, id="two")]}, "doubled", id="key twice"),
        pytest.param({"stored": [replace(STORED, final_steps=2)]}, "doubled", id="ended twice"),
        pytest.param(
            {"stored": [replace(STORED, repeats_question=True)]}, "doubled", id="question twice"
        ),
        pytest.param({"asked": [asked(ids={"one", "two"})]}, "doubled", id="two ids for one key"),
        pytest.param(
            {"asked": [asked(ids=set(), refusal="no")]}, "doubled", id="refused and yet there"
        ),
        pytest.param({"followed": [followed()]}, "missed", id="no stream at all"),
        pytest.param(
            {"followed": [followed(stream((1, "PENDING")))]}, "missed", id="complete, no end"
        ),
        pytest.param(
            {"followed": [followed(stream((3, "COMPLETED"), end=End.CUT))]},
            "missed", id="an end without complete",
        ),
        pytest.param({"followed": [followed(stream((3, "FAILED")))]}, "missed", id="another end"),
        pytest.param(
            {"stored": [replace(STORED, goes_back=True)]}, "disordered", id="history goes back"
        ),
        pytest.param({"kills": Counter({Target.WORKER: 1})}, "short", id="too few kills"),
        pytest.param({"submits_promised": 2}, "short", id="too few submits"),
        pytest.param(
            {"asked": [asked(ids=set(), refusal="no")], "stored": [], "followed": []},
            "short", id="hardly anything accepted",
        ),
    ],
)  # fmt: skip
def test_what_must_not_be_is_blamed(fields: dict[str, Any], blamed: str) -> None:
    run = run_of(**fields)
    verdict = judge(run)
    assert getattr(verdict, blamed)
    assert report_lines(run, verdict, 60)[-1] == "BAD"


@pytest.mark.parametrize(
    "streams",
    [
        pytest.param([WHOLE], id="whole"),
        pytest.param(
            [
                stream((1, "PENDING"), (2, "PROCESSING"), end=End.CUT),
                stream((3, "PROCESSING"), (4, "FAILED"), after="2"),
            ],
            id="resumed",
        ),
        pytest.param(
            [
                stream((1, "PENDING"), (2, "FAILED"), end=End.CUT),
                Stream("2", [Event("2", "FAILED", True)], End.COMPLETE),
            ],
            id="cut between the end and its complete",
        ),
        pytest.param([stream(end=End.CUT), stream(end=End.ERROR), WHOLE], id="nothing at first"),
    ],
)
def test_orders_of_events_that_may_be(streams: list[Stream]) -> None:
    assert stream_problems(streams) == []


@pytest.mark.parametrize(
    ("streams", "problem"),
    [
        ([stream((1, "PENDING"), (1, "PENDING"), (2, "FAILED"))], "cursor 1 after 1"),
        ([stream((5, "PROCESSING"), (3, "FAILED"))], "cursor 3 after 5"),
        ([stream((1, "PROCESSING"), (2, "PENDING"), (3, "FAILED"))], "PENDING after a later state"),
        ([stream((1, "FAILED"), (2, "FAILED"))], "an event after the end"),
        ([stream((1, "PROCESSING"))], "complete without an end"),
        ([stream()], "complete without an end"),
        (
            [
                stream((1, "PENDING"), (2, "PROCESSING"), end=End.CUT),
                stream((2, "PROCESSING"), (3, "FAILED"), after="2"),
            ],
            "cursor 2 after 2",
        ),
        (
            [stream((4, "PROCESSING"), end=End.CUT), stream((3, "PENDING"), (5, "FAILED"))],
            "cursor 3 after 4",
        ),
    ],
)
def test_orders_of_events_that_must_not_be(streams: list[Stream], problem: str) -> None:
    assert problem in stream_problems(streams)


def test_two_ends_seen_are_blamed() -> None:
    streams = followed(stream((2, "FAILED"), end=End.CUT), stream((3, "FAILED"), after="2"))
    assert judge(run_of(followed=[streams], stored=[replace(STORED, status="FAILED")])).doubled


def test_rescues_are_counted_from_the_death_that_caused_them() -> None:
    kills = [50.0, 101.0, 103.0]
    leases = [(106.0, 107.5), (116.0, 118.0), (108.5, None)]
    assert rescue_times(leases, kills, lease_seconds=6, heartbeat_seconds=2) == [6.5]
