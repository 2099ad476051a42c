"""`python -m tests.hostile.schema_fuzz`: Schemathesis against the schema, for a minute.

Exits with 1 when an operation that it drew got a 5xx, or when the server then serves nobody.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from tests.client import Client
from tests.hostile.target import running_target

_PROGRAM = Path(sys.executable).parent / "schemathesis"
# These end the session that the run goes on with; tests.hostile draws them too.
_ENDINGS = ("signOut", "signOutEverywhere")


async def run(seconds: int, data: Path) -> int:
    """Schemathesis' exit code, with its report on stdout."""
    async with running_target(data) as target:
        client = Client(target.url, await target.token())
        command = [
            str(_PROGRAM), "--no-color", "run", "schema.graphql", "--url", f"{target.url}/graphql",
            "--header", f"Authorization:{client.headers['Authorization']}",
            "--checks", "no_server_fault", "--phases", "fuzzing", "--continue-on-failure",
            "--max-time", str(seconds), "--workers", "2",
            *(part for name in _ENDINGS for part in ("--exclude-name", f"Mutation.{name}")),
        ]  # fmt: skip
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.hostile.schema_checks"}
        process = await asyncio.create_subprocess_exec(*command, env=environment)
        code = await process.wait()
        assert (await client.data("{ viewer { name } }"))["viewer"], "it serves nobody any more"
        return code


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
