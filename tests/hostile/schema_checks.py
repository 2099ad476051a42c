"""What Schemathesis holds each answer against; it loads this by SCHEMATHESIS_HOOKS.

Its own check takes any error beside null data for the server's fault. Here expected failures of
queries are told just so, with a code: the server's fault is a 5xx, or a bug that was masked.
"""

from typing import Any

import schemathesis


@schemathesis.check
def no_server_fault(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """Neither a 5xx, nor INTERNAL_SERVER_ERROR among the errors."""
    assert response.status_code < 500, f"status {response.status_code}"
    assert b"INTERNAL_SERVER_ERROR" not in response.content, "a masked bug"
