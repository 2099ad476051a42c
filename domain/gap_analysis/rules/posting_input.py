"""What a posting must be to be analysed."""

from domain.core.errors import InputRule, InvalidInput, PayloadTooLarge, SizeUnit
from domain.core.input_checks import checked_line
from domain.core.text import clean_text, is_http_url
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
        company_name=checked_line(posting.company_name, [*_PATH, "companyName"], NAME_MAX),
        role_title=checked_line(posting.role_title, [*_PATH, "roleTitle"], NAME_MAX),
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


def _lines(values: list[str]) -> list[str]:
    return [text for value in values if value.strip() and (text := clean_text(value))]
