"""Documents named by id: what manifests may hold, and what the executor makes of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.core.settings import Settings, SettingsError, load_settings
from graph.execution import Executor, Params, RequestRefused
from graph.schema import make_schema
from graph.trusted_documents import load_trusted_documents

VIEWER = "{ viewer { name } }"
APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [
        {"id": "a1", "name": "Viewer", "type": "query", "body": "query Viewer { viewer { id } }"},
        {"id": "b2", "name": "Costly", "type": "query", "body": "{ " + "viewer { id } " * 9 + "}"},
    ],
}


def settings_of(folder: Path, manifest: object, only: bool = False) -> Settings:
    path = folder / "manifest.json"
    path.write_text(manifest if isinstance(manifest, str) else json.dumps(manifest), "utf-8")
    return load_settings(trusted_documents=path, trusted_documents_only=only)


def refusal(executor: Executor, **params: Any) -> tuple[int, str]:
    with pytest.raises(RequestRefused) as refused:
        executor.prepare(Params(**params))
    [error] = refused.value.errors
    return refused.value.status, (error.extensions or {})["code"]


def test_manifest_is_an_object_of_texts_by_id(tmp_path: Path) -> None:
    assert load_trusted_documents(settings_of(tmp_path, {"v": VIEWER})) == {"v": VIEWER}
    assert load_trusted_documents(settings_of(tmp_path, {})) == {}
    assert load_trusted_documents(load_settings()) == {}


def test_manifest_may_be_apollos(tmp_path: Path) -> None:
    found = load_trusted_documents(settings_of(tmp_path, APOLLO))

    assert found["a1"] == "query Viewer { viewer { id } }"
    assert set(found) == {"a1", "b2"}


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ("{", "Expecting property name"),
        ("[" * 100_000, "recursion"),
        ([VIEWER], "it holds list"),
        ({"v": 5}, "the document 'v' has no text"),
        ({"v": " "}, "the document 'v' has no text"),
        ({"": VIEWER}, "the id ''"),
        ({**APOLLO, "version": 2}, "of version 2"),
        ({**APOLLO, "format": "relay"}, "format 'relay'"),
        ({**APOLLO, "operations": {}}, "`operations` is not a list"),
        ({**APOLLO, "operations": [5]}, "operation 0 is not an object"),
        ({**APOLLO, "operations": [{"id": "a"}]}, "the document 'a' has no text"),
        (
            {**APOLLO, "operations": [{"id": "a", "body": "{ a }"}, {"id": "a", "body": "{ b }"}]},
            "the id 'a' stands for two texts",
        ),
    ],
)
def test_bad_manifest_fails_at_start_and_says_what_it_takes(
    tmp_path: Path, manifest: object, told: str
) -> None:
    with pytest.raises(SettingsError) as failed:
        Executor(make_schema(), settings_of(tmp_path, manifest))

    message = str(failed.value)
    assert "CAREERGRAPH_TRUSTED_DOCUMENTS is" in message
    assert "manifest.json" in message
    assert told in message
    assert "apollo-persisted-query-manifest" in message


def test_manifest_that_is_not_there_fails_at_start(tmp_path: Path) -> None:
    settings = load_settings(trusted_documents=tmp_path / "nowhere.json")

    with pytest.raises(SettingsError, match="No such file"):
        load_trusted_documents(settings)


def test_only_trusted_documents_without_a_manifest_fails_at_start() -> None:
    with pytest.raises(SettingsError, match="CAREERGRAPH_TRUSTED_DOCUMENTS_ONLY is set without"):
        load_trusted_documents(load_settings(trusted_documents_only=True))


def test_document_is_asked_for_by_its_id(tmp_path: Path) -> None:
    executor = Executor(make_schema(), settings_of(tmp_path, APOLLO))

    prepared = executor.prepare(Params(document_id="a1"))

    assert prepared.operation.name is not None
    assert prepared.operation.name.value == "Viewer"
    assert executor.prepare(Params(query=VIEWER)).cost.cost == 1
    assert refusal(executor, document_id="c3") == (400, "PERSISTED_DOCUMENT_NOT_FOUND")
    assert refusal(executor, document_id="") == (400, "PERSISTED_DOCUMENT_NOT_FOUND")
    assert refusal(executor, document_id="a1", query=VIEWER) == (400, "BAD_REQUEST")


def test_only_trusted_documents_refuses_texts(tmp_path: Path) -> None:
    executor = Executor(make_schema(), settings_of(tmp_path, APOLLO, only=True))

    assert executor.prepare(Params(document_id="a1")).cost.cost == 1
    assert refusal(executor, query=VIEWER) == (400, "TRUSTED_DOCUMENTS_ONLY")
    assert refusal(executor) == (400, "TRUSTED_DOCUMENTS_ONLY")


def test_trusted_documents_are_held_to_the_limits(tmp_path: Path) -> None:
    gaps = " ".join(f"{alias}: skillsGap {{ coverage }}" for alias in "abcd")
    manifest = {
        "costly": f"{{ jobs(first: 100) {{ nodes {{ {gaps} }} }} }}",
        "deep": "{ a" * 12 + " }" * 12,
        "wrong": "{ shoes }",
    }
    executor = Executor(make_schema(), settings_of(tmp_path, manifest))

    assert refusal(executor, document_id="costly") == (400, "QUERY_TOO_COSTLY")
    assert refusal(executor, document_id="deep") == (400, "QUERY_TOO_DEEP")
    assert refusal(executor, document_id="wrong") == (400, "GRAPHQL_VALIDATION_FAILED")
