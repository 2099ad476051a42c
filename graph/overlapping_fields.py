"""Whether the fields that a document merges can be merged (GraphQL specification, 5.3.2).

graphql-core compares fields two by two, which is quadratic in the fields of one name. Here the
selection sets that meet in a response are merged level by level, and the fields of one response
name are compared all at once: their types with the first one's, their names and arguments by
hash. Each use of a field is looked at once, so the work is linear in the document with its
fragments expanded; graph/document_limits.py bounds that.

The verdict is graphql-core's own on documents whose fragments are all used and form no cycle: the
others are refused by other rules. `@stream` is not known here.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationRule,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)

from graph.document_outline import ranks, spread_names

MOST_PAIRS = 20_000
"""Of fields that share a response name but not their name and arguments, under other types each:
those alone are compared two by two. A client's document has a few dozen of them at most."""

Chain = tuple[GraphQLObjectType | None, ...]
"""The object types that a field lies in, outermost first; None for an interface or a union."""


_Path = tuple[Any, str] | None
"""A response name under the path above it: paths that share their beginning share its memory."""


@dataclass(frozen=True, slots=True)
class _Selections:
    """A selection set that takes part in a merge. `rank` is that of the fragment it is written in:
    of the spreads in it only those of lower rank count, which are all but those of a cycle."""

    node: SelectionSetNode
    parent: GraphQLNamedType | None
    chain: Chain
    rank: float


@dataclass(frozen=True, slots=True)
class _Use:
    """A field where it takes part in a merge. `chain` ends with its own parent."""

    node: FieldNode
    type: GraphQLOutputType | None
    chain: Chain
    rank: float


