"""The canonical skills this project knows, with their other names and their relations."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files

from domain.skills.folding import fold_label


class SkillKind(StrEnum):
    TECHNICAL = "technical"
    BUSINESS = "business"
    HEALTH = "health"
    TRADE = "trade"
    LANGUAGE = "language"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class Skill:
    """One canonical skill.

    `id` is a lasting slug (`postgresql`); `name` is shown to people (`PostgreSQL`); `aliases` are
    other ways to write it, in any language but Hebrew; `hebrew` its Hebrew names; `parents` the
    ids of the broader skills that it is a kind of or belongs to.
    """

    id: str
    name: str
    kind: SkillKind
    aliases: tuple[str, ...]
    hebrew: tuple[str, ...]
    parents: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Every way the skill is written, its name first."""
        return (self.name, *self.aliases, *self.hebrew)


class Catalogue(Mapping[str, Skill]):
    """Skills by id, in the order given.

    Raises ValueError when two skills share an id or a label (after folding), a parent is unknown,
    or the parents form a cycle. Methods raise KeyError for an id that is not in the catalogue.
    """

    def __init__(self, skills: Iterable[Skill]) -> None:
        self._skills: dict[str, Skill] = {}
        for skill in skills:
            if skill.id in self._skills:
                raise ValueError(f"two skills have the id {skill.id!r}")
            self._skills[skill.id] = skill
        self._id_by_label = _index_labels(self._skills.values())
        _check_parents(self._skills)
        children: defaultdict[str, list[str]] = defaultdict(list)
        for skill in self._skills.values():
            for parent in skill.parents:
                children[parent].append(skill.id)
        self._children = {parent: tuple(ids) for parent, ids in children.items()}

    def __getitem__(self, id: str) -> Skill:
        return self._skills[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._skills)

    def __len__(self) -> int:
        return len(self._skills)

    @property
    def id_by_label(self) -> Mapping[str, str]:
        """Every folded label of the data, with the id of the skill it names."""
        return self._id_by_label

    def name(self, id: str) -> str:
        """The name shown to people; the id itself where the data no longer has the skill."""
        return self._skills[id].name if id in self._skills else id

    def parents(self, id: str) -> tuple[str, ...]:
        """The skills directly above."""
        return self._skills[id].parents

    def children(self, id: str) -> tuple[str, ...]:
        """The skills directly below."""
        return self._children.get(self._skills[id].id, ())

    def siblings(self, id: str) -> frozenset[str]:
        """The other skills that share a parent with this one."""
        return frozenset(
            child for parent in self.parents(id) for child in self.children(parent) if child != id
        )

    def ancestors(self, id: str) -> frozenset[str]:
        """Every skill above, at any distance."""
        found: set[str] = set()
        waiting = list(self.parents(id))
        while waiting:
            parent = waiting.pop()
            if parent not in found:
                found.add(parent)
                waiting.extend(self.parents(parent))
        return frozenset(found)


def _index_labels(skills: Iterable[Skill]) -> dict[str, str]:
    claims: dict[str, str] = {}
    for skill in skills:
        for label in skill.labels:
            folded = fold_label(label)
            if not folded:
                raise ValueError(f"skill {skill.id!r} has a blank label")
            owner = claims.setdefault(folded, skill.id)
            if owner != skill.id:
                raise ValueError(f"{label!r} is claimed by both {owner!r} and {skill.id!r}")
    return claims


def _check_parents(skills: Mapping[str, Skill]) -> None:
    for skill in skills.values():
        for parent in skill.parents:
            if parent not in skills:
                raise ValueError(f"skill {skill.id!r} has an unknown parent {parent!r}")
    try:
        TopologicalSorter({skill.id: skill.parents for skill in skills.values()}).prepare()
    except CycleError as error:
        raise ValueError(f"parents form a cycle: {' -> '.join(error.args[1])}") from error


def parse_skills(kind: SkillKind, document: str) -> list[Skill]:
    """The skills of one data file: a JSON array of objects with the fields of `Skill` but `kind`.

    Raises ValueError naming the kind and the row where the document is not of that shape.
    """
    rows = json.loads(document)
    if not isinstance(rows, list):
        raise ValueError(f"the {kind} skills must be a JSON array")
    return [_parse_skill(kind, number, row) for number, row in enumerate(rows, start=1)]


def _parse_skill(kind: SkillKind, number: int, row: object) -> Skill:
    where = f"{kind} skill number {number}"
    expected = {"id", "name", "aliases", "hebrew", "parents"}
    if not isinstance(row, dict) or row.keys() != expected:
        raise ValueError(f"{where} must be an object with exactly {sorted(expected)}, got {row!r}")
    for field in ("id", "name"):
        if not isinstance(row[field], str) or not row[field].strip():
            raise ValueError(f"{where}: {field} must be a non-blank string, got {row[field]!r}")
    for field in ("aliases", "hebrew", "parents"):
        values = row[field]
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise ValueError(f"{where}: {field} must be an array of strings, got {values!r}")
    return Skill(
        id=row["id"],
        name=row["name"],
        kind=kind,
        aliases=tuple(row["aliases"]),
        hebrew=tuple(row["hebrew"]),
        parents=tuple(row["parents"]),
    )


@cache
def load_catalogue() -> Catalogue:
    """The project's own catalogue, read from its data files once per process."""
    folder = files("domain.skills") / "data"
    return Catalogue(
        skill
        for kind in SkillKind
        for skill in parse_skills(kind, (folder / f"{kind}.json").read_text(encoding="utf-8"))
    )
