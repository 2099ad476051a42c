"""What the scripted model server can be told to answer: the steps of a script."""

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any


class Ending(Enum):
    """What happens after the last part of a reply."""

    WHOLE = auto()
    CONNECTION_CUT = auto()
    WITHOUT_STOP = auto()
    """The stream ends in good order, but before the message did."""
    ERROR_EVENT = auto()
    HANG = auto()


@dataclass(frozen=True)
class Reply:
    """A 200 answer made of `parts` of text; streamed where the request asks for a stream."""

    parts: Sequence[str]
    stop_reason: str = "end_turn"
    ending: Ending = Ending.WHOLE
    error_type: str = "overloaded_error"
    """The type of the error event, for that ending."""
    gates: Sequence[asyncio.Event] = ()
    """A streamed reply waits for `gates[i]` before `parts[i]`."""
    seconds_between: float = 0.0
    """Waited before each part but the first of a streamed reply."""


@dataclass(frozen=True)
class Fault:
    """An answer with an error status and the API's error body."""

    status: int
    type: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """A 200 answer with this very body, whatever was asked."""

    body: str
    content_type: str = "application/json"


@dataclass(frozen=True)
class Hang:
    """No answer at all."""


Step = Reply | Fault | Raw | Hang
Answers = Callable[[dict[str, Any]], Step]
"""What to answer to a request with the given body."""


def items_reply(items: Sequence[dict[str, Any]], gates: Sequence[asyncio.Event] = ()) -> Reply:
    """`{"items": [...]}`, one part for each item."""
    parts = [json.dumps(item, ensure_ascii=False) for item in items] or [""]
    parts[1:] = [f", {part}" for part in parts[1:]]
    parts[0] = '{"items": [' + parts[0]
    return Reply([*parts, "]}"], gates=gates)


def json_reply(value: object) -> Reply:
    """Any JSON value, in one part."""
    return Reply([json.dumps(value, ensure_ascii=False)])


def rate_limited(retry_after: str | None = None) -> Fault:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return Fault(429, "rate_limit_error", headers)


def overloaded() -> Fault:
    return Fault(529, "overloaded_error")


def server_error() -> Fault:
    return Fault(500, "api_error")


def malformed() -> Reply:
    return Reply(['{"items": [{"question": oops'])


def cut_by_max_tokens() -> Reply:
    return Reply(['{"items": [{"question": "Have you ever wor'], stop_reason="max_tokens")


def refusal() -> Reply:
    return Reply(["I can't help with that."], stop_reason="refusal")


def broken_off(reply: Reply, ending: Ending, error_type: str = "overloaded_error") -> Reply:
    """`reply` without its last part, and then `ending`."""
    return replace(reply, parts=reply.parts[:-1], ending=ending, error_type=error_type)


_QUESTIONS = {
    "en": (
        "Have you worked closely with customers or users in one of your positions?",
        "Have you led a project or guided colleagues, even without the title?",
        "Have you measured and improved how a process works?",
    ),
    "he": (
        "האם עבדת בקשר ישיר עם לקוחות או משתמשים באחד מהתפקידים שלך?",
        "האם הובלת פרויקט או הנחית עמיתים, גם בלי התואר הרשמי?",
        "האם מדדת ושיפרת תהליך עבודה?",
    ),
}
_LEVELS = (("HIGH", "MEDIUM"), ("MEDIUM", "HIGH"), ("LOW", "LOW"))


def sensible_answers(pace: float = 0.0) -> Answers:
    """Fixed questions where a list of items is asked for, `pace` seconds apart, else the emptiest
    value of the schema."""

    def answer(body: dict[str, Any]) -> Step:
        return _sensible(body, pace)

    return answer


def faulty_answers(pace: float, seed: int) -> Answers:
    """Sensible answers half of the time, and otherwise any fault, by a seeded draw."""
    draw = random.Random(seed)

    def answer(body: dict[str, Any]) -> Step:
        good = _sensible(body, pace)
        if draw.random() < 0.5:
            return good
        faults: list[Step] = [
            rate_limited("1"), overloaded(), server_error(), Hang(), malformed(),
            cut_by_max_tokens(), refusal(), Raw("<html>"),
            broken_off(good, Ending.CONNECTION_CUT), broken_off(good, Ending.ERROR_EVENT),
        ]  # fmt: skip
        return draw.choice(faults)

    return answer


def _sensible(body: dict[str, Any], pace: float) -> Reply:
    schema = body.get("output_config", {}).get("format", {}).get("schema", {})
    if "items" not in schema.get("properties", {}):
        return json_reply(_emptiest(schema))
    questions = _QUESTIONS["he" if "Hebrew" in str(body.get("system")) else "en"]
    items = [
        {"question": question, "impact": impact, "probability": probability, "skill": None}
        for question, (impact, probability) in zip(questions, _LEVELS, strict=True)
    ]
    return replace(items_reply(items), seconds_between=pace)


def _emptiest(schema: dict[str, Any]) -> Any:
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        return {name: _emptiest(properties[name]) for name in schema.get("required", [])}
    if "anyOf" in schema:
        return None
    return {"array": [], "string": "", "boolean": False}.get(schema.get("type", ""), 0)
