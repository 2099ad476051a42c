"""Leases by name, for what one process at a time should do."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from domain.core.clock import now

COLLECTION = "leases"


async def hold(
    database: AsyncDatabase[dict[str, Any]], name: str, holder: UUID, life: timedelta
) -> bool:
    """Take or lengthen a lease; False while another holder has it."""
    at = now()
    free = {"_id": name, "$or": [{"holder": holder}, {"until": {"$lt": at}}]}
    update = {"$set": {"holder": holder, "until": at + life}}
    try:
        await database[COLLECTION].update_one(free, update, upsert=True)
    except DuplicateKeyError:  # the upsert met the lease of another holder
        return False
    return True
