"""The text inside an uploaded file."""

import re
import threading
import zipfile
import zlib
from collections.abc import Iterator
from enum import StrEnum
from io import BytesIO
from typing import Any

import docx
import pypdfium2
from docx.oxml.ns import qn

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PLAIN_TEXT = "text/plain"
MARKDOWN = "text/markdown"

LONGEST_TEXT = 1_000_000
"""Characters."""
_MOST_PAGES = 500
_MOST_ZIP_MEMBERS = 3_000
_LARGEST_UNZIPPED = 60 * 1024 * 1024
_LARGEST_XML = 24 * 1024 * 1024

_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")

# PDFium keeps global state and may be entered by one thread at a time.
_pdfium = threading.Lock()


class UnreadableReason(StrEnum):
    """Why no text could be had from a file."""

    NOT_THAT_TYPE = "NOT_THAT_TYPE"
    ENCRYPTED = "ENCRYPTED"
    DAMAGED = "DAMAGED"
    NO_TEXT = "NO_TEXT"
    """It is empty, or opens and has no text: a scan, or pictures of text."""
    TOO_MUCH_TEXT = "TOO_MUCH_TEXT"
    """Over LONGEST_TEXT characters, or it unpacks to more than a CV can be."""


class UnreadableFile(Exception):
    def __init__(self, reason: UnreadableReason) -> None:
        # The reason alone, so that the error can be pickled on its way out of a worker process.
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"The file cannot be read: {self.reason.value}."


def matches_magic(head: bytes, content_type: str) -> bool:
    """Whether a file that begins with `head` (1 kB is enough) can be of `content_type`.

    A password-protected Word file is an OLE container, and so does not match DOCX.
    """
    if content_type == PDF:
        return b"%PDF-" in head[:1024]
    if content_type == DOCX:
        return head.startswith(b"PK\x03\x04")
    if content_type in (PLAIN_TEXT, MARKDOWN):
        foreign = (b"%PDF-", b"PK\x03\x04", _OLE_MAGIC)
        return head.startswith(_UTF16_MARKS) or not (head.startswith(foreign) or b"\x00" in head)
    return False


def extract_text(data: bytes, content_type: str) -> str:
    """The text of a PDF, DOCX, plain text or Markdown file, lines kept, at most LONGEST_TEXT.

    Blocking and busy: call it in a worker thread, or better a process, which also bounds what a
    hostile PDF can cost. Raises UnreadableFile, and nothing else, for any bytes.
    """
    if not data:
        raise UnreadableFile(UnreadableReason.NO_TEXT)
    try:
        text = _read(data, content_type)
    except UnreadableFile:
        raise
    except Exception as error:
        # The parsers raise dozens of types on broken input; each means the same to the caller.
        raise UnreadableFile(UnreadableReason.DAMAGED) from error
    if len(text) > LONGEST_TEXT:
        raise UnreadableFile(UnreadableReason.TOO_MUCH_TEXT)
    if not any(char.isalnum() for char in text):
        raise UnreadableFile(UnreadableReason.NO_TEXT)
    return text


def _read(data: bytes, content_type: str) -> str:
    if content_type == PDF:
        return _read_pdf(data)
    if content_type == DOCX:
        return _read_docx(data)
    if content_type in (PLAIN_TEXT, MARKDOWN):
        return _read_plain(data)
    raise UnreadableFile(UnreadableReason.NOT_THAT_TYPE)


def _read_plain(data: bytes) -> str:
    if not matches_magic(data[:1024], PLAIN_TEXT):
        raise UnreadableFile(UnreadableReason.NOT_THAT_TYPE)
    # A byte is at most one character and at least a quarter of one.
    if len(data) > 4 * LONGEST_TEXT:
        raise UnreadableFile(UnreadableReason.TOO_MUCH_TEXT)
    text = _decode(data)
    if len(_NOT_TEXT.findall(text)) * 20 > len(text):
        raise UnreadableFile(UnreadableReason.NOT_THAT_TYPE)
    return text


def _decode(data: bytes) -> str:
    if data.startswith(_UTF16_MARKS):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        high = sum(byte >= 0x80 for byte in data)
        hebrew = sum(0xE0 <= byte <= 0xFA for byte in data)
        # In cp1255 nearly every high byte is a Hebrew letter; in cp1252 prose the same bytes are
        # accented letters, rarely two together.
        is_hebrew = hebrew >= 0.6 * high and re.search(rb"[\xe0-\xfa]{2}", data) is not None
        return data.decode("cp1255" if is_hebrew else "cp1252", errors="replace")


def _read_pdf(data: bytes) -> str:
    if not matches_magic(data[:1024], PDF):
        raise UnreadableFile(UnreadableReason.NOT_THAT_TYPE)
    with _pdfium:
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            locked = "password" in str(error).casefold()
            reason = UnreadableReason.ENCRYPTED if locked else UnreadableReason.DAMAGED
            raise UnreadableFile(reason) from error
        try:
            return _pages_text(document)
        finally:
            document.close()


def _pages_text(document: Any) -> str:
    if len(document) > _MOST_PAGES:
        raise UnreadableFile(UnreadableReason.TOO_MUCH_TEXT)
    pages: list[str] = []
    for number in range(len(document)):
        page = document[number]
        text_page = page.get_textpage()
        if sum(map(len, pages)) + text_page.count_chars() > LONGEST_TEXT:
            raise UnreadableFile(UnreadableReason.TOO_MUCH_TEXT)
        pages.append(text_page.get_text_range().replace("\r\n", "\n"))
        text_page.close()
        page.close()
    # U+FFFE stands for a hyphen at a line's end that PDFium took out.
    return "\n".join(pages).replace("\ufffe", "")


