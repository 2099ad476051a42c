"""The hand-made word lists of the built-in analyst, read from data files once per process."""

import json
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import NamedTuple


class Affinities(NamedTuple):
    """Which skills go together in practice, beyond what the catalogue's parents say.

    Names are labels of the catalogue. Whoever has two skills of a family likely has met the
    others; whoever has a key of `implied` has very likely done what it lists.
    """

    families: list[list[str]]
    implied: dict[str, list[str]]


class RoleWords(NamedTuple):
    """Word stems by the kind of work they name, and the title words that name none."""

    families: dict[str, list[str]]
    untelling: frozenset[str]


@cache
def affinities() -> Affinities:
    """Skills that go together, gathered by what one job commonly has a person do."""
    document = json.loads(_read("affinities.json"))
    return Affinities(document["families"], document["implied"])


@cache
def role_words() -> RoleWords:
    """Kinds of work. Hebrew stems leave off gendered endings."""
    document = json.loads(_read("role_families.json"))
    return RoleWords(document["families"], frozenset(chain(*document["untelling"])))


@cache
def common_words() -> frozenset[str]:
    """Words that every CV and posting has, so that sharing one suggests nothing."""
    return frozenset(chain(*json.loads(_read("common_words.json"))["words"]))


def _read(name: str) -> str:
    return (files("domain.gap_analysis") / "data" / name).read_text(encoding="utf-8")
