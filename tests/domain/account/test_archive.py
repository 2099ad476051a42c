"""The ZIP of an export: safe whatever people call their files, and told truly by its manifest."""

import hashlib
import io
import json
import unicodedata
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.account.archive import NAME_BYTES_MAX, Archive, manifest_of, safe_name

AT = datetime(2026, 11, 20, 9, 30, 12, tzinfo=UTC)


def archive_of(files: dict[str, bytes]) -> tuple[bytes, Archive]:
    file = io.BytesIO()
    archive = Archive(file, AT)
    for path, data in files.items():
        archive.add(path, data)
    archive.close()
    return file.getvalue(), archive


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cv.pdf", "cv.pdf"),
        ("CV.PDF", "CV.pdf"),
        ("My CV (final)", "My CV (final).pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\dana\\cv.pdf", "cv.pdf"),
        ("..\\..\\boot.ini", "boot.ini.pdf"),
        ("/", "file.pdf"),
        ("..", "file.pdf"),
        ("", "file.pdf"),
        (".pdf", "pdf.pdf"),
        ("  . . ", "file.pdf"),
        ("CON", "file-CON.pdf"),
        ("nul.pdf", "file-nul.pdf"),
        ("com1.tar", "file-com1.tar.pdf"),
        ("a\x00b\r\nc", "abc.pdf"),
        ("cv\u202efdp.exe", "cvfdp.exe.pdf"),
        ("cv.pdf:hidden", "cv.pdf_hidden.pdf"),
        ("what?*|<>", "what_____.pdf"),
        ("two\u00a0words\u2003here", "two words here.pdf"),
        ("קורות חיים.pdf", "קורות חיים.pdf"),
        ("e\u0301", "\u00e9.pdf"),
        ("lone \ud800 half", "lone  half.pdf"),
    ],
)
def test_a_name_becomes_safe(name: str, expected: str) -> None:
    assert safe_name(name, ".pdf") == expected


@given(st.text(max_size=300))
def test_whatever_a_file_is_called_it_is_one_harmless_part_of_a_path(name: str) -> None:
    safe = safe_name(name, ".docx")

    assert safe.endswith(".docx")
    assert len(safe) > len(".docx")
    assert len(safe.encode()) <= NAME_BYTES_MAX
    assert not set(safe) & set('/\\<>:"|?*')
    assert safe.isprintable()
    assert safe == safe.strip(" .")
    assert unicodedata.is_normalized("NFC", safe)
    data, _ = archive_of({f"files/x/{safe}": b""})
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == [f"files/x/{safe}"]


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../x", "a/..", "..", ".", "a/./b", "/x", "a//b", "a/", "", "a\\b", "c:x", "a\nb",
     "a\u202eb", "a?b"],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    archive = Archive(io.BytesIO(), AT)

    with pytest.raises(ValueError, match="no safe path"):
        archive.add(path, b"x")
    archive.close()


@pytest.mark.parametrize("again", ["a/Cv.pdf", "A/CV.PDF", "a/cv.pdf"])
def test_a_path_that_some_system_takes_for_another_is_refused(again: str) -> None:
    archive = Archive(io.BytesIO(), AT)
    archive.add("a/cv.pdf", b"x")

    with pytest.raises(ValueError, match="there already"):
        archive.add(again, b"y")
    archive.close()


def test_what_is_unpacked_is_what_was_put_in(tmp_path: Path) -> None:
    files = {
        "profile.json": b"[]\n",
        "files/1/\u05e7\u05d5\u05e8\u05d5\u05ea.pdf": bytes(range(256)) * 3000,
        "files/2/empty.md": b"",
    }
    data, archive = archive_of(files)

    with zipfile.ZipFile(io.BytesIO(data)) as unpacked:
        assert unpacked.testzip() is None
        assert {info.date_time for info in unpacked.infolist()} == {(2026, 11, 20, 9, 30, 12)}
        unpacked.extractall(tmp_path)
    assert {path: (tmp_path / path).read_bytes() for path in files} == files
    for entry in archive.entries:
        assert entry.size == len(files[entry.path])
        assert entry.sha256 == hashlib.sha256(files[entry.path]).hexdigest()


def test_an_entry_is_written_in_pieces() -> None:
    file = io.BytesIO()
    archive = Archive(file, AT)
    archive.begin("list.json")
    for piece in (b"[", b"1", b"]"):
        archive.write(piece)
    entry = archive.end()
    archive.close()

    assert zipfile.ZipFile(file).read("list.json") == b"[1]"
    assert (entry.size, entry.sha256) == (3, hashlib.sha256(b"[1]").hexdigest())


def test_giving_up_in_the_middle_of_an_entry_leaves_nothing_hanging() -> None:
    archive = Archive(io.BytesIO(), AT)
    archive.begin("half.json")
    archive.write(b"[")

    archive.close()
    archive.close()

    with pytest.raises(ValueError, match="no entry"):
        archive.write(b"1")
    with pytest.raises(ValueError, match="no entry"):
        archive.end()


def test_the_manifest_lists_every_entry() -> None:
    _, archive = archive_of({"a.json": b"[]", "b.json": b"{}"})

    manifest = json.loads(
        manifest_of(archive.entries, UUID(int=7), AT, "https://example.com/jwks.json")
    )

    assert manifest == {
        "format": "careergraph-data-export",
        "version": 1,
        "madeAt": "2026-11-20T09:30:12Z",
        "userId": str(UUID(int=7)),
        "keys": "https://example.com/jwks.json",
        "entries": [
            {"path": "a.json", "size": 2, "sha256": hashlib.sha256(b"[]").hexdigest()},
            {"path": "b.json", "size": 2, "sha256": hashlib.sha256(b"{}").hexdigest()},
        ],
    }
