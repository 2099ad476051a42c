"""GraphQL over HTTP: one request to `/graphql`, from its headers to its answer.

Follows https://graphql.github.io/graphql-over-http/draft/. Where the edition of September 2026
moved away from the drafts that clients, and the audits of the npm package `graphql-http`, were
written against, this keeps to the drafts: 400, not 422, for a document that does not validate,
and 200, not 294, for data with errors beside it.

An operation that has begun is run to its end, even when its client goes away: a mutation cut off
half way would leave its client guessing, and what was accepted is never lost. The executor's
30 s bound it.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from graphql import GraphQLError, OperationType
from pydantic_core import to_json
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from domain.core.deps import Deps
from domain.core.settings import Feature
from graph.context import ANONYMOUS, Context, Session, make_context
from graph.cookies import CookieRefused, caller_of, session_of_request
from graph.error_policy import masked, of_exception
from graph.execution import Executor, Params, RequestRefused, within_budget
from graph.http_batch import Batch, check_batch
from graph.media_types import JSON, answer_type, prefers_page
from graph.rate_limit import charge_address
from graph.request_body import (
    HTTPRefused,
    check_values,
    params_of,
    params_of_address,
    read_body,
    read_json,
)

GRAPHIQL = "/graphiql"
BYTES_PER_POINT = 16 * 1024
FREE_BYTES = 64 * 1024
"""A larger body is charged to its caller's address, before it is parsed."""
_TOO_LARGE = 413
_DRAIN_SECONDS = 10
# Answers are one person's at one moment. `Vary` is for caches that do not heed `no-store`.
_ALWAYS = {"cache-control": "no-store", "vary": "Accept, Authorization, Cookie"}


@dataclass(slots=True)
class Outcome:
    """What became of one operation: the GraphQL response, and what HTTP says of it."""

    response: dict[str, Any]
    status: int = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)
    set_cookies: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Answer:
    """What goes over the wire."""

    status: int
    body: bytes
    headers: dict[str, str]
    set_cookies: list[str] = field(default_factory=list)

    async def send(self, send: Send, *, is_last: bool = True) -> None:
        headers = {**_ALWAYS, **self.headers, "content-length": str(len(self.body))}
        lines = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        lines += [(b"set-cookie", cookie.encode("latin-1")) for cookie in self.set_cookies]
        await send({"type": "http.response.start", "status": self.status, "headers": lines})
        await send({"type": "http.response.body", "body": self.body, "more_body": not is_last})

    async def send_and_drain(self, receive: Receive, send: Send) -> None:
        """Send it, and read on for a while before the connection is closed.

        Whoever closes with bytes unread resets the connection, and a client that is still sending
        would lose the answer (RFC 9112, section 9.6).
        """
        await self.send(send, is_last=False)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while (await receive()).get("more_body", False):
                    pass
        await send({"type": "http.response.body", "body": b""})


