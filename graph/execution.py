"""The GraphQL pipeline that HTTP and sockets share: from a request's parts to its answers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import strawberry
from graphql import ExecutionResult, GraphQLError, OperationDefinitionNode, OperationType
from graphql import Executor as GraphQLExecutor
from graphql.execution import (
    create_source_event_stream,
    execute_root_selection_set,
    execute_subscription_event,
    map_source_to_response_event,
)
from strawberry.execution import optimized_is_awaitable

from domain.core.settings import Feature, Settings
from domain.core.tasks import end
from graph import error_policy
from graph.answer_size import BoundedExecutor
from graph.context import Context
from graph.cost import Cost, CostCounter
from graph.documents import CheckedDocument, DocumentRefused, Documents
from graph.rate_limit import BudgetExceeded, charge_address, spend
from graph.refusals import timed_out, too_costly
from graph.trusted_documents import load_trusted_documents
from graph.variable_limits import count_values, too_many_values

T = TypeVar("T")

MOST_SECONDS = 30.0
MOST_COST = 1_000
MOST_COERCION_ERRORS = 10
NEW_TEXT_COST = 50
"""Points for reading a text that this process does not remember: it takes up to 30 ms, where an
operation of 50 points takes less."""
VALUES_PER_POINT = 100
"""Of variables, which are coerced before an operation is paid for."""
REFUSED_COST = 10
"""Points for a request that was prepared and then refused: nothing else would count its work."""


@dataclass(frozen=True, slots=True)
class Params:
    """What a client asks for: a text or the id of a trusted document, and what goes with it."""

    query: str | None = None
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    document_id: str | None = None


class RequestRefused(Exception):
    """A request of which nothing was executed. `status` is HTTP's."""

    def __init__(self, errors: list[GraphQLError], status: int = 400) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors
        self.status = status


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that may be executed, once."""

    operation: OperationDefinitionNode
    kind: OperationType
    cost: Cost
    executor: BoundedExecutor
    """It lacks the context only."""


class Executor:
    """Checks and executes operations of one schema.

    `seconds` bounds a query, a mutation, the start of a subscription and each of its events.
    Raises SettingsError when the settings' manifest of trusted documents is not readable.
    """

    def __init__(
        self, schema: strawberry.Schema, settings: Settings, seconds: float = MOST_SECONDS
    ) -> None:
        self._schema = schema._schema  # Strawberry gives no other way to it
        self._settings = settings
        self.seconds = seconds
        self._suggestions = settings.allows(Feature.SUGGESTIONS)
        introspection = settings.allows(Feature.INTROSPECTION)
        self._documents = Documents(self._schema, self._suggestions, introspection)
        self._trusted = load_trusted_documents(settings)
        self._ending: set[asyncio.Task[None]] = set()

    async def admit(self, params: Params, context: Context) -> None:
        """Charge the caller's address for a text that has to be read, and for many values, valid
        or not. Call it before `prepare`, whose work it bounds. Raises RequestRefused."""
        points = count_values(params.variables) // VALUES_PER_POINT if params.variables else 0
        if params.query is not None and not self._documents.remembers(params.query):
            points += NEW_TEXT_COST
        if points:
            await within_budget(charge_address(context, points))

    async def begin(self, params: Params, context: Context) -> Prepared:
        """Admit and prepare; the address is charged for a refusal too. Raises RequestRefused."""
        await self.admit(params, context)
        try:
            return self.prepare(params)
        except RequestRefused:
            await self.charge_refusal(context)
            raise

    async def charge_refusal(self, context: Context) -> None:
        """Raises RequestRefused when the address's budget does not have it."""
        await within_budget(charge_address(context, REFUSED_COST))

    def prepare(self, params: Params) -> Prepared:
        """Parse, hold against the limits, validate, coerce and count. Raises RequestRefused."""
        try:
            checked = self._documents.read(self._text(params))
        except DocumentRefused as refusal:
            raise RequestRefused(refusal.errors) from None
        operation = _operation(checked, params.operation_name)
        executor = self._executor(checked, operation, params.variables)
        cost = self._cost(checked, operation, executor.variable_values.coerced)
        return Prepared(operation, operation.operation, cost, executor)

    async def execute(
        self, prepared: Prepared, context: Context, seconds: float | None = None
    ) -> dict[str, Any]:
        """The answer to a query or a mutation, with its errors as clients see them.

        `seconds` are for where less is left. Raises RequestRefused over a budget.
        """
        await within_budget(spend(context, prepared.cost))
        executor = prepared.executor
        executor.context_value = context
        try:
            result = await self._settle(execute_root_selection_set(executor), seconds)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is told masked
            result = ExecutionResult(None, [error_policy.of_exception(error)])
        return _payload(result)

    async def subscribe(
        self, prepared: Prepared, context: Context
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a subscription. An error of its source is the last of them.

        The first step raises RequestRefused when it costs more than is left of a budget, or when
        its source cannot be opened.
        """
        await within_budget(spend(context, prepared.cost))
        executor = prepared.executor
        executor.context_value = context
        source = await self._source(executor)
        async with aclosing(map_source_to_response_event(executor, source, self._event)) as results:
            while True:
                try:
                    result = await anext(results)
                except StopAsyncIteration:
                    return
                except Exception as error:  # noqa: BLE001  # whatever it is, it is told masked
                    yield _payload(ExecutionResult(None, [error_policy.of_exception(error)]))
                    return
                yield _payload(result)

    def _text(self, params: Params) -> str:
        id, query = params.document_id, params.query
        if id is not None and query is not None:
            raise _refused("BAD_REQUEST", "Send either `query` or `documentId`, not both.")
        if id is not None:
            text = self._trusted.get(id)
            if text is None:
                message = "This server has no document of that id. Send one of its manifest's ids."
                raise _refused("PERSISTED_DOCUMENT_NOT_FOUND", message)
            return text
        if self._settings.trusted_documents_only:
            message = "Only trusted documents are accepted. Send `documentId` instead of a text."
            raise _refused("TRUSTED_DOCUMENTS_ONLY", message)
        if query is None:
            raise _refused("BAD_REQUEST", "Send the text of an operation as `query`.")
        return query

    def _executor(
        self,
        checked: CheckedDocument,
        operation: OperationDefinitionNode,
        variables: dict[str, Any] | None,
    ) -> BoundedExecutor:
        """graphql-core's executor of an operation. Raises RequestRefused over its variables."""
        too_many = too_many_values(variables) if variables else None
        if too_many is not None:
            raise RequestRefused([too_many])
        built = BoundedExecutor.build(
            self._schema,
            checked.document,
            raw_variable_values=variables,
            operation_name=operation.name.value if operation.name else None,
            max_coercion_errors=MOST_COERCION_ERRORS,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # it returns bool, no TypeGuard
            hide_suggestions=not self._suggestions,
        )
        if isinstance(built, list):
            raise RequestRefused([error_policy.coded(error, "BAD_USER_INPUT") for error in built])
        return cast(BoundedExecutor, built)

    def _cost(
        self,
        checked: CheckedDocument,
        operation: OperationDefinitionNode,
        variables: dict[str, Any],
    ) -> Cost:
        name = operation.name.value if operation.name else None
        cost = checked.costs.get(name)
        if cost is None:
            settings = self._settings
            counter = CostCounter(
                self._schema, checked.document, variables,
                settings.page_size_default, settings.page_size_max,
            )  # fmt: skip
            cost = counter.count(operation)
            if not operation.variable_definitions:
                checked.costs[name] = cost
        if cost.cost > MOST_COST:
            raise RequestRefused([too_costly(MOST_COST, cost, operation)])
        return cost

    async def _source(self, executor: BoundedExecutor) -> AsyncIterable[Any]:
        found: AsyncIterable[Any] | ExecutionResult
        try:
            found = await self._settle(create_source_event_stream(executor))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is told masked
            found = ExecutionResult(None, [error_policy.of_exception(error)])
        if isinstance(found, ExecutionResult):
            raise RequestRefused([error_policy.shown(error) for error in found.errors or ()], 200)
        return found

    async def _event(self, executor: GraphQLExecutor[Any]) -> ExecutionResult:
        return await self._settle(execute_subscription_event(executor))

    async def _settle(self, work: Awaitable[T] | T, seconds: float | None = None) -> T:
        """What `work` gives within its time. Raises a GraphQLError when that is over.

        It runs in a task of its own, and when it is told to end nobody waits for that: MongoDB's
        driver may lose the request for a while (see `domain.core.tasks.end`).
        """
        if not isinstance(work, Awaitable):
            return work
        seconds = self.seconds if seconds is None else seconds
        task: asyncio.Future[T] = asyncio.ensure_future(work)
        try:
            await asyncio.wait((task,), timeout=seconds)
        finally:
            if not task.done():
                self._end(task)
        if not task.done():
            raise timed_out(seconds)
        return task.result()

    def _end(self, task: asyncio.Future[Any]) -> None:
        ending = asyncio.create_task(end(task))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


def _operation(checked: CheckedDocument, name: str | None) -> OperationDefinitionNode:
    """The operation to execute. Raises RequestRefused."""
    operations = checked.operations
    if not name and len(operations) == 1:  # an empty name is none, as in graphql-js
        return next(iter(operations.values()))
    if not name:
        message = "The document has several operations: name one of them as `operationName`."
    elif name in operations:
        return operations[name]
    else:
        message = f"The document has no operation named {name[:100]!r}."
    raise _refused("OPERATION_RESOLUTION_FAILURE", message)


async def within_budget(charge: Coroutine[Any, Any, None]) -> None:
    """Raises RequestRefused when a budget does not have it."""
    try:
        await charge
    except BudgetExceeded as error:
        raise RequestRefused([error], 429) from None


def _payload(result: ExecutionResult) -> dict[str, Any]:
    """An answer in the form of the specification's section 7.1."""
    errors = [error_policy.shown(error).formatted for error in result.errors or ()]
    return {"data": result.data, **({"errors": errors} if errors else {})}


def _refused(code: str, message: str) -> RequestRefused:
    return RequestRefused([GraphQLError(message, extensions={"code": code})])
