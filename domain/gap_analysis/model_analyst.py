"""The analyst that is a language model."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.clients.language_model import LanguageModel
from domain.core.levels import GapLevel
from domain.gap_analysis.analyst import AnalysisRequest, DraftQuestion
from domain.gap_analysis.prompt import gap_prompt


class QuestionItem(BaseModel):
    """One question in the shape that the model is asked for; anything else it adds is dropped."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    question: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    impact: GapLevel
    probability: GapLevel
    skill: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        description="The one skill asked about, as the CV or the posting writes it, or null."
    )

    def draft(self) -> DraftQuestion:
        return DraftQuestion(self.question, self.impact, self.probability, self.skill or None)


class ModelAnalyst:
    """`Analyst` over any `LanguageModel`.

    `text_budget` is how many characters of the CV and of the posting, each, are sent;
    `questions_max` how many questions the model is told to ask at most.
    """

    def __init__(self, model: LanguageModel, text_budget: int, questions_max: int = 5) -> None:
        self._model = model
        self._text_budget = text_budget
        self._questions_max = questions_max

    @property
    def engine(self) -> str:
        return self._model.name

    async def questions(self, request: AnalysisRequest) -> AsyncGenerator[DraftQuestion, None]:
        prompt = gap_prompt(request, self._text_budget, self._questions_max)
        items = self._model.stream_items(
            system=prompt.system, prompt=prompt.material, item=QuestionItem
        )
        async with aclosing(items):  # who stops listening stops the model too
            async for item in items:
                yield item.draft()
