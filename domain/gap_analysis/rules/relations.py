"""How strongly a CV suggests a skill that it does not state."""

from collections import Counter
from dataclasses import dataclass
from itertools import chain

from domain.core.levels import GapLevel
from domain.gap_analysis.rules.evidence import Evidence, Position
from domain.gap_analysis.rules.roles import is_same_work
from domain.gap_analysis.rules.vocabulary import affinities
from domain.skills.catalogue import Catalogue, SkillKind
from domain.skills.folding import fold_label

# Over a broader skill with more kinds than this ("programming languages"), siblings are strangers.
_CLOSE_SIBLINGS = 12
# A CV with fewer skills of a kind than this is too thin for its silence to say much.
_THIN_CV = 3


@dataclass(frozen=True, slots=True)
class Support:
    """What in the CV suggests a skill, and how likely that makes it."""

    probability: GapLevel
    skills: tuple[str, ...]
    """Stated skills that suggest it, the closest first."""
    position: Position | None
    """The position that shows them, or that is the same kind of work."""


class Relations:
    """What the catalogue and this field's habits say belongs together."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._kin: dict[str, set[str]] = {}
        for labels in affinities().families:
            family = _ids(labels, catalogue)
            for member in family:
                self._kin.setdefault(member, set()).update(family)
        self._implied: dict[str, set[str]] = {}
        for label, labels in affinities().implied.items():
            for known in _ids([label], catalogue):
                self._implied.setdefault(known, set()).update(_ids(labels, catalogue))

    def support(self, skill: str, evidence: Evidence, similar: list[Position]) -> Support | None:
        """What suggests `skill`, an id that the CV does not state; None where nothing does.

        `similar` holds the CV's positions of the posting's kind of work.

        HIGH: a narrower or broader skill, one that implies it, or two close ones are stated.
        MEDIUM: one close skill, or the same kind of work on a CV that names few skills.
        LOW: the same kind of work on a fuller CV.
        """
        strong = [stated for stated in evidence.stated if self._entails(stated, skill)]
        if not strong and self._goes_without_saying(skill, evidence):
            return None
        close = [stated for stated in evidence.stated if self._is_close(stated, skill)]
        suggesting = tuple(dict.fromkeys([*strong, *close]))
        if suggesting:
            level = GapLevel.HIGH if strong or len(close) > 1 else GapLevel.MEDIUM
            return Support(level, suggesting, _showing(suggesting, evidence.positions))
        return self._support_of_work(skill, evidence, similar)

    def _support_of_work(
        self, skill: str, evidence: Evidence, similar: list[Position]
    ) -> Support | None:
        """A similar job suggests what most of the CV is about: no welding to a developer."""
        stated = Counter(self._kind(had) for had in evidence.stated if self._is_telling(had))
        kind = self._kind(skill)
        if not similar or not stated or kind is not stated.most_common(1)[0][0]:
            return None
        level = GapLevel.MEDIUM if stated[kind] < _THIN_CV else GapLevel.LOW
        return Support(level, (), similar[0])

    def _is_telling(self, had: str) -> bool:
        return self._kind(had) not in (None, SkillKind.GENERAL, SkillKind.LANGUAGE)

    def _kind(self, id: str) -> SkillKind | None:
        return self._catalogue[id].kind if id in self._catalogue else None

    def _entails(self, stated: str, skill: str) -> bool:
        if skill in self._implied.get(stated, ()):
            return True
        if not self._speaks_for(stated, skill):
            return False
        # PostgreSQL suggests SQL, which is worth asking; that an intensive-care nurse does nursing
        # is not.
        is_technical = self._kind(skill) is SkillKind.TECHNICAL
        is_kind_of = skill in self._catalogue.parents(stated) and self._is_narrow(skill)
        has_kind = stated in self._catalogue.parents(skill) and self._is_narrow(stated)
        return (is_kind_of and is_technical) or has_kind

    def _goes_without_saying(self, skill: str, evidence: Evidence) -> bool:
        """Whether a stated skill is a kind of `skill` so plainly that asking tells nothing new."""
        known = (stated for stated in evidence.stated if stated in self._catalogue)
        return any(skill in self._catalogue.ancestors(stated) for stated in known)

    def _is_close(self, stated: str, skill: str) -> bool:
        if skill in self._kin.get(stated, ()):
            return True
        if not self._speaks_for(stated, skill):
            return False
        shared = set(self._catalogue.parents(skill)) & set(self._catalogue.parents(stated))
        return any(self._is_narrow(parent) for parent in shared)

    def _speaks_for(self, stated: str, skill: str) -> bool:
        """Whether the catalogue's relations mean likelihood: not for multitasking and its like."""
        return stated in self._catalogue and self._kind(skill) is not SkillKind.GENERAL

    def _is_narrow(self, parent: str) -> bool:
        return len(self._catalogue.children(parent)) <= _CLOSE_SIBLINGS


def similar_positions(evidence: Evidence, role_title: str) -> list[Position]:
    """The CV's positions that are the same kind of work as a posting's title."""
    return [
        p for p in evidence.positions if p.label and is_same_work(p.held.role or "", role_title)
    ]


def _showing(skills: tuple[str, ...], positions: tuple[Position, ...]) -> Position | None:
    ranked = chain.from_iterable((p for p in positions if skill in p.skills) for skill in skills)
    return next(ranked, None)


def _ids(labels: list[str], catalogue: Catalogue) -> list[str]:
    known = (catalogue.id_by_label.get(fold_label(label)) for label in labels)
    return [skill for skill in known if skill is not None]
