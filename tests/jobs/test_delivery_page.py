"""docs/delivery.md names tests and settings that exist."""

import re
from pathlib import Path

from domain.core.settings import PREFIX, Settings

ROW_OF_A_SETTING = re.compile(rf"^\| `{PREFIX}(\w+)` \| (\d+) \|", re.MULTILINE)
NAMED_TEST = re.compile(r"`(?:tests/)?([\w/]+\.py)::(\w+)`")


def page(project: Path) -> str:
    return (project / "docs" / "delivery.md").read_text(encoding="utf-8")


def test_every_row_of_the_failure_table_names_tests_that_exist(project: Path) -> None:
    table = page(project).split("## What can go wrong")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]

    assert rows
    for row in rows:
        named = NAMED_TEST.findall(row)
        assert named, row
        for file, name in named:
            text = (project / "tests" / file).read_text(encoding="utf-8")
            assert f"def {name}(" in text, (file, name)


def test_stated_settings_are_those_that_come(project: Path) -> None:
    stated = {name.lower(): float(value) for name, value in ROW_OF_A_SETTING.findall(page(project))}

    assert "job_total_seconds" in stated
    assert stated == {name: Settings.model_fields[name].default for name in stated}
