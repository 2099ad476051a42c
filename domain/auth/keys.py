"""The keys that this deployment signs with: one signs, those before it go on verifying."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Self

import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from domain.core.clock import now
from domain.core.key_files import (
    KeyFolderError,
    damaged,
    key_file,
    locked,
    read,
    read_or_make,
    replace,
)
from domain.core.settings import TOKEN_SECONDS_MAX

FILE_NAME = "signing-keys.json"
_OLD_FILE_NAME = "signing-key.json"
"""Up to version 0.1 there was one key, alone in this file."""

VERIFIES_FOR = timedelta(seconds=TOKEN_SECONDS_MAX) + timedelta(minutes=5)
"""How long after it last signed a key verifies: the longest life of a token, and a little for
processes that have not noticed yet and for clocks that differ."""

_CHECK_SECONDS = 2.0
_ROLLING_RESTART = timedelta(hours=1)

log = structlog.get_logger()


class SigningKey(BaseModel):
    """An Ed25519 key as JWK (RFC 7517, RFC 8037), with members of our own that tell its age."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    use: Literal["sig"] = "sig"
    alg: Literal["EdDSA"] = "EdDSA"
    kid: str = Field(min_length=1)
    x: str
    d: str | None = Field(None, repr=False)
    """The private half, which only the key that signs has."""
    made_at: AwareDatetime
    retired_at: AwareDatetime | None = None
    plain_typ_until: AwareDatetime | None = None
    """Tokens issued before this may have "JWT" for `typ`, as all had up to version 0.1."""

    @property
    def public(self) -> dict[str, str]:
        """What everybody may know of it."""
        return self.model_dump(include={"kty", "crv", "use", "alg", "kid", "x"})

    def ends_at(self) -> datetime | None:
        """When nothing that it signed can be alive any more; None while it signs."""
        return self.retired_at and self.retired_at + VERIFIES_FOR

    def verifies(self, at: datetime) -> bool:
        ends = self.ends_at()
        return ends is None or at < ends

    def retired(self, at: datetime) -> Self:
        """The same key without its private half: no leak later on can sign with it."""
        return self.model_copy(update={"d": None, "retired_at": at})


