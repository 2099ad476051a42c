"""What every answer of the server carries, whatever happens behind it; over real sockets."""

import asyncio
import json
import sys

import httpx2
import pytest

from graph.security_headers import NOTHING_POLICY, SAFE_HEADERS
from tests.cli.command import environment
from tests.conftest import free_port
from tests.graph.perimeter_server import ask, server
from tests.jobs.pieces import until

APP = "https://app.example.com"


async def test_every_answer_carries_the_security_headers() -> None:
    async with server(public_url="https://api.example.com", allowed_origins=[APP]) as base:
        answers = [
            await ask(base, "/who"),
            await ask(base, "/nowhere"),
            await ask(base, "/who", "DELETE"),
            await ask(base, "/bug"),
            await ask(base, "/who", headers={"Host": "evil.example"}),
            await ask(base, "/echo", "POST", content=b"x" * 11_000_000),
            await ask(base, "/who", "OPTIONS", headers=preflight(APP)),
            await ask(base, "/who", "OPTIONS", headers=preflight("https://evil.example")),
        ]
    statuses = [answer.status_code for answer in answers]
    assert statuses == [200, 404, 405, 500, 421, 413, 200, 400]
    for answer in answers:
        for name, value in SAFE_HEADERS.items():
            assert answer.headers.get_list(name) == [value], answer.status_code
        assert answer.headers.get_list("content-security-policy") == [NOTHING_POLICY]
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert len(answer.headers.get_list("x-request-id")) == 1


async def test_a_page_keeps_its_own_policy_and_http_promises_no_https() -> None:
    async with server() as base:
        answer = await ask(base, "/framed")
    assert answer.headers.get_list("content-security-policy") == ["default-src 'self'"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in answer.headers


def preflight(origin: str, method: str = "POST", headers: str = "content-type") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


async def test_pages_on_the_list_may_ask_with_cookies() -> None:
    wanted = "authorization,content-type,graphql-require-preflight,x-request-id"
    async with server(allowed_origins=[APP]) as base:
        allowed = await ask(base, "/who", "OPTIONS", headers=preflight(APP, headers=wanted))
        upload = await ask(base, "/who", "OPTIONS", headers=preflight(APP, "PUT"))
        answer = await ask(base, "/who", headers={"Origin": APP})
        failed = await ask(base, "/bug", headers={"Origin": APP})

    assert (allowed.status_code, upload.status_code) == (200, 200)
    for found in (allowed, answer, failed):
        assert found.headers["access-control-allow-origin"] == APP
        assert found.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in found.headers["vary"]
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert exposed == ["retry-after", "x-request-id"]


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://app.example.com", "https://app.example.com:8443",
     "https://app.example.com.evil.example", "https://xapp.example.com", "*"],
)  # fmt: skip
@pytest.mark.parametrize("allowed", [[], [APP]])
async def test_other_pages_may_not(origin: str, allowed: list[str]) -> None:
    async with server(allowed_origins=allowed) as base:
        asked = await ask(base, "/who", "OPTIONS", headers=preflight(origin))
        answer = await ask(base, "/who", headers={"Origin": origin})
    assert asked.status_code == 400
    assert "access-control-allow-origin" not in {**asked.headers, **answer.headers}
    assert "Origin" in answer.headers["vary"], "or a cache would give it to another page"


async def test_a_page_on_the_list_may_not_send_everything() -> None:
    async with server(allowed_origins=[APP]) as base:
        method = await ask(base, "/who", "OPTIONS", headers=preflight(APP, "DELETE"))
        header = await ask(
            base, "/who", "OPTIONS", headers=preflight(APP, headers="x-forwarded-for")
        )
    assert (method.status_code, header.status_code) == (400, 400)


async def test_a_bug_is_masked_and_logged_whole_with_the_request_id() -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.graph.perimeter_server", str(port),
        stderr=asyncio.subprocess.PIPE, env=environment(),
    )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        await until(lambda: is_live(base))
        answer = await ask(base, "/bug", headers={"X-Request-ID": "trace-4711-abc"})
    finally:
        process.terminate()
        _, stderr = await process.communicate()

    body = answer.json()
    assert (answer.status_code, body["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert answer.headers["x-request-id"] == body["requestId"] == "trace-4711-abc"
    assert "trace-4711-abc" in body["message"]
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    lines = map(json.loads, stderr.decode().splitlines())
    [entry] = [line for line in lines if line["level"] == "error"]
    assert entry["request_id"] == "trace-4711-abc"
    assert "in bug" in entry["exception"], "the traceback"
    assert "RuntimeError: the secret is 4711" in entry["exception"]


async def is_live(base: str) -> bool:
    try:
        return (await ask(base, "/health/live")).status_code == 200
    except httpx2.TransportError:
        return False


async def test_half_an_answer_is_not_taken_for_a_whole_one() -> None:
    async with server() as base:
        with pytest.raises(httpx2.RemoteProtocolError):
            await ask(base, "/half")


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("4bf92f3577b34da6a3ce929d0e0e4736", True),
        ("0199a2c4-7e55-7cc1-9f3a-2f7f0c1f2a3b", True),
        ("job_12.retry-3", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("short", False),
        ("", False),
        ("-" * 500, False),
        ("id with spaces", False),
        ("<script>alert(1)</script>", False),
        ("{4bf92f3577b34da6a3ce929d0e0e4736}", False),
        ("id\\nforged=line", False),
        ("id;a=b,c=d", False),
    ],
)
async def test_a_request_id_is_kept_only_if_it_is_a_plain_word(given: str, is_kept: bool) -> None:
    async with server() as base:
        answer = await ask(base, "/who", headers={"X-Request-ID": given})
    [found] = answer.headers.get_list("x-request-id")
    assert (found == given) is is_kept
    assert 8 <= len(found) <= 64
