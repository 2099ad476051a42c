"""What is read out of a CV."""

from pydantic import BaseModel, ConfigDict

from domain.core.language import Language


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Contact(_Part):
    """Who the person is and how to reach them. Never sent to a model."""

    name: str | None = None
    emails: list[str] = []
    phones: list[str] = []
    links: list[str] = []
    addresses: list[str] = []
    """Street addresses and postal codes as written; a city alone is not one."""


class Experience(_Part):
    """One position held. Dates are `YYYY-MM` or `YYYY`, as precise as the CV is."""

    role: str | None = None
    company: str | None = None
    start: str | None = None
    end: str | None = None
    """None while `is_current`, or where the CV gives no end."""
    is_current: bool = False
    description: str = ""
    technologies: list[str] = []
    """Ids of the canonical skills named in this position."""


class Education(_Part):
    """One course of study. Dates as in Experience."""

    institution: str | None = None
    degree: str | None = None
    start: str | None = None
    end: str | None = None


class ParsedCV(_Part):
    """A CV, read. Every list keeps the CV's own order."""

    language: Language
    contact: Contact = Contact()
    skills: list[str] = []
    """Ids of the canonical skills that the CV states, each once, in order of first mention."""
    experience: list[Experience] = []
    education: list[Education] = []
    certifications: list[str] = []
    languages: list[str] = []
    """Spoken languages as written, with the level where one is given: `English (fluent)`."""
