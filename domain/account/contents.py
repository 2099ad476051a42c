"""What an export holds of each kind of data, record by record: few are in memory at a time."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

from domain.account.archive import safe_name
from domain.cv.actions import DOCX, MARKDOWN, PDF
from domain.cv.documents import CV, CVText
from domain.gap_analysis.documents import GapAnalysis
from domain.profile.documents import User

Record = dict[str, Any]
Records = Callable[[UUID], AsyncIterator[Record]]

_EXTENSIONS = {PDF: ".pdf", DOCX: ".docx", MARKDOWN: ".md"}
# What says how the work was carried through, and nothing about a person.
_INNER = {"revision_id", "user_id", "delivery", "version", "idempotency"}


def file_path(cv: CV) -> str:
    """Where in the archive the file of a CV lies. The id keeps equal names apart."""
    return f"files/{cv.id}/{safe_name(cv.filename, _EXTENSIONS.get(cv.content_type, '.bin'))}"


async def profile(user_id: UUID) -> AsyncIterator[Record]:
    """The account itself."""
    user = await User.get(user_id)
    if user is not None:
        yield user.model_dump(mode="json", exclude={"revision_id"})


async def cvs(user_id: UUID) -> AsyncIterator[Record]:
    """CVs as they were read, with their redacted text and the path of the file brought."""
    async for cv in CV.each_of_user(user_id):
        record = cv.model_dump(mode="json", exclude={*_INNER, "file_id"})
        text = await CVText.get(cv.id)
        record["text"] = text.text if text else None
        record["file"] = file_path(cv) if cv.file_id else None
        yield record


async def gap_analyses(user_id: UUID) -> AsyncIterator[Record]:
    """Analyses with their postings, questions and answers."""
    inner = {"questions": {"__all__": {"version", "position"}}}
    excluded: Any = {**dict.fromkeys([*_INNER, "history"], True), **inner}
    async for analysis in GapAnalysis.each_of_user(user_id):
        yield analysis.model_dump(mode="json", exclude=excluded)


def listed(of_user: Callable[[UUID], Awaitable[list[Record]]]) -> Records:
    """The records of a kind that has few of them for each person."""

    async def records(user_id: UUID) -> AsyncIterator[Record]:
        for record in await of_user(user_id):
            yield record

    return records


def as_json(record: Record) -> bytes:
    """A record with its names as in GraphQL."""
    return json.dumps(_renamed(record), ensure_ascii=False, indent=2).encode()


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {_camel(key): _renamed(item) for key, item in value.items()}
    return [_renamed(item) for item in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
