"""Secrets at rest: sealed with AES-256-GCM, under keys that are told apart by their ids."""

import base64
import binascii
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, Field

from domain.core.key_files import damaged, key_file, read_or_make

if TYPE_CHECKING:
    from domain.core.settings import Settings

FILE_NAME = "secret-keys.json"
KEY_BYTES = 32
_KEY_ID_MAX = 64
_NONCE_BYTES = 12  # NIST SP 800-38D, 8.2: 96 bits, and at most 2**32 random ones for one key


class SecretKeyMissing(Exception):
    """Data is sealed with a key that is no longer there."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"Data is sealed with the secret key {key_id!r}, which is not there. Put it back into "
            f"CAREERGRAPH_SECRET_KEYS (or keys/{FILE_NAME} in the data folder), after the first."
        )
        self.key_id = key_id


class SealBroken(Exception):
    """Sealed data was changed, or belongs to another purpose."""


class Sealed(BaseModel):
    """Encrypted data with what opening it takes beside the key."""

    model_config = ConfigDict(frozen=True)

    key_id: str
    nonce: bytes = Field(repr=False)
    data: bytes = Field(repr=False)
    """The ciphertext and, in its last 16 bytes, the tag."""


class Secrets:
    """Seals with the first of its keys and opens with any of them."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """`keys` are 32 bytes each by id; there is at least one."""
        self._current = next(iter(keys))
        self._keys = dict(keys)
        # A key of its own for sealing, so that what `derived` gives away says nothing about it.
        self._ciphers = {id: AESGCM(_derive(key, "seal")) for id, key in keys.items()}

    def seal(self, data: bytes, purpose: str) -> Sealed:
        """`data` encrypted; it can be opened for the same purpose only."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, data, purpose.encode())
        return Sealed(key_id=self._current, nonce=nonce, data=sealed)

    def open(self, sealed: Sealed, purpose: str) -> bytes:
        """What was sealed. Raises SecretKeyMissing, or SealBroken."""
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            raise SecretKeyMissing(sealed.key_id)
        if len(sealed.nonce) != _NONCE_BYTES:
            raise SealBroken("the nonce is not of 96 bits")
        try:
            return cipher.decrypt(sealed.nonce, sealed.data, purpose.encode())
        except InvalidTag:
            raise SealBroken(f"this is not what was sealed for {purpose!r}") from None

    def derived(self, purpose: str) -> bytes:
        """32 bytes that follow from the first key and `purpose`, for keyed uses beside sealing."""
        return _derive(self._keys[self._current], f"derived:{purpose}")


def load_secrets(settings: "Settings") -> Secrets:
    """The keys that the settings hold, else those of the data folder, made on first run.

    Raises KeyFolderError.
    """
    if settings.secret_keys:
        keys = {id: key.get_secret_value() for id, key in settings.secret_keys.items()}
        return Secrets({id: read_key(id, key) for id, key in keys.items()})
    path = key_file(settings.data_dir, FILE_NAME)
    content = read_or_make(path, lambda: json.dumps({f"local-{os.urandom(4).hex()}": new_key()}))
    try:
        return Secrets(_read_keys(content))
    except (ValueError, RecursionError) as error:
        consequence = "what the old one sealed, such as sign-ins with providers, is lost"
        raise damaged(path, error, consequence) from None


def new_key() -> str:
    """A fresh key, as base64."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def read_key(key_id: str, text: str) -> bytes:
    """The 32 bytes that `text` stands for.

    Raises ValueError with a message that names the id, and never the key.
    """
    if not (0 < len(key_id) <= _KEY_ID_MAX and key_id.isprintable()):
        raise ValueError(f"takes ids of 1 to {_KEY_ID_MAX} printable characters")
    takes = "takes base64 of 32 bytes for each, as `careergraph secrets new` makes them"
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{takes}; {key_id!r} has something that is not base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"{takes}; {key_id!r} has {len(key)} bytes")
    return key


def _read_keys(content: bytes) -> dict[str, bytes]:
    try:
        keys = json.loads(content)
    except ValueError:
        raise ValueError("it is not JSON") from None  # the cause quotes the content
    if not (isinstance(keys, dict) and keys and all(isinstance(key, str) for key in keys.values())):
        raise ValueError("it is not a JSON object of key ids and keys")
    return {id: read_key(id, key) for id, key in keys.items()}


def _derive(key: bytes, info: str) -> bytes:
    """RFC 5869. No salt: the key is uniformly random already."""
    derivation = HKDF(SHA256(), KEY_BYTES, salt=None, info=f"careergraph/{info}".encode())
    return derivation.derive(key)
