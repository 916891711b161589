"""No connection leaves for an address that is not public, however it is written and whenever it appears."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import zlib
from collections.abc import AsyncIterator, Sequence
from ipaddress import IPv4Address, IPv6Address

import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from ingest.sources.addresses import Address, Reach, is_public
from ingest.sources.guarded import AddressRefused, GuardedTransport
from ingest.sources.interface import DocumentTooLarge, SourceRefused
from ingest.sources.packed import PIECE, unpacked
from tests.fixtures.website import Site, answer

PRIVATE_V4 = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
]
PRIVATE_V6 = [
    "::",
    "::1",
    "::7f00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2001:10::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "64:ff9b:1::808:808",
    "::ffff:0:808:808",
]
PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::200e"]

inside = st.sampled_from(PRIVATE_V4).map(IPv4Address)


def wrapped(address: IPv4Address) -> list[IPv6Address]:
    """Every way of putting an IPv4 address into an IPv6 one that some machine unwraps."""
    number = int(address)
    return [
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address(number),
        IPv6Address((0xFFFF << 48) | number),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x64FF9B0001 << 80) | number),
        IPv6Address((0x2002 << 112) | (number << 80) | 1),
        IPv6Address((0x20010000 << 96) | (0x08080808 << 64) | (number ^ 0xFFFFFFFF)),
        IPv6Address((0x20014860 << 96) | (0x5EFE << 32) | number),
        IPv6Address((0x20014860 << 96) | (0x02005EFE << 32) | number),
    ]


def notations(address: IPv4Address) -> list[str]:
    """As `inet_aton` and browsers take them."""
    a, b, c, d = address.packed
    number = int(address)
    return [
        str(number),
        hex(number),
        f"0{number:o}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a}.{(b << 16) | (c << 8) | d}",
        f"{a}.{b}.{(c << 8) | d}",
        f"{a}.{b:#x}.0{c:o}.{d}",
    ]


class Names:
    """A resolver: each name with the answers it gives, one after the other; the last stays."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): found for name, found in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = self.answers[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Deaf(httpcore.AsyncMockBackend):
    """The network, where nobody answers."""

    def __init__(self) -> None:
        super().__init__([])
        self.tried: list[str] = []

    async def connect_tcp(self, host: str, *_: object, **__: object) -> httpcore.AsyncNetworkStream:
        self.tried.append(host)
        raise httpcore.ConnectError("nobody is there")


def deaf(names: Names | None = None) -> tuple[GuardedTransport, Deaf]:
    transport, nobody = GuardedTransport(resolve=names), Deaf()
    transport._backend._network = nobody
    return transport, nobody


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    async with made.served():
        made.put("/", "<p>Hello.</p>")
        yield made


def client(names: Names | None = None, allow: Sequence[str] = (), **more: object) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=GuardedTransport(allow_private=allow, resolve=names), trust_env=False, timeout=5, **more
    )


def port(site: Site) -> int:
    return int(site.base_url.rpartition(":")[2])


@pytest.mark.parametrize("text", [*PRIVATE_V4, *PRIVATE_V6])
def test_what_is_not_globally_routable_is_not_public(text: str) -> None:
    assert not is_public(IPv6Address(text) if ":" in text else IPv4Address(text))


@pytest.mark.parametrize("text", [*PUBLIC, "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1"])
def test_what_everybody_can_reach_is_public(text: str) -> None:
    assert is_public(IPv6Address(text) if ":" in text else IPv4Address(text))


@given(inside)
def test_an_inner_address_is_found_in_every_wrapping(address: IPv4Address) -> None:
    assert not any(map(is_public, wrapped(address)))


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_nothing_is_public_that_the_standard_library_calls_private(address: Address) -> None:
    if address.is_private or address.is_link_local or address.is_multicast or address.is_unspecified:
        assert not is_public(address) or (isinstance(address, IPv6Address) and address.ipv4_mapped)


