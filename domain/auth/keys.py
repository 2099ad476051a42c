"""The key that this deployment signs with, made on first run under the data folder."""

import json
import os
import tempfile
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

FILE_NAME = "signing-key.json"


class KeyFolderError(Exception):
    """The signing key can neither be read nor made. The message says where and what to do."""


def load_or_make_key(data_dir: Path) -> OKPKey:
    """The Ed25519 key in `data_dir`/keys, as a JWK (RFC 8037) readable by its owner only.

    Processes that share the folder share the key: the file is linked into place whole, and
    whoever comes second reads what the first one made.
    """
    path = data_dir / "keys" / FILE_NAME
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        data = path.read_bytes()
    except OSError as error:
        raise KeyFolderError(
            f"The signing key {path} cannot be used ({error}). Give this user rights to the "
            "folder, or name another one with CAREERGRAPH_DATA_DIR or --data."
        ) from error
    try:
        return _usable_key(data)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise KeyFolderError(
            f"The signing key {path} is damaged ({error}). Put back a copy of it, or remove it: "
            "then a new one is made, and everybody has to sign in again."
        ) from error


def _usable_key(data: bytes) -> OKPKey:
    key = OKPKey.import_key(json.loads(data))
    probe = jwt.encode({"alg": "EdDSA"}, {}, key, ["EdDSA"])
    jwt.decode(probe, key, ["EdDSA"])  # a lone half of a key, or two that do not match, fail here
    return key


def _make(path: Path) -> None:
    key = OKPKey.generate_key("Ed25519", parameters={"use": "sig", "alg": "EdDSA"})
    key.ensure_kid()
    descriptor, name = tempfile.mkstemp(prefix=f".{FILE_NAME}.", dir=path.parent)  # mode 0600
    fresh = Path(name)
    with os.fdopen(descriptor, "w") as file:
        json.dump(key.as_dict(private=True), file)
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass  # another process was first
    finally:
        fresh.unlink()
