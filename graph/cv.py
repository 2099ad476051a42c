"""CVs: bringing them, and what was read from them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from domain.core.errors import DomainError, Missing, NotFound
from domain.core.pagination import Page
from domain.cv import actions, documents
from domain.cv.following import follow_cv
from domain.cv.parsing import parsed_cv
from graph import ids
from graph.context import Info, SignedIn
from graph.enums import CVStatus, Language
from graph.errors import CreateCVError, RequestCVUploadError, told, top_level_errors
from graph.failure import Failure
from graph.node import Node
from graph.paging import PageInfo, cursors_of, page_info_of
from graph.scalars import URL
from graph.uploads import upload_url


@strawberry.type(description="How to reach the person, as the CV says. Never sent to a model.")
class CVContact:
    name: str | None
    emails: list[str]
    phones: list[str]
    links: list[str]

    @classmethod
    def of(cls, contact: parsed_cv.Contact) -> Self:
        return cls(
            name=contact.name, emails=contact.emails, phones=contact.phones, links=contact.links
        )


@strawberry.type(description="One position held.")
class CVExperience:
    role: str | None
    company: str | None
    start: str | None = strawberry.field(description="`YYYY-MM` or `YYYY`.")
    end: str | None = strawberry.field(
        description="`YYYY-MM` or `YYYY`. Null while `isCurrent`, or where the CV gives none."
    )
    is_current: bool
    description: str
    technologies: list[str] = strawberry.field(
        description="Canonical names of the skills named in this position."
    )

    @classmethod
    def of(cls, item: parsed_cv.Experience, info: Info) -> Self:
        name = info.context.deps.catalogue.name
        return cls(
            role=item.role, company=item.company, start=item.start, end=item.end,
            is_current=item.is_current, description=item.description,
            technologies=[name(skill) for skill in item.technologies],
        )  # fmt: skip


@strawberry.type(description="One course of study.")
class CVEducation:
    institution: str | None
    degree: str | None
    start: str | None = strawberry.field(description="`YYYY-MM` or `YYYY`.")
    end: str | None = strawberry.field(description="`YYYY-MM` or `YYYY`.")

    @classmethod
    def of(cls, item: parsed_cv.Education) -> Self:
        return cls(institution=item.institution, degree=item.degree, start=item.start, end=item.end)


@strawberry.type(description="An uploaded CV and what was read from it.")
class CV(Node):
    stored: strawberry.Private[documents.CV]
    filename: str
    content_type: str
    size_bytes: int
    status: CVStatus
    created_at: datetime
    parsed_at: datetime | None
    failure: Failure | None = strawberry.field(
        description="Why parsing failed. Set only when status is FAILED."
    )

    @classmethod
    def of(cls, cv: documents.CV) -> Self:
        return cls(
            id=ids.encode("CV", cv.id), stored=cv, filename=cv.filename,
            content_type=cv.content_type, size_bytes=cv.size_bytes, status=cv.status,
            created_at=cv.created_at, parsed_at=cv.parsed_at, failure=Failure.of(cv.failure),
        )  # fmt: skip

    @strawberry.field(description="What the CV is written in. Null until status is PARSED.")
    def language(self) -> Language | None:
        return self.stored.parsed.language if self.stored.parsed else None

    @strawberry.field(description="Skills read from the file. Empty until status is PARSED.")
    def skills(self, info: Info) -> list[str]:
        parsed = self.stored.parsed
        return [info.context.deps.catalogue.name(id) for id in parsed.skills] if parsed else []

    @strawberry.field(description="Null until status is PARSED.")
    def contact(self) -> CVContact | None:
        return CVContact.of(self.stored.parsed.contact) if self.stored.parsed else None

    @strawberry.field(description="Positions held, in the CV's order.")
    def experience(self, info: Info) -> list[CVExperience]:
        parsed = self.stored.parsed
        return [CVExperience.of(item, info) for item in parsed.experience] if parsed else []

    @strawberry.field(description="Courses of study, in the CV's order.")
    def education(self) -> list[CVEducation]:
        parsed = self.stored.parsed
        return [CVEducation.of(item) for item in parsed.education] if parsed else []

    @strawberry.field(description="Certifications and licences, as written.")
    def certifications(self) -> list[str]:
        return self.stored.parsed.certifications if self.stored.parsed else []

    @strawberry.field(description="Spoken languages, as written.")
    def languages(self) -> list[str]:
        return self.stored.parsed.languages if self.stored.parsed else []


@strawberry.type(description="A CV and its cursor.")
class CVEdge:
    node: CV
    cursor: str


@strawberry.type(description="A page of CVs. Default 20, at most 100.")
class CVConnection:
    page: strawberry.Private[Page[documents.CV]]
    edges: list[CVEdge]
    nodes: list[CV]
    page_info: PageInfo

    @classmethod
    def of(cls, page: Page[documents.CV]) -> Self:
        nodes = [CV.of(cv) for cv in page.rows]
        cursors = cursors_of(page, documents.CURSOR_ORDER)
        edges = [
            CVEdge(node=node, cursor=cursor) for node, cursor in zip(nodes, cursors, strict=True)
        ]
        return cls(page=page, edges=edges, nodes=nodes, page_info=page_info_of(page, cursors))

    @strawberry.field
    async def total_count(self) -> int | None:
        return await self.page.count()


@strawberry.input(description="A CV as text. At most 1,000,000 characters.")
class CreateCVInput:
    text: str
    title: str | None = strawberry.field(default=None, description="A name to show it by.")
    idempotency_key: UUID | None = None


@strawberry.type(description="Result of createCV.")
class CreateCVPayload:
    cv: CV | None
    errors: list[CreateCVError]


@strawberry.input(description="What file is coming. At most 10 MiB.")
class RequestCVUploadInput:
    filename: str
    content_type: str
    size_bytes: int
    idempotency_key: UUID | None = None


@strawberry.type(name="HTTPHeader", description="One HTTP header to send.")
class HTTPHeader:
    name: str
    value: str


@strawberry.type(description="Where and how to send a file.")
class UploadTarget:
    url: URL
    headers: list[HTTPHeader]
    expires_at: datetime


@strawberry.type(description="Result of requestCVUpload.")
class RequestCVUploadPayload:
    cv: CV | None
    upload: UploadTarget | None = strawberry.field(
        description="PUT the bytes here, with these headers, before it expires."
    )
    errors: list[RequestCVUploadError]


@strawberry.type(description="An event about a CV.")
class CVStatusEvent:
    cursor: str
    is_snapshot: bool
    occurred_at: datetime
    cv: CV


@strawberry.type
class CVMutation:
    @strawberry.mutation(
        name="createCV",
        permission_classes=[SignedIn],
        description="Make a CV from text or Markdown. It is parsed in the background, like a file.",
    )
    async def create_cv(self, info: Info, input: CreateCVInput) -> CreateCVPayload:
        context = info.context
        try:
            cv = await actions.create_cv(
                context.deps, context.user_id, input.text, input.title, input.idempotency_key
            )
        except DomainError as error:
            return CreateCVPayload(cv=None, errors=[await told(info, error)])
        return CreateCVPayload(cv=CV.of(cv), errors=[])

    @strawberry.mutation(
        name="requestCVUpload",
        permission_classes=[SignedIn],
        description="Ask where to PUT a CV file. The file itself goes over plain HTTP, so the "
        "browser can show progress.",
    )
    async def request_cv_upload(
        self, info: Info, input: RequestCVUploadInput
    ) -> RequestCVUploadPayload:
        context = info.context
        try:
            cv = await actions.request_cv_upload(
                context.deps, context.user_id, input.filename, input.content_type,
                input.size_bytes, input.idempotency_key,
            )  # fmt: skip
        except DomainError as error:
            return RequestCVUploadPayload(cv=None, upload=None, errors=[await told(info, error)])
        url, expires_at = upload_url(context.deps, cv.id)
        headers = [HTTPHeader(name="Content-Type", value=cv.content_type)]
        target = UploadTarget(url=url, headers=headers, expires_at=expires_at)
        return RequestCVUploadPayload(cv=CV.of(cv), upload=target, errors=[])


@strawberry.type
class CVSubscription:
    @strawberry.subscription(
        permission_classes=[SignedIn],
        description="Progress of one uploaded CV, until PARSED or FAILED. Error code CV_NOT_FOUND "
        "when absent or not yours. It begins with a snapshot with `after` too: the states of a CV "
        "are so few that none needs to be replayed.",
    )
    async def cv_status(
        self, info: Info, id: strawberry.ID, after: str | None = None
    ) -> AsyncGenerator[CVStatusEvent, None]:
        context = info.context
        async with top_level_errors(info):
            cv_id = ids.decode_as("CV", id)
            if cv_id is None:
                raise NotFound(Missing.CV, ["id"], id)
            async with aclosing(follow_cv(context.deps, context.user_id, cv_id)) as events:
                async for event in events:
                    yield CVStatusEvent(
                        cursor=event.cursor, is_snapshot=event.is_snapshot,
                        occurred_at=event.occurred_at, cv=CV.of(event.document),
                    )  # fmt: skip
