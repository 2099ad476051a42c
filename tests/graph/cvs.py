"""CVs of people in tests: making them through the server, and waiting until they are read."""

from importlib.resources import files
from typing import Any

from domain.core.deps import Deps
from domain.job_postings.actions import ImportReport, import_postings
from domain.job_postings.reading import read_rows
from domain.profile.documents import User
from graph.context import Session, make_context, read_session
from graph.schema import make_schema
from tests.client import Client, Json

CREATE = """
mutation ($input: CreateCVInput!) {
  createCV(input: $input) {
    cv { id filename contentType sizeBytes status skills }
    errors {
      __typename
      ... on UserError { code message path }
      ... on PayloadTooLargeError { limit actual unit }
      ... on RateLimitError { retryAfter }
    }
  }
}
"""
STATUS = """
subscription ($id: ID!) {
  cvStatus(id: $id) {
    cursor isSnapshot occurredAt
    cv { id status skills parsedAt failure { code message isRetryable } }
  }
}
"""
WHOLE = """
query ($id: ID!) {
  node(id: $id) {
    ... on CV {
      filename contentType sizeBytes status language skills createdAt parsedAt
      contact { name emails phones links }
      experience { role company start end isCurrent description technologies }
      education { institution degree start end }
      certifications languages
      failure { code }
    }
  }
}
"""
BACKEND_CV = """# Omer Katz

omer.katz@example.com · +972 52-555-0161 · https://www.example.com/omer-katz

## Experience

### Backend Developer, Tidewater Payments
2020 – Present

- Built REST APIs in Python and Django over PostgreSQL.
- Runs services in Docker on Kubernetes, with Redis for caching.

### Junior Developer, Lark
2018 – 2020

- Flask services and pytest suites. No experience with Java.

## Education

B.Sc. in Computer Science, University of Haifa, 2014 – 2018

## Certifications

- AWS Certified Developer – Associate, 2023

## Skills

Python, Django, FastAPI, k8s, Postgres, Git

## Languages

- English: fluent
- Hebrew: native
"""


async def create_cv(client: Client, text: str = BACKEND_CV, **fields: Any) -> Json:
    """The CV made, before anybody has read it."""
    made = (await client.data(CREATE, input={"text": text, **fields}))["createCV"]
    assert made["errors"] == []
    cv: Json = made["cv"]
    return cv


async def settled(client: Client, cv_id: str) -> Json:
    """The CV as its status stream ends, with a worker running."""
    events = await client.events(STATUS, id=cv_id)
    assert all("errors" not in event for event in events), events
    cv: Json = events[-1]["data"]["cvStatus"]["cv"]
    return cv


async def parsed_cv(client: Client, text: str = BACKEND_CV) -> str:
    """The id of a new CV that has been read."""
    cv = await settled(client, (await create_cv(client, text))["id"])
    assert cv["status"] == "PARSED", cv
    cv_id: str = cv["id"]
    return cv_id


async def whole(client: Client, cv_id: str) -> Json:
    """All that a CV shows."""
    cv: Json = (await client.data(WHOLE, id=cv_id))["node"]
    return cv


async def import_seed(deps: Deps) -> ImportReport:
    """Fill the catalogue with the project's own postings."""
    text = files("domain.job_postings").joinpath("seed.jsonl").read_text(encoding="utf-8")
    return await import_postings(deps, read_rows(text), lambda _report: None)


async def session_of(deps: Deps, client: Client) -> Session:
    return await read_session(deps, client.headers["Authorization"])


async def user_of(deps: Deps, client: Client) -> User:
    user_id = (await session_of(deps, client)).user_id
    user = await User.get(user_id) if user_id else None
    assert user is not None
    return user


async def execute(deps: Deps, client: Client, query: str, **variables: Any) -> Json:
    """The data that a server over `deps` gives the client's user; for swapped parts."""
    context = make_context(deps, await session_of(deps, client))
    result = await make_schema().execute(query, variables, context_value=context)
    assert result.errors is None, result.errors
    assert result.data is not None
    return result.data
