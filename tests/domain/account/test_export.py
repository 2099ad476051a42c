"""An export holds all that is kept about its person, nothing of anybody else, and is signed."""

import hashlib
import json
import random
import tracemalloc
from collections.abc import AsyncIterator

import httpx2
from joserfc import jws
from joserfc.jwk import KeySet

from domain.account.documents import DataExport
from domain.account.export import request_export
from domain.account.signing import KEYS_PATH, MANIFEST_TYPE
from domain.core.deps import Deps
from domain.cv.files import delete_file
from tests.domain.account.exports import cv_with_file, delivered, export_of, someone, unpacked
from tests.domain.account.people import CALLER, newcomer, person_with_everything


async def test_all_of_a_person_is_in_it_and_nothing_of_another(quiet: Deps) -> None:
    person = await person_with_everything(quiet, "aurelia")
    other = await person_with_everything(quiet, "bertrand")
    open_one = await DataExport.open_of_user(person.id)
    assert open_one is not None

    files = await unpacked(quiet, await delivered(quiet, open_one))

    listed = {name: json.loads(data) for name, data in files.items() if name.endswith(".json")}
    assert {name for name in files if not name.startswith("files/")} == {
        "README.txt", "profile.json", "identities.json", "provider-tokens.json", "consents.json",
        "sessions.json", "cvs.json", "gap-analyses.json", "audit-events.json",
        "data-exports.json", "files.json", "manifest.json", "manifest.jws",
    }  # fmt: skip
    [profile] = listed["profile.json"]
    assert (profile["id"], profile["email"]) == (str(person.id), person.email)
    assert {row["provider"] for row in listed["identities.json"]} == {"google", "github"}
    assert len(listed["provider-tokens.json"]) == 2
    assert [row["kind"] for row in listed["consents.json"]] == ["PRIVACY_POLICY"]
    assert len(listed["sessions.json"]) == 2
    assert {cv["status"] for cv in listed["cvs.json"]} == {
        "AWAITING_UPLOAD", "PARSING", "PARSED", "FAILED",
    }  # fmt: skip
    assert {analysis["status"] for analysis in listed["gap-analyses.json"]} == {
        "PENDING", "PROCESSING", "COMPLETED", "FAILED",
    }  # fmt: skip
    assert len(listed["data-exports.json"]) == 3
    assert "SIGNED_IN" in {row["action"] for row in listed["audit-events.json"]}
    everything = b"".join(files.values())
    for trace in other.traces:
        assert trace not in everything
    for secret in (b"access-aurelia", b"refresh-aurelia", b"Hash", b"sealed", b"delivery"):
        assert secret not in everything


async def test_a_cv_is_there_as_read_as_text_and_as_the_file_that_was_brought(
    quiet: Deps,
) -> None:
    await person_with_everything(quiet, "celeste")
    user_id = (await newcomer("cornelius")).id
    data = bytes(range(256)) * 5000
    cv = await cv_with_file(quiet, user_id, data, "קורות חיים.md")

    files = await export_of(quiet, user_id)

    [record] = json.loads(files["cvs.json"])
    assert record["id"] == str(cv.id)
    assert record["file"] == f"files/{cv.id}/קורות חיים.md"
    assert files[record["file"]] == data
    assert (record["contentType"], record["text"], record["parsed"]) == (
        "text/markdown",
        None,
        None,
    )


async def test_answers_are_with_their_questions(quiet: Deps) -> None:
    person = await person_with_everything(quiet, "dorothea")
    open_one = await DataExport.open_of_user(person.id)
    assert open_one is not None

    files = await unpacked(quiet, await delivered(quiet, open_one))

    completed = [
        analysis
        for analysis in json.loads(files["gap-analyses.json"])
        if analysis["status"] == "COMPLETED"
    ]
    [question] = completed[0]["questions"]
    assert question["question"] == "Have you used dorothea?"
    assert question["answer"]["text"] == "Yes, dorothea."
    assert completed[0]["posting"]["companyName"] == "Company dorothea"
    [read] = [cv for cv in json.loads(files["cvs.json"]) if cv["status"] == "PARSED"]
    assert "Built dorothea in Python." in read["text"]
    assert read["parsed"]["skills"] == ["python"]


