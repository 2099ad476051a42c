"""The ZIP of an export. Pure: bytes into a file that is given, no clock, no database.

It is written front to back and holds nothing in memory but the list of what is in it.
"""

import hashlib
import json
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any
from uuid import UUID

FORMAT = "careergraph-data-export"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
SIGNATURE = "manifest.jws"
NAME_BYTES_MAX = 120

# Separators of any system, what Windows refuses in names, and its alternate streams' colon.
_UNSAFE = re.compile(r'[/\\<>:"|?*]')
# Device names are reserved with any extension:
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³])(?:\..*)?", re.IGNORECASE)
_PATH = re.compile(r'(?!.*(?:^|/)\.{1,2}(?:/|$))[^/\\<>:"|?*]+(?:/[^/\\<>:"|?*]+)*')


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive, as the manifest lists it."""

    path: str
    size: int
    """Bytes."""
    sha256: str


def safe_name(name: str, extension: str) -> str:
    """A file name that every system takes and that leads nowhere, with this extension.

    `name` is whatever somebody called their file; only its last part counts, as some browsers
    sent whole paths. Controls and direction marks go, since they can make a name read as another.
    """
    text = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    text = "".join(_visible(char) for char in text)
    text = _UNSAFE.sub("_", text).strip(" .")
    if text.lower().endswith(extension):
        text = text[: -len(extension)].rstrip(" .")
    if not text or _RESERVED.fullmatch(text):
        text = f"file-{text}".rstrip("-")
    stem = text.encode()[: NAME_BYTES_MAX - len(extension)].decode(errors="ignore").rstrip(" .")
    return stem + extension


def _visible(char: str) -> str:
    kind = unicodedata.category(char)[0]
    return {"C": "", "Z": " "}.get(kind, char)


class Archive:
    """Writes a ZIP, one entry after the other."""

    def __init__(self, file: IO[bytes], at: datetime) -> None:
        """Every entry is dated `at`."""
        self.entries: list[Entry] = []
        self._at = at.timetuple()[:6]
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._writing: IO[bytes] | None = None
        self._path, self._size, self._hash = "", 0, hashlib.sha256()
        self._seen: set[str] = set()

    def begin(self, path: str) -> None:
        """Start an entry. Raises ValueError for a path that leads out of the folder it is
        unpacked in, or that some system takes for one that is there already."""
        if not _PATH.fullmatch(path) or not path.isprintable():
            raise ValueError(f"{path!r} is no safe path")
        folded = unicodedata.normalize("NFC", path).casefold()
        if folded in self._seen:
            raise ValueError(f"{path!r} is there already")
        self._seen.add(folded)
        info = zipfile.ZipInfo(path, self._at)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        # The size is not known yet; without this, one over 2 GiB could not be told later.
        self._writing = self._zip.open(info, "w", force_zip64=True)
        self._path, self._size, self._hash = path, 0, hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Add to the entry."""
        if self._writing is None:
            raise ValueError("no entry was begun")
        self._writing.write(data)
        self._size += len(data)
        self._hash.update(data)

    def end(self) -> Entry:
        """Finish the entry."""
        if self._writing is None:
            raise ValueError("no entry was begun")
        self._writing.close()
        self._writing = None
        entry = Entry(self._path, self._size, self._hash.hexdigest())
        self.entries.append(entry)
        return entry

    def add(self, path: str, data: bytes) -> Entry:
        """A whole entry at once."""
        self.begin(path)
        self.write(data)
        return self.end()

    def close(self) -> None:
        """Finish the archive, also one that is given up in the middle of an entry."""
        if self._writing is not None:
            self._writing.close()
            self._writing = None
        self._zip.close()


def manifest_of(entries: list[Entry], user_id: UUID, made_at: datetime, keys_url: str) -> bytes:
    """What is in the archive, as JSON. `keys_url` is where the keys that sign it are published."""
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "madeAt": made_at.isoformat().replace("+00:00", "Z"),
        "userId": str(user_id),
        "keys": keys_url,
        "entries": [
            {"path": entry.path, "size": entry.size, "sha256": entry.sha256} for entry in entries
        ],
    }
    return json.dumps(manifest, indent=2, ensure_ascii=False).encode()
