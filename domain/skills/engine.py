"""The skill engine as the rest of the server calls it: it may be slow, or fail."""

import asyncio
from collections.abc import Sequence
from functools import cache
from typing import Protocol

from domain.skills.catalogue import load_catalogue
from domain.skills.extraction import SkillExtractor
from domain.skills.gap import SkillsGap, skills_gap


class SkillEngine(Protocol):
    """Compares a person's skills with those that jobs require."""

    async def gaps(self, user: Sequence[str], required: Sequence[Sequence[str]]) -> list[SkillsGap]:
        """One gap for each list of required skill ids, in that order. May raise anything."""


class LocalSkillEngine:
    """The engine inside this process."""

    async def gaps(self, user: Sequence[str], required: Sequence[Sequence[str]]) -> list[SkillsGap]:
        return await asyncio.to_thread(lambda: [skills_gap(user, skills) for skills in required])


@cache
def load_extractor() -> SkillExtractor:
    """The extractor over this project's catalogue, built once for each process."""
    return SkillExtractor(load_catalogue())