async def test_file_names_lead_nowhere_and_equal_ones_stay_apart(quiet: Deps) -> None:
    user_id = await someone()
    names = ["../../.bashrc", "cv.md", "cv.md", "CV.MD", "con", "\u202egnp.exe", "a/b\\c.md"]
    cvs = [await cv_with_file(quiet, user_id, name.encode(), name) for name in names]

    files = await export_of(quiet, user_id)

    brought = {name: data for name, data in files.items() if name.startswith("files/")}
    assert set(brought) == {
        f"files/{cv.id}/{safe}"
        for cv, safe in zip(
            cvs,
            ["bashrc.md", "cv.md", "cv.md", "CV.md", "file-con.md", "gnp.exe.md",
             "c.md"],
            strict=True,
        )
    }  # fmt: skip
    assert sorted(brought.values()) == sorted(name.encode() for name in names)


async def test_anybody_can_check_the_manifest_with_the_published_keys(quiet: Deps) -> None:
    person = await person_with_everything(quiet, "eugenia")
    open_one = await DataExport.open_of_user(person.id)
    assert open_one is not None

    files = await unpacked(quiet, await delivered(quiet, open_one))

    manifest = json.loads(files["manifest.json"])
    assert manifest["keys"] == quiet.settings.public_url + KEYS_PATH
    async with httpx2.AsyncClient() as http:
        keys = KeySet.import_key_set((await http.get(manifest["keys"])).json())
    signed = jws.deserialize_compact(files["manifest.jws"], keys, ["EdDSA"])
    assert signed.payload == files["manifest.json"]
    assert signed.headers()["typ"] == MANIFEST_TYPE
    assert (manifest["format"], manifest["version"]) == ("careergraph-data-export", 1)
    assert manifest["userId"] == str(person.id)
    entries = {entry["path"]: entry for entry in manifest["entries"]}
    assert set(entries) == set(files) - {"manifest.json", "manifest.jws"}
    for path, entry in entries.items():
        assert entry["size"] == len(files[path])
        assert entry["sha256"] == hashlib.sha256(files[path]).hexdigest()


async def test_a_manifest_is_no_access_token(quiet: Deps) -> None:
    files = await export_of(quiet, await someone())

    async with httpx2.AsyncClient(base_url=quiet.settings.public_url) as http:
        answer = await http.post(
            "/graphql",
            json={"query": "{ viewer { id } }"},
            headers={"Authorization": f"Bearer {files['manifest.jws'].decode()}"},
        )

    assert answer.json()["data"] == {"viewer": None}


async def test_a_file_that_is_lost_does_not_keep_the_rest(quiet: Deps) -> None:
    user_id = await someone()
    cv = await cv_with_file(quiet, user_id, b"here")
    lost = await cv_with_file(quiet, user_id, b"gone")
    assert lost.file_id is not None
    await delete_file(quiet.database, lost.file_id)

    files = await export_of(quiet, user_id)

    assert [name for name in files if name.startswith("files/")] == [f"files/{cv.id}/cv.md"]
    assert len(json.loads(files["cvs.json"])) == 2


async def test_a_large_export_takes_little_memory(quiet: Deps) -> None:
    user_id, size = await someone(), 8 * 1024 * 1024
    noise = random.Random(7)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(size // 65536):
            yield noise.randbytes(65536)

    for _ in range(4):
        await cv_with_file(quiet, user_id, chunks())
    export = await request_export(quiet, user_id, None, CALLER)

    tracemalloc.start()
    try:
        made = await delivered(quiet, export)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert made.size_bytes is not None
    assert made.size_bytes > 4 * size
    assert peak < 14 * 1024 * 1024  # 4 MB of it are the archive's own, before it goes to disk
