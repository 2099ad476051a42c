import os
import stat
from pathlib import Path

import pytest

from cli.local.data_folder import open_data_folder
from cli.local.errors import LocalServerError
from cli.local.private_files import read_or_create_secret


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_and_its_parts_are_private(tmp_path: Path) -> None:
    with open_data_folder(tmp_path / "new" / "data") as folder:
        assert {part.name for part in folder.parts} == {"mongo", "redis", "keys", "logs", "run"}
        assert {mode(part) for part in (folder.root, *folder.parts)} == {0o700}


def test_a_second_up_on_the_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    with (
        open_data_folder(tmp_path),
        pytest.raises(LocalServerError) as caught,
        open_data_folder(tmp_path),
    ):
        pytest.fail("two on one folder")
    assert str(caught.value) == (
        f"the data folder {tmp_path} is in use: another `careergraph up` (pid {os.getpid()}) is "
        f"running on it. Stop that one (Ctrl-C, or kill {os.getpid()}), or choose another folder "
        "with --data DIR."
    )


def test_the_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    with open_data_folder(tmp_path):
        pass
    with open_data_folder(tmp_path) as folder:
        assert folder.root == tmp_path


def test_an_error_inside_is_not_taken_for_a_held_lock(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), open_data_folder(tmp_path):
        raise BlockingIOError


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(LocalServerError) as caught, open_data_folder(file / "data"):
        pytest.fail("a folder below a file")
    assert str(caught.value) == (
        f"the data folder's {str(file / 'data')!r} cannot be used: Not a directory. "
        "Choose another folder with --data DIR."
    )


def test_a_part_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "redis").touch()
    with pytest.raises(LocalServerError, match="File exists"), open_data_folder(tmp_path):
        pytest.fail("a file in place of a folder")


def test_a_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    assert read_or_create_secret(path, lambda: "first") == "first"
    path.chmod(0o644)
    assert read_or_create_secret(path, lambda: "second") == "first"
    assert mode(path) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["secret"]
