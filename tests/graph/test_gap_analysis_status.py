"""Following a gap analysis over the socket, frame by frame."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from domain.core.clock import now
from domain.core.deps import Deps
from domain.core.events import Changes
from domain.gap_analysis.documents import GapAnalysis, GapAnalysisStatus, Step
from graph import ids
from tests.client import Client, Json, payloads, raw_socket, receive, send, subscribe
from tests.conftest import SignIn, free_port, running_worker
from tests.graph.analyses import (
    ONE,
    STATUS,
    ended,
    events_of,
    id_of,
    item,
    model_worker,
    put_analysis,
    question_of,
    stored,
    stored_cv,
    submitted,
    texts,
)
from tests.model_script import items_reply

QUESTIONS = [
    item("Have you explained your work to people in other departments?"),
    item("Have you planned the work of your colleagues?", "LOW", "LOW"),
]


PROCESSING = GapAnalysisStatus.PROCESSING


@pytest.fixture(autouse=True)
async def _nothing_waits(deps: Deps) -> None:
    """No analysis of an earlier test is left for this test's worker, and so for its model."""
    await GapAnalysis.delete_all()


@pytest.fixture
async def finished(client: Client, deps: Deps) -> list[Json]:
    """All events of an analysis with two questions, followed from before its start."""
    made = await submitted(client, await stored_cv(deps, client))
    async with client.socket() as socket:
        await subscribe(socket, "1", STATUS, {"id": made["id"]})
        stream = payloads(socket, "1")
        events = [await anext(stream)]
        async with model_worker(deps) as server:
            gates = [asyncio.Event() for _ in QUESTIONS]
            server.script(items_reply(QUESTIONS, gates))
            events.append(await anext(stream))
            for gate in gates:
                gate.set()
                events.append(await anext(stream))
            events += [event async for event in stream]
    return [event["data"]["gapAnalysisStatus"] for event in events]


def versions(events: list[Json]) -> list[int]:
    return [int(event["cursor"]) for event in events]


async def test_the_frames_of_a_whole_analysis(client: Client, deps: Deps) -> None:
    made = await submitted(client, await stored_cv(deps, client))
    frames: list[Json] = []
    async with client.socket() as socket:
        await subscribe(socket, "op-1", STATUS, {"id": made["id"]})
        frames.append(await receive(socket))
        async with running_worker(deps):
            while frames[-1]["type"] != "complete":
                frames.append(await receive(socket))
        await send(socket, type="ping")
        after_end = await receive(socket)

    assert [frame["type"] for frame in frames[:-1]] == ["next"] * (len(frames) - 1)
    assert {frame["id"] for frame in frames} == {"op-1"}
    assert frames[-1] == {"id": "op-1", "type": "complete"}
    assert after_end["type"] == "pong"
    statuses = [
        frame["payload"]["data"]["gapAnalysisStatus"]["gapAnalysis"]["status"]
        for frame in frames[:-1]
    ]
    assert (statuses[0], statuses[1], statuses[-1]) == ("PENDING", "PROCESSING", "COMPLETED")
    assert statuses.count("COMPLETED") == 1


async def test_snapshot_then_each_question_then_the_end(finished: list[Json]) -> None:
    assert [event["isSnapshot"] for event in finished] == [True, False, False, False, False]
    assert versions(finished) == [1, 2, 3, 4, 5]
    analyses = [event["gapAnalysis"] for event in finished]
    assert [one["status"] for one in analyses] == [
        "PENDING", "PROCESSING", "PROCESSING", "PROCESSING", "COMPLETED",
    ]  # fmt: skip
    assert [len(one["questions"]) for one in analyses] == [0, 0, 1, 2, 2]
    assert [one["result"] is None for one in analyses] == [True, True, True, True, False]
    percents = [one["progressPercent"] for one in analyses]
    assert percents == sorted(percents)
    assert (percents[0], percents[-1]) == (0, 100)
    times = [event["occurredAt"] for event in finished]
    assert times == sorted(times)
    assert (times[0], times[-1]) == (analyses[0]["createdAt"], analyses[-1]["completedAt"])


