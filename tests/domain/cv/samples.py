"""The CVs of `cvs/`, and an extractor over a few skills whose data no other change can move."""

from pathlib import Path

from domain.cv.parsing.parse import parse_cv
from domain.cv.parsing.parsed_cv import ParsedCV
from domain.skills.catalogue import Catalogue, Skill, SkillKind
from domain.skills.extraction import SkillExtractor

CVS = sorted((Path(__file__).parent / "cvs").iterdir())
"""One file a CV."""

_NAMES = (
    "Python", "Java", "PostgreSQL", "Kubernetes", "Kafka", "Redis", "MongoDB", "Docker", "React",
    "GraphQL", "Excel", "SAP", "QuickBooks", "Salesforce", "HACCP", "Triage", "GitHub",
)  # fmt: skip
_SKILLS = [Skill(name.casefold(), name, SkillKind.TECHNICAL, (), (), ()) for name in _NAMES]
EXTRACTOR = SkillExtractor(Catalogue(_SKILLS))


def read(filename: str) -> str:
    return next(path for path in CVS if path.name == filename).read_text(encoding="utf-8")


def parsed(filename: str) -> ParsedCV:
    return parse_cv(read(filename), EXTRACTOR)
