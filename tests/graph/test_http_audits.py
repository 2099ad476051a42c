"""GraphQL over HTTP, as the audits of the npm package `graphql-http` see it."""

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from cli.graphiql_files import fetch, find_npm
from domain.core.deps import Deps

FOLDER = Path(__file__).resolve().parent.parent / "graphql_http"
AUDITS = 61


@pytest.fixture(scope="module")
def node() -> str:
    """Path of the Node.js that lies beside npm, with the audits installed."""
    fetch(FOLDER, "the audits of graphql-http")
    beside = str(Path(find_npm()).parent)
    node = shutil.which("node", path=beside) or shutil.which("node")
    assert node, "there is an npm here, but no node"
    return node


async def test_every_audit_passes_without_a_remark(deps: Deps, node: str) -> None:
    address = f"{deps.settings.public_url}/graphql"
    process = await asyncio.create_subprocess_exec(
        node, str(FOLDER / "audits.mjs"), address, stdout=PIPE, stderr=PIPE
    )
    told, trouble = await process.communicate()

    assert process.returncode == 0, trouble.decode()
    results = json.loads(told)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len({result["id"] for result in results}) == AUDITS
