"""Who is asking, and for whom: what proxies and Host headers can and cannot say."""

import json
from collections.abc import AsyncIterator

import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from domain.core.settings import load_settings
from graph.perimeter import host_name, host_names, perimeter
from tests.graph.perimeter_server import ask, raw, server

PROXY = "127.0.0.2"
"""A second address of this machine, which the settings of some tests name as a proxy."""


FORGED = [
    {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"},
    {"X-Forwarded-For": "203.0.113.9, 127.0.0.1"},
    {"Forwarded": "for=203.0.113.9;proto=https"},
    {"X-Real-IP": "203.0.113.9", "X-Client-IP": "203.0.113.9", "CF-Connecting-IP": "203.0.113.9"},
]


@pytest.mark.parametrize("headers", FORGED)
@pytest.mark.parametrize("trusted", [[], [PROXY], ["10.0.0.0/8", "fd00::/8"]])
async def test_a_stranger_cannot_say_who_they_are(
    headers: dict[str, str], trusted: list[str]
) -> None:
    async with server(trusted_proxies=trusted) as base:
        answer = await ask(base, "/who", headers=headers)
    assert answer.json() == {"address": "127.0.0.1", "scheme": "http"}


@pytest.mark.parametrize("trusted", [PROXY, "127.0.0.2/31"])
async def test_a_named_proxy_is_believed(trusted: str) -> None:
    headers = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
    async with server(trusted_proxies=[trusted]) as base:
        answer = await ask(base, "/who", of=PROXY, headers=headers)
        stranger = await ask(base, "/who", headers=headers)
    assert answer.json() == {"address": "198.51.100.7", "scheme": "https"}
    assert stranger.json() == {"address": "127.0.0.1", "scheme": "http"}


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (["6.6.6.6, 198.51.100.7"], "198.51.100.7"),
        (["6.6.6.6", "198.51.100.7"], "198.51.100.7"),
        (["127.0.0.2, 198.51.100.7, 127.0.0.3"], "198.51.100.7"),
        (["6.6.6.6, 2001:db8::7"], "2001:db8::7"),
        (["6.6.6.6, 198.51.100.7:4711"], "198.51.100.7"),
        ([""], PROXY),
    ],
)
async def test_of_a_proxys_addresses_the_right_most_stranger_counts(
    forwarded: list[str], address: str
) -> None:
    headers = [("X-Forwarded-For", value) for value in forwarded]
    async with server(trusted_proxies=[PROXY, "127.0.0.3"]) as base:
        answer = await ask(base, "/who", of=PROXY, headers=headers)
    assert answer.json()["address"] == address


async def test_a_socket_has_the_callers_address_too() -> None:
    forwarded = {"X-Forwarded-For": "198.51.100.7"}
    async with server(trusted_proxies=[PROXY]) as base:
        address = base.replace("http", "ws") + "/socket"
        proxied = connect(address, additional_headers=forwarded, local_addr=(PROXY, 0))
        async with proxied as websocket:
            assert json.loads(await websocket.recv()) == {"address": "198.51.100.7"}
        async with connect(address, additional_headers=forwarded) as websocket:
            assert json.loads(await websocket.recv()) == {"address": "127.0.0.1"}


async def test_ipv4_at_a_socket_of_both_families_is_still_ipv4() -> None:
    seen: list[Scope] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    [first, *_] = perimeter(load_settings(trusted_proxies=["10.0.0.2"]))
    outer = first.cls(inner, *first.args, **first.kwargs)
    headers = [(b"x-forwarded-for", b"198.51.100.7")]
    for peer in ("::ffff:10.0.0.2", "::ffff:10.0.0.3"):
        scope = {"type": "http", "headers": headers, "client": (peer, 1)}
        await outer(scope, None, None)  # type: ignore[arg-type]  # unused here
    assert [scope["client"][0] for scope in seen] == ["198.51.100.7", "10.0.0.3"]


PUBLIC = {"public_url": "https://api.example.com", "production": True}
OURS = ["api.example.com", "API.Example.COM", "api.example.com:443", "api.example.com:8000",
        "internal.example.com", "[2001:db8::5]", "[2001:DB8:0::5]:80", "10.1.2.3:8000"]  # fmt: skip
