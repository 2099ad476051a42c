"""HTML from templates, where text stays text."""

import html
from collections.abc import Iterable
from functools import cache

from graph.pages import WEB


class Markup(str):
    """HTML, as against text that is to be escaped."""

    __slots__ = ()


def fill(template: str, **values: str) -> Markup:
    """The template with `{name}` replaced; what is no Markup is escaped, for quotes too."""
    return Markup(
        template.format_map(
            {
                name: value if isinstance(value, Markup) else html.escape(value)
                for name, value in values.items()
            }
        )
    )


def joined(parts: Iterable[Markup]) -> Markup:
    """Pieces of HTML one after another."""
    return Markup("".join(parts))


@cache
def template(name: str) -> str:
    """A template of web/pages, read once."""
    return (WEB / "pages" / name).read_text("utf-8")
