"""The schema: the explicit list of what clients can do."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from graph.account import AccountMutation, AccountSubscription, DataExport
from graph.cv import CV, CVMutation, CVSubscription
from graph.gap_analysis import GapAnalysis, GapQuestion
from graph.gap_analysis_operations import (
    GapAnalysisMutation,
    GapAnalysisQuery,
    GapAnalysisSubscription,
)
from graph.identities import ConsentQuery, Identity, IdentityMutation
from graph.job_postings import Job, JobQuery
from graph.node_query import NodeQuery
from graph.profile import ProfileMutation, ProfileQuery, User
from graph.rate_limit import RateLimitQuery
from graph.recommendations import JobRecommendation, RecommendationQuery
from graph.scalars import SCALARS
from graph.sessions import Session, SessionMutation


@strawberry.type(
    description="Entry points for reading data. Every field is scoped to the signed-in user; other "
    "users' objects look absent."
)
class Query(
    ProfileQuery,
    NodeQuery,
    JobQuery,
    RecommendationQuery,
    GapAnalysisQuery,
    ConsentQuery,
    RateLimitQuery,
):
    pass


@strawberry.type(
    description="Entry points for changing data. Expected failures come back as data in `errors`; "
    "bugs and bad sessions as top-level errors."
)
class Mutation(
    ProfileMutation,
    SessionMutation,
    IdentityMutation,
    CVMutation,
    GapAnalysisMutation,
    AccountMutation,
):
    pass


@strawberry.type(
    description="Live data. The first event is always a snapshot; the stream completes after a "
    "terminal status."
)
class Subscription(GapAnalysisSubscription, CVSubscription, AccountSubscription):
    pass


def make_schema() -> strawberry.Schema:
    """The schema. It has no extensions: graph/execution.py executes it without Strawberry's own."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[
            User, Session, Identity, CV, Job, JobRecommendation, GapAnalysis, GapQuestion,
            DataExport,
        ],
        config=StrawberryConfig(scalar_map=SCALARS),
    )  # fmt: skip


def schema_text() -> str:
    """The schema in the language that clients read, as committed in schema.graphql."""
    return make_schema().as_str() + "\n"
