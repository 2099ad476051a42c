"""Global ids: opaque to clients, a type and a UUID to us."""

import base64
from uuid import UUID

import strawberry

ID_MAX = 512
"""Characters; ours have some 150 at most."""


def encode(kind: str, *parts: UUID) -> strawberry.ID:
    """The global id of an object of GraphQL type `kind`; `parts` lead to it, outermost first."""
    text = ":".join([kind, *(part.hex for part in parts)])
    return strawberry.ID(base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))


def decode(id: str) -> tuple[str, tuple[UUID, ...]] | None:
    """The type and UUIDs in a global id; None for anything that `encode` did not make."""
    if len(id) > ID_MAX:
        return None
    try:
        padded = id + "=" * (-len(id) % 4)
        kind, *parts = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split(":")
        uuids = tuple(UUID(hex=part) for part in parts)
    except ValueError:
        return None
    return (kind, uuids) if uuids and encode(kind, *uuids) == id else None


def decode_as(kind: str, id: str, parts: int = 1) -> UUID | None:
    """The last of the UUIDs in a global id of one type; None when it is of no such type."""
    found = decode(id)
    return found[1][-1] if found and found[0] == kind and len(found[1]) == parts else None
