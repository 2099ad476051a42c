"""Documents that clients name by an id instead of sending their text."""

import json
from collections.abc import Mapping
from typing import Any

from domain.core.settings import PREFIX, Settings, SettingsError

_APOLLO = "apollo-persisted-query-manifest"
_FORMS = (
    'a JSON object of texts by id, {"<id>": "<text>"}, or a manifest of Apollo\'s, '
    f'{{"format": "{_APOLLO}", "version": 1, "operations": [{{"id": …, "body": …}}]}}'
)


def load_trusted_documents(settings: Settings) -> Mapping[str, str]:
    """Texts by id, of the manifest that the settings name; none without one.

    Raises SettingsError for a manifest that cannot be read, and when only trusted documents are
    allowed but there are none.
    """
    path = settings.trusted_documents
    if path is None:
        if settings.trusted_documents_only:
            raise SettingsError(
                f"{PREFIX}TRUSTED_DOCUMENTS_ONLY is set without {PREFIX}TRUSTED_DOCUMENTS: nothing "
                "could be asked. Name the manifest of the documents that clients may use."
            )
        return {}
    try:
        return _read(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"{PREFIX}TRUSTED_DOCUMENTS is '{path}': {error}. It takes a file that holds {_FORMS}."
        ) from error


def _read(manifest: Any) -> dict[str, str]:
    if not isinstance(manifest, dict):
        raise ValueError(f"it holds {type(manifest).__name__}, not an object")
    if "operations" in manifest and "format" in manifest:
        return _read_apollo(manifest)
    return dict(_checked(id, text) for id, text in manifest.items())


def _read_apollo(manifest: dict[str, Any]) -> dict[str, str]:
    if manifest["format"] != _APOLLO or manifest.get("version") != 1:
        raise ValueError(
            f"format {manifest['format']!r} of version {manifest.get('version')!r} is not known"
        )
    operations = manifest["operations"]
    if not isinstance(operations, list):
        raise ValueError("`operations` is not a list")
    texts: dict[str, str] = {}
    for number, operation in enumerate(operations):
        if not isinstance(operation, dict):
            raise ValueError(f"operation {number} is not an object")
        id, text = _checked(operation.get("id"), operation.get("body"))
        if texts.setdefault(id, text) != text:
            raise ValueError(f"the id {id!r} stands for two texts")
    return texts


def _checked(id: object, text: object) -> tuple[str, str]:
    if not isinstance(id, str) or not id:
        raise ValueError(f"the id {id!r} is not a string that holds something")
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"the document {id!r} has no text")
    return id, text
