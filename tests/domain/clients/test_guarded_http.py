"""The guarded client against real TLS servers on loopback, friendly and hostile."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from domain.clients.guarded_http import Fetched, GuardedHTTP
from domain.clients.guarded_url import FetchFailed, FetchFault
from domain.clients.public_addresses import Address
from tests.domain.clients.tls_server import Authority, TLSServer, answer, tls_server

INSIDE = "127.0.0.2"
"""Stands for an address of our own network; 127.0.0.1 for one of the internet."""
KIB = 1024


class Names:
    """A resolver: answers in turn, the last one for ever."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): turns for name, turns in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        turns = self.answers.get(host)
        if turns is None:
            raise OSError("Name or service not known")
        return turns.pop(0) if len(turns) > 1 else turns[0]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca"))


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[TLSServer]:
    context = authority.context("good.test", "other.test", "inside.test", "127.0.0.1")
    async with tls_server(context) as running:
        yield running


@pytest.fixture
async def inside(authority: Authority, server: TLSServer) -> AsyncIterator[TLSServer]:
    """At the same port of an address that is not allowed; its certificate would be trusted."""
    context = authority.context("good.test", "inside.test", INSIDE)
    async with tls_server(context, INSIDE, server.port) as running:
        yield running


def is_allowed(address: Address) -> bool:
    return str(address) != INSIDE


def guarded(
    authority: Authority,
    server: TLSServer,
    names: Names | None = None,
    *,
    max_bytes: int = 64 * KIB,
    total_seconds: float = 5,
) -> GuardedHTTP:
    return GuardedHTTP(
        max_bytes=max_bytes,
        total_seconds=total_seconds,
        ports=(server.port,),
        is_allowed=is_allowed,
        resolver=names or Names(good_test=[["127.0.0.1"]], other_test=[["127.0.0.1"]]),
        tls=authority.trust(),
    )


async def failure(client: GuardedHTTP, url: str) -> FetchFault:
    with pytest.raises(FetchFailed) as caught:
        await client.get(url)
    return caught.value.fault


