"""A person who owns one of everything that has an id, for tests of what strangers see."""

from dataclasses import dataclass
from uuid import UUID

from domain.auth.caller import UNKNOWN
from domain.auth.session_documents import SignInMethod
from domain.auth.sessions import open_session
from domain.core.deps import Deps
from domain.profile.actions import ensure_user
from domain.sign_in.documents import Identity
from graph import ids
from tests.client import Client
from tests.conftest import running_worker
from tests.graph.cvs import BACKEND_CV, create_cv, parsed_cv

MARK = "Quillfeather"
"""A word in all that the owner wrote."""
POSTING = {
    "roleTitle": "Backend Developer",
    "requirements": ["Kubernetes", "Kafka in production", "GraphQL", "Team leadership"],
}  # fmt: skip
SUBMIT = """mutation ($cv: ID!, $posting: JobPostingInput!) {
  submitGapAnalysis(input: {cvId: $cv, jobPosting: $posting}) {
    gapAnalysis { id } errors { __typename } } }"""
FOLLOW = """subscription ($id: ID!) { gapAnalysisStatus(id: $id) {
  gapAnalysis { status questions { id } } } }"""
CANCEL = """mutation ($id: ID!) { cancelGapAnalysis(input: {gapAnalysisId: $id}) {
  errors { __typename } } }"""
UPLOAD = """mutation { requestCVUpload(input: {filename: "Quillfeather.pdf",
  contentType: "application/pdf", sizeBytes: 9}) { cv { id } } }"""
EXPORT = "mutation { exportMyData(input: {}) { dataExport { id } errors { __typename } } }"
FOLLOW_EXPORT = "subscription ($id: ID!) { dataExportStatus(id: $id) { dataExport { status } } }"


@dataclass(frozen=True)
class Belongings:
    """One person's client, and global ids of what they own, by a name for each."""

    client: Client
    user_id: UUID
    ids: dict[str, str]


async def person(deps: Deps, email: str) -> Client:
    """A client with a session of its own, signed in as the person of this address."""
    user = await ensure_user(email)
    tokens = await open_session(deps, user.id, SignInMethod.LOCAL, UNKNOWN)
    return Client(deps.settings.public_url, tokens.access_token)


async def belongings(deps: Deps, email: str) -> Belongings:
    """Somebody with one of everything, finished and unfinished, over a catalogue that is there."""
    client, user = await person(deps, email), await ensure_user(email)
    async with running_worker(deps):
        cv = await parsed_cv(client, BACKEND_CV.replace("Tidewater", MARK))
        analysis = await submitted(client, cv, MARK)
        events = await client.events(FOLLOW, id=analysis)
        export = (await client.data(EXPORT))["exportMyData"]["dataExport"]["id"]
        await client.events(FOLLOW_EXPORT, id=export)
    questions = events[-1]["data"]["gapAnalysisStatus"]["gapAnalysis"]["questions"]
    cancelled = await submitted(client, cv, MARK)
    await client.data(CANCEL, id=cancelled)
    upload = (await client.data(UPLOAD))["requestCVUpload"]["cv"]["id"]
    jobs = (await client.data("{ jobs(first: 1) { nodes { id } } }"))["jobs"]["nodes"]
    return Belongings(
        client,
        user.id,
        {
            "user": ids.encode("User", user.id),
            "cv": cv,
            "unread_cv": (await create_cv(client, f"# {MARK}\n\nPython"))["id"],
            "analysis": analysis,
            "waiting_cv": upload,
            "cancelled": cancelled,
            "pending": await submitted(client, cv, MARK),
            "question": questions[0]["id"],
            "recommendation": _recommendation(cv, jobs[0]["id"]),
            "export": export,
            **await _ways_in(deps, user.id),
        },
    )


async def submitted(client: Client, cv: str, company: str) -> str:
    """The id of a new gap analysis."""
    posting = POSTING | {"companyName": company}
    made = (await client.data(SUBMIT, cv=cv, posting=posting))["submitGapAnalysis"]
    assert made["errors"] == []
    analysis: str = made["gapAnalysis"]["id"]
    return analysis


def _recommendation(cv: str, job: str) -> str:
    cv_id, job_id = ids.decode_as("CV", cv), ids.decode_as("Job", job)
    assert cv_id is not None
    assert job_id is not None
    return ids.encode("JobRecommendation", cv_id, job_id)


async def _ways_in(deps: Deps, user_id: UUID) -> dict[str, str]:
    """A session beside the client's own, and two identities, one of which can be unlinked."""
    session = await open_session(deps, user_id, SignInMethod.GOOGLE, UNKNOWN)
    identities = [
        Identity(user_id=user_id, provider=provider, subject=f"{provider}-{user_id}",
                 email=f"{MARK}@example.com", email_verified=True, name=MARK)
        for provider in ("GOOGLE", "GITHUB")
    ]  # fmt: skip
    for identity in identities:
        await identity.insert()
    return {
        "session": ids.encode("Session", session.session_id),
        "identity": ids.encode("Identity", identities[0].id),
    }
