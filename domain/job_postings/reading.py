"""Reading the postings of an import file: JSON Lines in the schema's shape, or JSON-LD."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from domain.core.language import detect_language
from domain.core.text import clean_line, clean_text, is_http_url
from domain.job_postings.drafts import Draft, RowError, kind_of
from domain.job_postings.json_documents import Broken, Found, json_values
from domain.job_postings.native import native_draft
from domain.job_postings.posting import Posting
from domain.job_postings.schema_org import is_job_posting, schema_org_draft
from domain.job_postings.sections import item

MAX_POSTING_CHARACTERS = 1_000_000
MAX_LINE_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class ReadPosting:
    """A posting that can be kept, with what the catalogue knows besides its words.

    `line` is where it begins in the file, from 1; `posted_at` is in UTC; `is_remote` is None where
    the file does not say. `external_id` is the same whenever the same job is read again, so that
    importing twice changes nothing. It is the first of these that the row gives:
    `identifier:COMPANY:VALUE`, the employer's own identifier (JSON-LD only; two employers may well
    use the same number); `url:ADDRESS`, the address of its source; `sha256:HEX`, a digest of
    company, role, location and description, cleaned, on one line each and without regard to case.
    """

    line: int
    posting: Posting
    location: str | None
    is_remote: bool | None
    posted_at: datetime | None
    external_id: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row to skip: the line where it begins, from 1, and in one line what is wrong with it."""

    line: int
    reason: str


Row = ReadPosting | BadRow


def read_rows(text: str) -> Iterator[Row]:
    """Every row of `text` in order, readable or not. Raises nothing.

    Rows are JSON Lines, or the elements of a JSON list or of an `@graph`, printed over any number
    of lines. A row with an `@type` is read as a schema.org JobPosting, any other in the shape of
    `JobPostingInput` with `location`, `isRemote` and `postedAt`. Unknown keys are ignored, as are
    nodes of an `@graph` that are no JobPosting. A language that is not given is told by the words.
    """
    for found in json_values(text):
        if isinstance(found, Broken):
            yield BadRow(found.line, found.problem)
        elif not (found.is_graph_node and _is_other_node(found.value)):
            try:
                yield _read(found)
            except RowError as error:
                yield BadRow(found.line, str(error))


def _is_other_node(value: object) -> bool:
    return isinstance(value, dict) and not is_job_posting(value)


def _read(found: Found) -> ReadPosting:
    row = found.value
    if not isinstance(row, dict):
        raise RowError(f"the row is {kind_of(row)}; expected a JSON object")
    if "@type" not in row:
        return _finish(native_draft(row), found.line)
    if not is_job_posting(row):
        raise RowError("the row's @type is another; expected JobPosting")
    return _finish(schema_org_draft(row), found.line)


def _finish(draft: Draft, line: int) -> ReadPosting:
    _check_size(draft)
    company = _one_line(draft.company_name, draft.company_key)
    role = _one_line(draft.role_title, draft.role_key)
    location = clean_line(draft.location or "") or None
    description = clean_text(draft.description or "") or None
    requirements, responsibilities = _items(draft.requirements), _items(draft.responsibilities)
    words = "\n".join([role, description or "", *requirements, *responsibilities])
    posting = Posting(
        company_name=company,
        role_title=role,
        description=description,
        requirements=requirements,
        responsibilities=responsibilities,
        nice_to_have=_items(draft.nice_to_have),
        language=draft.language or detect_language(words),
        source_url=_source_url(draft),
    )
    external_id = _external_id(posting, location, draft.identifier)
    return ReadPosting(line, posting, location, draft.is_remote, draft.posted_at, external_id)


def _check_size(draft: Draft) -> None:
    texts = [draft.description or "", *draft.requirements, *draft.responsibilities]
    size = sum(map(len, [*texts, *draft.nice_to_have]))
    if size > MAX_POSTING_CHARACTERS:
        raise RowError(
            f"description, requirements and responsibilities have {size:,} characters;"
            f" expected at most {MAX_POSTING_CHARACTERS:,}"
        )


def _one_line(value: str, key: str) -> str:
    line = clean_line(value[:MAX_POSTING_CHARACTERS])
    if not line:
        raise RowError(f"{key} is blank; expected some text")
    if len(line) > MAX_LINE_CHARACTERS:
        raise RowError(f"{key} is too long; expected at most {MAX_LINE_CHARACTERS:,} characters")
    return line


def _items(values: list[str]) -> list[str]:
    """Cleaned, one entry a line, without bullets, blanks or repetitions."""
    lines = (item(line) for value in values for line in clean_text(value).split("\n"))
    return list(dict.fromkeys(line for line in lines if line))


def _source_url(draft: Draft) -> str | None:
    url = (draft.source_url or "").strip()
    if url and not is_http_url(url):
        raise RowError(
            f"{draft.url_key} is not a web address; expected an absolute http or https URL"
        )
    return url or None


def _external_id(posting: Posting, location: str | None, identifier: str | None) -> str:
    if identifier:
        return f"identifier:{posting.company_name.casefold()}:{_one_line(identifier, 'identifier')}"
    if posting.source_url:
        return f"url:{posting.source_url}"
    parts = [posting.company_name, posting.role_title, location or "", posting.description or ""]
    normalised = "\n".join(" ".join(part.split()).casefold() for part in parts)
    return f"sha256:{sha256(normalised.encode()).hexdigest()}"
