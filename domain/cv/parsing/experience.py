"""The positions that a CV lists."""

from domain.cv.parsing.entries import Entry, split_entries, split_pieces
from domain.cv.parsing.parsed_cv import Experience
from domain.cv.parsing.plain_text import without_bullet, without_markup
from domain.cv.parsing.vocabulary import role_score
from domain.skills.extraction import SkillExtractor

_CORPORATE_FORMS = ("ltd", "inc", "llc", "llp", "gmbh", "plc", 'בע"מ', "בע״מ")


def read_experience(
    lines: tuple[str, ...], extractor: SkillExtractor, *, is_sure: bool = True
) -> list[Experience]:
    """The positions in the lines of an experience section, in its order.

    With `is_sure` False the lines may be of anything, and only those entries count that name a
    known role over a range of dates.
    """
    positions: list[Experience] = []
    shared_company: str | None = None
    for entry in split_entries(lines, role_score):
        role, company = _role_and_company(entry.titles)
        if not is_sure and not (entry.is_range and role and role_score(role) > 0):
            continue
        if role is None and company is None and not any(line.strip() for line in entry.body):
            continue
        if company is not None:
            # Several positions may follow under an employer that has the first line to itself.
            heads_line = len(entry.titles) > 1 and entry.titles[0].startswith(company)
            shared_company = company if heads_line else None
        positions.append(_position(entry, role, company or shared_company, extractor))
    return positions


def _position(
    entry: Entry, role: str | None, company: str | None, extractor: SkillExtractor
) -> Experience:
    description = describe(entry.body)
    period = entry.period
    return Experience(
        role=role,
        company=company,
        start=period.start if period else None,
        end=period.end if period else None,
        is_current=period.is_current if period else False,
        description=description,
        technologies=extractor.skills("\n".join([*entry.titles, description])),
    )


def describe(body: tuple[str, ...]) -> str:
    """A body's lines without bullets, markup and blank lines."""
    bare = (without_markup(without_bullet(line)) for line in body)
    return "\n".join(line for line in bare if line)


def _role_and_company(titles: tuple[str, ...]) -> tuple[str | None, str | None]:
    pieces = [piece for title in titles for piece in _title_pieces(title, len(titles))]
    if not pieces:
        return None, None
    best = max(pieces, key=role_score)
    if role_score(best) <= 0:
        # Nothing tells: "Role, Company" is the commoner order, and employers wear their form.
        best = next((piece for piece in pieces if role_score(piece) == 0), "")
    others = [piece for piece in pieces if piece is not best]
    named = [piece for piece in others if role_score(piece) < 0]
    neutral = [piece for piece in others if role_score(piece) == 0]
    company = next(iter([*named, *neutral, *others]), None)
    return best or None, _without_place(company) if company else None


def _title_pieces(title: str, count: int) -> list[str]:
    """A title's pieces; "Hilton Hotel, Milan" is one, since a comma may only name a place."""
    pieces = split_pieces(title)
    is_comma_split = len(pieces) > 1 and ", ".join(pieces) == " ".join(title.split())
    names_role = any(role_score(piece) > 0 for piece in pieces)
    if is_comma_split and not names_role and (count > 1 or role_score(pieces[0]) < 0):
        return [title]
    return pieces


def _without_place(company: str) -> str:
    """`Acme` for "Acme, Tel Aviv" and "Acme (Tel Aviv)"; "Acme, Inc." stays."""
    head, comma, tail = company.partition(",")
    if comma and tail.strip().casefold().startswith(_CORPORATE_FORMS):
        return company
    head = head.partition(" (")[0].strip()
    for prefix in ("חברת ", "בחברת "):
        head = head.removeprefix(prefix)
    return head or company
