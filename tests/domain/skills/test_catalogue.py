import json
from collections import Counter

import pytest

from domain.skills.catalogue import Catalogue, Skill, SkillKind, load_catalogue, parse_skills


def skill(id: str, *aliases: str, parents: tuple[str, ...] = (), name: str = "") -> Skill:
    return Skill(id, name or id, SkillKind.TECHNICAL, aliases, (), parents)


def test_the_projects_catalogue_is_broad() -> None:
    catalogue = load_catalogue()
    count = Counter(entry.kind for entry in catalogue.values())
    assert len(catalogue) >= 600
    assert count[SkillKind.TECHNICAL] >= 300
    assert set(count) == set(SkillKind)
    assert sum(bool(entry.hebrew) for entry in catalogue.values()) >= 200


def test_it_is_loaded_once() -> None:
    assert load_catalogue() is load_catalogue()


def test_ids_are_slugs() -> None:
    assert all(id == id.lower() and " " not in id and id.isascii() for id in load_catalogue())


def test_relations() -> None:
    catalogue = Catalogue(
        [
            skill("databases"),
            skill("sql", parents=("databases",)),
            skill("postgresql", parents=("sql",)),
            skill("mysql", parents=("sql",)),
        ]
    )
    assert catalogue.parents("mysql") == ("sql",)
    assert catalogue.children("sql") == ("postgresql", "mysql")
    assert catalogue.children("mysql") == ()
    assert catalogue.siblings("mysql") == {"postgresql"}
    assert catalogue.ancestors("mysql") == {"sql", "databases"}
    assert catalogue.name("sql") == "sql"


def test_real_relations() -> None:
    catalogue = load_catalogue()
    assert "sql" in catalogue.parents("postgresql")
    assert "mysql" in catalogue.siblings("postgresql")
    assert "databases" in catalogue.ancestors("postgresql")
    assert catalogue.name("postgresql") == "PostgreSQL"


def test_unknown_ids_raise_key_error() -> None:
    catalogue = Catalogue([skill("sql")])
    for look in (catalogue.children, catalogue.siblings, catalogue.ancestors):
        with pytest.raises(KeyError):
            look("nothing")


def test_a_skill_that_the_data_lost_keeps_its_id_as_name() -> None:
    assert Catalogue([skill("sql")]).name("cobol") == "cobol"


@pytest.mark.parametrize(
    ("skills", "message"),
    [
        ([skill("sql"), skill("sql")], "two skills have the id 'sql'"),
        ([skill("a", "x-y"), skill("b", "X Y")], "'X Y' is claimed by both 'a' and 'b'"),
        ([skill("a", " ")], "'a' has a blank label"),
        ([skill("a", parents=("b",))], "'a' has an unknown parent 'b'"),
        (
            [skill("a", parents=("b",)), skill("b", parents=("a",))],
            "parents form a cycle: (a -> b -> a|b -> a -> b)",
        ),
        ([skill("a", parents=("a",))], "cycle: a -> a"),
    ],
)
def test_a_wrong_catalogue_is_refused(skills: list[Skill], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Catalogue(skills)


ROW = {"id": "sql", "name": "SQL", "aliases": ["s q l"], "hebrew": [], "parents": []}


def test_rows_become_skills() -> None:
    assert parse_skills(SkillKind.TECHNICAL, json.dumps([ROW])) == [
        Skill("sql", "SQL", SkillKind.TECHNICAL, ("s q l",), (), ())
    ]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{}", "the technical skills must be a JSON array"),
        ("[1]", "technical skill number 1 must be an object"),
        (json.dumps([ROW, {"id": "x"}]), "number 2 must be an object with exactly"),
        (json.dumps([ROW | {"id": " "}]), "id must be a non-blank string"),
        (json.dumps([ROW | {"aliases": "sql"}]), "aliases must be an array of strings"),
        (json.dumps([ROW | {"parents": [1]}]), "parents must be an array of strings"),
        ("[", "Expecting value"),
    ],
)
def test_a_wrong_row_is_refused(document: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_skills(SkillKind.TECHNICAL, document)