@given(address=inside, way=st.integers(0, 7))
async def test_no_notation_of_an_address_is_connected_to(address: IPv4Address, way: int) -> None:
    transport, nobody = deaf()
    async with httpx.AsyncClient(transport=transport, trust_env=False) as browser:
        with pytest.raises((AddressRefused, httpx.ConnectError, httpx.InvalidURL)):
            await browser.get(f"http://{notations(address)[way]}:9/")
    assert nobody.tried == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.1/",
        "http://017700000001/",
        "http://2130706433/",
        "http://0/",
        "http://localhost/",
        "http://localhost./",
        "http://LOCALHOST/",
        "http://127.0.0.1./",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:ffff:7f00:0001]/",
        "http://[64:ff9b::169.254.169.254]/",
        "http://[fe80::1%25lo]/",
        "http://example.org@127.0.0.1/",
        "http://example.org:80@127.0.0.1/",
        "http://127.0.0.1#@example.org/",
        "http://１２７.0.0.1/",
        "http://①②⑦.⓪.⓪.①/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:25/",
        "ftp://127.0.0.1/",
    ],
)
async def test_tricks_with_the_address_lead_nowhere(url: str) -> None:
    transport, nobody = deaf()
    async with httpx.AsyncClient(transport=transport, trust_env=False) as browser:
        with pytest.raises((AddressRefused, httpx.TransportError, httpx.InvalidURL)):
            await browser.get(url)
    assert nobody.tried == []


async def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to(site: Site) -> None:
    names = Names(docs_example_org=[["127.0.0.1"], ["169.254.169.254"]])
    async with client(names, ["docs.example.org"]) as browser:
        response = await browser.get(f"http://docs.example.org:{port(site)}/")
    assert response.text == "<p>Hello.</p>"
    assert names.asked == ["docs.example.org"]
    assert site.received[0].headers["host"] == f"docs.example.org:{port(site)}"


async def test_a_name_that_rebinds_is_checked_at_each_connection(site: Site) -> None:
    """The first answer is public, so that it passes; the second is this machine."""
    transport, nobody = deaf(Names(rebind_example_org=[["192.0.2.1", "8.8.8.8"], ["127.0.0.1"]]))
    async with httpx.AsyncClient(transport=transport, trust_env=False) as browser:
        with pytest.raises(httpx.ConnectError, match="nobody is there"):
            await browser.get(f"http://rebind.example.org:{port(site)}/")
        with pytest.raises(AddressRefused, match=r"127\.0\.0\.1"):
            await browser.get(f"http://rebind.example.org:{port(site)}/")
    assert nobody.tried == ["8.8.8.8"]
    assert site.requests == []