def _read_docx(data: bytes) -> str:
    if data.startswith(_OLE_MAGIC):
        locked = "EncryptedPackage".encode("utf-16-le") in data
        raise UnreadableFile(
            UnreadableReason.ENCRYPTED if locked else UnreadableReason.NOT_THAT_TYPE
        )
    if not matches_magic(data[:4], DOCX):
        raise UnreadableFile(UnreadableReason.NOT_THAT_TYPE)
    _check_zip(data)
    document = docx.Document(BytesIO(data))
    headers = _running(document, "header")
    body = list(_lines(document.element.body))
    return "\n".join([*headers, *body, *_running(document, "footer")])


def _check_zip(data: bytes) -> None:
    """Refuse what is not a Word file, what unpacks too large, and any document type definition.

    A size that the archive states too small is no way round: zipfile reads no further than it.
    """
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except zipfile.BadZipFile as error:
        raise UnreadableFile(UnreadableReason.DAMAGED) from error
    with archive:
        members = archive.infolist()
        if any(member.flag_bits & 1 for member in members):
            raise UnreadableFile(UnreadableReason.ENCRYPTED)
        if "[Content_Types].xml" not in archive.namelist():
            raise UnreadableFile(UnreadableReason.NOT_THAT_TYPE)
        xml = [m for m in members if m.filename.casefold().endswith((".xml", ".rels"))]
        if (
            len(members) > _MOST_ZIP_MEMBERS
            or sum(member.file_size for member in members) > _LARGEST_UNZIPPED
            or sum(member.file_size for member in xml) > _LARGEST_XML
        ):
            raise UnreadableFile(UnreadableReason.TOO_MUCH_TEXT)
        # Open XML forbids a DTD (ECMA-376 part 2), so one is only ever an attack by entities.
        if any(_has_doctype(archive, member) for member in xml):
            raise UnreadableFile(UnreadableReason.DAMAGED)


def _has_doctype(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    try:
        with archive.open(member) as part:
            head = part.read(4096)
    except (zipfile.BadZipFile, zlib.error) as error:
        raise UnreadableFile(UnreadableReason.DAMAGED) from error
    return b"<!DOCTYPE" in head.replace(b"\x00", b"")


def _running(document: Any, place: str) -> list[str]:
    """The lines of the sections' headers or footers, each different one once."""
    blocks = (tuple(_lines(getattr(section, place)._element)) for section in document.sections)
    return [line for block in dict.fromkeys(blocks) for line in block]


def _lines(block: Any) -> Iterator[str]:
    """The lines of a body, cell, header or text box, in the document's order.

    Read from the XML: python-docx's own walk leaves out content controls and text boxes, in
    which many CV templates keep half of the text.
    """
    for child in block:
        if child.tag == qn("w:p"):
            yield from _paragraph(child)
        elif child.tag == qn("w:tbl"):
            for row in child.iter(qn("w:tr")):
                if row.getparent() is child:
                    yield from _row(row)
        elif child.tag in (qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:customXml")):
            yield from _lines(child)


def _row(row: Any) -> Iterator[str]:
    cells = [[line for line in _lines(cell) if line.strip()] for cell in row if _is_cell(cell)]
    if all(len(lines) <= 1 for lines in cells):
        yield "\t".join(line for lines in cells for line in lines)
        return
    for lines in cells:
        yield from lines


def _is_cell(element: Any) -> bool:
    return element.tag in (qn("w:tc"), qn("w:sdt"))


def _paragraph(paragraph: Any) -> Iterator[str]:
    """A paragraph's line or lines, then those of the text boxes anchored in it."""
    parts: list[str] = ["• "] if _is_list_item(paragraph) else []
    boxes: list[Any] = []
    _collect(paragraph, parts, boxes)
    text = "".join(parts)
    yield from text.split("\n") if text != "• " else ()
    for box in boxes:
        yield from _lines(box)


def _collect(element: Any, parts: list[str], boxes: list[Any]) -> None:
    for child in element:
        if child.tag == qn("w:t"):
            parts.append(child.text or "")
        elif child.tag == qn("w:tab"):
            # Inside w:pPr the same tag defines a tab stop; that subtree is not entered.
            parts.append("\t")
        elif child.tag in (qn("w:br"), qn("w:cr")):
            parts.append("\n")
        elif child.tag == qn("w:noBreakHyphen"):
            parts.append("-")
        elif child.tag == qn("w:txbxContent"):
            boxes.append(child)
        elif child.tag not in _SKIPPED:
            _collect(child, parts, boxes)


# Word writes a text box twice: for itself, and as a fall-back for older readers.
_SKIPPED = {
    qn("w:pPr"),
    qn("w:rPr"),
    qn("w:instrText"),
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
}


def _is_list_item(paragraph: Any) -> bool:
    properties = paragraph.find(qn("w:pPr"))
    if properties is None:
        return False
    style = properties.find(qn("w:pStyle"))
    named = style is not None and str(style.get(qn("w:val"))).startswith(("ListBullet", "ListNum"))
    return named or properties.find(qn("w:numPr")) is not None
