"""The receipt of a deletion: what was deleted, what is kept and why. It names nobody."""

import json
from datetime import UTC, datetime
from typing import Any

from domain.account.documents import AccountDeletion, WorkStatus
from domain.account.personal_data import KEPT
from domain.account.signing import KEYS_PATH, RECEIPT_TYPE, sign
from domain.core.deps import Deps

FORMAT = "careergraph-deletion-receipt"
FORMAT_VERSION = 1


def state_of(deps: Deps, deletion: AccountDeletion) -> dict[str, Any]:
    """Where a deletion stands, ready for JSON; at its end with the receipt, plain and signed."""
    state: dict[str, Any] = {
        "status": deletion.status.value,
        "requestedAt": _instant(deletion.requested_at),
        "completedAt": None,
        "receipt": None,
        "jws": None,
    }
    match deletion.status:
        case WorkStatus.COMPLETED if deletion.completed_at is not None:
            keys_url = f"{deps.settings.public_url}{KEYS_PATH}"
            receipt = receipt_of(deletion, deletion.completed_at, keys_url)
            payload = json.dumps(receipt, ensure_ascii=False).encode()
            jws = sign(deps.signers.deletion_receipt.ring, RECEIPT_TYPE, payload)
            done = {"completedAt": receipt["completedAt"], "receipt": receipt, "jws": jws}
            return state | done
        case WorkStatus.FAILED:
            return state | {"message": "It was interrupted and is taken up again within two hours."}
    return state


def receipt_of(deletion: AccountDeletion, completed_at: datetime, keys_url: str) -> dict[str, Any]:
    """The receipt of a deletion that has ended."""
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "id": str(deletion.id),
        "accountId": str(deletion.user_id),
        "requestedAt": _instant(deletion.requested_at),
        "completedAt": _instant(completed_at),
        "deleted": [
            {"kind": kind, "count": count} for kind, count in (deletion.found or {}).items()
        ],
        "kept": [
            {
                "kind": kept.kind,
                "until": _instant(completed_at + kept.life),
                "reason": {"en": kept.english, "he": kept.hebrew},
            }
            for kept in KEPT
        ],
        "keys": keys_url,
    }


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
