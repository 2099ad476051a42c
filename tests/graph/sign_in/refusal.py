"""What a refused sign-in must look like."""

import httpx2

from domain.auth.audit import AuditEvent
from tests.graph.sign_in.browser import heading


async def assert_refused(response: httpx2.Response, status: int, title: str) -> None:
    """The page says so, gives nothing away, and the audit log has it."""
    assert_told(response, status, title)
    [event] = await AuditEvent.newest(1)
    assert event.action == "SIGN_IN_REFUSED"


def assert_told(response: httpx2.Response, status: int, title: str) -> None:
    """The page says so, and gives nothing away."""
    assert (response.status_code, heading(response)) == (status, title)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert '<html lang="en" dir="ltr">' in response.text
    for trace in ("Traceback", "authlib", "joserfc", "site-packages", "Error("):
        assert trace not in response.text
    given = [cookie.partition("=")[0] for cookie in response.headers.get_list("set-cookie")]
    assert "careergraph" not in given
