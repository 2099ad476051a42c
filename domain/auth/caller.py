"""Where a request comes from."""

from dataclasses import dataclass

USER_AGENT_MAX = 300


@dataclass(frozen=True, slots=True)
class Caller:
    """The network address and the program behind a request, as far as they are known."""

    address: str | None = None
    user_agent: str | None = None
    """At most 300 characters."""


UNKNOWN = Caller()
