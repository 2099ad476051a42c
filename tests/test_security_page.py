"""docs/security.md names tests that exist, and figures that are the code's."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from cli.http_protocol import HEAD_SECONDS, STALL_SECONDS
from domain.account.export import KEPT_FOR
from domain.auth.audit import KEPT
from domain.auth.refresh_rules import GRACE
from domain.core.settings import PREFIX, Settings, load_settings
from graph.answer_size import MOST_ANSWER_BYTES
from graph.cookies import COOKIE_PATH, cookie_names
from graph.document_limits import MOST_ALIASES, MOST_DEPTH, MOST_DIRECTIVES, MOST_MUTATIONS
from graph.documents import MOST_BYTES as DOCUMENT_BYTES
from graph.documents import MOST_TOKENS
from graph.execution import MOST_COST
from graph.execution import MOST_SECONDS as OPERATION_SECONDS
from graph.exports import DOWNLOAD_LIFE
from graph.http_batch import MOST_OPERATIONS
from graph.request_body import MOST_BYTES, MOST_SECONDS
from graph.security_headers import HSTS, NOTHING_POLICY, SAFE_HEADERS
from graph.sign_in_flow import LIFE_SECONDS
from graph.socket import INIT_SECONDS
from graph.socket_messages import MESSAGE_MAX_BYTES
from graph.socket_operations import OPERATIONS_MAX, SEND_SECONDS
from graph.socket_places import SOCKETS_MAX
from graph.variable_limits import MOST_VALUES

NAMED_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
PROMISES = [
    "Who is asking",
    "Browsers",
    "Sockets",
    "Requests",
    "Production mode",
    "Requests that we make",
    "Their data",
]
LIMITS = [
    f"{MOST_BYTES:,} bytes",
    f"{HEAD_SECONDS:g} s",
    f"{MOST_SECONDS:g} s",
    f"{STALL_SECONDS:g} s",
    f"{MOST_VALUES:,}",
    f"{DOCUMENT_BYTES:,} bytes",
    f"{MOST_TOKENS:,}",
    f"{MOST_DEPTH}",
    f"{MOST_ALIASES}",
    f"{MOST_DIRECTIVES}",
    f"{MOST_MUTATIONS}",
    f"{MOST_COST:,}",
    f"{MOST_OPERATIONS}",
    f"{OPERATION_SECONDS:g} s",
    f"{MOST_ANSWER_BYTES:,} bytes",
    f"{MESSAGE_MAX_BYTES:,} bytes",
    f"{OPERATIONS_MAX}",
    f"{SOCKETS_MAX}",
    f"{INIT_SECONDS:g} s",
    f"{SEND_SECONDS:g} s",
]


def rows(project: Path, section: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    text = (project / "docs" / "security.md").read_text("utf-8")
    body = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.parametrize("section", PROMISES)
def test_every_promise_names_tests_that_exist(project: Path, section: str) -> None:
    found = rows(project, section)
    assert found
    for promise, how, shown_by in found:
        assert how, promise
        named = NAMED_TEST.findall(shown_by)
        assert named, promise
        for file, name in named:
            text = (project / "tests" / file).read_text("utf-8")
            assert f"def {name}(" in text, (file, name)


def test_limits_are_the_codes(project: Path) -> None:
    assert [row[1] for row in rows(project, "Limits")] == LIMITS


def test_headers_are_those_that_are_sent(project: Path) -> None:
    told = {cell[0]: cell[1].strip("`") for cell in rows(project, "Headers")}
    names = {name.split("`")[1]: value for name, value in told.items()}
    assert names == {
        **SAFE_HEADERS,
        "Content-Security-Policy": NOTHING_POLICY,
        "Strict-Transport-Security": HSTS,
    }


def test_cookies_are_called_so(project: Path) -> None:
    for row, kind in zip(rows(project, "Cookies"), ("access", "refresh", "flow"), strict=True):
        for cell, url in zip(row, ("https://a.example", "http://a.example"), strict=False):
            assert cell.strip("`") == getattr(cookie_names(load_settings(public_url=url)), kind)
        assert row[3].strip("`") == COOKIE_PATH


def test_lives_are_the_codes(project: Path) -> None:
    lives = {row[0]: row[1:] for row in rows(project, "Lives")}
    for life, setting in lives.values():
        if setting:
            field = setting.strip("`").removeprefix(PREFIX).lower()
            assert life == f"{Settings.model_fields[field].default} s"
    link, export = DOWNLOAD_LIFE // timedelta(minutes=1), KEPT_FOR // timedelta(hours=1)
    told = f"{link} minutes, and the export {export} hours"
    assert lives["A link to an export"][0] == told
    assert lives["A sign-in under way"][0] == f"{LIFE_SECONDS // 60} minutes"
    assert lives["The grace of a refresh token just replaced"][0] == f"{GRACE.seconds} s"
    assert lives["A row of the audit log"][0] == f"{KEPT.days} days"
