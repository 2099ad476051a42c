"""Operations drawn from the schema, with arguments that no client would send."""

import base64
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
)

from tests.hostile import values

_SCHEMA = Path(__file__).resolve().parents[2] / "schema.graphql"
_DEPTH = 3


def read_schema() -> GraphQLSchema:
    """The committed schema."""
    return build_schema(_SCHEMA.read_text("utf-8"))


class Operations:
    """Draws operations of one schema. `ids` and `cursors` are such as exist."""

    def __init__(
        self,
        schema: GraphQLSchema,
        ids: Sequence[str],
        cursors: Sequence[str],
        draw: random.Random,
    ) -> None:
        self._schema = schema
        self._ids = ids
        self._cursors = cursors
        self._draw = draw

    def any(self, kinds: tuple[str, ...] = ("query", "mutation")) -> dict[str, Any]:
        """The body of a request: a query or mutation of one field, its arguments as variables."""
        kind = self._draw.choice(kinds)
        root = {"query": self._schema.query_type, "mutation": self._schema.mutation_type,
                "subscription": self._schema.subscription_type}[kind]  # fmt: skip
        assert root is not None
        name = self._draw.choice(list(root.fields))
        field = root.fields[name]
        declared = ", ".join(f"${arg}: {given.type}" for arg, given in field.args.items())
        passed = ", ".join(f"{arg}: ${arg}" for arg in field.args)
        text = (
            f"{kind} {f'({declared})' if declared else ''} "
            f"{{ {name}{f'({passed})' if passed else ''} {self._selection(field, _DEPTH)} }}"
        )
        variables = {arg: self._argument(given.type, arg) for arg, given in field.args.items()}
        return {"query": text, "variables": variables}

    def _selection(self, field: GraphQLField, depth: int) -> str:
        kind = get_named_type(field.type)
        if isinstance(kind, GraphQLUnionType):
            return "{ __typename ... on UserError { code message path } }"
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            return ""
        parts = ["__typename"]
        for name, inner in kind.fields.items():
            is_required = any(isinstance(arg.type, GraphQLNonNull) for arg in inner.args.values())
            is_leaf = not hasattr(get_named_type(inner.type), "fields")
            if not is_required and (is_leaf or (depth and self._draw.random() < 0.3)):
                parts.append(f"{name} {self._selection(inner, depth - 1)}")
        return "{ " + " ".join(parts) + " }"

    def _argument(self, kind: Any, name: str) -> Any:
        """A value for an argument, mostly of the right shape so that it gets past coercion."""
        if self._draw.random() < 0.05:
            return values.value(self._draw)
        match kind:
            case GraphQLNonNull():
                return self._argument(kind.of_type, name)
            case _ if self._draw.random() < 0.3:
                return None
            case GraphQLList():
                return [self._argument(kind.of_type, name) for _ in range(self._draw.randrange(4))]
            case GraphQLInputObjectType():
                return {
                    inner: self._argument(field.type, inner)
                    for inner, field in kind.fields.items()
                    if isinstance(field.type, GraphQLNonNull) or self._draw.random() < 0.6
                }
            case GraphQLEnumType():
                return self._draw.choice([*kind.values, *kind.values, "NO_SUCH_VALUE"])
        return self._cursor() if name in ("after", "before") else self._scalar(kind.name)

    def _cursor(self) -> str:
        genuine = self._draw.choice(self._cursors)
        if self._draw.random() < 0.4:
            return genuine
        text = base64.urlsafe_b64decode(genuine + "==")
        torn = values.torn(self._draw, text)
        return base64.urlsafe_b64encode(torn).decode().rstrip("=")

    def _scalar(self, name: str) -> Any:
        match name:
            case "Int":
                return self._draw.choice([0, 1, 2, 5, 20, 100, 101, -1, 2**31 - 1, 2**31])
            case "ID":
                return self._draw.choice([*self._ids, values.text(self._draw)])
            case "Boolean":
                return self._draw.random() < 0.5
            case "UUID":
                return self._draw.choice([str(UUID(int=self._draw.getrandbits(128))), "x"])
            case "String" if self._draw.random() < 0.01:
                return self._draw.choice("aé\u202e \x00") * self._draw.choice([10**6, 3 * 10**6])
        return values.text(self._draw)