class OverlappingFields(ValidationRule):
    """Reports fields of one response name that differ in what they ask for or give."""

    def enter_document(self, node: DocumentNode, *_args: Any) -> None:
        fragments = {
            one.name.value: one
            for one in node.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        merge = _Merge(self.context.schema, fragments)
        for operation in node.definitions:
            if isinstance(operation, OperationDefinitionNode):
                for error in merge.conflicts(operation):
                    self.report_error(error)


class _Merge:
    def __init__(self, schema: GraphQLSchema, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments
        self._ranks = ranks({name: spread_names(one) for name, one in fragments.items()})
        self._asked: dict[int, Hashable] = {}
        self._pairs = 0

    def conflicts(self, operation: OperationDefinitionNode) -> Iterator[GraphQLError]:
        """An error for each response name, by its path, whose fields cannot be merged."""
        root = self._schema.get_root_type(operation.operation)
        start = _Selections(operation.selection_set, root, (), len(self._ranks))
        pending: list[tuple[_Path, list[_Selections]]] = [(None, [start])]
        while pending:
            above, selections = pending.pop()
            for name, uses in self._merged(selections).items():
                path = above, name
                error = self._conflict(path, uses) if len(uses) > 1 else None
                if error is not None:
                    yield error
                    continue
                below = [_below(use, node) for use in uses if (node := use.node.selection_set)]
                if below:
                    pending.append((path, below))

    def _merged(self, selections: list[_Selections]) -> dict[str, list[_Use]]:
        """The fields of one level of the response by response name, each once for each chain."""
        found: dict[str, list[_Use]] = {}
        seen: set[tuple[object, Chain]] = set()
        pending = selections[::-1]
        while pending:
            at = pending.pop()
            inner: list[_Selections] = []
            for node in at.node.selections:
                if isinstance(node, FieldNode):
                    use = _use(node, at)
                    key: tuple[object, Chain] = (id(node), use.chain)
                    if key not in seen:
                        seen.add(key)
                        name = node.alias.value if node.alias else node.name.value
                        found.setdefault(name, []).append(use)
                elif isinstance(node, InlineFragmentNode):
                    inner.append(self._inside(node, at, at.rank))
                elif isinstance(node, FragmentSpreadNode):
                    key = (node.name.value, at.chain)
                    rank = self._ranks.get(node.name.value, at.rank)
                    if rank < at.rank and key not in seen:
                        seen.add(key)
                        fragment = self._fragments[node.name.value]
                        inner.append(self._inside(fragment, at, rank))
            pending.extend(reversed(inner))
        return found

    def _inside(
        self, node: InlineFragmentNode | FragmentDefinitionNode, at: _Selections, rank: float
    ) -> _Selections:
        condition = node.type_condition
        parent = self._schema.get_type(condition.name.value) if condition else at.parent
        return _Selections(node.selection_set, parent, at.chain, rank)

    def _conflict(self, path: _Path, uses: list[_Use]) -> GraphQLError | None:
        reason = self._different_request(uses) or _different_shape(uses)
        if reason is None:
            return None
        text, first, second = reason
        return GraphQLError(
            f"Fields '{_dotted(path)}' conflict because {text}. "
            "Use different aliases on the fields to fetch both if this was intentional.",
            [first.node, second.node],
        )

    def _different_request(self, uses: list[_Use]) -> tuple[str, _Use, _Use] | None:
        """Two uses that may meet in one object and ask for different fields or arguments."""
        kinds = {(self._asks(use.node), use.chain): use for use in uses}
        if len({asked for asked, _ in kinds}) < 2:
            return None
        self._pairs += len(kinds) * (len(kinds) - 1) // 2
        if self._pairs > MOST_PAIRS:
            return "they differ in too many ways to compare", uses[0], uses[-1]
        for ((asked, chain), use), ((other_asked, other_chain), other) in combinations(
            kinds.items(), 2
        ):
            if asked != other_asked and _may_meet(chain, other_chain):
                names = use.node.name.value, other.node.name.value
                if names[0] != names[1]:
                    return f"'{names[0]}' and '{names[1]}' are different fields", use, other
                return "they have differing arguments", use, other
        return None

    def _asks(self, node: FieldNode) -> Hashable:
        """Equal for nodes that ask for the same field with the same arguments."""
        known = self._asked.get(id(node))
        if known is None:
            given = node.arguments or ()
            arguments = frozenset((one.name.value, _value(one.value)) for one in given)
            known = self._asked[id(node)] = (node.name.value, arguments)
        return known


def _use(node: FieldNode, at: _Selections) -> _Use:
    parent = at.parent
    definition = None
    if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        definition = parent.fields.get(node.name.value)
    own = parent if isinstance(parent, GraphQLObjectType) else None
    return _Use(node, definition.type if definition else None, (*at.chain, own), at.rank)


def _below(use: _Use, node: SelectionSetNode) -> _Selections:
    return _Selections(node, get_named_type(use.type), use.chain, use.rank)


def _dotted(path: _Path) -> str:
    names: list[str] = []
    while path is not None:
        path, name = path
        names.append(name)
    return ".".join(reversed(names))


def _may_meet(chain: Chain, other: Chain) -> bool:
    """Whether two fields may lie in one object: not where two object types differ on the way."""
    return all(
        one is None or another is None or one is another
        for one, another in zip(chain, other, strict=True)
    )


def _different_shape(uses: Iterable[_Use]) -> tuple[str, _Use, _Use] | None:
    """Two uses whose types look different in a response. Fields that are not known have none."""
    first: _Use | None = None
    for use in uses:
        if use.type is None:
            continue
        first = first or use
        if first.type and not _same_shape(first.type, use.type):
            return f"they return conflicting types '{first.type}' and '{use.type}'", first, use
    return None


def _same_shape(one: GraphQLOutputType, other: GraphQLOutputType) -> bool:
    """Wrapped alike, and if one is a scalar or an enum, both are the same."""
    if one is other:
        return True
    if isinstance(one, GraphQLNonNull) and isinstance(other, GraphQLNonNull):
        return _same_shape(one.of_type, other.of_type)
    if isinstance(one, GraphQLList) and isinstance(other, GraphQLList):
        return _same_shape(one.of_type, other.of_type)
    return is_composite_type(one) and is_composite_type(other)


def _value(node: ValueNode) -> Hashable:
    """Equal for literals that mean the same: the order of an object's fields does not count."""
    if isinstance(node, VariableNode):
        return "$", node.name.value
    if isinstance(node, ListValueNode):
        return "[]", tuple(_value(value) for value in node.values)
    if isinstance(node, ObjectValueNode):
        fields = ((one.name.value, _value(one.value)) for one in node.fields)
        return "{}", tuple(sorted(fields, key=lambda field: field[0]))
    return node.kind, getattr(node, "value", None), getattr(node, "block", None) or False
