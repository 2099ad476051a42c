"""People who have everything that can be had, in every state, and what there is of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from domain.account.documents import DataExport, WorkStatus
from domain.account.export import BUCKET, request_export
from domain.auth.audit import AuditAction, record
from domain.auth.caller import Caller
from domain.auth.session_documents import SignInMethod
from domain.auth.sessions import open_session, refresh_session, revoke_session
from domain.clients.identity_providers import Grant
from domain.core.clock import now
from domain.core.dead_letters import DeadLetter
from domain.core.delivery import accepted
from domain.core.deps import Deps
from domain.core.failures import FailureCode, FailureReason, failure
from domain.core.idempotency import Idempotency
from domain.core.language import Language
from domain.core.levels import GapLevel
from domain.core.owned_files import store_file
from domain.core.rate_limit import Bucket, require
from domain.cv.actions import PDF, create_cv, request_cv_upload
from domain.cv.documents import CV, CVStatus, CVText
from domain.cv.files import store_file as store_cv_file
from domain.cv.parsing.parse import parse_cv
from domain.gap_analysis.documents import (
    GapAnalysis,
    GapAnalysisStatus,
    GapAnswer,
    GapQuestion,
    Step,
)
from domain.job_postings.posting import Posting
from domain.profile.documents import User
from domain.sign_in.documents import Consent, Identity
from domain.sign_in.flow_documents import SignInCode
from domain.sign_in.provider_tokens import keep_grant
from domain.sign_in.rules import ConsentKind, TokenUse

CALLER = Caller(address="192.0.2.7", user_agent="Mozilla/5.0 (X11; Linux) Firefox/140.0")


@dataclass(frozen=True)
class Person:
    """Somebody whose every text holds `word`."""

    id: UUID
    word: str
    access_token: str

    @property
    def email(self) -> str:
        return f"{self.word}@example.com"

    @property
    def traces(self) -> list[bytes]:
        """What leads to them, wherever it is stored."""
        texts = [str(self.id), self.id.hex, self.word]
        return [self.id.bytes, *(text.encode() for text in texts)]


async def one_piece(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def newcomer(word: str) -> User:
    user = User(email=f"{word}@example.com", name=f"Dana {word}", location=word)
    await user.insert()
    return user


async def person_with_everything(deps: Deps, word: str) -> Person:
    user = await newcomer(word)
    token = await _ways_in(deps, user.id, word)
    cv = await _cvs(deps, user.id, word)
    await _analyses(user.id, cv.id, word)
    await _exports(deps, user.id)
    for work in (CV.work_name, GapAnalysis.work_name):
        await DeadLetter(
            work=work, document_id=uuid4(), user_id=user.id, code=FailureCode.INTERNAL_ERROR,
            cause="BUG", attempts=3, accepted_at=now(),
        ).insert()  # fmt: skip
    await require(deps.redis, Bucket("cv", 60, 10), str(user.id), f"key:{word}")
    await record(AuditAction.SIGNED_IN, CALLER, user.id)
    return Person(user.id, word, token)


async def _ways_in(deps: Deps, user_id: UUID, word: str) -> str:
    """Sessions in every state, and what comes with signing in; an access token that is good."""
    used = await open_session(deps, user_id, SignInMethod.GOOGLE, CALLER)
    assert used.refresh_token is not None
    await refresh_session(deps, used.refresh_token, CALLER)
    ended = await open_session(deps, user_id, SignInMethod.GITHUB, CALLER)
    assert await revoke_session(deps, user_id, ended.session_id, CALLER)
    for provider in ("google", "github"):
        identity = Identity(
            user_id=user_id, provider=provider, subject=f"subject-{word}",
            email=f"{word}@example.com", email_verified=True, name=word,
        )  # fmt: skip
        await identity.insert()
        grant = Grant(f"access-{word}", f"refresh-{word}", None, ("openid",))
        await keep_grant(deps, identity, TokenUse.SIGN_IN, grant, CALLER)
    consent = Consent(user_id=user_id, kind=ConsentKind.PRIVACY_POLICY, text_version="1")
    await consent.insert()
    await SignInCode.make(user_id, SignInMethod.GOOGLE, "A" * 43)
    return used.access_token


async def _cvs(deps: Deps, user_id: UUID, word: str) -> CV:
    """CVs in every state; the one that was read."""
    await create_cv(deps, user_id, f"{word} in Python", f"title {word}", uuid4())
    await request_cv_upload(deps, user_id, f"{word}.pdf", PDF, 9, uuid4())
    text = f"{word}\n\nExperience\nDeveloper at Acme, 2019 - 2024\nBuilt {word} in Python.\n"
    parsed = parse_cv(text, deps.extractor)
    read = CV(
        user_id=user_id, filename=f"../{word}/cv.md", content_type="text/markdown",
        size_bytes=len(text.encode()), status=CVStatus.PARSED, parsed=parsed, parsed_at=now(),
    )  # fmt: skip
    read.file_id = await store_cv_file(
        deps.database, read.id, user_id, "text/markdown", one_piece(text.encode())
    )
    await read.insert()
    await CVText.put(read.id, user_id, text)
    failed = CV(
        user_id=user_id, filename=f"{word}.pdf", content_type=PDF, size_bytes=9,
        status=CVStatus.FAILED, file_id=read.file_id,
        failure=failure(FailureReason.FILE_DAMAGED, Language.EN),
    )  # fmt: skip
    await failed.insert()
    return read


async def _analyses(user_id: UUID, cv_id: UUID, word: str) -> None:
    posting = Posting(company_name=f"Company {word}", role_title="Developer", description=word)
    question = GapQuestion(
        question=f"Have you used {word}?", skill=None, impact=GapLevel.HIGH,
        probability=GapLevel.LOW, gap_score=0.5, position=0,
        answer=GapAnswer(text=f"Yes, {word}.", answered_at=now()),
    )  # fmt: skip
    for status in GapAnalysisStatus:
        delivery = accepted(now() + timedelta(days=1))
        delivery.is_open = not status.is_final
        analysis = GapAnalysis(
            user_id=user_id, cv_id=cv_id, posting=posting, language=Language.EN, status=status,
            questions=[question] if status is GapAnalysisStatus.COMPLETED else [],
            delivery=delivery, idempotency=Idempotency(key=str(uuid4()), fingerprint=word),
            history=[Step(version=1, at=now(), status=status, progress_percent=0, message=word)],
        )  # fmt: skip
        await analysis.insert()


async def _exports(deps: Deps, user_id: UUID) -> None:
    at = now()
    file_id = await store_file(deps.database, BUCKET, user_id, one_piece(b"PK"))
    await DataExport(
        user_id=user_id, language=Language.EN, status=WorkStatus.COMPLETED, file_id=file_id,
        size_bytes=2, completed_at=at, expires_at=at + timedelta(hours=24),
    ).insert()  # fmt: skip
    await DataExport(
        user_id=user_id, language=Language.EN, status=WorkStatus.FAILED,
        expires_at=at + timedelta(hours=24), failure=failure(FailureReason.BUG, Language.EN),
    ).insert()  # fmt: skip
    await request_export(deps, user_id, uuid4(), CALLER)


World = dict[str, dict[object, bytes]]


async def world(deps: Deps) -> World:
    """Every document of every collection, GridFS and all, byte for byte."""
    raw = deps.database.with_options(CodecOptions(document_class=RawBSONDocument))
    found: World = {}
    for name in await deps.database.list_collection_names():
        documents = await raw[name].find().to_list()
        found[name] = {_key(document["_id"]): bytes(document.raw) for document in documents}
    return found


def _key(id: object) -> object:
    return bytes(id) if isinstance(id, bytes) else str(id)


def names_with(traces: list[bytes], found: World) -> set[str]:
    """The collections in which one of these is found."""
    return {
        name
        for name, documents in found.items()
        if any(trace in raw for raw in documents.values() for trace in traces)
    }
