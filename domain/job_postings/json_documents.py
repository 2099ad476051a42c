"""The JSON values of a text, each with the line it begins on.

The standard decoder forgets where the elements of a list were, and a bad row must be named by its
line; so lists are walked here, element by element.
"""

import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import NoReturn

_SPACE = re.compile(r"[ \t\r\n]*")
_GRAPH = re.compile(r'"@graph"[ \t\r\n]*:[ \t\r\n]*(?=\[)')
# How the inner lines of a printed document never begin: where reading goes on after a broken one.
_ROW_START = re.compile(r'\n(?=[^\s"}\]])')


@dataclass(frozen=True, slots=True)
class Found:
    """One value, and the line where it begins (the first is 1)."""

    line: int
    value: object
    is_graph_node: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """Text on `line` that is no JSON, and why."""

    line: int
    problem: str


# Yields what was read, returns the position after it.
_Reading = Generator[Found | Broken, None, int]


class _Lines:
    """Line numbers of positions that are asked for in rising order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._line = 1

    def at(self, position: int) -> int:
        self._line += self._text.count("\n", self._position, position)
        self._position = max(self._position, position)
        return self._line


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def json_values(text: str) -> Iterator[Found | Broken]:
    """The values of JSON Lines, or of a JSON document over any number of lines.

    A list at the top, or under `@graph` in an object, gives its elements. After a line that is no
    JSON, reading goes on at the next; after a broken element of a printed list, at the next object
    with the same indentation; after another broken document of several lines, at the next line
    that can begin a row.
    """
    lines = _Lines(text)
    position = _skip(text, 1 if text.startswith("\ufeff") else 0)
    while position < len(text):
        end = yield from _read_value(text, position, lines)
        position = _skip(text, end)


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _row_start(text: str, position: int) -> int:
    match = _ROW_START.search(text, position)
    return match.end() if match else len(text)


def _read_value(text: str, start: int, lines: _Lines) -> _Reading:
    if text[start] == "[":
        return (yield from _read_list(text, start, lines))
    line, line_end = lines.at(start), _line_end(text, start)
    try:
        value, end = _decode_object(text, start, line_end)
    except (ValueError, RecursionError) as error:
        yield Broken(line, _problem(error))
        return _row_start(text, line_end) if _is_cut(error, text) else line_end
    if text[end : _line_end(text, end)].strip():
        yield Broken(line, "text follows the JSON object; expected one object a line")
        return _line_end(text, end)
    nodes = value.get("@graph") if isinstance(value, dict) else None
    if not isinstance(nodes, list):
        yield Found(line, value)
    elif (graph := _graph_start(text, start, end, nodes)) is not None:
        yield from _read_list(text, graph, lines, is_graph=True)
    return end


def _decode_object(text: str, start: int, line_end: int) -> tuple[object, int]:
    """The value at `start` and its end. A value that its line leaves open may go on below.

    The line is tried alone first: an error then costs the length of the line, not of the text.
    """
    row = text[start:line_end].rstrip()
    try:
        value, length = _DECODER.raw_decode(row)
    except json.JSONDecodeError as error:
        if not row.startswith("{") or error.pos < len(row):
            raise
        return _DECODER.raw_decode(text, start)
    return value, start + length


def _is_cut(error: Exception, text: str) -> bool:
    """Whether `error` comes from reading on below the line, where the text broke later."""
    return isinstance(error, json.JSONDecodeError) and error.doc is text


def _graph_start(text: str, start: int, end: int, nodes: list[object]) -> int | None:
    """Where in `text` the list `nodes`, the value of an `@graph`, begins."""
    for match in _GRAPH.finditer(text, start, end):
        if _DECODER.raw_decode(text, match.end())[0] == nodes:
            return match.end()
    return None


def _read_list(text: str, start: int, lines: _Lines, *, is_graph: bool = False) -> _Reading:
    position = _skip(text, start + 1)
    while not text.startswith("]", position):
        line = lines.at(position)
        try:
            value, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            yield Broken(line, _problem(error))
            resumed = _next_element(text, position)
            if resumed is None:
                return _row_start(text, position)
            position = resumed
            continue
        yield Found(line, value, is_graph)
        position = _skip(text, end)
        if text.startswith(",", position):
            position = _skip(text, position + 1)
        elif not text.startswith("]", position):
            yield Broken(line, "not JSON; expected a comma or the end of the list after the value")
            return position
    return position + 1


def _next_element(text: str, position: int) -> int | None:
    """Where the next object begins that is printed as the broken one at `position` is."""
    line_start = text.rfind("\n", 0, position)
    indent = text[line_start + 1 : position]
    if line_start < 0 or indent.strip():
        return None
    found = text.find(f"\n{indent}{{", position)
    return None if found < 0 else found + 1 + len(indent)


def _problem(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"not JSON ({error.msg} at column {error.colno}); expected one object a line"
        case RecursionError():
            return "nested too deeply; expected one flat object a line"
        case _:
            return "a number that JSON does not allow; expected finite numbers of common length"
