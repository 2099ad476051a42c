"""Only access tokens of other issuers let in."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.auth.external_issuers import ExternalIssuers
from tests.domain.auth.issuer_server import (
    Issuer,
    assert_good,
    assert_refused,
    issuers_for,
    running_issuer,
)


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[Issuer]:
    async with running_issuer() as found:
        yield found


@pytest.fixture(scope="module")
async def external(issuer: Issuer) -> AsyncIterator[ExternalIssuers]:
    async with issuers_for(issuer) as found:
        yield found


@pytest.mark.parametrize(
    ("claims", "is_good"),
    [
        ({"token_use": "access"}, True),
        ({"typ": "Bearer"}, True),
        ({"typ": "Bearer", "nonce": "x"}, True),
        ({"typ": "Bearer", "at_hash": "x"}, False),
        ({"token_use": "id"}, False),
        ({"token_use": ["access"]}, False),
        *(({"typ": typ}, False) for typ in ("ID", "Refresh", "Offline", "Logout")),
        ({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}, False),
        *(({name: "x"}, False) for name in ("nonce", "at_hash", "c_hash", "s_hash")),
    ],
    ids=str,
)
async def test_tokens_for_something_else_do_not_let_in(
    issuer: Issuer, external: ExternalIssuers, claims: dict[str, Any], is_good: bool
) -> None:
    """ID, refresh and logout tokens of Cognito, Keycloak and by the standards."""
    if is_good:
        await assert_good(external, issuer.token(**claims))
    else:
        await assert_refused(external, issuer.token(**claims))
