"""No order of events leaves a final state, or makes two results."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.clients.language_model import ModelUnavailable
from domain.core.clock import now
from domain.core.delivery import Claim, NotYet
from domain.core.deps import Deps
from domain.core.errors import WrongState
from domain.core.failures import FailureCode
from domain.core.levels import GapLevel
from domain.gap_analysis import actions
from domain.gap_analysis.documents import GapAnalysis, GapAnalysisStatus, GapQuestion
from jobs.delivery import deliver
from jobs.runner import Runner
from jobs.sweeper import sweep
from tests.jobs.pieces import (
    LEASE,
    NoQueue,
    accepted_analysis,
    complete,
    letters_of,
    quick,
    stored,
    work_of,
)

LIMIT = 3
WORKER_EVENTS = ("take", "advance", "ask", "complete", "bug", "busy", "not yet", "stop")
OTHER_EVENTS = ("die", "time passes", "cancel", "sweep", "retry", "twice")
Event = tuple[str, int]

events = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(WORKER_EVENTS), st.integers(0, 1)),
        st.tuples(st.sampled_from(OTHER_EVENTS), st.just(-1)),
    ),
    max_size=25,
)


class ByHand:
    """A worker whose one delivery goes on step by step, as it is told."""

    def __init__(self, deps: Deps, analysis: GapAnalysis) -> None:
        self.deps = deps
        self.analysis = analysis
        self.claim: Claim | None = None
        self._delivery: asyncio.Task[None] | None = None
        self._orders: asyncio.Queue[str] = asyncio.Queue()
        self._idle = asyncio.Event()

    async def tell(self, order: str) -> None:
        """Let it do one thing, and wait until that is done. One that is idle first looks for work;
        without a claim it does nothing."""
        if order != "stop" and self._delivery is None:
            self._delivery = asyncio.create_task(
                deliver(self.deps, work_of(self._run), self.analysis.id)
            )
            await self._settled()
        if order == "take" or self._delivery is None:
            return
        if order == "stop":
            self._delivery.cancel()
        else:
            self._idle.clear()
            self._orders.put_nowait(order)
        await self._settled()

    async def _settled(self) -> None:
        assert self._delivery is not None
        waiting = asyncio.create_task(self._idle.wait())
        await asyncio.wait({self._delivery, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done() or self._delivery.cancelling():
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await self._delivery
            self._delivery, self.claim = None, None
            self._idle.clear()

    async def _run(self, deps: Deps, claim: Claim) -> None:
        self.claim = claim
        while True:
            self._idle.set()
            match await self._orders.get():
                case "advance":
                    await self._advance(claim, status=GapAnalysisStatus.PROCESSING)
                case "ask":
                    await self._ask(claim)
                case "complete":
                    await complete(deps, claim)
                    return
                case "bug":
                    raise ZeroDivisionError
                case "busy":
                    raise ModelUnavailable("529")
                case "not yet":
                    raise NotYet(0)

    async def _advance(self, claim: Claim, **fields: object) -> None:
        await (await stored(self.analysis)).advance(claim, fields)

    async def _ask(self, claim: Claim) -> None:
        analysis = await stored(self.analysis)
        question = GapQuestion(
            question="Q?", skill=None, impact=GapLevel.LOW, probability=GapLevel.LOW,
            gap_score=0.1, position=0, version=analysis.version + 1,
        )  # fmt: skip
        questions = [*analysis.questions, question]
        await analysis.advance(claim, {"questions": [one.model_dump() for one in questions]})


class Scene:
    """One analysis, two workers, and everything that can happen to them."""

    def __init__(self, deps: Deps, analysis: GapAnalysis) -> None:
        self.deps = deps
        self.analysis = analysis
        self.workers = [ByHand(deps, analysis) for _ in range(2)]
        self._others: dict[str, Callable[[], Awaitable[None]]] = {
            "die": self._die,
            "time passes": self._time_passes,
            "cancel": self._cancel,
            "sweep": self._sweep,
            "retry": self._retry,
            "twice": self._twice,
        }

    async def play(self, event: Event) -> None:
        """Let an event happen and check what must hold whatever happens."""
        name, number = event
        before = await stored(self.analysis)
        claim = self.workers[number].claim if number >= 0 else None
        await (self.workers[number].tell(name) if number >= 0 else self._others[name]())
        after = await stored(self.analysis)
        check(before, after)
        if claim is not None and not is_good(claim, before):
            assert after == before, "a stale claim changed something"

    async def finish(self) -> None:
        """Whatever happened: one more worker, once the lease is over, brings it to its end."""
        for worker in self.workers:
            await worker.tell("stop")
        await self._time_passes()
        before = await stored(self.analysis)
        await deliver(self.deps, work_of(complete), self.analysis.id)
        after = await stored(self.analysis)
        check(before, after)
        assert after.status.is_final
        await self._check_letter(after)

    async def _check_letter(self, ended: GapAnalysis) -> None:
        letters = await letters_of(ended.id)
        was_given_up = ended.failure is not None and ended.failure.code is not FailureCode.CANCELLED
        assert len(letters) == was_given_up

    async def _die(self) -> None:
        """A worker claims the work and is heard of no more."""
        if (await stored(self.analysis)).delivery.attempts < LIMIT:
            await GapAnalysis.claim(self.analysis.id, LEASE)

    async def _time_passes(self) -> None:
        """Every lease runs out, and every pause is over."""
        past = now() - timedelta(seconds=1)
        collection, id = GapAnalysis.get_pymongo_collection(), self.analysis.id
        leased = {"_id": id, "delivery.leased_until": {"$ne": None}}
        await collection.update_one(leased, {"$set": {"delivery.leased_until": past}})
        await collection.update_one(
            {"_id": id, "delivery.is_open": True}, {"$set": {"delivery.due_at": past}}
        )

    async def _cancel(self) -> None:
        with suppress(WrongState):
            await actions.cancel(self.deps, self.analysis.user_id, self.analysis.id)

    async def _sweep(self) -> None:
        runner = Runner(self.deps)
        await sweep(runner, [work_of(complete)])
        await runner.drain(5)

    async def _retry(self) -> None:
        with suppress(LookupError):
            again = await actions.repeat(self.deps, self.analysis.id)
            assert again == await actions.repeat(self.deps, self.analysis.id) != self.analysis.id

    async def _twice(self) -> None:
        """Two wake-ups at once for the same work."""
        work = work_of(complete)
        await asyncio.gather(*(deliver(self.deps, work, self.analysis.id) for _ in range(2)))


def is_good(claim: Claim, analysis: GapAnalysis) -> bool:
    delivery = analysis.delivery
    return delivery.is_open and (delivery.token, delivery.attempts) == (claim.token, claim.attempt)


def check(before: GapAnalysis, after: GapAnalysis) -> None:
    if before.status.is_final:
        assert after == before, "a final state changed"
    assert after.version >= before.version
    assert after.delivery.is_open is not after.status.is_final
    assert 0 <= after.delivery.attempts <= LIMIT + 1
    assert [step.version for step in after.history] == list(range(2, after.version + 1))
    finals = [step.version for step in after.history if step.status.is_final]
    assert finals == ([after.version] if after.status.is_final else [])
    assert (after.failure is not None) == (after.status is GapAnalysisStatus.FAILED)
    assert (after.completed_at is not None) == (after.status is GapAnalysisStatus.COMPLETED)


@settings(max_examples=150)
@given(story=events)
@example(story=[("take", 0), ("cancel", -1), ("bug", 0)])
@example(story=[("take", 0), ("time passes", -1), ("complete", 1), ("bug", 0)])
@example(story=[("busy", 0), ("time passes", -1)] * (LIMIT + 2))
@example(story=[("die", -1), ("time passes", -1)] * LIMIT + [("take", 0)])
async def test_no_order_of_events_leaves_a_final_state_or_makes_two_results(
    deps: Deps, story: list[Event]
) -> None:
    await GapAnalysis.delete_all()  # the sweep is to find this one's work alone
    quiet = replace(quick(deps, sweep_after_seconds=0.001, job_attempts=LIMIT), queue=NoQueue())
    scene = Scene(quiet, await accepted_analysis(quiet))
    for event in story:
        await scene.play(event)
    await scene.finish()
