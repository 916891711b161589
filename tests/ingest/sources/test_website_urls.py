"""One spelling for one address, and which addresses belong to a site."""

from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.sources.website import sitemap
from ingest.sources.website.sitemap import Unreadable
from ingest.sources.website.urls import Scope, Site, document_id, file_name, normal

BASE = "https://docs.example.org/en/guide/"

pieces = st.one_of(
    st.sampled_from("/.?#&=%@[]\\ \n;*aé\ud800\x00"),
    st.sampled_from(
        ["https:", "http://", "//", "..", "%2F", "%e9", "::1", "EXAMPLE.org", "рф", ":80", ":99999", "sid=a"]
    ),
)
wild = st.one_of(st.text(), st.lists(pieces, max_size=12).map("".join))


@pytest.mark.parametrize(
    ("url", "spelling"),
    [
        ("HTTPS://Docs.Example.ORG:443", "https://docs.example.org/"),
        ("https://docs.example.org./", "https://docs.example.org/"),
        ("http://docs.example.org:8080/", "http://docs.example.org:8080/"),
        ("/a/./b/../c/", "https://docs.example.org/a/c/"),
        ("prices", "https://docs.example.org/en/guide/prices"),
        ("?page=2", "https://docs.example.org/en/guide/?page=2"),
        ("//help.example.org/faq", "https://help.example.org/faq"),
        ("/a//b", "https://docs.example.org/a//b"),
        ("/%7euser/%c3%bcber/%2f", "https://docs.example.org/~user/%C3%BCber/%2F"),
        ("/über uns", "https://docs.example.org/%C3%BCber%20uns"),
        ("/100%", "https://docs.example.org/100%25"),
        ("/a#part", "https://docs.example.org/a"),
        ("/a?b=1&utm_source=mail&c=2&gclid=x", "https://docs.example.org/a?b=1&c=2"),
        ("/a?fbclid=x", "https://docs.example.org/a"),
        ("/a;jsessionid=1F?PHPSESSID=2", "https://docs.example.org/a"),
        ("/a\n/b\t", "https://docs.example.org/a/b"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
        ("mailto:it@example.org", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("https://ada@example.org/", None),
        ("https://example.org\\@evil.example/", None),
        ("https://example.org:port/", None),
        ("https://example.org/" + "a" * 2000, None),
    ],
)
def test_an_address_has_one_spelling(url: str, spelling: str | None) -> None:
    assert normal(url, BASE) == spelling


@given(wild)
def test_a_spelling_stays_as_it_is_and_can_be_an_id(url: str) -> None:
    if (spelling := normal(url, BASE)) is not None:
        assert normal(spelling) == spelling
        assert spelling.isascii()
        assert spelling.isprintable()
        assert " " not in spelling
        assert urlsplit(spelling).scheme in ("http", "https")
        assert urlsplit(spelling).username is None
        assert not document_id(spelling).endswith("/")
        assert file_name(spelling)


def test_a_site_is_its_hosts_with_and_without_www() -> None:
    site = Site(["www.example.org", "example.org:8080"])
    assert site.covers("http://example.org/a")
    assert site.covers("https://www.example.org/a")
    assert site.covers("https://example.org:8080/")
    assert not site.covers("https://help.example.org/")
    assert not site.covers("https://example.org.evil.example/")
    assert not site.covers("https://example.org:8081/")


def test_patterns_are_tried_on_the_path_as_people_write_it() -> None:
    scope = Scope(["/über/", "*.pdf"], ["*?print=*", "/über/alt/"])
    assert scope.wants("https://example.org/%C3%BCber/uns")
    assert scope.wants("https://example.org/a/b.pdf?version=2")
    assert not scope.wants("https://example.org/%C3%BCber/uns?print=1")
    assert not scope.wants("https://example.org/%C3%BCber/alt/a.pdf")
    assert not scope.wants("https://example.org/other")


@given(
    tail=st.binary(max_size=300),
    head=st.sampled_from([b"", b"<urlset>", b"<urlset><url><loc>", b"\x1f\x8b\x08\x00", b"<sitemapindex "]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_sitemap_or_are_said_not_to_be(tmp_path: Path, tail: bytes, head: bytes) -> None:
    path = tmp_path / "sitemap.xml"
    path.write_bytes(head + tail)
    with suppress(Unreadable):
        sitemap.is_sitemap(path, "https://example.org/sitemap.xml")
        sitemap.read(path, "https://example.org/sitemap.xml")


def test_pictures_and_prefixes_of_a_sitemap_are_no_pages(tmp_path: Path) -> None:
    path = tmp_path / "sitemap.xml"
    path.write_text(
        '<?xml version="1.0"?><s:urlset xmlns:s="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:i="http://i/">'
        "<s:url><s:loc> https://example.org/a?x=1&amp;y=2\n</s:loc><s:lastmod>2026-05-04</s:lastmod>"
        "<i:image><i:loc>https://example.org/a.png</i:loc></i:image></s:url><s:url><s:loc>mailto:x</s:loc></s:url>"
        "<url/></s:urlset>"
    )
    found = sitemap.read(path, "https://example.org/sitemap.xml")
    assert (found.pages, found.sitemaps) == ([("https://example.org/a?x=1&y=2", "2026-05-04")], [])


def test_a_sitemap_that_unpacks_to_too_much_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sitemap.xml.gz"
    path.write_bytes(gzip.compress(b"<urlset>" + b" " * (51 << 20), 1))
    with pytest.raises(Unreadable, match="has more than 50 MiB"):
        sitemap.read(path, "https://example.org/sitemap.xml.gz")
