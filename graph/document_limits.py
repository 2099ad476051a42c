"""Bounds on a document's shape, checked before it is validated, in time linear in its size."""

from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    Node,
    OperationDefinitionNode,
    OperationType,
)

from graph.document_outline import Outline, Size, fold, outlines, total

MOST_DEPTH = 10
MOST_ALIASES = 15
MOST_DIRECTIVES = 5
MOST_MUTATIONS = 5
MOST_FIELDS = 5_000
"""Field uses of all operations together, each fragment's counted at each of its uses."""
MOST_NESTING = 50
"""Selection sets in one another: validation and execution recurse in them."""
MOST_INTROSPECTION_LISTS = 2
"""Lists of the schema in one another, as graphql-core's MaxIntrospectionDepthRule has it."""
_MOST_ERRORS = 10


def broken_limits(document: DocumentNode, introspection: bool) -> list[GraphQLError]:
    """Errors for the limits that a document breaks, in any of its operations or as a whole.

    `introspection` says whether that is allowed at all.
    """
    found = list(outlines(document))
    fragments = {
        one.node.name.value: one for one in found if isinstance(one.node, FragmentDefinitionNode)
    }
    sizes = fold(fragments)
    operations = [
        (one.node, total(one, sizes))
        for one in found
        if isinstance(one.node, OperationDefinitionNode)
    ]
    errors = [error for node, size in operations for error in _of_operation(node, size)]
    errors += _of_document([size for _, size in operations], found, introspection)
    return errors[:_MOST_ERRORS]


def limit_error(code: str, limit: int, actual: int, node: Node | None, text: str) -> GraphQLError:
    """An error for a limit that is broken; `text` says what to do about it."""
    return GraphQLError(text, node, extensions={"code": code, "limit": limit, "actual": actual})


def _of_operation(node: OperationDefinitionNode, size: Size) -> Iterator[GraphQLError]:
    name = f"The operation {node.name.value!r}" if node.name else "The operation"
    if size.depth > MOST_DEPTH:
        yield limit_error(
            "QUERY_TOO_DEEP", MOST_DEPTH, size.depth, node,
            f"{name} selects fields {size.depth:,} levels deep; at most {MOST_DEPTH} are accepted. "
            "Ask for the innermost objects in a query of their own.",
        )  # fmt: skip
    if size.nesting > MOST_NESTING:
        yield limit_error(
            "QUERY_TOO_DEEP", MOST_NESTING, size.nesting, node,
            f"{name} has {size.nesting:,} selection sets in one another, those of fragments "
            f"included; at most {MOST_NESTING} are accepted. Use fewer fragments in fragments.",
        )  # fmt: skip
    if size.lists > MOST_INTROSPECTION_LISTS:
        yield limit_error(
            "QUERY_TOO_DEEP", MOST_INTROSPECTION_LISTS, size.lists, node,
            f"{name} asks for lists of the schema {size.lists:,} levels deep; at most "
            f"{MOST_INTROSPECTION_LISTS} are accepted. Ask for one type at a time, by "
            "`__type(name:)`.",
        )  # fmt: skip
    if size.aliases > MOST_ALIASES:
        yield limit_error(
            "TOO_MANY_ALIASES", MOST_ALIASES, size.aliases, node,
            f"{name} has {size.aliases:,} aliases, those of fragments counted at each use; at most "
            f"{MOST_ALIASES} are accepted. Split it into several requests.",
        )  # fmt: skip
    if node.operation is OperationType.MUTATION and size.roots > MOST_MUTATIONS:
        yield limit_error(
            "TOO_MANY_MUTATIONS", MOST_MUTATIONS, size.roots, node,
            f"{name} has {size.roots:,} mutations; at most {MOST_MUTATIONS} are accepted. Split it "
            "into several requests.",
        )  # fmt: skip


def _of_document(
    sizes: list[Size], found: list[Outline], introspection: bool
) -> Iterator[GraphQLError]:
    fields = sum(size.fields for size in sizes)
    if fields > MOST_FIELDS:
        yield limit_error(
            "QUERY_TOO_COMPLEX", MOST_FIELDS, fields, None,
            f"The document selects {fields:,} fields, those of fragments counted at each use; at "
            f"most {MOST_FIELDS:,} are accepted. Split it into several requests.",
        )  # fmt: skip
    directives, node = max(
        ((one.directives, one.node) for one in found), key=lambda pair: pair[0], default=(0, None)
    )
    if directives > MOST_DIRECTIVES:
        yield limit_error(
            "TOO_MANY_DIRECTIVES", MOST_DIRECTIVES, directives, node,
            f"There are {directives:,} directives at one place; at most {MOST_DIRECTIVES} are "
            "accepted. Leave out those that repeat one another.",
        )  # fmt: skip
    asking = next((one.introspection for one in found if one.introspection), None)
    if asking and not introspection:
        yield GraphQLError(
            f"Introspection is switched off, so {asking.name.value!r} gives nothing. The schema is "
            "published in schema.graphql.",
            asking, extensions={"code": "INTROSPECTION_DISABLED"},
        )  # fmt: skip
