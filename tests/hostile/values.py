"""Values that break careless programs, drawn at random."""

import base64
import random
from collections.abc import Callable
from typing import Any

TEXTS = [
    "", " ", "\x00", "\ufeff", "\ud800", "a\udfff", "null", "true", "-0", "1e999", "$ne",
    "__proto__",
    "{{7*7}}", "<script>alert(1)</script>", "'; DROP TABLE users; --", "../../etc/passwd",
    "%00", "%n%n%n", "\u202eabc", "שלום", "🧑‍💻" * 10, "a" * 10_000,
    "\n" * 500, "é" * 256,
    "Z2lkOi8v", "Q1Y6", "VXNlcjox", "\\", '"', "\r\nSet-Cookie: a=b", "http://[::1", "//x",
]  # fmt: skip
"""Some are no text at all once encoded: lone surrogates travel as JSON escapes."""

NUMBERS = [
    0, -1, 1, 2**31 - 1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63, -(2**63) - 1, 10**400, 0.1, -0.0,
    1e308, float("inf"), float("-inf"), float("nan"),
]  # fmt: skip


def text(draw: random.Random) -> str:
    """A text, harmless or not."""
    makers: list[Callable[[], str]] = [
        lambda: draw.choice(TEXTS),
        lambda: "".join(chr(draw.randrange(0x11000)) for _ in range(draw.randrange(40))),
        lambda: base64.b64encode(draw.randbytes(draw.randrange(40))).decode(),
        lambda: str(draw.choice(NUMBERS)),
    ]
    return draw.choice(makers)()


def value(draw: random.Random, depth: int = 4) -> Any:
    """Anything that JSON can hold, and some things that it cannot."""
    makers: list[Callable[[], Any]] = [
        lambda: None,
        lambda: draw.random() < 0.5,
        lambda: draw.choice(NUMBERS),
        lambda: text(draw),
    ]
    if depth:
        makers += [
            lambda: [value(draw, depth - 1) for _ in range(draw.randrange(4))],
            lambda: {text(draw): value(draw, depth - 1) for _ in range(draw.randrange(4))},
        ]
    return draw.choice(makers)()


def torn(draw: random.Random, data: bytes) -> bytes:
    """The same bytes with a few of them changed, dropped, doubled or put in."""
    found = bytearray(data)
    for _ in range(draw.randrange(1, 6)):
        at = draw.randrange(len(found) + 1)
        match draw.randrange(4):
            case 0:
                found[at : at + 1] = draw.randbytes(1)
            case 1:
                del found[at : at + draw.randrange(1, 10)]
            case 2:
                found[at:at] = found[at : at + draw.randrange(1, 30)]
            case _:
                found[at:at] = draw.choice([b'"', b"{", b"}", b"[", b"]", b"\\", b"\xff", b"\x00"])
    return bytes(found)
