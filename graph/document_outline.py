"""What a document comes to: how deep and how wide it is with its fragments.

Each definition is walked once and each fragment is folded once, however often it is used, so all
is linear in the size of the document. Where fragments form a cycle, the spread that closes it
counts as nothing; validation reports it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

INTROSPECTION = frozenset(("__schema", "__type"))
_LISTS = frozenset(("fields", "interfaces", "possibleTypes", "inputFields"))
_CUT = 10**9
"""Counts end here: fragments in fragments double beyond any use."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in its definition a selection set stands."""

    depth: int = 0
    nesting: int = 1
    lists: int = 0
    introspects: bool = False
    is_root: bool = True


@dataclass(slots=True)
class Size:
    """What a definition comes to with its fragments, each counted at each of its uses.

    `roots` are the fields of the outermost level. `depth` counts fields in fields, but for those
    of introspection: they have `lists`, the lists of the schema in one another. `inner_lists` is
    what `lists` would be if all of the definition were used within introspection. `nesting` counts
    selection sets in one another, whatever they belong to.
    """

    fields: int = 0
    aliases: int = 0
    roots: int = 0
    depth: int = 0
    nesting: int = 1
    lists: int = 0
    inner_lists: int = 0

    def add_field(self, node: FieldNode, place: Place) -> Place:
        """Count a field at `place`; gives the place of what it selects."""
        is_list = node.name.value in _LISTS
        below = Place(
            depth=place.depth + 1,
            nesting=place.nesting + 1,
            lists=place.lists + is_list,
            introspects=place.introspects or node.name.value in INTROSPECTION,
            is_root=False,
        )
        self.fields += 1
        self.aliases += node.alias is not None
        self.roots += place.is_root
        self.inner_lists = max(self.inner_lists, below.lists)
        if place.introspects:
            self.lists = max(self.lists, below.lists)
        else:
            self.depth = max(self.depth, below.depth)
        return below

    def add_fragment(self, fragment: "Size", place: Place) -> None:
        """Count a fragment that is spread at `place`."""
        self.fields = min(_CUT, self.fields + fragment.fields)
        self.aliases = min(_CUT, self.aliases + fragment.aliases)
        self.roots = min(_CUT, self.roots + fragment.roots * place.is_root)
        self.nesting = max(self.nesting, place.nesting + fragment.nesting)
        self.inner_lists = max(self.inner_lists, place.lists + fragment.inner_lists)
        if place.introspects:
            self.lists = max(self.lists, place.lists + fragment.inner_lists)
        else:
            self.lists = max(self.lists, fragment.lists)
            self.depth = max(self.depth, place.depth + fragment.depth)


@dataclass(slots=True)
class Outline:
    """A definition: its size without fragments, and which fragments it spreads where."""

    node: OperationDefinitionNode | FragmentDefinitionNode
    size: Size = field(default_factory=Size)
    spreads: list[tuple[str, Place]] = field(default_factory=list)
    directives: int = 0
    """The most at one place."""
    introspection: FieldNode | None = None
    """A field of introspection that it selects."""


def outlines(document: DocumentNode) -> Iterator[Outline]:
    """The operations and fragments of a document that was parsed and not yet validated."""
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode | FragmentDefinitionNode):
            yield _outline(node)


def _outline(node: OperationDefinitionNode | FragmentDefinitionNode) -> Outline:
    found = Outline(node)
    holders = (node, *(node.variable_definitions or ()))
    found.directives = max(len(holder.directives or ()) for holder in holders)
    pending = [(node.selection_set, Place())]
    while pending:
        selections, place = pending.pop()
        found.size.nesting = max(found.size.nesting, place.nesting)
        for selection in selections.selections:
            below = _select(found, selection, place)
            if below is not None:
                pending.append(below)
    return found


def _select(
    found: Outline, node: SelectionNode, place: Place
) -> tuple[SelectionSetNode, Place] | None:
    """Count a selection; gives what is to be walked in it."""
    found.directives = max(found.directives, len(node.directives or ()))
    if isinstance(node, FragmentSpreadNode):
        found.spreads.append((node.name.value, place))
        return None
    if isinstance(node, FieldNode):
        below = found.size.add_field(node, place)
        if node.name.value in INTROSPECTION:
            found.introspection = node
        return (node.selection_set, below) if node.selection_set else None
    if isinstance(node, InlineFragmentNode):
        return node.selection_set, replace(place, nesting=place.nesting + 1)
    return None


def spread_names(fragment: FragmentDefinitionNode) -> list[str]:
    """The names of the fragments that one spreads, however deep."""
    found = []
    pending = [fragment.selection_set]
    while pending:
        for node in pending.pop().selections:
            if isinstance(node, FragmentSpreadNode):
                found.append(node.name.value)
            elif isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set:
                pending.append(node.selection_set)
    return found


def ranks(spreads: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """A number for each fragment, greater than those of the fragments that it spreads.

    `spreads` gives their names by the fragment's. Where fragments form a cycle, one spread in it
    leads to a number that is no less: taking no notice of such spreads leaves no cycle.
    """
    found: dict[str, int] = {}
    seen: set[str] = set()
    for root in spreads:
        path = [] if root in seen else [(root, iter(spreads[root]))]
        seen.add(root)
        while path:
            name, rest = path[-1]
            inner = next((each for each in rest if each in spreads and each not in seen), None)
            if inner is None:
                found[name] = len(found)
                path.pop()
            else:
                seen.add(inner)
                path.append((inner, iter(spreads[inner])))
    return found


def fold(fragments: Mapping[str, Outline]) -> dict[str, Size]:
    """What each fragment comes to with those that it spreads."""
    spreads = {name: [spread for spread, _ in one.spreads] for name, one in fragments.items()}
    sizes: dict[str, Size] = {}
    for name in ranks(spreads):  # in the order of their numbers, so what is inside comes first
        sizes[name] = total(fragments[name], sizes)
    return sizes


def total(outline: Outline, sizes: Mapping[str, Size]) -> Size:
    """What a definition comes to, given what its fragments do."""
    size = replace(outline.size)
    for name, place in outline.spreads:
        if name in sizes:
            size.add_fragment(sizes[name], place)
    return size