async def test_tls_is_spoken_to_the_name_and_not_to_the_address() -> None:
    said: list[tuple[str, str | None]] = []

    class Line(httpcore.AsyncMockStream):
        async def start_tls(self, ssl_context: object, server_hostname: str | None = None, **_: object) -> Line:
            assert getattr(ssl_context, "check_hostname", False)
            said.append((where, server_hostname))
            return self

    class Network(httpcore.AsyncMockBackend):
        async def connect_tcp(self, host: str, *_: object, **__: object) -> Line:
            nonlocal where
            where = host
            return Line([b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"])

    where = ""
    transport = GuardedTransport(resolve=Names(docs_example_org=[["93.184.216.34"]]))
    transport._backend._network = Network([])
    async with httpx.AsyncClient(transport=transport, trust_env=False) as browser:
        request = browser.build_request("GET", "https://docs.example.org/", extensions={"sni_hostname": "evil.example"})
        assert (await browser.send(request)).text == "ok"
    assert said == [("93.184.216.34", "docs.example.org")]


@pytest.mark.parametrize(
    "to", ["http://169.254.169.254/latest/meta-data/", "http://inner.example.org/", "http://[::1]/"]
)
async def test_a_redirect_is_checked_like_an_address(site: Site, to: str) -> None:
    site.redirect("/away", to, 302)
    names = Names(
        docs_example_org=[["127.0.0.1"]], inner_example_org=[["10.0.0.7"]], **{"169_254_169_254": [["169.254.169.254"]]}
    )
    names.answers["::1"] = [["::1"]]
    async with client(names, ["docs.example.org"], follow_redirects=True) as browser:
        with pytest.raises(AddressRefused, match="not on the public internet"):
            await browser.get(f"http://docs.example.org:{port(site)}/away")
    assert site.requests == ["/away"]


async def test_a_redirect_to_a_file_is_refused(site: Site) -> None:
    site.redirect("/away", "file:///etc/passwd", 302)
    async with client(allow=["127.0.0.1"], follow_redirects=True) as browser:
        with pytest.raises((AddressRefused, httpx.UnsupportedProtocol)):
            await browser.get(f"{site.base_url}/away")


async def test_the_message_names_the_host_the_address_and_the_way_out() -> None:
    names = Names(wiki_example_org=[["10.1.2.3"]])
    async with client(names) as browser:
        with pytest.raises(SourceRefused) as refused:
            await browser.get("https://wiki.example.org/")
    assert str(refused.value) == (
        "'wiki.example.org' leads to 10.1.2.3, which is not on the public internet; if it is meant, add"
        " 'wiki.example.org' to `allow_private`"
    )


@pytest.mark.parametrize(
    ("allow", "host", "address", "permitted"),
    [
        (["wiki.example.org"], "WIKI.example.org.", "10.1.2.3", True),
        (["Wiki.Example.ORG."], "wiki.example.org", "fd12::3", True),
        (["bücher.example"], "xn--bcher-kva.example", "10.1.2.3", True),
        (["wiki.example.org"], "other.example.org", "10.1.2.3", False),
        (["wiki.example.org"], "wiki.example.org", "169.254.169.254", False),
        (["wiki.example.org"], "wiki.example.org", "::ffff:169.254.169.254", False),
        (["wiki.example.org"], "wiki.example.org", "0.0.0.0", False),
        (["wiki.example.org"], "wiki.example.org", "fe80::1", False),
        (["wiki.example.org"], "wiki.example.org", "64:ff9b::10.1.2.3", True),
        (["wiki.example.org"], "wiki.example.org", "::1", True),
        (["100.100.100.200"], "any.example.org", "100.100.100.200", True),
        (["fd00:ec2::/32"], "any.example.org", "fd00:ec2::254", True),
        (["169.254.169.254"], "any.example.org", "169.254.169.254", True),
        (["10.0.0.0/8"], "any.example.org", "10.200.0.1", True),
        (["10.0.0.0/8"], "any.example.org", "::ffff:10.200.0.1", True),
        (["10.0.0.0/8"], "any.example.org", "11.0.0.1", True),
        (["10.0.0.0/8"], "any.example.org", "192.168.0.1", False),
        (["fd00::/8"], "any.example.org", "fd12::3", True),
        (["[::1]"], "any.example.org", "::1", True),
        (["127.0.0.1"], "127.0.0.1", "127.0.0.1", True),
        (["127.0.0.1"], "127.0.0.2", "127.0.0.2", False),
    ],
)
def test_private_places_are_reached_as_far_as_they_are_named(
    allow: list[str], host: str, address: str, permitted: bool
) -> None:
    found = IPv6Address(address) if ":" in address else IPv4Address(address)
    assert Reach.of(allow).permits(host, found) is permitted


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd00:ec2::254%eth0",
        "fd20:ce::254",
        "fd00:42::42",
        "::ffff:100.100.100.200",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::100.100.100.200",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "2002:6464:64c8::1",
        "::a9fe:a9fe",
        "::ffff:0:a9fe:a9fe",
        "2001:0:808:808::5601:5601",
        "fd12::5efe:a9fe:a9fe",
    ],
)
async def test_a_name_that_may_be_private_does_not_lead_to_the_keys_of_a_machine(address: str) -> None:
    names = Names(wiki_example_org=[[address]])
    transport, nobody = GuardedTransport(allow_private=["wiki.example.org"], resolve=names), Deaf()
    transport._backend._network = nobody
    async with httpx.AsyncClient(transport=transport, trust_env=False) as browser:
        with pytest.raises(AddressRefused, match=f"if it is meant, add '{re.escape(address)}' to `allow_private`"):
            await browser.get("http://wiki.example.org/")
    assert nobody.tried == []


