import json
from pathlib import Path

from cli.local.log_files import TAIL_BYTES, last_words, open_log, read_from, shorten


def mongod_line(severity: str, message: str, **attributes: object) -> str:
    return json.dumps({"s": severity, "msg": message, "attr": attributes})


def test_of_plain_lines_the_last_counts() -> None:
    assert last_words("starting\n*** FATAL: bad option\n\n") == "*** FATAL: bad option"


def test_of_mongods_lines_the_last_error_counts() -> None:
    text = "\n".join(
        [
            mongod_line("I", "Starting"),
            mongod_line("E", "SetUpListener failed", error={"errmsg": "Address already in use"}),
            mongod_line("I", "Shutting down"),
            mongod_line("I", "Now exiting"),
        ]
    )
    assert last_words(text) == "SetUpListener failed: Address already in use"


def test_mongods_lines_without_a_stated_error_end_with_the_gravest() -> None:
    text = f"{mongod_line('I', 'Starting')}\n{mongod_line('I', 'Now exiting')}"
    assert last_words(text) == "Now exiting"
    assert last_words(f"{mongod_line('F', 'Fatal')}\n{text}") == "Fatal"


def test_silence_is_named() -> None:
    assert last_words("\n") == "it wrote nothing to its log"


def test_a_long_log_is_moved_aside_while_its_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    with open_log(path) as log:
        log.write(b"before\n")
        shorten(path, max_bytes=3)
        log.write(b"after\n")
    assert path.read_bytes() == b"after\n"
    assert (tmp_path / "web.log.1").read_bytes() == b"before\n"


def test_reading_starts_where_told_and_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_text("earlier\nnow\n")
    assert read_from(path, len("earlier\n")) == "now\n"
    path.write_text("x" * (TAIL_BYTES + 5))
    assert len(read_from(path, 0)) == TAIL_BYTES
