"""Keys of external issuers: fetched, kept, fetched again, from one that may misbehave."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from domain.auth.external_issuers import ExternalIssuers
from domain.auth.issuer_keys import (
    FRESH_SECONDS,
    KEPT_SECONDS,
    MAX_BYTES,
    RETRY_SECONDS,
    UNKNOWN_KID_SECONDS,
    IssuerUnavailable,
)
from tests.domain.auth.issuer_server import (
    DISCOVERY,
    Clock,
    Issuer,
    assert_good,
    assert_refused,
    eddsa_key,
    issuers_for,
    redirect,
    rsa_key,
    running_issuer,
    verify,
)

# Keeping keys, and getting new ones.


async def test_keys_are_fetched_once_for_many_and_again_after_ten_minutes() -> None:
    clock = Clock()
    async with running_issuer() as issuer, issuers_for(issuer, clock=clock) as external:
        issuer.delay = 0.1
        await asyncio.gather(*(verify(external, issuer.token()) for _ in range(50)))
        clock.at += FRESH_SECONDS - 1
        await verify(external, issuer.token())
        assert issuer.asked == [DISCOVERY, "/jwks"]

        clock.at += 1
        await asyncio.gather(*(verify(external, issuer.token()) for _ in range(50)))
        assert issuer.fetches == 2


async def test_a_rotated_key_is_taken_up_at_once_and_a_removed_one_ends() -> None:
    clock, new = Clock(), rsa_key()
    async with running_issuer() as issuer, issuers_for(issuer, clock=clock) as external:
        [old] = issuer.keys
        await verify(external, issuer.token(old))

        issuer.keys = [new]
        issuer.delay = 0.1
        await asyncio.gather(*(verify(external, issuer.token(new)) for _ in range(20)))

        assert issuer.fetches == 2
        clock.at += UNKNOWN_KID_SECONDS
        await assert_refused(external, issuer.token(old))


async def test_unknown_keys_make_us_look_again_every_thirty_seconds_only() -> None:
    clock = Clock()
    async with running_issuer() as issuer, issuers_for(issuer, clock=clock) as external:
        await verify(external, issuer.token())
        for _ in range(3):
            for number in range(20):
                await assert_refused(external, issuer.token(header_kid=f"made up {number}"))
            clock.at += UNKNOWN_KID_SECONDS
        assert issuer.fetches == 1 + 3

        issuer.keys = [eddsa_key()]
        await assert_good(external, issuer.token())


async def test_one_issuers_trouble_is_not_that_of_another() -> None:
    async with running_issuer() as well, running_issuer() as slow:
        slow.delay = 30
        async with issuers_for(well, slow) as external:
            waiting = asyncio.create_task(verify(external, slow.token()))
            await asyncio.sleep(0.05)
            async with asyncio.timeout(1):
                await assert_good(external, well.token())
            waiting.cancel()


async def test_who_goes_away_does_not_take_the_keys_from_others() -> None:
    async with running_issuer() as issuer, issuers_for(issuer) as external:
        issuer.delay = 0.2
        first = asyncio.create_task(verify(external, issuer.token()))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(verify(external, issuer.token()))
        await asyncio.sleep(0.05)
        first.cancel()

        assert (await second).subject == "user-1"
        assert issuer.fetches == 1


# An issuer that is away, or up to no good.


async def test_a_slow_issuer_is_given_up_after_three_seconds() -> None:
    async with running_issuer() as issuer, issuers_for(issuer) as external:
        issuer.delay = 30
        began = time.monotonic()
        with pytest.raises(IssuerUnavailable, match=r"http://127\.0\.0\.1") as caught:
            await verify(external, issuer.token())
        assert caught.value.issuer == issuer.issuer
        assert 2.5 < time.monotonic() - began < 4
        with pytest.raises(IssuerUnavailable):  # and nobody waits for it again so soon
            await verify(external, issuer.token())
        assert time.monotonic() - began < 4


async def test_a_drip_is_given_up_after_three_seconds() -> None:
    """Each byte arrives in time; all of them would take a day."""

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.2)

    async with running_issuer() as issuer, issuers_for(issuer) as external:
        issuer.answer = StreamingResponse(drip())
        began = time.monotonic()
        with pytest.raises(IssuerUnavailable):
            await verify(external, issuer.token())
        assert time.monotonic() - began < 4


async def test_old_keys_serve_for_a_day_while_the_issuer_is_away() -> None:
    clock = Clock()
    async with running_issuer() as issuer, issuers_for(issuer, clock=clock) as external:
        token, unknown = issuer.token(), issuer.token(eddsa_key())
        await verify(external, token)
        issuer.answer = Response(status_code=503)

        clock.at += FRESH_SECONDS
        await assert_good(external, token)
        with pytest.raises(IssuerUnavailable):  # it may be one that we cannot fetch
            await verify(external, unknown)
        clock.at += KEPT_SECONDS - FRESH_SECONDS - 1
        await assert_good(external, token)
        clock.at += 1
        with pytest.raises(IssuerUnavailable):
            await verify(external, token)

        issuer.answer = None
        clock.at += RETRY_SECONDS
        await until_good(external, token)


async def test_nobody_waits_for_an_issuer_that_is_known_to_hang() -> None:
    clock = Clock()
    async with running_issuer() as issuer, issuers_for(issuer, clock=clock) as external:
        token = issuer.token()
        await verify(external, token)
        issuer.discovery_answer = Response(status_code=500)
        clock.at += FRESH_SECONDS
        await verify(external, token)

        issuer.delay = 30
        clock.at += RETRY_SECONDS
        began = time.monotonic()
        for _ in range(20):
            await verify(external, token)
        assert time.monotonic() - began < 1


async def test_an_issuer_that_was_away_at_first_is_asked_again() -> None:
    clock = Clock()
    async with running_issuer() as issuer, issuers_for(issuer, clock=clock) as external:
        issuer.discovery_answer = Response(status_code=500)
        for _ in range(10):
            with pytest.raises(IssuerUnavailable):
                await verify(external, issuer.token())
        assert len(issuer.asked) == 1

        issuer.discovery_answer = None
        clock.at += RETRY_SECONDS
        await assert_good(external, issuer.token())


async def test_an_issuer_that_does_not_listen_is_unavailable() -> None:
    async with running_issuer() as issuer:
        token = issuer.token()
    async with issuers_for(issuer) as external:
        with pytest.raises(IssuerUnavailable):
            await verify(external, token)


async def until_good(external: ExternalIssuers, token: str) -> None:
    """Until a fetch in the background has brought the keys."""
    async with asyncio.timeout(3):
        while True:
            try:
                await verify(external, token)
            except IssuerUnavailable:
                await asyncio.sleep(0.01)
            else:
                return


def keys_of(issuer: Issuer) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in issuer.keys]}


def too_much(issuer: Issuer) -> Response:
    return JSONResponse({**keys_of(issuer), "padding": "x" * MAX_BYTES})


def zipped(issuer: Issuer) -> Response:
    body = gzip.compress(json.dumps({**keys_of(issuer), "x": "x" * 50_000_000}).encode())
    return Response(body, headers={"content-encoding": "gzip"})


BAD_ANSWERS: dict[str, Callable[[Issuer], Response]] = {
    "too much": too_much,
    "zipped": zipped,
    "redirect": lambda issuer: redirect(f"{issuer.issuer}/elsewhere/jwks"),
    "redirect elsewhere": lambda issuer: redirect("http://169.254.169.254/latest/meta-data"),
    "error": lambda issuer: JSONResponse(keys_of(issuer), 500),
    "no content": lambda issuer: Response(status_code=204),
    "not JSON": lambda issuer: Response("<html>"),
    "not UTF-8": lambda issuer: Response(b"\xff\xfe{"),
    "deep": lambda issuer: Response("[" * 200_000),
    "list": lambda issuer: JSONResponse(keys_of(issuer)["keys"]),
    "no keys": lambda issuer: JSONResponse({"keys": []}),
    "keys of another shape": lambda issuer: JSONResponse({"keys": {"a": 1}}),
    "nothing": lambda issuer: Response(b""),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_a_bad_answer_is_no_answer(name: str) -> None:
    clock = Clock()
    async with running_issuer() as issuer, issuers_for(issuer, clock=clock) as external:
        issuer.answer = BAD_ANSWERS[name](issuer)
        with pytest.raises(IssuerUnavailable):
            await verify(external, issuer.token())

        issuer.answer = None
        issuer.discovery_answer = BAD_ANSWERS[name](issuer)
        clock.at += RETRY_SECONDS
        with pytest.raises(IssuerUnavailable):
            await verify(external, issuer.token())


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://elsewhere.example"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": 5},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://169.254.169.254/latest/meta-data"},
        {"jwks_uri": "http://example.com/jwks"},
        {"jwks_uri": "ftp://127.0.0.1/jwks"},
        {"jwks_uri": "/jwks"},
        {"jwks_uri": "http://[::1/jwks"},
        {"jwks_uri": "http://127.0.0.1:99999/jwks"},
    ],
    ids=str,
)
async def test_discovery_that_does_not_keep_to_the_rules_is_no_answer(
    changes: dict[str, object],
) -> None:
    async with running_issuer(discovery=changes) as issuer, issuers_for(issuer) as external:
        began = time.monotonic()
        with pytest.raises(IssuerUnavailable):
            await verify(external, issuer.token())
        assert issuer.fetches == 0
        assert time.monotonic() - began < 1
