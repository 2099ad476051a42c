"""The built-in analyst, for servers without a model."""

import asyncio
from collections.abc import AsyncGenerator

from domain.core.clock import now
from domain.gap_analysis.analyst import AnalysisRequest, DraftQuestion
from domain.gap_analysis.rules.drafting import draft_questions
from domain.skills.catalogue import Catalogue
from domain.skills.extraction import SkillExtractor


class RuleAnalyst:
    """An Analyst that works by rules alone: no network, and the same answer every time in a day."""

    engine = "RULES"

    def __init__(self, catalogue: Catalogue, extractor: SkillExtractor) -> None:
        self._catalogue = catalogue
        self._extractor = extractor

    async def questions(self, request: AnalysisRequest) -> AsyncGenerator[DraftQuestion, None]:
        """Each question, best first. Reading a long posting takes seconds, so a thread does it."""
        drafts = await asyncio.to_thread(
            draft_questions, request, self._catalogue, self._extractor, now().date()
        )
        for draft in drafts:
            yield draft