class GraphQLOverHTTP:
    """The ASGI application at `/graphql`: POST, and GET and batches where they are allowed."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            answer = await self._answer(request)
        except ClientDisconnect:
            return
        if answer.status == _TOO_LARGE:
            await answer.send_and_drain(receive, send)
        else:
            await answer.send(send)

    async def _answer(self, request: Request) -> Answer:
        deps: Deps = request.app.state.deps
        accept = ", ".join(request.headers.getlist("accept")) or None
        media_type = answer_type(accept)
        try:
            if request.method == "GET" and _is_page(deps, request, accept):
                return Answer(HTTPStatus.TEMPORARY_REDIRECT, b"", {"location": GRAPHIQL})
            _check_method(deps, request)
            if media_type is None:
                raise _not_acceptable()
            return await self._run(deps, request, media_type)
        except HTTPRefused as refused:
            return _answer_in(media_type, refused.status, [_error(refused)], refused.headers)
        except RequestRefused as refused:
            return _told(_refused_outcome(refused), media_type or JSON)
        except CookieRefused as refused:
            return _answer_in(media_type, 403, [_coded(str(refused), "CSRF_REFUSED")])
        except ClientDisconnect:
            raise
        except Exception as bug:  # noqa: BLE001  # logged whole by `masked`
            return _answer_in(media_type, 500, [masked(of_exception(bug))])

    async def _run(self, deps: Deps, request: Request, media_type: str) -> Answer:
        """Read and run what the request holds. Raises HTTPRefused, RequestRefused,
        CookieRefused."""
        if request.method == "GET":
            params = params_of_address(request.scope["query_string"])
        else:
            entry = await _read(deps, request)
            if isinstance(entry, list):
                return await self._run_batch(deps, request, media_type, entry)
            params = params_of(entry)
        session = await session_of_request(deps, request)
        outcome = await self._run_one(deps, request, session, params)
        return _told(outcome, media_type)

    async def _run_batch(
        self, deps: Deps, request: Request, media_type: str, entries: list[Any]
    ) -> Answer:
        """Each operation after the one before it; each has an outcome of its own, in 200."""
        check_batch(deps, entries)
        session = await session_of_request(deps, request)
        batch = Batch(self._executor.seconds)
        outcomes = [
            await self._run_entry(deps, request, session, entry, batch) for entry in entries
        ]
        return Answer(
            HTTPStatus.OK,
            to_json([outcome.response for outcome in outcomes]),
            _content_type(media_type),
            [cookie for outcome in outcomes for cookie in outcome.set_cookies],
        )

    async def _run_entry(
        self, deps: Deps, request: Request, session: Session, entry: Any, batch: Batch
    ) -> Outcome:
        try:
            params = params_of(entry)
        except HTTPRefused as refused:
            return Outcome(_response([_error(refused)]))
        return await self._run_one(deps, request, session, params, batch)

    async def _run_one(
        self, deps: Deps, request: Request, session: Session, params: Params,
        batch: Batch | None = None,
    ) -> Outcome:  # fmt: skip
        context = make_context(deps, session, caller_of(request))
        try:
            response = await self._execute(request.method, params, context, batch)
        except RequestRefused as refused:
            return _refused_outcome(refused)
        return Outcome(response, set_cookies=context.set_cookies)

    async def _execute(
        self, method: str, params: Params, context: Context, batch: Batch | None
    ) -> dict[str, Any]:
        """Raises RequestRefused, HTTPRefused."""
        if batch is not None:
            batch.require_room()
        prepared = await self._executor.begin(params, context)
        try:
            _check_kind(prepared.kind, method)
            seconds = batch.take(prepared) if batch is not None else None
        except (RequestRefused, HTTPRefused):
            await self._executor.charge_refusal(context)
            raise
        response = await self._executor.execute(prepared, context, seconds)
        if batch is not None:
            batch.note(prepared)
        return response


async def _read(deps: Deps, request: Request) -> Any:
    """The body's JSON, whose size is paid for. Raises HTTPRefused, RequestRefused."""
    text = await read_body(request.headers, request.receive)
    if len(text) > FREE_BYTES:
        context = make_context(deps, ANONYMOUS, caller_of(request))
        await within_budget(charge_address(context, len(text) // BYTES_PER_POINT))
    check_values(text)
    return read_json(text)


def _is_page(deps: Deps, request: Request, accept: str | None) -> bool:
    """Whether a browser opened the bare address, and there is a page to show it."""
    is_bare = not request.scope["query_string"]
    return is_bare and prefers_page(accept) and deps.settings.allows(Feature.GRAPHIQL)


def _check_method(deps: Deps, request: Request) -> None:
    allowed = ("GET", "POST") if deps.settings.allows(Feature.GET) else ("POST",)
    if request.method not in allowed:
        message = f"{request.method} is not answered here. Send the operation by POST, as JSON."
        raise HTTPRefused(405, "METHOD_NOT_ALLOWED", message, {"allow": ", ".join(allowed)})


def _not_acceptable() -> HTTPRefused:
    message = (
        "The Accept header takes none of the types that answers come in. Send "
        "`Accept: application/graphql-response+json, application/json;q=0.9`."
    )
    return HTTPRefused(406, "NOT_ACCEPTABLE", message)


def _check_kind(kind: OperationType, method: str) -> None:
    if kind is OperationType.SUBSCRIPTION:
        message = (
            "Subscriptions run over a WebSocket at this address, with the protocol "
            "graphql-transport-ws. Open one, or ask for the state by a query."
        )
        raise RequestRefused([_coded(message, "SUBSCRIPTION_OVER_HTTP")])
    if kind is OperationType.MUTATION and method == "GET":
        message = "GET changes nothing. Send mutations by POST, as JSON."
        raise HTTPRefused(405, "METHOD_NOT_ALLOWED", message, {"allow": "POST"})


def _refused_outcome(refused: RequestRefused) -> Outcome:
    waits = [(error.extensions or {}).get("retryAfter") for error in refused.errors]
    seconds = max((wait for wait in waits if isinstance(wait, int)), default=None)
    headers = {} if seconds is None else {"retry-after": str(seconds)}
    return Outcome(_response(refused.errors), refused.status, headers)


def _told(outcome: Outcome, media_type: str) -> Answer:
    """The answer to a well-formed request.

    As `application/json`, a document that cannot be run gets 200: clients of that type take any
    other status as coming from something in between. A spent budget is told by 429 all the same:
    it refuses the client and not the document, which the specification leaves to any server, and
    429 with Retry-After is what HTTP libraries and proxies know how to wait on.
    """
    is_legacy = media_type == JSON and outcome.status == HTTPStatus.BAD_REQUEST
    status = HTTPStatus.OK if is_legacy else outcome.status
    headers = {**_content_type(media_type), **outcome.headers}
    return Answer(status, to_json(outcome.response), headers, outcome.set_cookies)


def _answer_in(
    media_type: str | None,
    status: int,
    errors: list[GraphQLError],
    headers: dict[str, str] | None = None,
) -> Answer:
    """Errors of a request of which nothing was run."""
    headers = {**_content_type(media_type or JSON), **(headers or {})}
    return Answer(status, to_json(_response(errors)), headers)


def _content_type(media_type: str) -> dict[str, str]:
    return {"content-type": f"{media_type}; charset=utf-8"}


def _response(errors: list[GraphQLError]) -> dict[str, Any]:
    return {"errors": [error.formatted for error in errors]}


def _error(refused: HTTPRefused) -> GraphQLError:
    return _coded(str(refused), refused.code)


def _coded(message: str, code: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code})
