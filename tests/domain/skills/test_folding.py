import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.skills.folding import fold, fold_label


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("  Node.js ", "node.js"),
        ("CI-CD", "ci cd"),
        ("machine \t learning", "machine learning"),
        ("Café", "cafe"),
        ("ב־SQL", "ב sql"),
        ("ממ״ג", 'ממ"ג'),
        ("ממ''ג", 'ממ"ג'),
        ("ג׳אווה", "ג'אווה"),
        ("שָׁלוֹם", "שלום"),
        ("so\u00adft\u200f", "soft"),
        ("İ", "i"),
        ("", ""),
    ],
)
def test_labels(label: str, expected: str) -> None:
    assert fold_label(label) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("React\nNative", "react\nnative"),
        ("much experience with machine\nlearning", "much experience with machine learning"),
        ("python\ngo", "python\ngo"),
        ("Docker,\nKubernetes", "docker, kubernetes"),
        ("Docker\nor Kubernetes", "docker or kubernetes"),
        ("one\n\n two", "one\ntwo"),
    ],
)
def test_line_breaks(text: str, expected: str) -> None:
    assert fold(text).text == expected


@given(st.text())
def test_offsets_rise_and_end_at_the_originals_length(text: str) -> None:
    folded = fold(text)
    assert len(folded.offsets) == len(folded.text) + 1
    assert list(folded.offsets) == sorted(folded.offsets)
    assert folded.offsets[-1] == len(text)


@given(st.text(alphabet="aZ -_.\n'\"־״אב\u05b0\u200b1"))
def test_folding_a_label_again_changes_nothing(text: str) -> None:
    once = fold_label(text)
    assert fold_label(once) == once
