"""Addresses that users give: which are refused unseen, and how plain ones are read."""

from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from domain.clients.guarded_http import GuardedHTTP
from domain.clients.guarded_url import FetchFailed, FetchFault, read_url
from domain.clients.public_addresses import is_public

# Each names what must not be reached, in one of the spellings that fetchers fell for.
HOSTILE_URLS = [
    ("http://example.com/", FetchFault.NOT_HTTPS),
    ("ftp://example.com/", FetchFault.NOT_HTTPS),
    ("file:///etc/passwd", FetchFault.NOT_HTTPS),
    ("gopher://example.com/_x", FetchFault.NOT_HTTPS),
    ("javascript://example.com/%0aalert(1)", FetchFault.NOT_HTTPS),
    ("https:example.com", FetchFault.NOT_A_URL),
    ("//example.com/", FetchFault.NOT_A_URL),
    ("example.com", FetchFault.NOT_A_URL),
    ("", FetchFault.NOT_A_URL),
    ("https://", FetchFault.BAD_HOST),
    ("https:///path", FetchFault.BAD_HOST),
    ("https://example.com/" + "a" * 2048, FetchFault.NOT_A_URL),
    ("https://exa mple.com/", FetchFault.NOT_A_URL),
    (" https://example.com/", FetchFault.NOT_A_URL),
    ("https://example.com/\r\nHost: inside", FetchFault.NOT_A_URL),
    ("https://example.com\t.evil.test/", FetchFault.NOT_A_URL),
    ("https://example.com\\@127.0.0.1/", FetchFault.NOT_A_URL),
    ("https:\\\\127.0.0.1/", FetchFault.NOT_A_URL),
    ("https://example.com\x00.evil.test/", FetchFault.NOT_A_URL),
    ("https://user@example.com/", FetchFault.HAS_USER),
    ("https://user:password@example.com/", FetchFault.HAS_USER),
    ("https://example.com@127.0.0.1/", FetchFault.HAS_USER),
    ("https://example.com:443@127.0.0.1/", FetchFault.HAS_USER),
    ("https://example.com:80/", FetchFault.BAD_PORT),
    ("https://example.com:22/", FetchFault.BAD_PORT),
    ("https://example.com:8443/", FetchFault.BAD_PORT),
    ("https://example.com:0443x/", FetchFault.BAD_PORT),
    ("https://example.com:/", FetchFault.BAD_PORT),
    ("https://example.com:99999999/", FetchFault.BAD_PORT),
    ("https://example.com:-443/", FetchFault.BAD_PORT),
    ("https://2130706433/", FetchFault.BAD_HOST),
    ("https://0x7f000001/", FetchFault.BAD_HOST),
    ("https://0x7f.0x0.0x0.0x1/", FetchFault.BAD_HOST),
    ("https://017700000001/", FetchFault.BAD_HOST),
    ("https://0177.0.0.1/", FetchFault.BAD_HOST),
    ("https://127.1/", FetchFault.BAD_HOST),
    ("https://127.0.1/", FetchFault.BAD_HOST),
    ("https://127.0.0.1./", FetchFault.BAD_HOST),
    ("https://127.0.0.0x1/", FetchFault.BAD_HOST),
    ("https://0/", FetchFault.BAD_HOST),
    ("https://8.8.2056/", FetchFault.BAD_HOST),
    ("https://1.2.3.4.5/", FetchFault.BAD_HOST),
    ("https://127.0.0.1%2f@example.com/", FetchFault.HAS_USER),
    ("https://127.0.0.1%00.example.com/", FetchFault.BAD_HOST),
    ("https://１２７.０.０.１/", FetchFault.BAD_HOST),
    ("https://①②⑦.⓪.⓪.①/", FetchFault.BAD_HOST),
    ("https://127。0。0。1/", FetchFault.BAD_HOST),
    ("https://ｌocalhost.example/", FetchFault.BAD_HOST),
    ("https://example.com\u2044inside.test/", FetchFault.BAD_HOST),
    ("https://\u212aube.example/", FetchFault.BAD_HOST),
    ("https://exa\u00admple.com/", FetchFault.BAD_HOST),
    ("https://xn--a.example/", FetchFault.BAD_HOST),
    ("https://localhost/", FetchFault.BAD_HOST),
    ("https://intranet/", FetchFault.BAD_HOST),
    ("https://example.com./", FetchFault.BAD_HOST),
    ("https://.example.com/", FetchFault.BAD_HOST),
    ("https://example..com/", FetchFault.BAD_HOST),
    ("https://exa_mple.com/", FetchFault.BAD_HOST),
    ("https://-example.com/", FetchFault.BAD_HOST),
    ("https://" + "a" * 64 + ".com/", FetchFault.BAD_HOST),
    ("https://" + "a.b" * 100 + ".com/", FetchFault.BAD_HOST),
    ("https://[::1/", FetchFault.BAD_PORT),
    ("https://::1/", FetchFault.BAD_PORT),
    ("https://[127.0.0.1]/", FetchFault.BAD_HOST),
    ("https://[fe80::1%25eth0]/", FetchFault.BAD_HOST),
    ("https://[::1]x/", FetchFault.BAD_PORT),
    ("https://127.0.0.1/", FetchFault.NOT_PUBLIC),
    ("https://127.255.255.254/", FetchFault.NOT_PUBLIC),
    ("https://0.0.0.0/", FetchFault.NOT_PUBLIC),
    ("https://10.0.0.1/", FetchFault.NOT_PUBLIC),
    ("https://172.16.0.1/", FetchFault.NOT_PUBLIC),
    ("https://192.168.1.1/", FetchFault.NOT_PUBLIC),
    ("https://169.254.169.254/latest/meta-data/", FetchFault.NOT_PUBLIC),
    ("https://100.100.100.200/", FetchFault.NOT_PUBLIC),
    ("https://168.63.129.16/", FetchFault.NOT_PUBLIC),
    ("https://192.0.0.192/", FetchFault.NOT_PUBLIC),
    ("https://224.0.0.1/", FetchFault.NOT_PUBLIC),
    ("https://255.255.255.255/", FetchFault.NOT_PUBLIC),
    ("https://[::1]/", FetchFault.NOT_PUBLIC),
    ("https://[::]/", FetchFault.NOT_PUBLIC),
    ("https://[::127.0.0.1]/", FetchFault.NOT_PUBLIC),
    ("https://[::ffff:127.0.0.1]/", FetchFault.NOT_PUBLIC),
    ("https://[::ffff:7f00:1]/", FetchFault.NOT_PUBLIC),
    ("https://[::ffff:8.8.8.8]/", FetchFault.NOT_PUBLIC),
    ("https://[0:0:0:0:0:ffff:a9fe:a9fe]/", FetchFault.NOT_PUBLIC),
    ("https://[64:ff9b::10.0.0.1]/", FetchFault.NOT_PUBLIC),
    ("https://[64:ff9b::a9fe:a9fe]/", FetchFault.NOT_PUBLIC),
    ("https://[64:ff9b:1::8.8.8.8]/", FetchFault.NOT_PUBLIC),
    ("https://[2002:7f00:1::]/", FetchFault.NOT_PUBLIC),
    ("https://[2001:0:53aa:64c:0:fbff:f5ff:fffe]/", FetchFault.NOT_PUBLIC),
    ("https://[fd00:ec2::254]/", FetchFault.NOT_PUBLIC),
    ("https://[fe80::1]/", FetchFault.NOT_PUBLIC),
    ("https://[fec0::1]/", FetchFault.NOT_PUBLIC),
    ("https://[ff02::1]/", FetchFault.NOT_PUBLIC),
    ("https://[100::1]/", FetchFault.NOT_PUBLIC),
    ("https://[2001:db8::1]/", FetchFault.NOT_PUBLIC),
]


