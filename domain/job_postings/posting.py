"""A job posting's words, whoever brought them: an import, or a person who pasted one."""

from pydantic import BaseModel, ConfigDict

from domain.core.language import Language


class Posting(BaseModel):
    """A posting with tags and scripts removed. Lists keep the employer's order."""

    model_config = ConfigDict(frozen=True)

    company_name: str
    role_title: str
    description: str | None = None
    requirements: list[str] = []
    responsibilities: list[str] = []
    nice_to_have: list[str] = []
    language: Language = Language.EN
    source_url: str | None = None
