"""What the built-in analyst may ask: shared by its rules about skills and about everything else."""

from dataclasses import dataclass, field

from domain.core.language import Language
from domain.core.levels import GapLevel
from domain.gap_analysis.rules.evidence import Position
from domain.gap_analysis.rules.phrases import Case, joined
from domain.skills.catalogue import Catalogue, Skill, SkillKind


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question before it is worded."""

    case: Case
    impact: GapLevel
    probability: GapLevel
    place: int
    """Index of the posting's statement that asks for it."""
    skill: str | None = None
    """Id of the skill that an answer would add to the CV; None for everything else."""
    values: dict[str, str] = field(default_factory=dict)
    """What its wording names: see `phrases.phrase`."""


def shown_name(skill: Skill, language: Language, *, is_written_in_hebrew: bool) -> str:
    """A skill's name for a question in `language`.

    Hebrew readers call a product by its Latin name, so a technical skill keeps it unless the text
    that names it is in Hebrew.
    """
    is_translated = is_written_in_hebrew or skill.kind is not SkillKind.TECHNICAL
    if language is Language.HE and skill.hebrew and is_translated:
        return skill.hebrew[0]
    return skill.name


def evidence_phrase(
    skills: tuple[str, ...], position: Position | None, catalogue: Catalogue, language: Language
) -> str:
    """The CV's skills (two at most) and the position that shows them: `Docker and Helm (Acme)`.

    With no skills the position alone; empty when there is neither.
    """
    known = [catalogue[skill] for skill in skills if skill in catalogue][:2]
    names = [shown_name(skill, language, is_written_in_hebrew=False) for skill in known]
    label = position.label if position else ""
    if names and label:
        return f"{joined(names, language)} ({label})"
    return joined(names, language) or label
