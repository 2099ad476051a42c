"""Which errors clients see: their own as they are, ours as a request id."""

import structlog
from asgi_correlation_id import correlation_id
from graphql import GraphQLError

log = structlog.get_logger()

_MOST_CHARACTERS = 1_000


def shown(error: GraphQLError) -> GraphQLError:
    """GraphQL's own errors and those raised for clients as they are; all others are logged and
    masked."""
    return masked(error) if _is_bug(error) else error


def masked(error: GraphQLError) -> GraphQLError:
    """An error of ours: logged whole, and told with nothing but the id to find it by."""
    request_id = correlation_id.get() or ""
    log.error("unexpected error", path=error.path, exc_info=error.original_error)
    return GraphQLError(
        "Something went wrong on our side. If it happens again, report it with the request id "
        f"{request_id}.",
        nodes=error.nodes, source=error.source, positions=error.positions, path=error.path,
        extensions={"code": "INTERNAL_SERVER_ERROR", "requestId": request_id},
    )  # fmt: skip


def of_exception(error: Exception) -> GraphQLError:
    """An exception that came from outside any field, as GraphQL would tell it."""
    if isinstance(error, GraphQLError):
        return error
    return GraphQLError(str(error), original_error=error)


def coded(error: GraphQLError, code: str) -> GraphQLError:
    """The error with a code, unless it has one. Where it quotes much of a client's text, the
    message is cut."""
    error.extensions = {"code": code, **(error.extensions or {})}
    if len(error.message) > _MOST_CHARACTERS:
        error.message = f"{error.message[:_MOST_CHARACTERS]}…"
    return error.with_traceback(None)


def _is_bug(error: GraphQLError) -> bool:
    original = error.original_error
    return original is not None and not isinstance(original, GraphQLError)