def without_links(events: list[Json]) -> list[Json]:
    """Events without what is signed anew at each look."""
    return [{**event, "gapAnalysis": {**event["gapAnalysis"], "result": None}} for event in events]


@pytest.mark.parametrize("seen", [1, 2, 3, 4])
async def test_after_a_cursor_the_missed_events_come_as_they_were(
    client: Client, finished: list[Json], seen: int
) -> None:
    id = finished[0]["gapAnalysis"]["id"]

    missed = await events_of(client, id, after=finished[seen - 1]["cursor"])

    assert versions(missed) == [*range(seen + 1, 6)]
    for event, before in zip(without_links(missed), without_links(finished[seen:]), strict=True):
        assert event == before


@pytest.mark.parametrize(
    "after", ["", "0", "6", "99999", "999999999999999999999", "-1", "1.5", "٣", "x", "null", "5"]
)
async def test_any_other_cursor_gives_a_snapshot(
    client: Client, finished: list[Json], after: str
) -> None:
    id = finished[0]["gapAnalysis"]["id"]

    [event] = await events_of(client, id, after=after)

    assert event["isSnapshot"] is True
    assert without_links([{**event, "isSnapshot": False}]) == without_links(finished[-1:])


async def test_a_cursor_older_than_what_is_kept_gives_a_snapshot(
    client: Client, deps: Deps
) -> None:
    steps = [
        Step(version=version, at=now(), status=PROCESSING, progress_percent=10, message=None)
        for version in (7, 8)
    ]
    analysis = await put_analysis(deps, client, "PROCESSING", version=8, history=steps)
    first: list[Json] = []
    for after in ("5", "6", "7"):
        async with client.socket() as socket:
            await subscribe(socket, "1", STATUS, {"id": id_of(analysis), "after": after})
            first.append((await anext(payloads(socket, "1")))["data"]["gapAnalysisStatus"])

    assert [event["isSnapshot"] for event in first] == [True, False, False]
    assert versions(first) == [8, 7, 8]


async def test_a_final_analysis_gives_one_event_and_completes(
    client: Client, finished: list[Json]
) -> None:
    events = await events_of(client, finished[0]["gapAnalysis"]["id"])

    assert [event["isSnapshot"] for event in events] == [True]
    assert events[0]["gapAnalysis"]["status"] == "COMPLETED"
    assert events[0]["gapAnalysis"]["result"]["metadata"]["questionsGenerated"] == 2


async def test_a_client_that_was_away_at_the_end_sees_it_when_it_returns(
    client: Client, deps: Deps
) -> None:
    made = await submitted(client, await stored_cv(deps, client))
    async with client.socket() as socket:
        await subscribe(socket, "1", STATUS, {"id": made["id"]})
        seen = (await anext(payloads(socket, "1")))["data"]["gapAnalysisStatus"]["cursor"]
    async with running_worker(deps):
        await ended(client, made["id"])

    resumed = await events_of(client, made["id"], after=seen)
    fresh = await events_of(client, made["id"])

    assert [event["isSnapshot"] for event in resumed] == [False] * len(resumed)
    assert resumed[-1]["gapAnalysis"]["status"] == fresh[-1]["gapAnalysis"]["status"] == "COMPLETED"


async def test_others_absent_ones_and_nonsense_look_the_same(
    client: Client, sign_in: SignIn, deps: Deps
) -> None:
    others = id_of(await put_analysis(deps, await sign_in(), "COMPLETED"))
    wrong = [others, ids.encode("GapAnalysis", uuid4()), "nonsense", ids.encode("CV", uuid4())]
    streams = [await client.events(STATUS, id=id) for id in wrong]
    queries = [await client.post(ONE, id=id) for id in wrong]

    for answers in (streams, queries):
        assert len({json.dumps(answer) for answer in answers}) == 1
    [payload] = streams[0]
    [error] = payload["errors"]
    assert error["extensions"] == {"code": "JOB_NOT_FOUND"}
    assert payload["data"] is None
    [error] = queries[0]["errors"]
    assert error["extensions"] == {"code": "JOB_NOT_FOUND"}
    assert queries[0]["data"] == {"gapAnalysis": None}


