"""The signing key under the data folder."""

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domain.auth.keys import FILE_NAME, KeyFolderError, load_or_make_key

MAKE = "import sys; from pathlib import Path; from domain.auth.keys import load_or_make_key; "
MAKE += "print(load_or_make_key(Path(sys.argv[1])).kid)"


def key_file(data: Path) -> Path:
    return data / "keys" / FILE_NAME


def test_key_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "not" / "there" / "yet"

    first, second = load_or_make_key(data), load_or_make_key(data)

    assert first.kid == second.kid
    assert first.as_dict(private=True) == second.as_dict(private=True)
    assert stat.S_IMODE(key_file(data).stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file(data).parent.stat().st_mode) == 0o700
    assert [file.name for file in key_file(data).parent.iterdir()] == [FILE_NAME]


def test_mode_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        load_or_make_key(tmp_path)
    finally:
        os.umask(before)

    assert stat.S_IMODE(key_file(tmp_path).stat().st_mode) == 0o600


def test_twenty_threads_make_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(20) as pool:
        keys = list(pool.map(load_or_make_key, [tmp_path] * 20))

    assert len({key.kid for key in keys}) == 1
    assert [file.name for file in key_file(tmp_path).parent.iterdir()] == [FILE_NAME]


def test_processes_share_one_key(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]

    kids = {process.communicate()[0].strip() for process in processes}

    assert kids == {load_or_make_key(tmp_path).kid}


def damaged(good: dict[str, str]) -> list[str]:
    return [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        json.dumps({}),
        json.dumps({name: value for name, value in good.items() if name != "d"}),
        json.dumps({**good, "d": "AAAA"}),
        json.dumps({**good, "x": 1}),
        json.dumps({**good, "crv": "X25519"}),
    ]


def test_damaged_key_file_says_where_and_what_to_do(tmp_path: Path) -> None:
    load_or_make_key(tmp_path)
    good = json.loads(key_file(tmp_path).read_text())

    for text in damaged(good):
        key_file(tmp_path).write_text(text)
        with pytest.raises(KeyFolderError, match=r"is damaged .*remove it") as caught:
            load_or_make_key(tmp_path)
        assert str(key_file(tmp_path)) in str(caught.value)
        assert good["d"] not in str(caught.value)


def test_folder_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where the folder should be")

    with pytest.raises(KeyFolderError, match=r"cannot be used .*CAREERGRAPH_DATA_DIR"):
        load_or_make_key(tmp_path)
