"""The viewer and their profile."""

from tests.client import Client

UPDATE = """
mutation ($input: UpdateProfileInput!) {
  updateProfile(input: $input) {
    viewer { name language location prefersRemote targetRoles }
    errors { __typename ... on UserError { code message path } }
  }
}
"""


async def test_nobody_is_no_viewer(nobody: Client) -> None:
    assert await nobody.data("{ viewer { name } }") == {"viewer": None}


async def test_profile_changes_only_what_is_given(client: Client) -> None:
    first = await client.data(
        UPDATE, input={"name": " Noa  Bar ", "location": "Haifa", "targetRoles": ["Nurse"]}
    )
    second = await client.data(UPDATE, input={"language": "HE", "prefersRemote": True})
    third = await client.data(UPDATE, input={"location": None})

    assert first["updateProfile"]["viewer"]["name"] == "Noa Bar"
    assert second["updateProfile"]["viewer"] == {
        "name": "Noa Bar",
        "language": "HE",
        "location": "Haifa",
        "prefersRemote": True,
        "targetRoles": ["Nurse"],
    }
    assert third["updateProfile"]["viewer"]["location"] is None
    assert third["updateProfile"]["viewer"]["targetRoles"] == ["Nurse"]


async def test_blank_name_is_refused_in_the_viewers_language(client: Client) -> None:
    await client.data(UPDATE, input={"language": "HE"})

    refused = (await client.data(UPDATE, input={"name": "  "}))["updateProfile"]

    assert refused["viewer"] is None
    [error] = refused["errors"]
    assert (error["code"], error["path"]) == ("VALIDATION_ERROR", ["input", "name"])
    assert error["message"] == "השדה לא יכול להיות ריק."
