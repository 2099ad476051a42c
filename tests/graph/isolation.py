"""Operations generated from the schema, to hold what a stranger sees against what is absent.

Every argument of type ID, however deep in an input, is a slot. A new field is covered as soon as it
is in the schema; an argument that the samples below know no value for fails until one is added.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationType,
    build_schema,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)

from graph.schema import schema_text

Path = tuple[str, ...]

_DEPTH = 3
_FIRST_OF = 3
"""Rows of a page: enough to show a leak, and cheap."""

# Values of required arguments that are no ids, by the last name of their path.
SAMPLES: dict[str, Any] = {
    "text": "I have run Kafka in production for three years.",
    "filename": "cv.pdf",
    "contentType": "application/pdf",
    "sizeBytes": 100,
    "companyName": "Acme",
    "roleTitle": "Backend Developer",
    "confirmation": "no",
    "textVersion": "none",
}


@dataclass(frozen=True)
class Operation:
    """One root field with all its arguments, the ids among them left open."""

    kind: str
    field: str
    text: str
    slots: tuple[Path, ...]
    """Where ids go in the variables."""

    def __str__(self) -> str:
        return f"{self.kind} {self.field}"


@functools.cache
def schema() -> GraphQLSchema:
    """The schema as clients see it."""
    return build_schema(schema_text())


def operations() -> list[Operation]:
    """One for every field of Query, Mutation and Subscription."""
    roots = {kind.value: schema().get_root_type(kind) for kind in OperationType}
    return [
        _operation(kind, name, field)
        for kind, root in roots.items()
        if root is not None
        for name, field in root.fields.items()
    ]


def variables(
    operation: Operation, slot: Path | None, id: str, own: Mapping[str, str]
) -> dict[str, Any]:
    """Variables with `id` in one slot, and samples wherever else something must be.

    `own` gives the asker's own ids by the last name of a slot's path, for the other slots.
    """
    root = schema().get_root_type(OperationType(operation.kind))
    assert root is not None
    arguments = root.fields[operation.field].args
    found: dict[str, Any] = {}
    for name, argument in arguments.items():
        value = _value(argument, (name,), slot, id, own)
        if value is not None:
            found[name] = value
    return found


def _operation(kind: str, name: str, field: GraphQLField) -> Operation:
    declared = ", ".join(f"${arg}: {given.type}" for arg, given in field.args.items())
    passed = ", ".join(f"{arg}: ${arg}" for arg in field.args)
    text = (
        f"{kind} {f'({declared})' if declared else ''} "
        f"{{ {name}{f'({passed})' if passed else ''} {_selection(field, _DEPTH)} }}"
    )
    slots = [slot for arg, given in field.args.items() for slot in _slots(given.type, (arg,))]
    return Operation(kind, name, text, tuple(slots))


def _slots(kind: Any, path: Path) -> Iterator[Path]:
    match kind:
        case GraphQLNonNull() | GraphQLList():
            yield from _slots(kind.of_type, path)
        case GraphQLInputObjectType():
            for name, field in kind.fields.items():
                yield from _slots(field.type, (*path, name))
        case _ if kind.name == "ID":
            yield path


def _value(
    given: GraphQLArgument | GraphQLInputField, path: Path, slot: Path | None, id: str,
    own: Mapping[str, str],
) -> Any:  # fmt: skip
    """None for what may be left out and holds no slot."""
    if _is_required(given) or (slot is not None and slot[: len(path)] == path):
        return _required(given.type, path, slot, id, own)
    return None


def _is_required(given: GraphQLArgument | GraphQLInputField) -> bool:
    if isinstance(given, GraphQLArgument):
        return is_required_argument(given)
    return is_required_input_field(given)


def _required(kind: Any, path: Path, slot: Path | None, id: str, own: Mapping[str, str]) -> Any:
    match kind:
        case GraphQLNonNull():
            return _required(kind.of_type, path, slot, id, own)
        case GraphQLList():
            return [_required(kind.of_type, path, slot, id, own)]
        case GraphQLInputObjectType():
            given = {
                name: _value(field, (*path, name), slot, id, own)
                for name, field in kind.fields.items()
            }
            return {name: value for name, value in given.items() if value is not None}
        case GraphQLEnumType():
            return next(iter(kind.values))
        case _ if kind.name == "ID":
            return id if path == slot else own[path[-1]]
    assert path[-1] in SAMPLES, f"no sample for {'.'.join(path)}: add one to {__name__}.SAMPLES"
    return SAMPLES[path[-1]]


def _selection(field: GraphQLField, depth: int, above: frozenset[str] = frozenset()) -> str:
    """What can be asked for without arguments, so many levels deep, and no type within itself."""
    kind = get_named_type(field.type)
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        members = schema().get_possible_types(kind)
        parts = [f"... on {member} {_fields(member, 0, above, members)}" for member in members]
        return "{ __typename " + " ".join(parts) + " }"
    return _fields(kind, depth, above) if isinstance(kind, GraphQLObjectType) else ""


def _fields(
    kind: GraphQLObjectType,
    depth: int,
    above: frozenset[str],
    beside: Sequence[GraphQLObjectType] = (),
) -> str:
    parts = ["__typename"]
    for name, field in kind.fields.items():
        if any(isinstance(argument.type, GraphQLNonNull) for argument in field.args.values()):
            continue
        if any(name in other.fields and other.fields[name].type != field.type for other in beside):
            continue  # one name with two types cannot be asked for in one answer
        inner = get_named_type(field.type)
        page = f"(first: {_FIRST_OF})" if "first" in field.args else ""
        if not isinstance(inner, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            parts.append(name)
        elif depth and inner.name not in above:
            parts.append(f"{name}{page} {_selection(field, depth - 1, above | {kind.name})}")
    return "{ " + " ".join(parts) + " }"
