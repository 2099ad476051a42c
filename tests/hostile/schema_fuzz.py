"""`python -m tests.hostile.schema_fuzz`: Schemathesis against the schema, for a minute.

Exits with 1 when an operation that it drew got a 5xx, or when the server then serves nobody.
"""

import argparse
import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path

from tests.client import Client
from tests.hostile.target import running_target

_PROGRAM = Path(sys.executable).parent / "schemathesis"
# These end the session that the run goes on with; tests.hostile draws them too.
_LEAST_A_SECOND = 3
_ENDINGS = ("signOut", "signOutEverywhere")


async def run(seconds: int, data: Path) -> int:
    """Schemathesis' exit code, with its report on stdout."""
    async with running_target(data) as target:
        url = target.doors[0].url
        client = Client(url, await target.token())
        command = [
            str(_PROGRAM), "--no-color", "run", "schema.graphql", "--url", f"{url}/graphql",
            "--header", f"Authorization:{client.headers['Authorization']}",
            "--checks", "no_server_fault", "--phases", "fuzzing", "--continue-on-failure",
            "--max-time", str(seconds), "--workers", "2",
            *(part for name in _ENDINGS for part in ("--exclude-name", f"Mutation.{name}")),
        ]  # fmt: skip
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.hostile.schema_checks"}
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE
        )
        report = (await process.communicate())[0].decode()
        sys.stdout.write(report)
        drawn = re.search(r"(\d+) generated", report)
        assert drawn, "it drew nothing"
        assert int(drawn[1]) >= seconds * _LEAST_A_SECOND, "it drew too few operations"
        assert (await client.data("{ viewer { name } }"))["viewer"], "it serves nobody any more"
        return process.returncode or 0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.hostile.schema_fuzz", description=__doc__
    )
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="schema-fuzz-") as data:
        return asyncio.run(run(options.seconds, Path(data)))


if __name__ == "__main__":
    sys.exit(main())
