"""Enums of the schema. Those of the domain are shown under their own names."""

from enum import Enum
from typing import TypeAlias

import strawberry

from domain.account.documents import WorkStatus as DomainWorkStatus
from domain.auth.session_documents import SignInMethod as DomainSignInMethod
from domain.core.errors import SizeUnit as DomainSizeUnit
from domain.core.failures import FailureCode as DomainFailureCode
from domain.core.language import Language as DomainLanguage
from domain.core.levels import GapLevel as DomainGapLevel
from domain.cv.documents import CVStatus as DomainCVStatus
from domain.gap_analysis.documents import GapAnalysisStatus as DomainGapAnalysisStatus
from domain.job_postings.documents import JobOrder

Language: TypeAlias = DomainLanguage
strawberry.enum(
    Language,
    name="Language",
    description="Language of content. EN is BCP 47 `en`, HE is `he` (right to left).",
)
CVStatus: TypeAlias = DomainCVStatus
strawberry.enum(CVStatus, name="CVStatus", description="Life of an uploaded CV.")
GapAnalysisStatus: TypeAlias = DomainGapAnalysisStatus
strawberry.enum(
    GapAnalysisStatus,
    name="GapAnalysisStatus",
    description="Life of an analysis: PENDING, PROCESSING, then COMPLETED or FAILED. It never "
    "goes back.",
)
GapLevel: TypeAlias = DomainGapLevel
strawberry.enum(GapLevel, name="GapLevel", description="A coarse level.")
FailureCode: TypeAlias = DomainFailureCode
strawberry.enum(
    FailureCode, name="FailureCode", description="Codes of failures of background work."
)
SizeUnit: TypeAlias = DomainSizeUnit
strawberry.enum(SizeUnit, name="SizeUnit", description="Unit of a size limit.")
SignInMethod: TypeAlias = DomainSignInMethod
strawberry.enum(
    SignInMethod,
    name="SignInMethod",
    description="How somebody signed in. LOCAL is a token made on the server for local work.",
)
WorkStatus: TypeAlias = DomainWorkStatus
strawberry.enum(
    WorkStatus,
    name="WorkStatus",
    description="Life of an export or a deletion: PENDING, PROCESSING, then COMPLETED or FAILED. "
    "It never goes back.",
)
JobOrderField: TypeAlias = JobOrder
strawberry.enum(JobOrderField, name="JobOrderField", description="What jobs can be sorted by.")


@strawberry.enum(description="Direction of a sort.")
class OrderDirection(Enum):
    ASC = 1
    DESC = -1


@strawberry.enum(
    description="Codes of errors returned as data. Clients must tolerate codes they do not know."
)
class UserErrorCode(Enum):
    VALIDATION_ERROR = "VALIDATION_ERROR"
    CV_NOT_FOUND = "CV_NOT_FOUND"
    JOB_NOT_FOUND = "JOB_NOT_FOUND"
    QUESTION_NOT_FOUND = "QUESTION_NOT_FOUND"
    SESSION_NOT_FOUND = "SESSION_NOT_FOUND"
    IDENTITY_NOT_FOUND = "IDENTITY_NOT_FOUND"
    DATA_EXPORT_NOT_FOUND = "DATA_EXPORT_NOT_FOUND"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_FILE_TYPE = "UNSUPPORTED_FILE_TYPE"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    IDEMPOTENCY_KEY_PARAMETER_MISMATCH = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    INVALID_STATE = "INVALID_STATE"
