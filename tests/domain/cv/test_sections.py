import pytest

from domain.cv.parsing.sections import Section, SectionKind, split_sections


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("## Experience", SectionKind.EXPERIENCE),
        ("**Work History**", SectionKind.EXPERIENCE),
        ("EMPLOYMENT", SectionKind.EXPERIENCE),
        ("Teaching Experience", SectionKind.EXPERIENCE),
        ("Work & Military Experience", SectionKind.EXPERIENCE),
        ("E X P E R I E N C E", SectionKind.EXPERIENCE),
        ("--- Education ---", SectionKind.EDUCATION),
        ("Education and Training:", SectionKind.EDUCATION),
        ("skills:", SectionKind.SKILLS),
        ("Skills / Tools", SectionKind.SKILLS),
        ("Licenses & Certifications", SectionKind.CERTIFICATIONS),
        ("Languages", SectionKind.LANGUAGES),
        ("PROFESSIONAL SUMMARY", SectionKind.SUMMARY),
        ("Volunteering", SectionKind.OTHER),
        ("ניסיון תעסוקתי:", SectionKind.EXPERIENCE),
        ("שירות צבאי", SectionKind.EXPERIENCE),
        ("## השכלה", SectionKind.EDUCATION),
        ("כישורים ומיומנויות", SectionKind.SKILLS),
        ("שפות", SectionKind.LANGUAGES),
        ("קורסים והסמכות", SectionKind.CERTIFICATIONS),
        ("פרטים אישיים", SectionKind.CONTACT),
    ],
)
def test_headings_open_sections(heading: str, kind: SectionKind) -> None:
    assert split_sections(f"Ann\n{heading}\nbody") == [
        Section(SectionKind.HEADER, ("Ann",)),
        Section(kind, ("body",)),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "I have experience.", "experience", "- Education", "5 years experience",
        "Skills matter to me", "Education reform at the ministry", "### Cook | Hilton | 2019",
    ],
)  # fmt: skip
def test_other_lines_do_not(line: str) -> None:
    assert split_sections(line) == [Section(SectionKind.HEADER, (line,))]


def test_an_underlined_heading_leaves_its_rule_blank() -> None:
    assert split_sections("Education\n=========\nBSc")[1] == Section(
        SectionKind.EDUCATION, ("", "BSc")
    )


def test_a_heading_with_content_takes_its_line_and_those_after_it() -> None:
    assert split_sections("Profile\nHi\nLanguages: English,\nHebrew\n\nmore") == [
        Section(SectionKind.HEADER, ()),
        Section(SectionKind.SUMMARY, ("Hi",)),
        Section(SectionKind.LANGUAGES, ("English,", "Hebrew")),
        Section(SectionKind.SUMMARY, ("", "more")),
    ]


def test_tools_listed_in_a_position_stay_with_it() -> None:
    lines = ("Cook, Hilton, 2019", "Skills: grill", "Waiter, Ritz, 2018")
    assert split_sections("\n".join(("Experience", *lines)))[1].lines == lines
