import copy
import io
import zipfile
from pathlib import Path
from typing import Any

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib import pdfencrypt
from reportlab.pdfgen import canvas

from domain.cv.parsing.file_text import (
    DOCX,
    LONGEST_TEXT,
    MARKDOWN,
    PDF,
    PLAIN_TEXT,
    UnreadableFile,
    UnreadableReason,
    extract_text,
    matches_magic,
)
from domain.cv.parsing.parse import parse_cv
from tests.domain.cv.samples import EXTRACTOR, parsed, read


def pdf(path: Path, lines: list[str], **options: Any) -> bytes:
    sheet = canvas.Canvas(str(path), **options)
    for number, line in enumerate(lines):
        left, tab, right = line.partition("\t")
        sheet.drawString(60, 800 - 14 * (number % 50), left)
        if tab:
            sheet.drawRightString(540, 800 - 14 * (number % 50), right)
        if number % 50 == 49:
            sheet.showPage()
    sheet.save()
    return path.read_bytes()


def saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def reason_of(data: bytes, content_type: str) -> UnreadableReason:
    with pytest.raises(UnreadableFile) as caught:
        extract_text(data, content_type)
    return caught.value.reason


def text_or_reason(data: bytes, content_type: str) -> str:
    try:
        return extract_text(data, content_type)
    except UnreadableFile as error:
        return error.reason


UNREADABLE = (UnreadableReason.DAMAGED, UnreadableReason.NO_TEXT, UnreadableReason.NOT_THAT_TYPE)


def test_a_pdf_gives_its_lines_in_reading_order(tmp_path: Path) -> None:
    lines = ["Dana Levi", "EXPERIENCE", "Cook, Hilton\t2019 - 2021", "Grill and pasta"]
    text = extract_text(pdf(tmp_path / "cv.pdf", lines), PDF)
    assert text.split("\n") == [
        "Dana Levi",
        "EXPERIENCE",
        "Cook, Hilton 2019 - 2021",
        "Grill and pasta",
    ]


def test_a_cv_as_pdf_reads_as_its_text_does(tmp_path: Path) -> None:
    lines = read("accountant.txt").split("\n")
    cv = parse_cv(extract_text(pdf(tmp_path / "cv.pdf", lines), PDF), EXTRACTOR)
    expected = parsed("accountant.txt")
    assert cv.contact == expected.contact
    assert cv.experience == expected.experience
    assert cv.education == expected.education
    assert cv.languages == expected.languages


def test_pages_follow_each_other(tmp_path: Path) -> None:
    text = extract_text(pdf(tmp_path / "cv.pdf", [f"line {n}" for n in range(120)]), PDF)
    assert text.split() == [word for n in range(120) for word in ("line", str(n))]


def test_a_pdf_that_wants_a_password_is_encrypted(tmp_path: Path) -> None:
    locked = pdfencrypt.StandardEncryption("secret", ownerPassword="other")
    data = pdf(tmp_path / "cv.pdf", ["Dana"], encrypt=locked)
    assert reason_of(data, PDF) is UnreadableReason.ENCRYPTED


def test_a_pdf_that_anyone_may_open_is_read_though_encrypted(tmp_path: Path) -> None:
    locked = pdfencrypt.StandardEncryption("", ownerPassword="other", canPrint=0)
    data = pdf(tmp_path / "cv.pdf", ["Dana"], encrypt=locked)
    assert extract_text(data, PDF).strip() == "Dana"


def test_a_pdf_of_pictures_has_no_text(tmp_path: Path) -> None:
    sheet = canvas.Canvas(str(tmp_path / "scan.pdf"))
    sheet.rect(10, 10, 100, 100, fill=1)
    sheet.save()
    assert reason_of((tmp_path / "scan.pdf").read_bytes(), PDF) is UnreadableReason.NO_TEXT


def test_a_pdf_of_over_five_hundred_pages_is_too_much(tmp_path: Path) -> None:
    sheet = canvas.Canvas(str(tmp_path / "long.pdf"))
    for _ in range(501):
        sheet.showPage()
    sheet.save()
    assert reason_of((tmp_path / "long.pdf").read_bytes(), PDF) is UnreadableReason.TOO_MUCH_TEXT