@given(st.sampled_from([IPv4Address("169.254.169.254"), IPv4Address("100.100.100.200")]))
def test_no_wrapping_opens_an_address_that_a_name_may_not_lead_to(address: IPv4Address) -> None:
    reach = Reach.of(["wiki.example.org"])
    assert not any(reach.permits("wiki.example.org", place) for place in wrapped(address))


@pytest.mark.parametrize(
    "entry", ["", "https://wiki.example.org", "wiki.example.org/docs", "10.0.0.0/40", "2130706433", "0x7f.1", "*"]
)
def test_what_is_no_host_cannot_be_allowed(entry: str) -> None:
    with pytest.raises(ValueError, match="is no host"):
        Reach.of([entry])


async def test_the_next_address_is_tried_where_the_first_does_not_answer(site: Site) -> None:
    names = Names(docs_example_org=[["::1", "127.0.0.1"]])
    async with client(names, ["docs.example.org"]) as browser:
        assert (await browser.get(f"http://docs.example.org:{port(site)}/")).is_success


async def test_a_name_nobody_knows_says_so() -> None:
    async with client(Names()) as browser:
        with pytest.raises(httpx.ConnectError, match=r"'gone\.example\.org' cannot be resolved: Name or service"):
            await browser.get("http://gone.example.org/")


async def test_a_resolver_that_hangs_is_a_timeout() -> None:
    async def hang(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async with httpx.AsyncClient(transport=GuardedTransport(resolve=hang), timeout=0.01) as browser:
        with pytest.raises(httpx.ConnectTimeout, match="was not resolved"):
            await browser.get("http://slow.example.org/")


async def test_proxies_of_the_environment_are_not_asked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with client(allow=["127.0.0.1"]) as browser:
        assert (await browser.get(site.base_url)).is_success


async def content(site: Site, *, max_bytes: int) -> bytes:
    async with client(allow=["127.0.0.1"]) as browser, browser.stream("GET", site.base_url) as response:
        return b"".join([piece async for piece in unpacked(response, max_bytes=max_bytes)])


def packed(data: bytes, encoding: str) -> Response:
    return Response(data, headers={"content-encoding": encoding})


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 300_000])
async def test_what_was_packed_is_unpacked(site: Site, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    site.validators = False
    site.pages["/"] = packed(gzip.compress(data[: size // 2]) + gzip.compress(data[size // 2 : size]), "gzip")
    assert await content(site, max_bytes=1 << 20) == data[:size]


async def test_a_bomb_is_given_up_before_it_is_unpacked(site: Site) -> None:
    bomb = gzip.compress(bytes(200 << 20), 1)
    site.validators = False
    site.pages["/"] = packed(bomb, "gzip")
    with pytest.raises(DocumentTooLarge, match="larger than 1 MiB"):
        await content(site, max_bytes=1 << 20)


@pytest.mark.parametrize(
    ("data", "encoding", "words"),
    [
        (gzip.compress(bytes(10_000))[:-9], "gzip", "ends too early"),
        (b"no gzip at all", "gzip", "damaged"),
        (zlib.compress(b"hello"), "deflate", "was not asked for"),
        (b"hello", "br", "was not asked for"),
        (b"hello", "gzip, gzip", "was not asked for"),
    ],
)
async def test_packing_that_cannot_be_undone_is_an_error(site: Site, data: bytes, encoding: str, words: str) -> None:
    site.validators = False
    site.pages["/"] = packed(data, encoding)
    with pytest.raises(httpx.DecodingError, match=words):
        await content(site, max_bytes=1 << 20)


async def test_a_declared_length_is_believed_when_it_is_too_much(site: Site) -> None:
    site.put("/", bytes(3 << 20))
    with pytest.raises(DocumentTooLarge, match="larger than 2 MiB"):
        await content(site, max_bytes=2 << 20)


async def test_errors_are_those_of_httpx(site: Site) -> None:
    site.faults["/"] = [answer(200, "x" * 10, content_length="20")]
    async with client(allow=["127.0.0.1"]) as browser:
        with pytest.raises(httpx.RemoteProtocolError):
            await browser.get(site.base_url)
        with pytest.raises(httpx.ConnectError):
            await browser.get("http://127.0.0.1:9/")
