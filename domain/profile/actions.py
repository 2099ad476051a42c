"""What a person says about themselves."""

from dataclasses import dataclass
from uuid import UUID

from domain.core.deps import Deps
from domain.core.input_checks import check_count, checked_line
from domain.core.language import Language
from domain.profile.documents import NAME_MAX, User

LOCATION_MAX = 200
TARGET_ROLES_MAX = 20


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """The fields to change, by their document's name; what is not named stays as it is."""

    fields: dict[str, object]


async def ensure_user(email: str) -> User:
    """The account of an e-mail address, made if there is none. For local work and the demo."""
    return await User.ensure(email, name=email.partition("@")[0])


async def update_profile(deps: Deps, user_id: UUID, change: ProfileChange) -> User | None:
    """Save what the person says about themselves; None when the account is gone.

    Raises InvalidInput.
    """
    return await User.change(
        user_id, {name: _checked(name, value) for name, value in change.fields.items()}
    )


def _checked(name: str, value: object) -> object:
    match name, value:
        case "name", str():
            return checked_line(value, ["input", "name"], NAME_MAX)
        case "location", str():
            return checked_line(value, ["input", "location"], LOCATION_MAX)
        case "target_roles", list():
            return _roles(value)
        case "language", Language():
            return value.value
    return value


def _roles(values: list[str]) -> list[str]:
    check_count(values, ["input", "targetRoles"], TARGET_ROLES_MAX)
    roles = [
        checked_line(value, ["input", "targetRoles", str(i)], NAME_MAX)
        for i, value in enumerate(values)
    ]
    return list(dict.fromkeys(roles))
