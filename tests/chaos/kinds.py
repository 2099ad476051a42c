"""The two kinds of accepted work, as clients ask for them, follow them and find them stored."""

from dataclasses import dataclass

STATUS_RANK = {
    "AWAITING_UPLOAD": 0,
    "PENDING": 0,
    "PARSING": 1,
    "PROCESSING": 1,
    "PARSED": 2,
    "COMPLETED": 2,
    "FAILED": 2,
}
"""How far along each state is; a state may be followed by one of at least its own rank."""
FINAL_RANK = 2


def is_final(status: str) -> bool:
    """Whether nothing may come after this state."""
    return STATUS_RANK[status] == FINAL_RANK


@dataclass(frozen=True)
class Kind:
    """One kind of work. `made` is the payload's field, `stream` the subscription's."""

    type: str
    """GraphQL's name of the object, which its global ids carry."""
    mutation: str
    field: str
    made: str
    subscription: str
    stream: str
    collection: str


def _mutation(field: str, input: str, made: str) -> str:
    return (
        f"mutation ($input: {input}!) {{ {field}(input: $input) "
        f"{{ {made} {{ id }} errors {{ ... on UserError {{ code message }} }} }} }}"
    )


def _subscription(field: str, node: str) -> str:
    return (
        f"subscription ($id: ID!, $after: String) {{ {field}(id: $id, after: $after) "
        f"{{ cursor isSnapshot node: {node} {{ status }} }} }}"
    )


GAP_ANALYSIS = Kind(
    type="GapAnalysis",
    mutation=_mutation("submitGapAnalysis", "SubmitGapAnalysisInput", "gapAnalysis"),
    field="submitGapAnalysis",
    made="gapAnalysis",
    subscription=_subscription("gapAnalysisStatus", "gapAnalysis"),
    stream="gapAnalysisStatus",
    collection="gap_analyses",
)
CV = Kind(
    type="CV",
    mutation=_mutation("createCV", "CreateCVInput", "cv"),
    field="createCV",
    made="cv",
    subscription=_subscription("cvStatus", "cv"),
    stream="cvStatus",
    collection="cvs",
)
KINDS = (GAP_ANALYSIS, CV)
