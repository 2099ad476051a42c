"""Coarse levels."""

from enum import StrEnum


class GapLevel(StrEnum):
    """How much a gap matters, or how probable it is that it only looks like one."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