@pytest.mark.parametrize(("url", "fault"), HOSTILE_URLS)
async def test_a_hostile_address_is_refused_before_anything_is_asked(
    url: str, fault: FetchFault
) -> None:
    async def nobody_asks(host: str, port: int) -> Sequence[str]:
        raise AssertionError(f"{host} was looked up")

    with pytest.raises(FetchFailed) as caught:
        await GuardedHTTP(resolver=nobody_asks).get(url)

    assert caught.value.fault is fault
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "9.9.9.9",
     "192.167.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::200e",
     "64:ff9b::8.8.8.8", "2001:4860:4860::8888"],
)  # fmt: skip
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("HTTPS://Example.COM", "example.com", "/"),
        ("https://example.com:443?q=1#part", "example.com", "/?q=1"),
        ("https://bücher.example/ä?q=ö", "xn--bcher-kva.example", "/%C3%A4?q=%C3%B6"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", "/"),
        ("https://r3---sn-4g5e.example.com/%20", "r3---sn-4g5e.example.com", "/%20"),
        ("https://8.8.8.8/x", "8.8.8.8", "/x"),
        ("https://[2001:4860:4860:0:0::8888]/", "2001:4860:4860::8888", "/"),
        ('https://example.com/a"<b>', "example.com", "/a%22%3Cb%3E"),
    ],
)
def test_plain_addresses_are_read(url: str, host: str, path: str) -> None:
    target = read_url(url, (443,))
    assert (target.host, target.port, target.path) == (host, 443, path)
