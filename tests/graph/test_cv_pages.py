"""The viewer's list of CVs."""

import json
from typing import Any

import pytest

from tests.client import Client, Json
from tests.graph.cvs import create_cv

LIST = """
query ($first: Int, $after: String, $last: Int, $before: String) {
  viewer {
    cvs(first: $first, after: $after, last: $last, before: $before) {
      nodes { filename }
      edges { cursor node { filename } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      totalCount
    }
  }
}
"""


async def named(client: Client, count: int) -> None:
    for number in range(count):
        await create_cv(client, "Python.", title=f"cv {number}")


async def page(client: Client, **arguments: Any) -> Json:
    connection: Json = (await client.data(LIST, **arguments))["viewer"]["cvs"]
    assert [edge["node"] for edge in connection["edges"]] == connection["nodes"]
    return connection


def names(connection: Json) -> list[str]:
    return [node["filename"].removeprefix("cv ") for node in connection["nodes"]]


async def test_cvs_are_paged_newest_first_in_both_directions(client: Client) -> None:
    await named(client, 5)

    first = await page(client, first=2)
    second = await page(client, first=2, after=first["pageInfo"]["endCursor"])
    third = await page(client, first=2, after=second["pageInfo"]["endCursor"])
    back = await page(client, last=2, before=third["pageInfo"]["startCursor"])
    tail = await page(client, last=2)

    assert [names(one) for one in (first, second, third)] == [["4", "3"], ["2", "1"], ["0"]]
    assert names(back) == ["2", "1"]
    assert names(tail) == ["1", "0"]
    assert [one["pageInfo"]["hasNextPage"] for one in (first, second, third)] == [True, True, False]
    assert [one["pageInfo"]["hasPreviousPage"] for one in (first, second)] == [False, True]
    assert (back["pageInfo"]["hasNextPage"], back["pageInfo"]["hasPreviousPage"]) == (True, True)
    assert {one["totalCount"] for one in (first, second, third, back, tail)} == {5}
    assert first["pageInfo"]["startCursor"] == first["edges"][0]["cursor"]


async def test_nodes_come_without_asking_for_edges(client: Client) -> None:
    await named(client, 1)
    answer = await client.data("{ viewer { cvs { nodes { filename } } } }")
    assert answer["viewer"]["cvs"]["nodes"] == [{"filename": "cv 0"}]


async def test_an_empty_list_is_a_page(client: Client) -> None:
    empty = await page(client)
    assert empty["nodes"] == []
    assert empty["totalCount"] == 0
    assert empty["pageInfo"] == {
        "hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        {"first": 1, "after": "nonsense"},
        {"first": 1, "after": ""},
        {"last": 1, "before": "W10"},
        {"first": -1},
        {"first": 101},
        {"last": 101},
        {"first": 1, "last": 1},
    ],
)
async def test_a_bad_cursor_or_size_is_a_coded_error(
    client: Client, arguments: dict[str, Any]
) -> None:
    answer = await client.post(LIST, **arguments)
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "VALIDATION_ERROR"
    assert "Traceback" not in json.dumps(answer)
