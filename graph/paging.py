"""Relay connections over the domain's keyset pages."""

from typing import Any

import strawberry

from domain.core.pagination import Page, PageRequest, encode_cursor, page_request
from graph.context import Info


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


def request_of(
    info: Info, first: int | None, after: str | None, last: int | None, before: str | None
) -> PageRequest:
    """The page asked for. Raises InvalidInput."""
    settings = info.context.deps.settings
    return page_request(
        first, after, last, before, default=settings.page_size_default, most=settings.page_size_max
    )


def cursors_of(page: Page[Any], order: str) -> list[str]:
    """A cursor for each row."""
    return [encode_cursor(order, key) for key in page.keys]


def page_info_of(page: Page[Any], cursors: list[str]) -> PageInfo:
    return PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )
