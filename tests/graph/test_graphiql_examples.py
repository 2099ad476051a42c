import re

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate

from graph.pages import WEB

SCHEMA = build_schema((WEB.parent / "schema.graphql").read_text("utf-8"))
SOURCE = (WEB / "graphiql" / "examples.js").read_text("utf-8")
OPERATIONS = [
    text
    for text in re.findall(r"= `([^`]*)`", SOURCE)
    if re.search(r"^(query|mutation|subscription) ", text, re.MULTILINE)
]


def name_of(text: str) -> str:
    definition = parse(text).definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    assert definition.name is not None
    return definition.name.value


def test_every_tab_has_its_operation() -> None:
    assert [name_of(text) for text in OPERATIONS] == [
        "MyCVs",
        "MyRecommendations",
        "UpdateProfile",
        "CreateCV",
        "SubmitGapAnalysis",
        "FollowGapAnalysis",
        "AnswerGapQuestions",
    ]


@pytest.mark.parametrize("text", OPERATIONS, ids=name_of)
def test_example_fits_the_schema(text: str) -> None:
    assert validate(SCHEMA, parse(text)) == []
