"""Rows in the JobPosting shape of this project's GraphQL schema, one JSON object each."""

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from domain.core.language import Language
from domain.job_postings.drafts import Draft, RowError, instant, kind_of

_EXPECTED = {"bool_type": "true or false", "list_type": "a list of strings"}


class _NativeRow(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", alias_generator=to_camel)

    company_name: str
    role_title: str
    description: str | None = None
    requirements: list[str] = []
    responsibilities: list[str] = []
    nice_to_have: list[str] = []
    language: str | None = None
    source_url: str | None = None
    location: str | None = None
    is_remote: bool | None = None
    posted_at: str | None = None


def native_draft(row: dict[str, object]) -> Draft:
    """The texts of `row`; a field that is null counts as absent.

    Raises RowError where a field is missing or of another kind than the schema's, and for a
    language other than EN and HE.
    """
    try:
        given = _NativeRow.model_validate({k: v for k, v in row.items() if v is not None})
    except ValidationError as error:
        raise RowError(_in_words(error.errors(include_url=False)[0])) from None
    return Draft(
        company_name=given.company_name,
        company_key="companyName",
        role_title=given.role_title,
        role_key="roleTitle",
        description=given.description,
        requirements=given.requirements,
        responsibilities=given.responsibilities,
        nice_to_have=given.nice_to_have,
        language=None if given.language is None else _language(given.language),
        source_url=given.source_url,
        url_key="sourceUrl",
        location=given.location,
        is_remote=given.is_remote,
        posted_at=None if given.posted_at is None else instant(given.posted_at, "postedAt"),
        identifier=None,
    )


def _language(tag: str) -> Language:
    try:
        return Language(tag.strip().lower())
    except ValueError:
        raise RowError("language is not known; expected EN or HE") from None


def _in_words(error: ErrorDetails) -> str:
    key, *index = error["loc"]
    path = f"{key}[{index[0]}]" if index else str(key)
    expected = _EXPECTED.get(error["type"], "a string")
    problem = "missing" if error["type"] == "missing" else kind_of(error["input"])
    return f"{path} is {problem}; expected {expected}"
