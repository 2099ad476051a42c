"""The schema: the explicit list of what clients can do."""

import strawberry
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from graph.cv import CV, CVMutation, CVSubscription
from graph.error_policy import ErrorPolicy
from graph.gap_analysis import GapAnalysis, GapQuestion
from graph.gap_analysis_operations import (
    GapAnalysisMutation,
    GapAnalysisQuery,
    GapAnalysisSubscription,
)
from graph.job_postings import Job, JobQuery
from graph.node_query import NodeQuery
from graph.profile import ProfileMutation, ProfileQuery, User
from graph.query_limits import QueryLimits
from graph.rate_limit import CostBudget, RateLimitQuery
from graph.recommendations import JobRecommendation, RecommendationQuery
from graph.scalars import SCALARS


@strawberry.type(
    description="Entry points for reading data. Every field is scoped to the signed-in user; other "
    "users' objects look absent."
)
class Query(
    ProfileQuery, NodeQuery, JobQuery, RecommendationQuery, GapAnalysisQuery, RateLimitQuery
):
    pass


@strawberry.type(
    description="Entry points for changing data. Expected failures come back as data in `errors`; "
    "bugs and bad sessions as top-level errors."
)
class Mutation(ProfileMutation, CVMutation, GapAnalysisMutation):
    pass


@strawberry.type(
    description="Live data. The first event is always a snapshot; the stream completes after a "
    "terminal status."
)
class Subscription(GapAnalysisSubscription, CVSubscription):
    pass


def make_schema() -> strawberry.Schema:
    """The schema with its extensions. Validation and parsing are cached by the query's text."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[User, CV, Job, JobRecommendation, GapAnalysis, GapQuestion],
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[
            ErrorPolicy,
            QueryLimits,
            lambda: ParserCache(maxsize=512),
            lambda: ValidationCache(maxsize=512),
            CostBudget,
        ],
    )


def schema_text() -> str:
    """The schema in the language that clients read, as committed in schema.graphql."""
    return make_schema().as_str() + "\n"
