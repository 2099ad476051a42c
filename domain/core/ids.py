"""Identifiers of documents."""

from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562): ids made later sort later, so they serve as keyset cursors."""
    return UUID(int=uuid_utils.uuid7().int)