async def test_a_page_is_fetched_by_name_with_nothing_of_ours(
    authority: Authority, server: TLSServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "ALL_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    body = b"<h1>Backend Engineer</h1>"
    server.routes["/jobs?id=1"] = answer(
        "200 OK", body, Content_Type="text/html; charset=utf-8", Set_Cookie="a=b"
    )
    client = guarded(authority, server)
    url = f"https://good.test:{server.port}/jobs?id=1"

    first, second = await client.get(url), await client.get(url)

    assert first == second == Fetched(url, 200, "text/html; charset=utf-8", body)
    assert server.names == ["good.test", "good.test"]
    for head in server.requests:
        lines = head.decode().lower().split("\r\n")
        assert f"host: good.test:{server.port}" in lines
        assert not any(line.startswith(("cookie", "authorization", "referer")) for line in lines)


async def test_any_other_status_is_an_answer(authority: Authority, server: TLSServer) -> None:
    server.routes["/gone"] = answer("404 Not Found", b"no")
    server.routes["/odd"] = answer("302 Found", b"no location")
    client, base = guarded(authority, server), f"https://good.test:{server.port}"

    assert (await client.get(f"{base}/gone")).status == 404
    assert (await client.get(f"{base}/odd")).status == 302


async def test_a_name_that_resolves_elsewhere_a_moment_later_changes_nothing(
    authority: Authority, server: TLSServer, inside: TLSServer
) -> None:
    server.routes["/"] = answer(body=b"outside")
    inside.routes["/"] = answer(body=b"inside")
    names = Names(good_test=[["127.0.0.1"], [INSIDE]])
    client, url = guarded(authority, server, names), f"https://good.test:{server.port}/"

    assert (await client.get(url)).body == b"outside"
    assert names.asked == ["good.test"]
    assert await failure(client, url) is FetchFault.NOT_PUBLIC
    assert inside.connections == 0


@pytest.mark.parametrize("addresses", [[INSIDE], ["127.0.0.1", INSIDE], [INSIDE, "127.0.0.1"]])
async def test_one_address_inside_spoils_a_name(
    authority: Authority, server: TLSServer, inside: TLSServer, addresses: list[str]
) -> None:
    client = guarded(authority, server, Names(good_test=[addresses]))

    with pytest.raises(FetchFailed) as caught:
        await client.get(f"https://good.test:{server.port}/")
    assert caught.value.fault is FetchFault.NOT_PUBLIC
    assert INSIDE not in str(caught.value), "tells strangers about our network"
    assert (server.connections, inside.connections) == (0, 0)


async def test_the_next_address_is_tried_when_one_is_dead(
    authority: Authority, server: TLSServer
) -> None:
    server.routes["/"] = answer(body=b"here")
    client = guarded(authority, server, Names(good_test=[["127.0.0.9", "127.0.0.1"]]))

    assert (await client.get(f"https://good.test:{server.port}/")).body == b"here"


@pytest.mark.parametrize(
    ("location", "fault"),
    [
        ("https://inside.test:{port}/secret", FetchFault.NOT_PUBLIC),
        ("//inside.test:{port}/secret", FetchFault.NOT_PUBLIC),
        (f"https://{INSIDE}:{{port}}/secret", FetchFault.NOT_PUBLIC),
        ("http://good.test:{port}/", FetchFault.NOT_HTTPS),
        ("https://good.test/", FetchFault.BAD_PORT),
        ("https://user@good.test:{port}/", FetchFault.HAS_USER),
        ("https://127.2:{port}/", FetchFault.BAD_HOST),
        ("https://nowhere.test:{port}/", FetchFault.UNKNOWN_HOST),
        ("file:///etc/passwd", FetchFault.NOT_HTTPS),
        ("https://[", FetchFault.NOT_A_URL),
    ],
)
async def test_a_redirect_is_held_to_the_same_rules(
    authority: Authority, server: TLSServer, inside: TLSServer, location: str, fault: FetchFault
) -> None:
    there = location.format(port=server.port)
    server.routes["/"] = answer("302 Found", Location=there)
    inside.routes["/secret"] = answer(body=b"secret")
    names = Names(good_test=[["127.0.0.1"]], inside_test=[[INSIDE]])
    client = guarded(authority, server, names)

    assert await failure(client, f"https://good.test:{server.port}/") is fault
    assert (server.connections, inside.connections) == (1, 0)


async def test_three_redirects_are_followed_and_no_fourth(
    authority: Authority, server: TLSServer
) -> None:
    for hop in range(4):
        server.routes[f"/{hop}"] = answer("301 Moved Permanently", Location=f"{hop + 1}")
    server.routes["/0"] = answer("307 Temporary Redirect", Location=f"//other.test:{server.port}/1")
    server.routes["/4"] = answer(body=b"end")
    client, base = guarded(authority, server), f"https://good.test:{server.port}"

    found = await client.get(f"{base}/1")
    assert (found.url, found.body) == (f"{base}/4", b"end")
    assert await failure(client, f"{base}/0") is FetchFault.TOO_MANY_REDIRECTS
    assert server.requests[-1].startswith(b"GET /3 ")


async def test_a_certificate_for_another_name_or_of_nobody_is_refused(
    authority: Authority, server: TLSServer, tmp_path: Path
) -> None:
    server.routes["/"] = answer(body=b"x")
    names = Names(stranger_test=[["127.0.0.1"]], good_test=[["127.0.0.1"]])
    url = f"https://stranger.test:{server.port}/"
    assert await failure(guarded(authority, server, names), url) is FetchFault.BAD_CERTIFICATE

    others = guarded(Authority.make(tmp_path), server)
    url = f"https://good.test:{server.port}/"
    assert await failure(others, url) is FetchFault.BAD_CERTIFICATE
    assert server.requests == []


async def test_a_server_without_tls_or_without_a_port_is_unreachable(
    authority: Authority, server: TLSServer
) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(body=b"plain"))
        writer.close()

    listener = await asyncio.start_server(plain, "127.0.0.9", server.port)
    async with listener:
        client = guarded(authority, server, Names(good_test=[["127.0.0.9"]]))
        url = f"https://good.test:{server.port}/"
        assert await failure(client, url) is FetchFault.UNREACHABLE
    assert await failure(client, url) is FetchFault.UNREACHABLE


