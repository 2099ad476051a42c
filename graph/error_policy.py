"""Which errors clients see: their own as they are, ours as a request id."""

import structlog
from asgi_correlation_id import correlation_id
from graphql import GraphQLError
from strawberry.extensions import MaskErrors

log = structlog.get_logger()


class ErrorPolicy(MaskErrors):
    """Shows GraphQL's own errors and those raised for clients; logs and masks all others."""

    def __init__(self) -> None:
        super().__init__(should_mask_error=_is_bug)

    def anonymise_error(self, error: GraphQLError) -> GraphQLError:
        request_id = correlation_id.get() or ""
        log.error("unexpected error", path=error.path, exc_info=error.original_error)
        return GraphQLError(
            "Something went wrong on our side. If it happens again, report it with the request id "
            f"{request_id}.",
            nodes=error.nodes, source=error.source, positions=error.positions, path=error.path,
            extensions={"code": "INTERNAL_SERVER_ERROR", "requestId": request_id},
        )  # fmt: skip


def _is_bug(error: GraphQLError) -> bool:
    original = error.original_error
    return original is not None and not isinstance(original, GraphQLError)