def test_a_pdf_cut_anywhere_is_read_or_refused(tmp_path: Path) -> None:
    data = pdf(tmp_path / "cv.pdf", ["Dana Levi", "Cook"])
    for size in range(1, len(data), max(1, len(data) // 40)):
        read_or_refused = text_or_reason(data[:size], PDF)
        assert read_or_refused in UNREADABLE or "Dana" in read_or_refused


def hebrew_document() -> Any:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "דנה לוי"
    document.sections[0].footer.paragraphs[0].text = "עמוד אחרון"
    document.add_paragraph("dana@example.com | 052-1234567")
    document.add_heading("ניסיון תעסוקתי", level=1)
    table = document.add_table(rows=2, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "אחות, בית חולים שיבא", "2016 - היום"
    table.cell(1, 0).text, table.cell(1, 1).text = "אחות, קופת חולים כללית", "2012 - 2016"
    document.add_heading("שפות", level=1)
    document.add_paragraph("עברית - שפת אם", style="List Bullet")
    return document


def test_a_hebrew_docx_gives_header_tables_and_lists_in_order() -> None:
    assert [line for line in extract_text(saved(hebrew_document()), DOCX).split("\n") if line] == [
        "דנה לוי",
        "dana@example.com | 052-1234567",
        "ניסיון תעסוקתי",
        "אחות, בית חולים שיבא\t2016 - היום",
        "אחות, קופת חולים כללית\t2012 - 2016",
        "שפות",
        "• עברית - שפת אם",
        "עמוד אחרון",
    ]


def test_a_hebrew_docx_is_a_cv() -> None:
    cv = parse_cv(extract_text(saved(hebrew_document()), DOCX), EXTRACTOR)
    assert cv.contact.name == "דנה לוי"
    assert [(job.role, job.company, job.start, job.end) for job in cv.experience] == [
        ("אחות", "בית חולים שיבא", "2016", None),
        ("אחות", "קופת חולים כללית", "2012", "2016"),
    ]
    assert cv.languages == ["עברית (שפת אם)"]


def test_a_layout_table_gives_one_column_after_the_other() -> None:
    document = docx.Document()
    left, right = document.add_table(rows=1, cols=2).rows[0].cells
    left.text, right.text = "Skills\nPython", "Experience\nCook"
    left.add_paragraph("Java")
    lines = [line for line in extract_text(saved(document), DOCX).split("\n") if line]
    assert lines == ["Skills", "Python", "Java", "Experience", "Cook"]


def test_links_and_line_breaks_of_a_docx_are_text() -> None:
    document = docx.Document()
    document.add_paragraph("Dana\tLevi").add_run().add_break()
    document.paragraphs[0].add_run("Cook")
    assert extract_text(saved(document), DOCX).strip() == "Dana\tLevi\nCook"


def zipped(parts: dict[str, bytes], base: bytes | None = None) -> bytes:
    """A DOCX (python-docx's own, unless `base` is given) with some of its parts replaced."""
    source = zipfile.ZipFile(io.BytesIO(base or saved(docx.Document())))
    kept = {name: source.read(name) for name in source.namelist()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (kept | parts).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_docx_that_unpacks_too_large_is_refused_unopened() -> None:
    bomb = zipped({"word/media/big.bin": bytes(61 * 1024 * 1024)})
    assert len(bomb) < 200_000
    assert reason_of(bomb, DOCX) is UnreadableReason.TOO_MUCH_TEXT


def test_a_docx_with_thousands_of_parts_is_refused() -> None:
    bomb = zipped({f"word/media/{n}.bin": b"" for n in range(3_001)})
    assert reason_of(bomb, DOCX) is UnreadableReason.TOO_MUCH_TEXT


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY x "&a;&a;&a;&a;">]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_docx_with_entities_is_refused(declaration: str, encoding: str) -> None:
    namespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    xml = (
        f'<?xml version="1.0" encoding="{encoding}"?>{declaration}'
        f'<w:document xmlns:w="{namespace}"><w:body>'
        "<w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:body></w:document>"
    )
    data = zipped({"word/document.xml": xml.encode(encoding)})
    assert reason_of(data, DOCX) is UnreadableReason.DAMAGED


def test_a_deeply_nested_docx_is_read_or_refused() -> None:
    namespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    deep = "<w:sdt>" * 50_000 + "</w:sdt>" * 50_000
    xml = f'<w:document xmlns:w="{namespace}"><w:body>{deep}</w:body></w:document>'
    assert reason_of(zipped({"word/document.xml": xml.encode()}), DOCX) is UnreadableReason.DAMAGED


def test_a_docx_cut_anywhere_is_refused() -> None:
    data = saved(hebrew_document())
    for size in range(1, len(data) - 1, len(data) // 20):
        expected = UnreadableReason.DAMAGED if size >= 4 else UnreadableReason.NOT_THAT_TYPE
        assert reason_of(data[:size], DOCX) is expected


def test_a_docx_with_a_password_is_encrypted_and_an_old_doc_is_none() -> None:
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    locked = ole + "EncryptedPackage".encode("utf-16-le")
    assert reason_of(locked, DOCX) is UnreadableReason.ENCRYPTED
    assert reason_of(ole, DOCX) is UnreadableReason.NOT_THAT_TYPE


def test_another_zip_is_no_docx() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "hello")
    assert reason_of(buffer.getvalue(), DOCX) is UnreadableReason.NOT_THAT_TYPE


HEBREW = "ניסיון: אחות בבית חולים, 2019"
LATIN = "Résumé – Zoë Müller, café"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (HEBREW.encode(), HEBREW),
        (HEBREW.encode("utf-8-sig"), HEBREW),
        (HEBREW.encode("utf-16"), HEBREW),
        (b"\xfe\xff" + HEBREW.encode("utf-16-be"), HEBREW),
        (HEBREW.encode("cp1255"), HEBREW),
        (LATIN.encode("cp1252"), LATIN),
        (LATIN.encode(), LATIN),
    ],
)
@pytest.mark.parametrize("content_type", [PLAIN_TEXT, MARKDOWN])
def test_plain_text_in_its_usual_encodings(data: bytes, text: str, content_type: str) -> None:
    assert extract_text(data, content_type) == text


def test_what_is_not_text_is_not_read_as_text() -> None:
    for data in (b"%PDF-1.7 abc", b"PK\x03\x04abc", b"abc\x00def", bytes(range(1, 32)) * 4):
        assert reason_of(data, PLAIN_TEXT) is UnreadableReason.NOT_THAT_TYPE


@pytest.mark.parametrize("content_type", [PDF, DOCX, PLAIN_TEXT, MARKDOWN, "image/png"])
def test_an_empty_file_has_no_text(content_type: str) -> None:
    assert reason_of(b"", content_type) is UnreadableReason.NO_TEXT


def test_blank_text_has_no_text_and_long_text_is_too_much() -> None:
    assert reason_of(b" \n\t--", PLAIN_TEXT) is UnreadableReason.NO_TEXT
    assert extract_text(b"a" * LONGEST_TEXT, PLAIN_TEXT) == "a" * LONGEST_TEXT
    assert reason_of(b"a" * (LONGEST_TEXT + 1), PLAIN_TEXT) is UnreadableReason.TOO_MUCH_TEXT
    assert reason_of(b"a" * 5_000_000, PLAIN_TEXT) is UnreadableReason.TOO_MUCH_TEXT


def test_other_types_are_refused() -> None:
    assert reason_of(b"\x89PNG", "image/png") is UnreadableReason.NOT_THAT_TYPE


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([b"", b"%PDF-1.7\n", b"PK\x03\x04", b"\xff\xfe", b"\xd0\xcf\x11\xe0"]),
    st.binary(max_size=300),
    st.sampled_from([PDF, DOCX, PLAIN_TEXT]),
)
def test_any_bytes_are_read_or_refused(head: bytes, rest: bytes, content_type: str) -> None:
    assert text_or_reason(head + rest, content_type)


def test_magic_bytes() -> None:
    assert matches_magic(b"%PDF-1.4", PDF)
    assert matches_magic(b"\r\n%PDF-1.4", PDF)
    assert matches_magic(b"PK\x03\x04rest", DOCX)
    assert matches_magic("שלום".encode(), MARKDOWN)
    assert matches_magic("שלום".encode("utf-16"), PLAIN_TEXT)
    assert not matches_magic(b"PK\x03\x04", PDF)
    assert not matches_magic(b"%PDF-1.4", DOCX)
    assert not matches_magic(b"%PDF-1.4", PLAIN_TEXT)
    assert not matches_magic(b"GIF89a", "image/gif")
    assert not matches_magic(b"", PDF)


def test_the_error_survives_the_way_out_of_a_worker_process() -> None:
    # A deep copy takes the error apart and rebuilds it just as pickling does.
    error = copy.deepcopy(UnreadableFile(UnreadableReason.DAMAGED))
    assert error.reason is UnreadableReason.DAMAGED
    assert str(error) == "The file cannot be read: DAMAGED."
