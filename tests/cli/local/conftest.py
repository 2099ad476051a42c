"""What the tests of the embedded servers share."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ENV = {"PATH": os.environ.get("PATH", os.defpath)}


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder with a path short enough for a socket, which pytest's own may not be."""
    with tempfile.TemporaryDirectory(prefix="cg-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "data"
