"""Exports in tests: made, unpacked, and what they are made of."""

import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

from domain.account.documents import DataExport, WorkStatus
from domain.account.export import BUCKET, request_export
from domain.core.deps import Deps
from domain.core.owned_files import open_file
from domain.cv.documents import CV, CVStatus
from domain.cv.files import store_file as store_cv_file
from jobs.account import DATA_EXPORT
from jobs.delivery import deliver
from tests.domain.account.people import CALLER, newcomer, one_piece

Files = dict[str, bytes]


async def someone(word: str | None = None) -> UUID:
    return (await newcomer(word or uuid4().hex)).id


async def delivered(deps: Deps, export: DataExport) -> DataExport:
    """The export after one delivery of its work."""
    await deliver(deps, DATA_EXPORT, export.id)
    return await stored(export.id)


async def stored(id: UUID) -> DataExport:
    export = await DataExport.get(id)
    assert export is not None
    return export


async def unpacked(deps: Deps, export: DataExport) -> Files:
    """The files of an export's archive, checked as ZIP tools check them."""
    assert export.status is WorkStatus.COMPLETED
    assert export.file_id is not None
    data = await (await open_file(deps.database, BUCKET, export.file_id)).read()
    assert len(data) == export.size_bytes
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


async def export_of(deps: Deps, user_id: UUID) -> Files:
    export = await request_export(deps, user_id, None, CALLER)
    return await unpacked(deps, await delivered(deps, export))


async def cv_with_file(
    deps: Deps, user_id: UUID, data: bytes | AsyncIterator[bytes], filename: str = "cv.md"
) -> CV:
    cv = CV(
        user_id=user_id, filename=filename, content_type="text/markdown", size_bytes=0,
        status=CVStatus.FAILED,
    )  # fmt: skip
    chunks = one_piece(data) if isinstance(data, bytes) else data
    cv.file_id = await store_cv_file(deps.database, cv.id, user_id, cv.content_type, chunks)
    await cv.insert()
    return cv


async def files_of(deps: Deps) -> set[UUID]:
    """All files that lie in the exports' bucket, whole or in part."""
    chunks = await deps.database[f"{BUCKET}.chunks"].distinct("files_id")
    return {*await deps.database[f"{BUCKET}.files"].distinct("_id"), *chunks}


async def set_fields(export: DataExport, **fields: Any) -> None:
    await DataExport.get_pymongo_collection().update_one({"_id": export.id}, {"$set": fields})
