"""What makes gap questions: the shape that the built-in analyst and the model share."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from domain.core.language import Language
from domain.core.levels import GapLevel
from domain.cv.parsing.parsed_cv import ParsedCV
from domain.job_postings.posting import Posting


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """A CV held against a posting. `cv_text` is the CV with contact details taken out."""

    cv: ParsedCV
    cv_text: str
    posting: Posting
    language: Language
    """The language to ask in, whatever the CV and the posting are written in."""


@dataclass(frozen=True, slots=True)
class DraftQuestion:
    """A question as an analyst offers it, before the server has checked and scored it."""

    question: str
    impact: GapLevel
    """How much this gap matters for the job."""
    probability: GapLevel
    """How likely it is that the person has this experience."""
    skill: str | None
    """The skill the question is about, in any spelling; None when it is about no single skill."""


class Analyst(Protocol):
    """Makes questions about experience that a CV suggests but does not state."""

    @property
    def engine(self) -> str:
        """What the result names as its maker: a model's id, or RULES."""

    def questions(self, request: AnalysisRequest) -> AsyncGenerator[DraftQuestion, None]:
        """Each question as soon as it is there. Raises LanguageModelErrors."""
