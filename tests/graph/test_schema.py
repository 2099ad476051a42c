"""The schema as clients read it."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    is_introspection_type,
    is_specified_scalar_type,
)

from graph.schema import make_schema, schema_text


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(schema_text())


def own_types(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    return [
        type_
        for type_ in schema.type_map.values()
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
    ]


def test_committed_schema_is_the_codes(project: Path) -> None:
    committed = (project / "schema.graphql").read_text()

    assert committed == schema_text(), "run `careergraph schema export > schema.graphql`"


def test_every_type_is_described(schema: GraphQLSchema) -> None:
    assert [type_.name for type_ in own_types(schema) if not type_.description] == []


def test_every_entry_point_is_described(schema: GraphQLSchema) -> None:
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    bare = [
        f"{root.name}.{name}"
        for root in roots
        if root is not None
        for name, field in root.fields.items()
        if not field.description
    ]

    assert bare == []


def test_own_scalars_say_what_specifies_them(schema: GraphQLSchema) -> None:
    for name in ("DateTime", "URL", "UUID"):
        scalar = schema.type_map[name]
        assert getattr(scalar, "specified_by_url", None), name


def test_every_error_type_is_a_user_error(schema: GraphQLSchema) -> None:
    errors = [
        type_
        for type_ in own_types(schema)
        if isinstance(type_, GraphQLObjectType) and type_.name.endswith("Error")
    ]

    assert len(errors) >= 6
    for type_ in errors:
        assert [interface.name for interface in type_.interfaces] == ["UserError"], type_.name
        assert {"code", "message", "path"} <= set(type_.fields), type_.name


WITHOUT_INPUT = {"signOut"}
"""Mutations that have nothing to be told; a nullable input can be added to them later."""

WITHOUT_ERRORS = {"signOut", "signOutEverywhere"}
"""Mutations that nothing can keep from being done."""


def test_every_mutation_takes_one_input_and_gives_a_payload_with_errors(
    schema: GraphQLSchema,
) -> None:
    assert schema.mutation_type is not None
    for name, field in schema.mutation_type.fields.items():
        assert list(field.args) == ([] if name in WITHOUT_INPUT else ["input"]), name
        payload = schema.type_map[f"{name[0].upper()}{name[1:]}Payload"]
        assert isinstance(payload, GraphQLObjectType)
        if name not in WITHOUT_ERRORS:
            assert str(payload.fields["errors"].type).endswith("Error!]!"), name


def test_nothing_private_is_shown(schema: GraphQLSchema) -> None:
    shown = {
        name
        for type_ in own_types(schema)
        if isinstance(type_, GraphQLObjectType)
        for name in type_.fields
    }

    assert shown.isdisjoint({"stored", "page", "delivery", "userId", "fileId", "idempotency"})


def test_no_breaking_change_against_the_agreed_schema(project: Path, schema: GraphQLSchema) -> None:
    agreed = project.parent / "shared" / "core.graphql"
    if not agreed.exists():
        pytest.skip("the agreed schema lies beside the checkout, and there is none here")

    changes = find_breaking_changes(build_schema(agreed.read_text()), schema)

    assert [change.description for change in changes] == []


def test_making_the_schema_twice_gives_the_same() -> None:
    assert make_schema().as_str() == make_schema().as_str()
