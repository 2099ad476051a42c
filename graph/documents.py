"""From a query's text to a document that is within all limits and valid, remembered by its text."""

import re
import sys
from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    MaxIntrospectionDepthRule,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    Source,
    SourceLocation,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from graph.cost import Cost
from graph.document_limits import broken_limits, limit_error
from graph.error_policy import coded
from graph.overlapping_fields import OverlappingFields

MOST_BYTES = 64 * 1024
MOST_TOKENS = 1_000
"""Comments are no tokens; of them, as many are accepted."""
MOST_VALIDATION_ERRORS = 8
"""Each may look for names like the one that is not known, which is slow."""
KEPT_DOCUMENTS = 512
KEPT_BYTES = 64 * 1024 * 1024
_BYTES_PER_TOKEN = 640
"""What parsing makes of one: a syntax tree of 1,000 names was measured at 612 KB."""

_OURS = {OverlappingFieldsCanBeMergedRule: OverlappingFields, MaxIntrospectionDepthRule: None}
"""What stands for rules of graphql-core; graph/document_limits.py is stricter than the second."""
_RULES = (
    *(rule for each in specified_rules if (rule := _OURS.get(each, each)) is not None),
    MaybeNullValidationRule,  # these two are Strawberry's, for its own inputs
    OneOfInputValidationRule,
)


class DocumentRefused(Exception):
    """A text that cannot be used, and why."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """A document that may be executed. `costs` remembers those that no variable can change."""

    document: DocumentNode
    operations: dict[str | None, OperationDefinitionNode]
    costs: dict[str | None, Cost] = field(default_factory=dict)


class Documents:
    """Reads texts, and keeps the documents that were read last, within a bound of memory."""

    def __init__(self, schema: GraphQLSchema, suggestions: bool, introspection: bool) -> None:
        self._schema = schema
        self._suggestions = suggestions
        self._introspection = introspection
        self._kept: OrderedDict[str, tuple[CheckedDocument, int]] = OrderedDict()
        self._kept_bytes = 0

    def remembers(self, text: str) -> bool:
        """Whether reading this text costs nothing."""
        return text in self._kept

    def read(self, text: str) -> CheckedDocument:
        """The document of this text. Raises DocumentRefused."""
        kept = self._kept.get(text)
        if kept is not None:
            self._kept.move_to_end(text)
            return kept[0]
        found = self._check(text)
        self._keep(text, found)
        return found

    def _check(self, text: str) -> CheckedDocument:
        document = _parse(text)
        errors = broken_limits(document, self._introspection)
        if errors:
            raise DocumentRefused(errors)
        errors = validate(
            self._schema, document, _RULES, MOST_VALIDATION_ERRORS,
            hide_suggestions=not self._suggestions,
        )  # fmt: skip
        if errors:
            raise DocumentRefused([self._told(error) for error in errors])
        operations = {
            node.name.value if node.name else None: node
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        }
        return CheckedDocument(document, operations)

    def _told(self, error: GraphQLError) -> GraphQLError:
        if not self._suggestions:  # graphql-core leaves one in: that a field has subfields
            error.message = error.message.partition(" Did you mean ")[0]
        return coded(error, "GRAPHQL_VALIDATION_FAILED")

    def _keep(self, text: str, document: CheckedDocument) -> None:
        size = sys.getsizeof(text) + _BYTES_PER_TOKEN * _tokens(document.document)
        self._kept[text] = document, size
        self._kept_bytes += size
        while len(self._kept) > KEPT_DOCUMENTS or self._kept_bytes > KEPT_BYTES:
            _, (_, oldest) = self._kept.popitem(last=False)
            self._kept_bytes -= oldest


def _parse(text: str) -> DocumentNode:
    size = len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
    if size > MOST_BYTES:
        error = limit_error(
            "QUERY_TOO_LARGE", MOST_BYTES, size, None,
            f"The query has {size:,} bytes; at most {MOST_BYTES:,} are accepted. Send large values "
            "as variables.",
        )  # fmt: skip
        raise DocumentRefused([error])
    try:
        return parse(IndexedSource(text), max_lexical_tokens=MOST_TOKENS, max_comments=MOST_TOKENS)
    except GraphQLSyntaxError as error:
        raise DocumentRefused([_of_syntax(error)]) from None


def _of_syntax(error: GraphQLSyntaxError) -> GraphQLError:
    if error.message.startswith("Syntax Error: Document contains more than"):
        return GraphQLError(
            f"The query has more than {MOST_TOKENS:,} tokens, which is the most that is accepted. "
            "Send large values as variables, or split it into several requests.",
            source=error.source, positions=error.positions,
            extensions={"code": "TOO_MANY_TOKENS", "limit": MOST_TOKENS},
        )  # fmt: skip
    if error.message.startswith("Syntax Error: Document is nested too deeply"):
        return coded(error, "QUERY_TOO_DEEP")
    return coded(error, "GRAPHQL_PARSE_FAILED")


def _tokens(document: DocumentNode) -> int:
    count = 0
    token = document.loc.start_token if document.loc else None
    while token is not None:
        count += 1
        token = token.next
    return count


class IndexedSource(Source):
    """A text that finds its lines once: each error asks where it is."""

    @cached_property
    def _breaks(self) -> tuple[list[int], list[int]]:
        """Where lines break: the beginnings, and the ends after a first one of 0."""
        found = [match.span() for match in re.finditer(r"\r\n|[\n\r]", self.body)]
        return [start for start, _ in found], [0, *(end for _, end in found)]

    def get_location(self, position: int) -> SourceLocation:
        starts, ends = self._breaks
        line = bisect_left(starts, position)
        return SourceLocation(line + 1, position + 1 - ends[line])
