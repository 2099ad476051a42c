"""What an operation costs: how many objects it may make the server fetch.

A field that yields objects costs one point and what lies in it, times the size of its list; a
mutation costs ten more. Fragments are counted at each use but computed once, so the work is linear
in the size of the document.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from graph.document_outline import INTROSPECTION, ranks, spread_names

MUTATION_COST = 10
PRICES = {
    "jobRecommendations": 50, "totalCount": 5, "skills": 2, "skillsGap": 2,
    "__schema": 100, "__type": 10,
    "JobPosting.description": 5, "JobPosting.requirements": 2, "JobPosting.responsibilities": 2,
    "JobPosting.niceToHave": 2, "CVExperience.description": 1, "GapAnswer.text": 1,
}  # fmt: skip
"""Points on top, for fields whose work does not show in the shape of what they give: such as texts
of up to a million characters, by the type they are of. Introspection costs nothing else: all of the
schema takes some 20 to 40 ms, however it is asked for."""
LIST_SIZES = {"questions": 5, "errors": 1}
"""How many objects lists give that are no pages and have no ids; an answer has an error or two."""
LIST_SIZE = 10
"""The same for all other lists."""
CEILING = 1_000_000_000
"""Numbers are cut here: nested pages multiply beyond any use."""
_LONGEST_INT = 12


@dataclass(frozen=True, slots=True)
class Cost:
    """`cost` in points; `nodes` that the pages may hold at most."""

    cost: int
    nodes: int

    def plus(self, other: "Cost") -> "Cost":
        return Cost(min(self.cost + other.cost, CEILING), min(self.nodes + other.nodes, CEILING))

    def times(self, factor: int) -> "Cost":
        return Cost(min(self.cost * factor, CEILING), min(self.nodes * factor, CEILING))


ZERO = Cost(0, 0)


@dataclass(frozen=True, slots=True)
class _Part:
    """What selections cost: `once`, and `each` for every item of the page they lie in."""

    once: Cost = ZERO
    each: Cost = ZERO

    def plus(self, other: "_Part") -> "_Part":
        return _Part(self.once.plus(other.once), self.each.plus(other.each))

    def of_page(self, size: int) -> Cost:
        return self.once.plus(self.each.times(size))


_NOTHING = _Part()


class CostCounter:
    """Counts operations of a document.

    `page_size` is that of pages that name none. Pages named larger than `page_max` count as that:
    they are refused when they are resolved. `variables` need no coercion, but with it lists of one
    item that were written without brackets count right.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        variables: Mapping[str, Any],
        page_size: int,
        page_max: int,
    ) -> None:
        self._schema = schema
        self._variables = variables
        self._page_size = page_size
        self._page_max = page_max
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._spreads = {name: spread_names(node) for name, node in self._fragments.items()}
        self._defaults: Mapping[str, ValueNode | None] = {}
        self._counted: dict[str, _Part] = {}

    def count(self, operation: OperationDefinitionNode) -> Cost:
        """At least one point."""
        root = self._schema.get_root_type(operation.operation)
        self._defaults = {
            variable.variable.name.value: variable.default_value
            for variable in operation.variable_definitions or ()
        }
        if root is None:
            return Cost(1, 0)
        self._counted.clear()
        for name in ranks(self._spreads):  # what a fragment spreads comes before it
            self._counted[name] = self._inside(self._fragments[name], root)
        found = self._selections(operation.selection_set, root).of_page(1)
        return Cost(max(1, found.cost), found.nodes)

    def _selections(self, selections: SelectionSetNode, parent: GraphQLCompositeType) -> _Part:
        total = _NOTHING
        for node in selections.selections:
            match node:
                case FieldNode():
                    total = total.plus(self._field(node, parent))
                case InlineFragmentNode():
                    total = total.plus(self._inside(node, parent))
                case FragmentSpreadNode():
                    total = total.plus(self._counted.get(node.name.value, _NOTHING))
        return total

    def _field(self, node: FieldNode, parent: GraphQLCompositeType) -> _Part:
        name = node.name.value
        price = Cost(PRICES.get(name, 0) or PRICES.get(f"{parent.name}.{name}", 0), 0)
        if node.selection_set is None or name in INTROSPECTION:
            return _Part(price)
        given = self._type_of(name, parent)
        inner = get_named_type(given) if given else parent
        if not is_composite_type(inner):
            return _NOTHING
        part = self._selections(node.selection_set, inner)
        if inner.name.endswith("Connection"):
            return _Part(Cost(1, 0).plus(price).plus(part.of_page(self._size(node))))
        each = Cost(1, 0).plus(part.of_page(1))
        if parent is self._schema.mutation_type:
            return _Part(each.plus(Cost(MUTATION_COST, 0)).plus(price))
        if name in ("edges", "nodes"):
            each = each.plus(Cost(0, name == "nodes"))
            ids = self._ids(node)
            return _Part(each=each) if ids is None else _Part(each.times(ids))
        is_node = name == "node" and parent.name.endswith("Edge")
        each = each.plus(Cost(0, is_node))
        return _Part(each.times(_list_size(name, given)).plus(price))

    def _type_of(self, name: str, parent: GraphQLCompositeType) -> GraphQLOutputType | None:
        """The type of a field; None for those of introspection, and for one that is not there."""
        if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return None
        field = parent.fields.get(name)
        return field.type if field else None

    def _inside(
        self, node: InlineFragmentNode | FragmentDefinitionNode, parent: GraphQLCompositeType
    ) -> _Part:
        condition = node.type_condition
        named = self._schema.get_type(condition.name.value) if condition else parent
        return self._selections(node.selection_set, named if is_composite_type(named) else parent)

    def _size(self, node: FieldNode) -> int:
        """How many items a page may have."""
        for name in ("first", "last"):
            value = self._argument(node, name)
            if isinstance(value, int):
                return min(max(0, value), self._page_max)
        return self._page_size

    def _ids(self, node: FieldNode) -> int | None:
        """How many objects are asked for by id, where they are."""
        value = self._argument(node, "ids")
        if value is None:
            return None
        return len(value) if isinstance(value, list | tuple) else 1

    def _argument(self, node: FieldNode, name: str) -> Any:
        for argument in node.arguments or ():
            if argument.name.value == name:
                return self._value(argument.value)
        return None

    def _value(self, node: ValueNode | None) -> Any:
        if isinstance(node, VariableNode):
            name = node.name.value
            if name in self._variables:
                return self._variables[name]
            return self._value(self._defaults.get(name))
        if isinstance(node, IntValueNode):
            return int(node.value) if len(node.value) < _LONGEST_INT else self._page_max
        if isinstance(node, ListValueNode):
            return node.values
        return getattr(node, "value", None)


def _list_size(name: str, given: GraphQLOutputType | None) -> int:
    """How many objects a field that is no page gives."""
    if given is None or not is_list_type(get_nullable_type(given)):
        return 1
    return LIST_SIZES.get(name, LIST_SIZE)
