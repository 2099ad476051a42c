"""A request as the built-in analyst's rules read it: the posting's statements beside the CV."""

from dataclasses import dataclass
from datetime import date

from domain.core.language import Language
from domain.core.levels import GapLevel
from domain.gap_analysis.analyst import AnalysisRequest
from domain.gap_analysis.rules.candidates import Candidate, evidence_phrase, shown_name
from domain.gap_analysis.rules.evidence import Evidence, Position, quotable, read_evidence
from domain.gap_analysis.rules.phrases import Case
from domain.gap_analysis.rules.relations import similar_positions
from domain.job_postings.statements import ReadStatement, read_statements
from domain.skills.catalogue import Catalogue
from domain.skills.extraction import SkillExtractor


@dataclass(frozen=True, slots=True)
class Reading:
    """What every rule looks at. Made by `read`."""

    request: AnalysisRequest
    catalogue: Catalogue
    parts: list[ReadStatement]
    evidence: Evidence
    similar: list[Position]
    """The CV's positions of the posting's kind of work."""

    @property
    def language(self) -> Language:
        """The language to ask in."""
        return self.request.language

    def topic(self, skill: str) -> str:
        """The name of a stated skill, ready for a question."""
        return shown_name(self.catalogue[skill], self.language, is_written_in_hebrew=False)

    def candidate(
        self, case: Case, part: ReadStatement, probability: GapLevel, **values: str
    ) -> Candidate:
        """What `part` asks for, with the CV's best evidence and the quote filled in."""
        filled = {"evidence": self._evidence(), "quote": quotable(part.text), **values}
        return Candidate(case, part.statement.impact, probability, part.place, values=filled)

    def _evidence(self) -> str:
        labelled = [held for held in (*self.similar, *self.evidence.positions) if held.label]
        if labelled:
            return labelled[0].label
        return evidence_phrase(self.evidence.stated, None, self.catalogue, self.language)


def read(
    request: AnalysisRequest, catalogue: Catalogue, extractor: SkillExtractor, today: date
) -> Reading:
    """Reads the CV and the posting of `request` once for all rules."""
    evidence = read_evidence(request, extractor, today)
    return Reading(
        request=request,
        catalogue=catalogue,
        parts=read_statements(request.posting, extractor),
        evidence=evidence,
        similar=similar_positions(evidence, request.posting.role_title),
    )
