"""Signing what people take with them, so that anybody can check where it came from.

The signature is a JWS (RFC 7515) that holds the signed text whole. `typ` keeps it from being taken
for anything else that the same key signs; access tokens have another and are checked for it.
"""

from joserfc import jws

from domain.auth.keys import KeyRing

MANIFEST_TYPE = "careergraph-export-manifest+jws"
RECEIPT_TYPE = "careergraph-deletion-receipt+jws"
KEYS_PATH = "/.well-known/jwks.json"
_ALGORITHM = "EdDSA"


def sign(ring: KeyRing, kind: str, payload: bytes) -> str:
    """The compact JWS of `payload`, by the key that signs now; `kind` becomes its `typ`."""
    key = ring.current
    header = {"alg": _ALGORITHM, "kid": key.kid, "typ": kind}
    return jws.serialize_compact(header, payload, key, [_ALGORITHM])
