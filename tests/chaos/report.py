"""Judging a run: what was promised, what happened, and whether that is the same."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.chaos.followers import End, Followed, Stream
from tests.chaos.kills import Target
from tests.chaos.kinds import GAP_ANALYSIS, KINDS, STATUS_RANK, is_final
from tests.chaos.load import Asked
from tests.chaos.stored import Stored

_LEAST_ACCEPTED = 0.9
"""Of all submits: good input is refused only where its CV could not be read."""


@dataclass(frozen=True)
class Run:
    """All that a run has left behind."""

    asked: Sequence[Asked]
    stored: Sequence[Stored]
    followed: Sequence[Followed]
    kills: Mapping[Target, int]
    submits_promised: int
    kills_promised: Mapping[Target, int]
    rescues: Sequence[float] = ()


@dataclass
class Verdict:
    """What must not be, one line each."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    short: list[str] = field(default_factory=list)
    """Where the run did less than it promised."""

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.missed or self.disordered or self.short)


def judge(run: Run) -> Verdict:
    """Hold what clients were told against what is stored and what they saw."""
    verdict = Verdict()
    by_id = {stored.id: stored for stored in run.stored}
    by_key = defaultdict(list)
    for stored in run.stored:
        by_key[stored.kind.type, stored.key].append(stored)
    for asked in run.asked:
        _judge_asked(asked, by_id, by_key[asked.kind.type, asked.key], verdict)
    for stored in run.stored:
        _judge_stored(stored, verdict)
    for followed in run.followed:
        _judge_followed(followed, by_id, verdict)
    verdict.short = list(_shortfalls(run))
    return verdict


def _judge_asked(
    asked: Asked, by_id: Mapping[str, Stored], made: Sequence[Stored], verdict: Verdict
) -> None:
    what = f"{asked.kind.type} under key {asked.key}"
    for id in asked.ids:
        if id not in by_id:
            verdict.lost.append(f"{what}: accepted as {id}, which is not there")
    if len(made) > 1 or len(asked.ids) > 1:
        verdict.doubled.append(f"{what}: {len(made)} documents, {len(asked.ids)} ids told")
    if asked.refusal and (made or asked.ids):
        verdict.doubled.append(f"{what}: refused ({asked.refusal}) and yet there")


def _judge_stored(stored: Stored, verdict: Verdict) -> None:
    what = f"{stored.kind.type} {stored.id}"
    if not stored.is_settled:
        state = f"{stored.status}, attempts {stored.attempts}, open: {stored.is_open}"
        verdict.lost.append(f"{what}: not final ({state})")
    elif stored.final_steps != 1:
        verdict.doubled.append(f"{what}: ended {stored.final_steps} times")
    if stored.repeats_question:
        verdict.doubled.append(f"{what}: has a question twice")
    if stored.goes_back:
        verdict.disordered.append(f"{what}: its history goes back")


def _judge_followed(followed: Followed, by_id: Mapping[str, Stored], verdict: Verdict) -> None:
    what = f"{followed.kind.type} {followed.id}"
    ends = [event for stream in followed.streams for event in stream.events
            if is_final(event.status)]  # fmt: skip
    stored = by_id.get(followed.id)
    if not ends:
        verdict.missed.append(f"{what}: no final state in {len(followed.streams)} streams")
    elif not followed.is_over:
        verdict.missed.append(f"{what}: the final state came, but not its `complete`")
    elif stored and ends[-1].status != stored.status:
        verdict.missed.append(f"{what}: ended {ends[-1].status}, stored is {stored.status}")
    if len({event.cursor for event in ends}) > 1:
        verdict.doubled.append(f"{what}: followers saw it end more than once")
    for problem in stream_problems(followed.streams):
        verdict.disordered.append(f"{what}: {problem}")


def stream_problems(streams: Iterable[Stream]) -> list[str]:
    """What is wrong with the order of events, in each stream and from one to the next.

    A stream that resumes where the last one stopped may show that state again, once.
    """
    problems = []
    cursor, rank = 0, 0
    for stream in streams:
        for number, event in enumerate(stream.events):
            is_again = number == 0 and event.is_snapshot
            if int(event.cursor) < cursor + (0 if is_again else 1):
                problems.append(f"cursor {event.cursor} after {cursor}")
            if STATUS_RANK[event.status] < rank:
                problems.append(f"{event.status} after a later state")
            cursor, rank = int(event.cursor), STATUS_RANK[event.status]
        if any(is_final(event.status) for event in stream.events[:-1]):
            problems.append("an event after the end")
        if stream.end is End.COMPLETE and not (
            stream.events and is_final(stream.events[-1].status)
        ):
            problems.append("complete without an end")
    return problems