async def test_others_objects_are_no_nodes_either(
    client: Client, sign_in: SignIn, deps: Deps
) -> None:
    stranger = await sign_in()
    analysis = await put_analysis(deps, stranger, "COMPLETED", questions=[question_of("Q?")])
    asked = [id_of(analysis), ids.encode("GapQuestion", analysis.id, analysis.questions[0].id)]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }"

    assert (await client.data(query, ids=asked))["nodes"] == [None, None]
    assert [node["id"] for node in (await stranger.data(query, ids=asked))["nodes"]] == asked


async def test_nobody_follows_nothing(nobody: Client, client: Client, deps: Deps) -> None:
    analysis = await put_analysis(deps, client, "COMPLETED")

    async with nobody.socket() as socket:
        await subscribe(socket, "1", STATUS, {"id": id_of(analysis)})
        frame = await receive(socket)

    assert (frame["id"], frame["type"]) == ("1", "error")
    [error] = frame["payload"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_bad_token_is_refused_at_connection_init(nobody: Client) -> None:
    async with raw_socket(nobody.base_url) as socket:
        await send(socket, type="connection_init", payload={"Authorization": "Bearer forged"})
        await socket.wait_closed()

    assert socket.close_code == 4403


async def test_many_followers_of_one_analysis_all_see_its_end(client: Client, deps: Deps) -> None:
    made = await submitted(client, await stored_cv(deps, client))
    following = [asyncio.create_task(events_of(client, made["id"])) for _ in range(10)]
    async with running_worker(deps):
        streams = await asyncio.gather(*following)

    assert {stream[-1]["gapAnalysis"]["status"] for stream in streams} == {"COMPLETED"}
    assert all(versions(stream) == sorted(set(versions(stream))) for stream in streams)


async def test_one_socket_carries_several_subscriptions(client: Client, deps: Deps) -> None:
    cv_id = await stored_cv(deps, client)
    made = [await submitted(client, cv_id) for _ in range(2)]
    done: set[str] = set()
    last: dict[str, Any] = {}
    async with client.socket() as socket, running_worker(deps):
        for name, analysis in zip("ab", made, strict=True):
            await subscribe(socket, name, STATUS, {"id": analysis["id"]})
        while done != {"a", "b"}:
            frame = await receive(socket)
            if frame["type"] == "complete":
                done.add(frame["id"])
            else:
                last[frame["id"]] = frame["payload"]["data"]["gapAnalysisStatus"]["gapAnalysis"]

    assert [last[name]["jobId"] for name in "ab"] == [analysis["jobId"] for analysis in made]
    assert {analysis["status"] for analysis in last.values()} == {"COMPLETED"}


async def change(analysis: GapAnalysis, **fields: object) -> None:
    """Write to MongoDB as another process might, and tell nobody."""
    step = {
        "version": analysis.version + 1, "at": now(), "status": fields["status"],
        "progress_percent": 50, "message": None,
    }  # fmt: skip
    await analysis.get_pymongo_collection().update_one(
        {"_id": analysis.id},
        {"$set": fields, "$inc": {"version": 1}, "$push": {"history": step}},
    )


async def test_without_any_hint_the_next_read_notices(client: Client, deps: Deps) -> None:
    analysis = await put_analysis(deps, client, "PENDING")
    async with client.socket() as socket:
        await subscribe(socket, "1", STATUS, {"id": id_of(analysis)})
        stream = payloads(socket, "1")
        events = [await anext(stream)]
        await change(analysis, status="PROCESSING")
        events.append(await asyncio.wait_for(anext(stream), 5))
        await change(await stored(id_of(analysis)), status="COMPLETED", completed_at=now())
        events += await asyncio.wait_for(_rest(stream), 5)

    statuses = [event["data"]["gapAnalysisStatus"]["gapAnalysis"]["status"] for event in events]
    assert statuses == ["PENDING", "PROCESSING", "COMPLETED"]


async def test_a_change_without_a_kept_step_is_shown_as_a_snapshot(
    client: Client, deps: Deps
) -> None:
    analysis = await put_analysis(deps, client, "PROCESSING")
    async with client.socket() as socket:
        await subscribe(socket, "1", STATUS, {"id": id_of(analysis)})
        stream = payloads(socket, "1")
        await anext(stream)
        end = {"$set": {"status": "COMPLETED", "completed_at": now()}, "$inc": {"version": 3}}
        await analysis.get_pymongo_collection().update_one({"_id": analysis.id}, end)
        [event] = await asyncio.wait_for(_rest(stream), 5)

    assert event["data"]["gapAnalysisStatus"]["isSnapshot"] is True
    assert event["data"]["gapAnalysisStatus"]["gapAnalysis"]["status"] == "COMPLETED"


async def _rest(stream: AsyncIterator[Json]) -> list[Json]:
    return [event async for event in stream]


async def test_a_worker_whose_hints_are_all_lost_is_followed_to_the_end(
    client: Client, deps: Deps
) -> None:
    made = await submitted(client, await stored_cv(deps, client))
    nowhere = replace(deps, changes=_Silent(deps.redis, 3600))
    async with client.socket() as socket:
        await subscribe(socket, "1", STATUS, {"id": made["id"]})
        stream = payloads(socket, "1")
        first = await anext(stream)
        async with running_worker(nowhere):
            rest = await asyncio.wait_for(_rest(stream), 20)

    events = [event["data"]["gapAnalysisStatus"] for event in [first, *rest]]
    assert events[-1]["gapAnalysis"]["status"] == "COMPLETED"
    assert versions(events) == [*range(1, len(events) + 1)]


class _Silent(Changes):
    """A worker's changes that reach nobody."""

    async def announce(self, document: Any, id: Any) -> None:
        pass


@contextlib.asynccontextmanager
async def other_web_process(deps: Deps) -> AsyncIterator[str]:
    """The address of a web server in a process of its own, over the same servers."""
    port, settings = free_port(), deps.settings
    environment = {
        **os.environ,
        "MONGODB_URI": settings.mongodb_uri,
        "REDIS_URL": settings.redis_url,
        "CAREERGRAPH_MONGODB_DATABASE": settings.mongodb_database,
        "CAREERGRAPH_DATA_DIR": str(settings.data_dir),
        "CAREERGRAPH_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CAREERGRAPH_REREAD_SECONDS": "30",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "web", "--port", str(port),
        env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            while not await _is_live(http):
                assert process.returncode is None, "the other web server ended at start"
                await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _is_live(http: httpx2.AsyncClient) -> bool:
    try:
        return (await http.get("/health/live")).status_code == 200
    except httpx2.TransportError:
        return False


async def test_two_web_processes_show_the_same_analysis(client: Client, deps: Deps) -> None:
    async with other_web_process(deps) as address:
        there = Client(address, client.token)
        made = await submitted(client, await stored_cv(deps, client))
        following = asyncio.create_task(events_of(there, made["id"]))
        async with running_worker(deps):
            here = await events_of(client, made["id"])
            # That process reads again every 30 s only: hints through Redis bring the changes.
            elsewhere = await asyncio.wait_for(following, 15)
        asked_there = await submitted(there, made["cv"]["id"])
        seen_here = (await client.data(ONE, id=asked_there["id"]))["gapAnalysis"]

    assert elsewhere[-1]["gapAnalysis"]["status"] == "COMPLETED"
    assert texts(elsewhere[-1]["gapAnalysis"]) == texts(here[-1]["gapAnalysis"]) != []
    assert seen_here == asked_there
