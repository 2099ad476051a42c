"""What an operation costs: how many objects it may make the server fetch.

A field that yields objects costs one point, times the sizes of the pages it lies in; a mutation
costs ten. Fragments are computed once and counted at each use, so the work is linear in the size
of the document.
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
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)

MUTATION_COST = 10
PRICES = {"jobRecommendations": 50, "totalCount": 5, "skills": 2, "skillsGap": 2}
"""Points on top, for fields whose work does not show in the shape of what they give."""
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


ZERO = Cost(0, 0)


class CostCounter:
    """Counts operations of a document.

    `page_size` is that of pages that name none. Pages named larger than `page_max` count as that:
    they are refused when they are resolved.
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
        self._defaults: Mapping[str, ValueNode | None] = {}
        self._counted: dict[tuple[str, str, int], Cost] = {}

    def count(self, operation: OperationDefinitionNode) -> Cost:
        """At least one point."""
        root = self._schema.get_root_type(operation.operation)
        self._counted.clear()
        self._defaults = {
            variable.variable.name.value: variable.default_value
            for variable in operation.variable_definitions or ()
        }
        found = self._selections(operation.selection_set, root, 1) if root else ZERO
        return Cost(max(1, found.cost), found.nodes)

    def _selections(
        self, selections: SelectionSetNode, parent: GraphQLCompositeType, page: int
    ) -> Cost:
        total = ZERO
        for node in selections.selections:
            match node:
                case FieldNode():
                    total = total.plus(self._field(node, parent, page))
                case InlineFragmentNode():
                    total = total.plus(self._inline(node, parent, page))
                case FragmentSpreadNode():
                    total = total.plus(self._fragment(node, parent, page))
        return total

    def _field(self, node: FieldNode, parent: GraphQLCompositeType, page: int) -> Cost:
        definition = (
            parent.fields.get(node.name.value) if isinstance(parent, GraphQLObjectType) else None
        )
        price = Cost(PRICES.get(node.name.value, 0), 0)
        if node.selection_set is None:
            return price
        inner = get_named_type(definition.type) if definition else parent
        if not is_composite_type(inner):
            return ZERO
        if parent is self._schema.mutation_type:
            found = self._selections(node.selection_set, inner, 1)
            return Cost(1 + MUTATION_COST, 0).plus(found)
        if str(inner).endswith("Connection"):
            below = self._selections(node.selection_set, inner, self._size(node))
            return Cost(1, 0).plus(price).plus(below)
        each = Cost(1, 0).plus(self._selections(node.selection_set, inner, 1))
        if node.name.value in ("edges", "nodes"):
            times = self._ids(node) or page
            return _times(each.plus(Cost(0, node.name.value == "nodes")), times)
        is_edge_node = node.name.value == "node" and str(parent).endswith("Edge")
        return each.plus(Cost(0, is_edge_node))

    def _inline(self, node: InlineFragmentNode, parent: GraphQLCompositeType, page: int) -> Cost:
        return self._selections(node.selection_set, self._type(node, parent), page)

    def _fragment(self, node: FragmentSpreadNode, parent: GraphQLCompositeType, page: int) -> Cost:
        key = (node.name.value, str(parent), page)
        fragment = self._fragments.get(node.name.value)
        if key not in self._counted and fragment is not None:
            self._counted[key] = ZERO  # for a fragment that, against the rules, spreads itself
            inner = self._type(fragment, parent)
            self._counted[key] = self._selections(fragment.selection_set, inner, page)
        return self._counted.get(key, ZERO)

    def _type(
        self, node: InlineFragmentNode | FragmentDefinitionNode, parent: GraphQLCompositeType
    ) -> GraphQLCompositeType:
        if node.type_condition is None:
            return parent
        found = self._schema.get_type(node.type_condition.name.value)
        return found if is_composite_type(found) else parent

    def _size(self, node: FieldNode) -> int:
        for name in ("first", "last"):
            value = self._argument(node, name)
            if isinstance(value, int):
                return min(max(0, value), self._page_max)
        return self._page_size

    def _ids(self, node: FieldNode) -> int:
        value = self._argument(node, "ids")
        return len(value) if isinstance(value, list | tuple) else 0

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
        return getattr(node, "values", None)


def _times(cost: Cost, factor: int) -> Cost:
    return Cost(min(cost.cost * factor, CEILING), min(cost.nodes * factor, CEILING))