def _shortfalls(run: Run) -> Iterable[str]:
    submits = [asked for asked in run.asked if asked.kind is GAP_ANALYSIS]
    answered = [asked for asked in submits if asked.ids or asked.refusal]
    accepted = [asked for asked in submits if asked.ids]
    if len(answered) < run.submits_promised:
        yield f"{len(answered)} submits were answered, of {run.submits_promised}"
    if len(accepted) < _LEAST_ACCEPTED * run.submits_promised:
        yield f"only {len(accepted)} submits were accepted, of {run.submits_promised}"
    for target, promised in run.kills_promised.items():
        if run.kills.get(target, 0) < promised:
            yield f"{target}: {run.kills.get(target, 0)} times, of {promised}"


def report_lines(run: Run, verdict: Verdict, seconds: float) -> list[str]:
    """The report, for people."""
    lines = [*_counts(run), *_times(run)]
    bad = {
        "lost": verdict.lost,
        "run twice visibly": verdict.doubled,
        "subscriptions that missed the end": verdict.missed,
        "out of order": verdict.disordered,
        "short of what was promised": verdict.short,
    }
    for name, problems in bad.items():
        lines.append(_line(name, str(len(problems))))
        lines += [f"    {problem}" for problem in problems]
    lines.append(_line("duration", f"{seconds:.0f} s"))
    lines.append("GOOD" if verdict.is_good else "BAD")
    return lines


def _counts(run: Run) -> list[str]:
    lines = []
    for kind in KINDS:
        asked = [one for one in run.asked if one.kind is kind]
        accepted = sum(bool(one.ids) for one in asked)
        refused = sum(bool(one.refusal) for one in asked)
        text = f"{accepted} accepted, {refused} refused, of {len(asked)}"
        lines.append(_line(f"{kind.type} asked for", text))
        mine = [one for one in run.stored if one.kind is kind]
        lines.append(_line("  by state", _tally(one.status for one in mine)))
        lines.append(_line("  attempts", _tally(f"{one.attempts}×" for one in mine)))
        for failure, number in Counter(one.failure for one in mine if one.failure).most_common():
            lines.append(f"    {number:4} {failure}")
    refusals = Counter(one.refusal for one in run.asked if one.refusal)
    lines += [f"    {number:4} refused: {refusal}" for refusal, number in refusals.most_common()]
    again = sum(bool(one.faults) for one in run.asked)
    lines.append(_line("asked more than once", str(again)))
    faults = Counter(fault for one in run.asked for fault in one.faults)
    lines += [f"    {number:4} {_short(fault)}" for fault, number in faults.most_common(8)]
    lines.append(_line("killed or frozen", _tally_of(run.kills)))
    return lines


def _times(run: Run) -> list[str]:
    ended = {one.id: one for one in run.stored if one.ended_at is not None}
    finals = [one.ended_at - one.began_at for one in ended.values() if one.ended_at]
    late = [
        followed.saw_end_at - (ended[followed.id].ended_at or 0)
        for followed in run.followed
        if followed.saw_end_at and followed.id in ended
    ]
    ends = Counter(str(s.end) for followed in run.followed for s in followed.streams)
    faults = Counter(_short(fault) for followed in run.followed for fault in followed.faults)
    return [
        _line("accepted to final", _spread(finals)),
        _line("dead or frozen to taken over", _spread(run.rescues)),
        _line("final to its follower", _spread(late)),
        _line(
            "followed", f"{len(run.followed)} by {sum(ends.values())} streams: {_tally_of(ends)}"
        ),
        *(f"    {number:4} {fault}" for fault, number in faults.most_common(8)),
    ]


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return "none"
    return f"median {median(seconds):.1f} s, longest {max(seconds):.1f} s, of {len(seconds)}"


def _tally(values: Iterable[str]) -> str:
    return _tally_of(Counter(values))


def _tally_of(counts: Mapping[str, int] | Mapping[Target, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "none"


def _short(text: str) -> str:
    return text if len(text) <= 150 else text[:150] + "…"


def _line(name: str, value: str) -> str:
    return f"{name + ':':36}{value}"
