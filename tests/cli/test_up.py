"""`careergraph up` as a person uses it: one instance on a folder of its own, for all tests here.

They build on each other in the order of the file: the last two kill it and stop it.
"""

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.cli.command import COMMAND, assert_refused, careergraph, environment
from tests.cli.local.processes import eventually, is_running
from tests.client import Client, Json
from tests.conftest import free_port
from tests.graph.analyses import ONE, submitted

PARTS = {
    "mongod": "mongod --dbpath",
    "redis": "valkey-server",
    "worker": "cli.main worker",
    "web": "cli.main web",
}
"""What each process that `up` starts has in its command line."""
DEMO = """{
  viewer { name cvs(first: 5) { nodes { id status skills } } }
  jobs(first: 100) { nodes { id } }
  jobRecommendations(first: 5) { nodes { score skillsGap { coverage } } }
}"""
GOOD_ROW = {"companyName": "Hadar", "roleTitle": "Baker", "description": "Bake bread at night."}


@dataclass
class Up:
    """A running `careergraph up` and what its block says."""

    process: asyncio.subprocess.Process
    block: Json
    errors: Path

    @property
    def client(self) -> Client:
        return Client(self.block["graphql"].removesuffix("/graphql"), self.block["token"])

    @property
    def data(self) -> Path:
        return Path(self.block["data"])

    def children(self) -> dict[str, int]:
        """Process ids by name of those that run now."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        found = {}
        for pid in map(int, listed.split()):
            command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
            name = next(name for name, part in PARTS.items() if part in command)
            found[name] = pid
        return found


async def started(data: Path, port: int, *options: str) -> Up:
    errors = data.with_suffix(".err")
    with errors.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "up", "--port", str(port), "--data", str(data), "--json", *options),
            env=environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
    assert process.stdout
    async with asyncio.timeout(60):
        line = await process.stdout.readline()
    assert line, errors.read_text()
    return Up(process, json.loads(line), errors)


async def interrupted(up: Up) -> str:
    """Ctrl-C, as a terminal gives it to the whole group; what was on stdout after the block."""
    os.killpg(up.process.pid, signal.SIGINT)
    async with asyncio.timeout(15):
        rest, _ = await up.process.communicate()
    return rest.decode()


@pytest.fixture(scope="module")
async def up() -> AsyncIterator[Up]:
    with tempfile.TemporaryDirectory(prefix="cg-") as folder:
        instance = await started(Path(folder) / "data", free_port())
        yield instance
        if instance.process.returncode is None:
            await interrupted(instance)


async def test_first_query_of_a_newcomer_shows_the_demo(up: Up) -> None:
    answer = await up.client.data(DEMO)

    [cv] = answer["viewer"]["cvs"]["nodes"]
    assert set(up.block) == {"graphql", "graphiql", "health", "token", "cvId", "data"}
    assert (cv["id"], cv["status"]) == (up.block["cvId"], "PARSED")
    assert len(answer["jobs"]["nodes"]) >= 60
    assert answer["jobRecommendations"]["nodes"][0]["skillsGap"]["coverage"] > 0
    assert up.errors.read_text() == ""


async def test_addresses_of_the_block_answer(up: Up) -> None:
    async with httpx2.AsyncClient() as http:
        health = await http.get(up.block["health"])
        page = await http.get(up.block["graphiql"])

    assert health.is_success
    assert page.headers["content-type"].startswith("text/html")
    assert up.block["graphiql"].endswith(f"#token={up.block['token']}")


async def test_neither_the_port_nor_the_folder_is_shared(up: Up, tmp_path: Path) -> None:
    port = up.block["graphql"].split(":")[2].split("/")[0]
    same_port, same_folder = await asyncio.gather(
        careergraph("up", "--port", port, "--data", tmp_path),
        careergraph("up", "--port", str(free_port()), "--data", up.data),
    )

    assert_refused(same_port, f"port {port}", "another program listens", "--port PORT")
    assert_refused(same_folder, f"pid {up.process.pid}", "is in use", "--data DIR")


async def test_doctor_and_token_find_the_running_servers(up: Up) -> None:
    doctor, token = await asyncio.gather(
        careergraph("doctor", "--json", "--data", up.data),
        careergraph("token", "--user", "noa@example.com", "--data", up.data),
    )
    person = Client(up.client.base_url, token.out.strip())

    details = {check["name"]: check["detail"] for check in json.loads(doctor.out)}
    assert doctor.code == token.code == 0
    assert details["mongodb"].startswith("answers, version")
    assert details["redis"].startswith("answers, version")
    assert (token.err, len(token.out.split("."))) == ("", 3)
    assert (await person.data("{ viewer { name } }"))["viewer"]["name"] == "noa"


async def test_import_keeps_good_rows_and_names_the_lines_of_bad_ones(
    up: Up, tmp_path: Path
) -> None:
    rows = f'{json.dumps(GOOD_ROW)}\n{{"companyName": "x"}}\n\nnot json\n'
    file = tmp_path / "jobs.jsonl"
    file.write_text(rows, "utf-8")

    first = await careergraph("jobs", "import", file, "--data", up.data)
    again, none = await asyncio.gather(
        careergraph("jobs", "import", "-", "--data", up.data, stdin=rows.encode()),
        careergraph("jobs", "import", "-", "--data", up.data, stdin=b"[1]"),
    )

    assert first.out == "1 added, 0 changed, 0 unchanged, 2 skipped\n"
    assert [line.partition(": ")[0] for line in first.err.splitlines()] == [
        f"{file}:2",
        f"{file}:4",
    ]
    assert again.out == "0 added, 0 changed, 1 unchanged, 2 skipped\n"
    assert again.err.startswith("stdin:2: ")
    assert (first.code, again.code, none.code) == (0, 0, 1)
    assert "careergraph: No row could be read" in none.err


async def test_every_part_killed_at_once_comes_back_and_loses_nothing(up: Up) -> None:
    before = up.children()
    analysis = await submitted(up.client, up.block["cvId"])
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    await completed(up, analysis["id"])
    await eventually(lambda: set(up.children()) == set(PARTS))
    assert set(before) == set(PARTS)
    assert not set(before.values()) & set(up.children().values())
    for name in PARTS:
        assert f"{name} died with signal 9; restarting" in up.errors.read_text()


async def test_up_killed_and_started_again_finishes_what_was_accepted(up: Up) -> None:
    jobs = await count_of_jobs(up)
    children = up.children()
    analysis = await submitted(up.client, up.block["cvId"])
    up.process.kill()
    await up.process.wait()
    await eventually(lambda: not any(map(is_running, children.values())))

    again = await started(up.data, int(up.block["graphql"].split(":")[2].split("/")[0]))
    up.process, up.block = again.process, again.block

    await completed(up, analysis["id"])
    assert await count_of_jobs(up) == jobs


async def test_ctrl_c_stops_everything_without_a_word_too_many(up: Up) -> None:
    children = up.children()
    before = up.errors.read_text()  # a machine that is too busy may have kept Redis from answering
    rest = await interrupted(up)

    assert (up.process.returncode, rest) == (0, "")
    said = up.errors.read_text().removeprefix(before)
    assert said.splitlines() == ["Stopping…", "Stopped."]
    assert not any(map(is_running, children.values()))
    assert (await careergraph("doctor", "--data", up.data)).out.count("not running") == 2


async def completed(up: Up, id: str) -> None:
    """Returns when the analysis is completed; servers that are away meanwhile are waited for."""
    async with asyncio.timeout(45):
        while True:
            try:
                answer = await up.client.post(ONE, id=id)
                if "errors" not in answer and answer["data"]["gapAnalysis"]["status"] != "PENDING":
                    status = answer["data"]["gapAnalysis"]["status"]
                    assert status in ("PROCESSING", "COMPLETED")
                    if status == "COMPLETED":
                        return
            except httpx2.HTTPError:
                pass
            await asyncio.sleep(0.2)


async def count_of_jobs(up: Up) -> int:
    return len((await up.client.data("{ jobs(first: 100) { nodes { id } } }"))["jobs"]["nodes"])
