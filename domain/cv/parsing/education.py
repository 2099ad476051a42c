"""The studies that a CV lists."""

from domain.cv.parsing.entries import Entry, split_entries, split_pieces
from domain.cv.parsing.parsed_cv import Education
from domain.cv.parsing.plain_text import without_bullet, without_markup
from domain.cv.parsing.vocabulary import degree_score


def read_education(lines: tuple[str, ...]) -> list[Education]:
    """The studies in the lines of an education section, in its order."""
    # A list of studies is as often bulleted as not, and there is no prose to tell it from.
    plain = tuple(without_markup(without_bullet(line)) for line in lines)
    studies = (_study(entry) for entry in split_entries(plain, degree_score, has_prose=False))
    return [study for study in studies if study.institution or study.degree]


def _study(entry: Entry) -> Education:
    pieces = [piece for title in entry.titles for piece in _pieces(title)]
    degree = next((p for p in pieces if degree_score(p) > 0), None)
    institution = next((p for p in pieces if degree_score(p) < 0), None)
    rest = [p for p in pieces if p not in (degree, institution)]
    if degree is None and rest and institution is not None:
        degree = rest[0]
    elif institution is None and rest and degree is not None:
        institution = rest[0]
    elif degree is None and institution is None:
        degree, institution = next(iter(rest), None), next(iter(rest[1:]), None)
    period = entry.period
    if period is None:
        return Education(institution=institution, degree=degree)
    if not entry.is_range:
        # One date beside a course of study is the year it was completed.
        return Education(institution=institution, degree=degree, end=period.start)
    return Education(institution=institution, degree=degree, start=period.start, end=period.end)


def _pieces(title: str) -> list[str]:
    """A title's pieces, each subject joined to its degree: `BA, Economics`."""
    joined: list[str] = []
    for piece in (part for strong in split_pieces(title) for part in split_pieces(strong)):
        bare_degree = joined and degree_score(joined[-1]) > 0 and len(joined[-1].split()) <= 2
        if bare_degree and degree_score(piece) == 0 and not _is_grade(piece):
            joined[-1] = f"{joined[-1]}, {piece}"
        elif not _is_grade(piece):
            joined.append(piece)
    return joined


def _is_grade(piece: str) -> bool:
    folded = piece.casefold()
    return folded.startswith(("gpa", "grade", "ממוצע", "with honors", "with honours", "cum laude"))
