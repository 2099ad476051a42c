"""What a posting must be to be analysed."""

from domain.core.errors import InputRule, InvalidInput, PayloadTooLarge, SizeUnit
from domain.core.text import clean_line, clean_text, is_http_url
from domain.job_postings.posting import Posting

NAME_MAX = 300
_PATH = ["input", "jobPosting"]


def checked_posting(posting: Posting, characters: int) -> Posting:
    """The posting with markup removed and whitespace normalised.

    Description, requirements and responsibilities together must stay under `characters`, counted
    as they came. Raises InvalidInput or PayloadTooLarge.
    """
    _check_size(posting, characters)
    if posting.source_url is not None and not is_http_url(posting.source_url):
        raise InvalidInput(InputRule.NOT_HTTP_URL, [*_PATH, "sourceUrl"])
    description = clean_text(posting.description) if posting.description else None
    return Posting(
        company_name=_name(posting.company_name, "companyName"),
        role_title=_name(posting.role_title, "roleTitle"),
        description=description or None,
        requirements=_lines(posting.requirements),
        responsibilities=_lines(posting.responsibilities),
        nice_to_have=_lines(posting.nice_to_have),
        language=posting.language,
        source_url=posting.source_url,
    )


def _check_size(posting: Posting, characters: int) -> None:
    counted = [posting.description or "", *posting.requirements, *posting.responsibilities]
    if (total := sum(map(len, counted))) >= characters:
        raise PayloadTooLarge(_PATH, characters - 1, total, SizeUnit.CHARACTERS)
    if (total := sum(map(len, posting.nice_to_have))) >= characters:
        path = [*_PATH, "niceToHave"]
        raise PayloadTooLarge(path, characters - 1, total, SizeUnit.CHARACTERS)


def _name(value: str, field: str) -> str:
    if len(value) > NAME_MAX:
        raise InvalidInput(InputRule.TOO_LONG, [*_PATH, field], limit=NAME_MAX)
    line = clean_line(value)
    if not line:
        raise InvalidInput(InputRule.BLANK, [*_PATH, field])
    return line


def _lines(values: list[str]) -> list[str]:
    return [text for text in map(clean_text, values) if text]