class _KeyFile(BaseModel):
    """The file: a JWK Set whose first key signs."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    keys: list[SigningKey] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class _Ring:
    """The keys as of one reading of the file, and what to compute with by `kid`."""

    keys: list[SigningKey]
    usable: dict[str, OKPKey]


class KeyRing:
    """The keys of the file as they are now: changes to it show within 2 s, and a key that is not
    known is looked for at once."""

    def __init__(self, path: Path) -> None:
        """Raises KeyFolderError."""
        self._path = path
        self._stamp = _stamp(path)
        self._ring = _read_ring(path)
        self._checked = time.monotonic()

    @property
    def current(self) -> OKPKey:
        """The private key to sign with."""
        self._keep_up()
        ring = self._ring
        return ring.usable[ring.keys[0].kid]

    def find(self, kid: str) -> OKPKey | None:
        """The key to verify with; None when there is none such, or it is past its time."""
        return self._ring.usable.get(kid) if self._entry(kid) else None

    def public_jwks(self) -> dict[str, Any]:
        """The JWK Set to publish (RFC 7517, 5): the public halves of all keys that verify."""
        self._keep_up()
        at = now()
        return {"keys": [key.public for key in self._ring.keys if key.verifies(at)]}

    def accepts_plain_typ(self, kid: str, issued_at: datetime) -> bool:
        """Whether a token signed with this key is from before each purpose had its own `typ`."""
        entry = self._entry(kid)
        if entry is None or entry.plain_typ_until is None:
            return False
        return issued_at < entry.plain_typ_until

    def _entry(self, kid: str) -> SigningKey | None:
        self._keep_up()
        if kid not in self._ring.usable:
            self._read_again()
        found = next((key for key in self._ring.keys if key.kid == kid), None)
        return found if found is not None and found.verifies(now()) else None

    def _keep_up(self) -> None:
        if time.monotonic() - self._checked >= _CHECK_SECONDS:
            self._read_again()

    def _read_again(self) -> None:
        self._checked = time.monotonic()
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._ring = _read_ring(self._path)
        except KeyFolderError as error:  # those at hand go on: nobody is signed out by a slip
            log.error("signing_keys_unreadable", error=str(error))


def open_key_ring(data_dir: Path) -> KeyRing:
    """The keys in `data_dir`/keys, made on first run. Raises KeyFolderError."""
    return KeyRing(_ensure_file(data_dir))


def list_keys(data_dir: Path) -> list[SigningKey]:
    """The keys in the file, the one that signs first; none before the first run.

    Raises KeyFolderError.
    """
    has_any = any(key_file(data_dir, name).exists() for name in (FILE_NAME, _OLD_FILE_NAME))
    return _read_ring(_ensure_file(data_dir)).keys if has_any else []


def rotate_keys(data_dir: Path, at: datetime, *, drop_old: bool) -> str:
    """Sign with a new key from now on; gives its id.

    Tokens signed before stay good until they expire, unless `drop_old`, which is for a key that
    somebody else may know: everything it signed ends. Raises KeyFolderError.
    """
    path = _ensure_file(data_dir)
    with locked(path):
        [signing, *retired] = _read_ring(path).keys
        fresh = _new_key(at)
        old = [] if drop_old else [signing.retired(at), *retired]
        replace(path, _dump([fresh, *(key for key in old if key.verifies(at))]))
        key_file(data_dir, _OLD_FILE_NAME).unlink(missing_ok=True)
    return fresh.kid


def _ensure_file(data_dir: Path) -> Path:
    path, old = (key_file(data_dir, name) for name in (FILE_NAME, _OLD_FILE_NAME))
    read_or_make(path, lambda: _dump([_taken_over(old) if old.exists() else _new_key(now())]))
    return path


def _new_key(at: datetime) -> SigningKey:
    key = OKPKey.generate_key("Ed25519", auto_kid=True)
    return SigningKey.model_validate({**key.as_dict(private=True), "made_at": at})


def _taken_over(old: Path) -> SigningKey:
    """The one key of an older version, so that the upgrade signs nobody out."""
    data = read(old)
    made_at = datetime.fromtimestamp(old.stat().st_mtime, UTC)
    until = now() + _ROLLING_RESTART
    try:
        key = {**json.loads(data), "made_at": made_at, "plain_typ_until": until}
        return _proven(SigningKey.model_validate(key))
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise _damaged(old, error) from None


def _dump(keys: list[SigningKey]) -> str:
    return _KeyFile(keys=keys).model_dump_json(exclude_none=True, indent=2)


def _read_ring(path: Path) -> _Ring:
    try:
        keys = _KeyFile.model_validate_json(read(path)).keys
        _proven(keys[0])
        usable = {key.kid: _import(key) for key in keys}
    except (JoseError, ValueError, TypeError) as error:
        raise _damaged(path, error) from None
    if len(usable) < len(keys):
        raise _damaged(path, ValueError("two keys have the same kid"))
    return _Ring(keys, usable)


def _proven(key: SigningKey) -> SigningKey:
    """The key, if it can sign and its halves match."""
    usable = _import(key)
    probe = jwt.encode({"alg": key.alg}, {}, usable, [key.alg])
    jwt.decode(probe, OKPKey.import_key(dict(key.public)), [key.alg])
    return key


def _import(key: SigningKey) -> OKPKey:
    private = {} if key.d is None else {"d": key.d}
    return OKPKey.import_key({**key.public, **private})


def _damaged(path: Path, error: Exception) -> KeyFolderError:
    why: object = error
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
    return damaged(path, why, "everybody has to sign in again")


def _stamp(path: Path) -> tuple[int, ...] | None:
    """What is different after any change to a file; None when it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
