"""Values of our own scalars: which are read, and what is said of others."""

from typing import Any

import pytest

from domain.core.settings import load_settings
from graph.execution import Executor, Params, RequestRefused
from graph.schema import make_schema

SCHEMA = make_schema()._schema
SAYS = {"UUID": "a UUID is a string", "DateTime": "a DateTime is a string", "URL": "a URL is"}
OTHERS: list[object] = [5, 1.5, True, [], ["x"], {}, {"a": 1}, 10**40]
INTERNALS = ("attribute", "object", "argument", "isoformat", "badly", "range", "positional")


def read(name: str, value: object) -> Any:
    scalar: Any = SCHEMA.type_map[name]
    return scalar.parse_value(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in SAYS for value in OTHERS),
        *(("UUID", text) for text in ("", "x", "0" * 31, "é" * 32, "0" * 5_000)),
        *(("DateTime", text) for text in ("", "x", "2026-11-20", "2026-11-20T09:30:00")),
        ("DateTime", "0001-01-01T00:00:00+14:00"),
        ("DateTime", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_what_is_no_such_value_is_told_in_our_words(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=SAYS[name]) as told:
        read(name, value)

    assert not [word for word in INTERNALS if word in str(told.value)]


def test_values_are_read() -> None:
    assert str(read("UUID", "0B5F1C1E-6A0F-4C8E-9D8E-3F2A1B4C5D6E")).startswith("0b5f1c1e")
    assert read("DateTime", "2026-11-20T11:30:00+02:00").hour == 9
    assert read("URL", "https://a.example") == "https://a.example"


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("mutation { exportMyData(input: {idempotencyKey: 5}) { errors { __typename } } }", {}),
        ("mutation { exportMyData(input: {idempotencyKey: [1]}) { errors { __typename } } }", {}),
        (
            "mutation ($k: UUID) { exportMyData(input: {idempotencyKey: $k}) "
            "{ errors { __typename } } }",
            {"k": 5},
        ),
    ],
)
def test_literals_and_variables_are_told_alike(query: str, variables: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused) as refused:
        Executor(make_schema(), load_settings()).prepare(Params(query, variables))

    [error] = refused.value.errors
    assert SAYS["UUID"] in error.message
    assert not [word for word in INTERNALS if word in error.message]