async def test_a_body_is_cut_at_its_bound_while_it_streams(
    authority: Authority, server: TLSServer
) -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            await writer.drain()
            sent += 4096

    server.routes |= {"/endless": endless, "/exact": answer(body=b"x" * 64 * KIB)}
    server.routes["/more"] = answer(body=b"x" * (64 * KIB + 1))
    client, base = guarded(authority, server), f"https://good.test:{server.port}"

    assert len((await client.get(f"{base}/exact")).body) == 64 * KIB
    assert await failure(client, f"{base}/more") is FetchFault.TOO_LARGE
    assert await failure(client, f"{base}/endless") is FetchFault.TOO_LARGE
    assert sent < 8 * 1024 * KIB  # what the sockets' buffers took in


async def test_compressed_answers_are_unpacked_within_the_bound(
    authority: Authority, server: TLSServer
) -> None:
    bomb = zlib.compressobj(9, wbits=31)
    packed = b"".join(bomb.compress(bytes(1024 * KIB)) for _ in range(32)) + bomb.flush()
    good = gzip.compress(b"page " * 100)
    assert len(packed) < 64 * KIB
    for name, body in {"good": good, "bomb": packed, "cut": good[:-9], "two": good + good,
                       "none": b"plainly not"}.items():  # fmt: skip
        server.routes[f"/{name}"] = answer(body=body, Content_Encoding="gzip")
    server.routes["/twice"] = answer(body=gzip.compress(good), Content_Encoding="gzip, gzip")
    client, base = guarded(authority, server), f"https://good.test:{server.port}"

    assert (await client.get(f"{base}/good")).body == b"page " * 100
    assert await failure(client, f"{base}/bomb") is FetchFault.TOO_LARGE
    for name in ("cut", "two", "none", "twice"):
        assert await failure(client, f"{base}/{name}") is FetchFault.BAD_ANSWER, name


async def test_one_time_bounds_the_whole(authority: Authority, server: TLSServer) -> None:
    is_over = asyncio.Event()

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def silent(writer: asyncio.StreamWriter) -> None:
        await is_over.wait()

    async def slow_names(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    server.routes |= {"/drip": drip, "/silent": silent}
    client = guarded(authority, server, total_seconds=0.5)
    stuck = GuardedHTTP(resolver=slow_names, total_seconds=0.5)
    start = asyncio.get_running_loop().time()
    base = f"https://good.test:{server.port}"
    faults = await asyncio.gather(
        failure(client, f"{base}/drip"),
        failure(client, f"{base}/silent"),
        failure(stuck, "https://good.test/"),
    )

    is_over.set()

    assert set(faults) == {FetchFault.TOO_SLOW}
    assert asyncio.get_running_loop().time() - start < 5


@pytest.mark.parametrize("raw", [b"nonsense\r\n\r\n", b"HTTP/1.1 999999 X\r\n\r\n", b""])
async def test_an_answer_that_is_no_http_is_told_as_such(
    authority: Authority, server: TLSServer, raw: bytes
) -> None:
    server.routes["/"] = raw
    url = f"https://good.test:{server.port}/"
    assert await failure(guarded(authority, server), url) in (
        FetchFault.BAD_ANSWER,
        FetchFault.UNREACHABLE,
    )


async def test_an_answer_cut_short_is_no_answer(authority: Authority, server: TLSServer) -> None:
    server.routes["/"] = answer(body=b"half of it")[:-4]
    url = f"https://good.test:{server.port}/"
    assert await failure(guarded(authority, server), url) is FetchFault.BAD_ANSWER
