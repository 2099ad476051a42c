"""Parts for tests of exports and deletions."""

from dataclasses import replace

import pytest

from domain.core.deps import Deps
from tests.jobs.pieces import NoQueue


@pytest.fixture
def quiet(deps: Deps) -> Deps:
    """Parts whose queue wakes nobody."""
    return replace(deps, queue=NoQueue())
