"""The file of signing keys, for tests that look into it or work on it at once."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from domain.auth.keys import FILE_NAME, KeyRing
from domain.auth.tokens import TokenSigner, make_signers


def key_file(data: Path) -> Path:
    return data / "keys" / FILE_NAME


def stored(data: Path) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = json.loads(key_file(data).read_text())["keys"]
    return keys


def signer(ring: KeyRing) -> TokenSigner:
    return make_signers(ring, "issuer", "audience").access


def in_processes(program: str, data: Path, count: int) -> list[str]:
    command = [sys.executable, "-c", program, str(data)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    return [process.communicate()[0].strip() for process in running]