OTHERS = ["evil.example", "evil.example:443", "api.example.com.evil.example", "api.example.com.",
          "xapi.example.com", "localhost", "127.0.0.1", "127.0.0.1:8000", "[::1]", "10.1.2.4",
          "169.254.169.254", "10.0.0.0", "example.com", "rebind.network:8000"]  # fmt: skip
MALFORMED = ["", ":8000", "api.example.com:", "api.example.com:99999999", "api.example.com:80x",
             "api.example.com/evil", "user@api.example.com", "api.example.com, evil.example",
             "[2001:db8::5", "2001:db8::5", "[api.example.com]", "[fe80::1%eth0]",
             "api.example.com\xa0", "api\\example.com"]  # fmt: skip


@pytest.fixture
async def production() -> AsyncIterator[str]:
    allowed = ["internal.example.com", "2001:db8::5", "10.1.2.3"]
    async with server(**PUBLIC, allowed_hosts=allowed) as base:
        yield base


async def status_for(base: str, host: str, path: str = "/who") -> int:
    answer = await raw(base, f"GET {path} HTTP/1.1\nHost: {host}\nConnection: close")
    return int(answer.split(b" ")[1])


async def test_only_our_own_names_are_answered(production: str) -> None:
    found = {host: await status_for(production, host) for host in [*OURS, *OTHERS, *MALFORMED]}

    assert found == dict.fromkeys(OURS, 200) | dict.fromkeys(OTHERS, 421) | dict.fromkeys(
        MALFORMED, 400
    )


async def test_two_hosts_and_none_are_malformed(production: str) -> None:
    twice = "GET /who HTTP/1.1\nHost: api.example.com\nHost: evil.example\nConnection: close"
    none = "GET /who HTTP/1.1\nConnection: close"
    forwarded = "GET /who HTTP/1.1\nHost: evil.example\nX-Forwarded-Host: api.example.com"
    for head, status in ((twice, b"400"), (none, b"400"), (forwarded, b"421")):
        assert (await raw(production, f"{head}\nConnection: close")).split(b" ")[1] == status


async def test_a_refused_host_is_told_why(production: str) -> None:
    other = await ask(production, "/who", headers={"Host": "evil.example"})
    bad = await ask(production, "/who", headers={"Host": "a b"})

    assert (other.status_code, other.json()["code"]) == (421, "MISDIRECTED_REQUEST")
    assert "'evil.example'" in other.json()["message"]
    assert "CAREERGRAPH_ALLOWED_HOSTS" in other.json()["message"]
    assert (bad.status_code, bad.json()["code"]) == (400, "BAD_HOST")


async def test_a_socket_of_another_host_is_refused_in_the_handshake(production: str) -> None:
    port = int(production.rpartition(":")[2])
    for host, status in (("evil.example", 421), ("localhost", 421)):
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"ws://{host}:{port}/socket", host="127.0.0.1", port=port)
        assert caught.value.response.status_code == status
        assert caught.value.response.headers["X-Content-Type-Options"] == "nosniff"
    ours = connect(f"ws://api.example.com:{port}/socket", host="127.0.0.1", port=port)
    async with ours as websocket:
        assert json.loads(await websocket.recv()) == {"address": "127.0.0.1"}


async def test_orchestrators_ask_by_address(production: str) -> None:
    for host in ("10.9.8.7:8000", "[fd00::7]:8000", "127.0.0.1"):
        assert await status_for(production, host, "/health/live") == 200
        assert await status_for(production, host, "/metrics") == 200
        assert await status_for(production, host, "/who") == 421
    assert await status_for(production, "pod-7.cluster.local", "/health/live") == 200
    assert await status_for(production, "rebind.network", "/metrics") == 421


def test_locally_the_names_of_this_machine_count_too() -> None:
    local = host_names(load_settings(public_url="http://box.lan:8000", allowed_hosts=["::1"]))
    assert local == {"box.lan", "localhost", "127.0.0.1", "::1"}
    assert host_names(load_settings(**PUBLIC)) == {"api.example.com"}
    assert host_name(b"[0:0::1]:80") == "::1"
