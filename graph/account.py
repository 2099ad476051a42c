"""A person's data: taking it along, and leaving."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from domain.account import documents
from domain.account.deletion import request_deletion
from domain.account.export import request_export
from domain.account.following import follow_export
from domain.auth.sessions import revoke_external_token
from domain.core.errors import DomainError, Missing, NotFound
from domain.core.pagination import Page
from graph import ids
from graph.context import Info, SignedIn
from graph.cookies import signed_out_cookies
from graph.enums import WorkStatus
from graph.errors import DeleteMyAccountError, ExportMyDataError, told, top_level_errors
from graph.exports import download_url, receipt_url
from graph.failure import Failure
from graph.node import Node
from graph.paging import PageInfo, cursors_of, page_info_of
from graph.scalars import URL


@strawberry.type(description="Where to download an archive.")
class DataExportDownload:
    url: URL = strawberry.field(
        description="Signed: whoever has it can download, without signing in."
    )
    expires_at: datetime


@strawberry.type(
    description="A copy of everything that is kept about the viewer: a ZIP of JSON and files, with "
    "a signed manifest. It is removed after 24 hours."
)
class DataExport(Node):
    stored: strawberry.Private[documents.DataExport]
    status: WorkStatus
    progress_percent: int = strawberry.field(description="Share done, 0 to 100.")
    message: str | None = strawberry.field(
        description="What the worker is doing now, in the viewer's language."
    )
    created_at: datetime
    completed_at: datetime | None
    expires_at: datetime | None = strawberry.field(
        description="When it is removed, file and all. Null until status is final."
    )
    size_bytes: float | None = strawberry.field(
        description="A whole number of bytes, which may be more than an Int holds. Null until "
        "status is COMPLETED."
    )
    failure: Failure | None = strawberry.field(description="Set only when status is FAILED.")

    @classmethod
    def of(cls, export: documents.DataExport) -> Self:
        return cls(
            id=ids.encode("DataExport", export.id), stored=export, status=export.status,
            progress_percent=export.progress_percent, message=export.message,
            created_at=export.created_at, completed_at=export.completed_at,
            expires_at=export.expires_at, size_bytes=export.size_bytes,
            failure=Failure.of(export.failure),
        )  # fmt: skip

    @strawberry.field(
        description="A fresh address of the archive, good for ten minutes. Null unless status is "
        "COMPLETED."
    )
    def download(self, info: Info) -> DataExportDownload | None:
        found = download_url(info.context.deps, self.stored)
        return DataExportDownload(url=found[0], expires_at=found[1]) if found else None


@strawberry.type(description="An export and its cursor.")
class DataExportEdge:
    node: DataExport
    cursor: str


@strawberry.type(description="A page of exports. Default 20, at most 100.")
class DataExportConnection:
    page: strawberry.Private[Page[documents.DataExport]]
    edges: list[DataExportEdge]
    nodes: list[DataExport]
    page_info: PageInfo

    @classmethod
    def of(cls, page: Page[documents.DataExport]) -> Self:
        nodes = [DataExport.of(export) for export in page.rows]
        cursors = cursors_of(page, documents.CURSOR_ORDER)
        edges = [
            DataExportEdge(node=node, cursor=cursor)
            for node, cursor in zip(nodes, cursors, strict=True)
        ]
        return cls(page=page, edges=edges, nodes=nodes, page_info=page_info_of(page, cursors))

    @strawberry.field
    async def total_count(self) -> int | None:
        return await self.page.count()


@strawberry.input(description="One export.")
class ExportMyDataInput:
    idempotency_key: UUID | None = strawberry.field(
        default=None, description="Same key: the same export again. Kept 24 hours."
    )


@strawberry.type(description="Result of exportMyData.")
class ExportMyDataPayload:
    data_export: DataExport | None
    errors: list[ExportMyDataError]


@strawberry.input(description="The words that say that it is meant.")
class DeleteMyAccountInput:
    confirmation: str = strawberry.field(description="Must be `delete my account`.")


@strawberry.type(description="The removal of an account.")
class AccountDeletion:
    id: strawberry.ID
    status: WorkStatus
    requested_at: datetime
    receipt_url: URL = strawberry.field(
        description="Signed, good for 30 days: tells as JSON how the deletion stands, and in the "
        "end what was deleted and what is kept, signed. Keep it: nobody can sign in to ask again."
    )
    receipt_expires_at: datetime

    @classmethod
    def of(cls, deletion: documents.AccountDeletion, info: Info) -> Self:
        url, expires_at = receipt_url(info.context.deps, deletion)
        return cls(
            id=ids.encode("AccountDeletion", deletion.id), status=deletion.status,
            requested_at=deletion.requested_at, receipt_url=url, receipt_expires_at=expires_at,
        )  # fmt: skip


@strawberry.type(description="Result of deleteMyAccount.")
class DeleteMyAccountPayload:
    deletion: AccountDeletion | None
    errors: list[DeleteMyAccountError]


@strawberry.type(description="An event about an export.")
class DataExportStatusEvent:
    cursor: str
    is_snapshot: bool
    occurred_at: datetime
    data_export: DataExport


@strawberry.type
class AccountMutation:
    @strawberry.mutation(
        permission_classes=[SignedIn],
        description="Make a copy of everything that is kept about the viewer. One is made at a "
        "time: asking while one is under way gives that one. At most 5 in 24 hours.",
    )
    async def export_my_data(self, info: Info, input: ExportMyDataInput) -> ExportMyDataPayload:
        context = info.context
        try:
            export = await request_export(
                context.deps, context.user_id, input.idempotency_key, context.caller
            )
        except DomainError as error:
            return ExportMyDataPayload(data_export=None, errors=[await told(info, error)])
        return ExportMyDataPayload(data_export=DataExport.of(export), errors=[])

    @strawberry.mutation(
        permission_classes=[SignedIn],
        description="Delete the viewer's account with everything in it. All sessions end at once, "
        "and it cannot be undone.",
    )
    async def delete_my_account(
        self, info: Info, input: DeleteMyAccountInput
    ) -> DeleteMyAccountPayload:
        context, asker = info.context, info.context.asker
        try:
            deletion = await request_deletion(
                context.deps, asker.user_id, input.confirmation, context.caller
            )
        except DomainError as error:
            return DeleteMyAccountPayload(deletion=None, errors=[await told(info, error)])
        if asker.session_id is None:
            await revoke_external_token(context.deps, asker, context.caller)
        context.set_cookies.extend(signed_out_cookies(context.deps.settings))
        return DeleteMyAccountPayload(deletion=AccountDeletion.of(deletion, info), errors=[])


@strawberry.type
class AccountSubscription:
    @strawberry.subscription(
        permission_classes=[SignedIn],
        description="Progress of one export of the viewer, until COMPLETED or FAILED. Error code "
        "DATA_EXPORT_NOT_FOUND when absent or not yours. It begins with a snapshot with `after` "
        "too: nothing in between needs to be replayed.",
    )
    async def data_export_status(
        self, info: Info, id: strawberry.ID, after: str | None = None
    ) -> AsyncGenerator[DataExportStatusEvent, None]:
        context = info.context
        async with top_level_errors(info):
            export_id = ids.decode_as("DataExport", id)
            if export_id is None:
                raise NotFound(Missing.DATA_EXPORT, ["id"], id)
            events = follow_export(context.deps, context.user_id, export_id)
            async with aclosing(events):
                async for event in events:
                    yield DataExportStatusEvent(
                        cursor=event.cursor, is_snapshot=event.is_snapshot,
                        occurred_at=event.occurred_at, data_export=DataExport.of(event.document),
                    )  # fmt: skip
