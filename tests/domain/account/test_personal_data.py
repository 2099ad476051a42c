"""Nothing that holds something about a person is forgotten by exports and deletions."""

from domain.account.personal_data import EXEMPT, EXPORTED, KEPT, PERSONAL
from domain.core.deps import Deps
from domain.core.mongo import DOCUMENTS

NOT_EXPORTED = {
    "cv-texts": "each lies in cvs.json beside its CV",
    "dead-letters": "about faults of ours; nothing in them is the person's",
    "sign-in-codes": "gone after a minute, and only a hash",
    "deletion": "an account that has one cannot be exported any more",
    "closed-account": "the same",
    "ended-sessions": "the same",
    "deleted-identity": "digests that not even we can tell whose they are",
}


async def test_the_field_that_names_the_person_is_there_and_indexed(deps: Deps) -> None:
    for data in PERSONAL:
        field = "id" if data.owner == "_id" else data.owner
        assert field in data.document.model_fields, data.kind
        indexes = await data.document.get_pymongo_collection().index_information()
        first = {index["key"][0][0] for index in indexes.values()}
        assert data.owner in first, data.kind


def test_every_document_is_deleted_or_kept_or_exempt_for_a_reason() -> None:
    deleted = [data.document for data in PERSONAL]
    kept = [kept.document for kept in KEPT if kept.document is not None]
    exempt = list(EXEMPT)

    listed = [*deleted, *kept, *exempt]
    assert len(set(listed)) == len(listed)
    missing = {document.__name__ for document in DOCUMENTS} - {one.__name__ for one in listed}
    assert missing == set(), (
        "Say in domain/account/personal_data.py what becomes of these with their person"
    )
    assert set(listed) == set(DOCUMENTS)
    assert all(reason.strip() for reason in EXEMPT.values())
    assert all(kept.english.strip() and kept.hebrew.strip() for kept in KEPT)


def test_every_kind_is_exported_or_left_out_for_a_reason() -> None:
    kinds = {data.kind for data in PERSONAL} | {kept.kind for kept in KEPT}
    exported = {kind for kind, _ in EXPORTED}

    assert len(kinds) == len(PERSONAL) + len(KEPT)
    assert exported | set(NOT_EXPORTED) == kinds
    assert not exported & set(NOT_EXPORTED)
