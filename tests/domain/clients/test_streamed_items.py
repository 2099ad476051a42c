import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from domain.clients.language_model import ModelAnswerUnreadable
from domain.clients.streamed_items import StreamedItems, list_shape


class Note(BaseModel):
    text: str
    tags: list[str] = []


NOTES = st.lists(st.builds(Note, text=st.text(), tags=st.lists(st.text(), max_size=3)), max_size=5)


@given(NOTES, st.integers(1, 7), st.sampled_from([None, 2]), st.booleans())
def test_items_are_the_same_however_the_text_is_cut(
    notes: list[Note], size: int, indent: int | None, ascii_only: bool
) -> None:
    value = {"items": [note.model_dump() for note in notes]}
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    items = StreamedItems(Note)
    given_items = []
    for begin in range(0, len(text), size):
        given_items += items.feed(text[begin : begin + size])
    items.finish()
    assert given_items == notes
    assert items.text == text


def test_an_item_comes_with_its_last_character() -> None:
    items = StreamedItems(Note)
    assert items.feed('{"items": [{"text": "a } ] \\" b"') == []
    assert items.feed("}") == [Note(text='a } ] " b')]


@pytest.mark.parametrize("text", ["", "{", '{"items": [{"text": "a"}', '{"items": []} more'])
def test_a_text_that_is_not_whole(text: str) -> None:
    items = StreamedItems(Note)
    items.feed(text)
    with pytest.raises(ModelAnswerUnreadable) as caught:
        items.finish()
    assert caught.value.answer == text


def test_items_of_another_list_are_not_given() -> None:
    items = StreamedItems(Note)
    with pytest.raises(ModelAnswerUnreadable):
        items.feed('{"examples": [{"text": "a"}], "items": []}')


def test_the_list_shape_names_its_items() -> None:
    schema = list_shape(Note).model_json_schema()
    assert schema["required"] == ["items"]
    assert schema["properties"]["items"]["type"] == "array"
