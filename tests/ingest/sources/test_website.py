"""What a website's listing says, and what its pages hold, read from a real server on loopback."""

from __future__ import annotations

import gzip
import shutil
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.responses import Response

from ingest.errors import Transient
from ingest.model import DocumentId, Entry, Parsed
from ingest.parsers.interface import ParsingSettings
from ingest.parsers.sandbox import Sandbox
from ingest.sources.guarded import AddressRefused, GuardedTransport
from ingest.sources.interface import DocumentGone, DocumentTooLarge, SourceRefused, SourceUnavailable
from ingest.sources.website import sitemap
from ingest.sources.website.settings import WebsiteSettings
from ingest.sources.website.source import Website
from ingest.sources.website.urls import normal
from tests.fixtures.website import Site, answer, page
from tests.fixtures.website_visitor import Visitor, put
from tests.ingest.parsers import documents

pytestmark = pytest.mark.usefixtures("without_waits")


async def test_the_pages_of_a_sitemap_index_are_the_documents(site: Site, visitor: Visitor) -> None:
    put(site, "/travel", "/parking/", "/", "/unlisted")
    site.sitemap("/one.xml", "/travel", "/parking/", lastmod="2026-10-01T08:30:00+02:00")
    site.sitemap("/two.xml", "/")
    site.put("/two.xml.gz", gzip.compress(bytes(site.pages.pop("/two.xml").body)), "application/gzip")
    site.sitemap("/sitemap.xml", "/one.xml", "/two.xml.gz", index=True)

    assert set(await visitor.list("/sitemap.xml", readers=["group:staff"])) == {"/travel", "/parking", ""}

    parking = visitor.entry("/parking")
    assert (parking.url, parking.media_type) == (f"{site.base_url}/parking/", "text/html")
    assert parking.readers == {"group:staff"}
    assert visitor.skipped == {}


async def test_what_has_not_changed_is_neither_sent_nor_read_again(site: Site, visitor: Visitor) -> None:
    put(site, "/travel", "/parking")
    site.sitemap("/sitemap.xml", "/travel", "/parking")
    first = await visitor.list("/sitemap.xml")
    assert sorted(site.sent) == ["/parking", "/sitemap.xml", "/travel"]

    assert await visitor.list("/sitemap.xml") == first

    assert site.sent == []


async def test_the_version_is_that_of_what_a_reader_finds(site: Site, visitor: Visitor) -> None:
    site.validators = False
    site.put("/", page("Travel", "Trains are booked through the portal.", head="<script nonce=a1>track(1)</script>"))
    first = await visitor.list()
    around = page("Travel", "Trains are booked through the portal.", head="<script nonce=b2>track(2)</script>")
    site.put("/", around.replace("Imprint", "Imprint, made at 10:31").replace(">Home<", ">Start<"))
    assert await visitor.list() == first
    site.put("/", page("Travel", "Trains are booked at the counter."))
    assert await visitor.list() != first


async def test_a_listing_costs_each_page_one_request(site: Site, visitor: Visitor) -> None:
    put(site, "/", "/a", "/b", **{"/": ["/a", "/b", "/a#top", "/a?utm_source=mail"], "/a": ["/", "/b"]})
    await visitor.list()
    assert sorted(site.requests) == ["/", "/a", "/b", "/robots.txt"]


@pytest.mark.parametrize("damage", ["lost", "garbled", "another format"])
async def test_a_cache_that_is_lost_or_damaged_costs_only_time(site: Site, visitor: Visitor, damage: str) -> None:
    put(site, "/", "/a", **{"/": ["/a"]})
    first = await visitor.list()
    for file in visitor.cache.glob("*.json"):
        file.write_bytes(b'{"format":9}' if damage == "another format" else file.read_bytes()[:20])
    if damage == "lost":
        shutil.rmtree(visitor.cache)

    assert await visitor.list() == first

    shutil.rmtree(visitor.cache)
    async with visitor.source() as source, source.fetch(visitor.entry("/a")) as original:
        assert b"What is to be said of /a." in original.path.read_bytes()


async def test_the_content_that_was_listed_is_handed_out_without_asking_again(site: Site, visitor: Visitor) -> None:
    put(site, "/")
    await visitor.list()
    site.always = answer(503)
    async with visitor.source() as source:
        async with source.fetch(visitor.entry("")) as original:
            assert original.name.endswith(".html")
            assert b"What is to be said" in original.path.read_bytes()
        with pytest.raises(Transient) as failed:
            async with source.fetch(visitor.entry("")):
                pass
    assert not isinstance(failed.value, SourceUnavailable)
    assert str(failed.value) == "'127.0.0.1' answers 503"


async def test_half_a_content_is_not_handed_out(site: Site, visitor: Visitor) -> None:
    put(site, "/")
    await visitor.list()
    (content,) = [file for file in visitor.cache.iterdir() if file.suffix not in (".json", ".part")]
    content.write_bytes(b"")
    async with visitor.source() as source, source.fetch(visitor.entry("")) as original:
        assert b"What is to be said" in original.path.read_bytes()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda site: site.pages.pop("/"), DocumentGone),
        (lambda site: site.faults.update({"/": [answer(403)]}), DocumentGone),
        (lambda site: site.put("/", page("Sign in", "", body="<form><input type=password></form>")), DocumentGone),
        (lambda site: site.put("/", "x" * (2 << 20)), DocumentTooLarge),
    ],
)
async def test_what_cannot_be_fetched_any_more_says_so(site: Site, visitor: Visitor, change: Any, kind: type) -> None:
    put(site, "/")
    await visitor.list()
    shutil.rmtree(visitor.cache)
    change(site)
    async with visitor.source() as source:
        with pytest.raises(kind):
            async with source.fetch(visitor.entry("")):
                pass


async def test_a_page_that_is_not_there_is_not_listed(site: Site, visitor: Visitor) -> None:
    put(site, "/", "/a", **{"/": ["/a", "/never"]})
    site.faults["/gone"] = [answer(410)]
    assert set(await visitor.list("/")) == {"", "/a"}
    del site.pages["/a"]
    assert set(await visitor.list("/")) == {""}
    assert visitor.skipped == {}


async def test_a_crawl_stays_on_the_site(site: Site, visitor: Visitor) -> None:
    put(
        site,
        "/",
        "/a",
        **{"/": ["/a", "https://example.org/", "http://169.254.169.254/", "mailto:it@example.org", "javascript:x"]},
    )
    site.redirect("/out", "http://169.254.169.254/latest/meta-data/")
    put(site, "/a", **{"/a": ["/out"]})
    assert set(await visitor.list()) == {"", "/a"}
    assert visitor.skipped == {}


async def test_a_crawl_ends_at_its_depth(site: Site, visitor: Visitor) -> None:
    put(site, "/", "/1", "/2", "/3", **{"/": ["/1"], "/1": ["/2"], "/2": ["/3"]})
    assert set(await visitor.list(max_depth=2)) == {"", "/1", "/2"}
    assert visitor.skipped == {}
    assert set(await visitor.list(max_depth=0)) == {""}


async def test_a_crawl_that_is_cut_off_removes_nothing(site: Site, visitor: Visitor) -> None:
    put(site, "/", "/1", "/2", "/3", **{"/": ["/1", "/2", "/3"]})
    assert set(await visitor.list(max_pages=2)) == {"", "/1"}
    assert visitor.unseen == {"http://"}
    assert visitor.skipped["http://"] == (
        "the site has more than 2 pages; raise `max_pages`; until then only what is seen to be gone is removed"
    )
    assert set(await visitor.list(max_pages=4)) == {"", "/1", "/2", "/3"}
    assert visitor.skipped == {}


async def test_a_site_that_invents_addresses_without_end_is_bounded(site: Site, visitor: Visitor) -> None:
    put(site, "/", **{"/": [f"/{number}" for number in range(500)]})
    await visitor.list(max_pages=3)
    assert len(site.requests) <= 62
    assert visitor.unseen == {"http://"}


async def test_patterns_say_which_pages_are_wanted(site: Site, visitor: Visitor) -> None:
    links = ["/docs/a", "/docs/old/b", "/blog/c", "/über/d", "/docs/e?page=2"]
    put(site, "/", *links[:3], "/%C3%BCber/d", "/docs/e?page=2", **{"/": links})
    assert set(await visitor.list(include=["/docs/", "/über/"], exclude=["old/", "*?page=*"])) == {
        "/docs/a",
        "/%C3%BCber/d",
    }
    assert set(site.requests) == {"/robots.txt", "/", "/docs/a", "/%C3%BCber/d"}


async def test_files_are_documents_wherever_they_are_linked(site: Site, visitor: Visitor) -> None:
    put(site, "/travel", "/deeper", **{"/travel": ["/policy.pdf", "/photo.jpg", "/deeper"]})
    site.put("/policy.pdf", documents.pdf(), "application/pdf")
    site.put("/photo.jpg", b"\xff\xd8", "image/jpeg")
    site.sitemap("/sitemap.xml", "/travel")

    assert set(await visitor.list("/sitemap.xml")) == {"/travel", "/policy.pdf"}

    assert "/photo.jpg" not in site.requests
    policy = visitor.entry("/policy.pdf")
    async with visitor.source() as source, Sandbox(ParsingSettings()) as sandbox, source.fetch(policy) as original:
        assert (source.parser_for(policy), original.name) == ("kreuzberg", "policy.pdf")
        assert documents.SENTENCE in (await sandbox.parse(original, "kreuzberg")).text


async def test_what_is_no_text_is_skipped_and_not_sent_again(site: Site, visitor: Visitor) -> None:
    site.put("/film", b"0" * 2000, "video/mp4")
    site.put("/feed", "<rss/>", "application/rss+xml")
    site.put("/large", "word " * (300 << 10))
    site.put("/nothing", "")
    site.sitemap("/sitemap.xml", "/film", "/feed", "/large", "/nothing")
    reasons = {
        "/film": "video/mp4 holds no text",
        "/feed": "application/rss+xml is for programs",
        "/large": "larger than 1 MiB (`parsing.max_file_mb`)",
        "/nothing": "there is nothing in it",
    }
    for sent in (5, 0):
        assert await visitor.list("/sitemap.xml") == {}
        assert visitor.skipped == reasons
        assert visitor.unseen == set()
        assert len(site.sent) == sent


async def test_pages_that_are_no_content_are_skipped(site: Site, visitor: Visitor) -> None:
    site.put("/login", page("Sign in", "Welcome back.", body="<form><input type='password'></form>"))
    site.put("/app", "<!doctype html><html><body><div id=root></div><script>run()</script></body></html>")
    site.put("/private", page("Private", "Not to be found.", head="<meta name='Robots' content='NOINDEX, nofollow'>"))
    site.put("/header", page("Header", "Not to be found."), x_robots_tag="otherbot: all, noindex, souffleur: noindex")
    site.put("/other", page("Other", "To be found."), x_robots_tag="otherbot: noindex")
    site.faults["/secret"] = [answer(401)]
    site.sitemap("/sitemap.xml", "/login", "/app", "/private", "/header", "/other", "/secret")

    assert set(await visitor.list("/sitemap.xml")) == {"/other"}

    assert visitor.skipped == {
        "/login": "a page to sign in, which is all that is shown without",
        "/app": "there is no text on it until its scripts have run",
        "/private": "it asks not to be found (noindex)",
        "/header": "it asks not to be found (noindex)",
        "/secret": "its server answers 401: nobody may read it without signing in",
    }
    assert visitor.unseen == set()


async def test_a_page_with_a_login_in_its_menu_is_content(site: Site, visitor: Visitor) -> None:
    site.put(
        "/", page("Travel", "Trains are booked through the portal. " * 20, body="<form><input type=password></form>")
    )
    assert set(await visitor.list()) == {""}


async def test_one_document_is_listed_for_each_canonical_page(site: Site, visitor: Visitor) -> None:
    canonical = "<link rel='canonical' href='/prices'>"
    put(site, "/", "/fares", **{"/": ["/prices?sort=up", "/prices?sort=down", "/old", "/moved"]})
    site.put("/prices", page("Prices", "A ticket is three euros."))
    site.put("/prices?sort=up", page("Prices", "A ticket is three euros, up.", head=canonical))
    site.put("/prices?sort=down", page("Prices", "A ticket is three euros, down.", head=canonical))
    site.redirect("/old", "/moved", 302)
    site.put("/moved", f"<meta http-equiv='Refresh' content='0; url={site.base_url}/fares'>")
    for _ in range(2):
        assert set(await visitor.list()) == {"", "/prices", "/fares"}


async def test_a_canonical_page_that_is_not_there_or_elsewhere_does_not_count(site: Site, visitor: Visitor) -> None:
    put(site, "/", **{"/": ["/a", "/b", "/c", "/d"]})
    site.put("/a", page("A", "Its real page is missing.", head="<link rel=canonical href=/missing>"))
    site.put("/b", page("B", "Its real page is elsewhere.", head="<link rel=canonical href=https://example.org/b>"))
    site.put("/c", page("C", "Its real page is the next.", head="<link rel=canonical href=/d>"))
    site.put("/d", page("D", "Its real page is the one before.", head="<link rel=canonical href=/c>"))
    listed = await visitor.list()
    assert set(listed) == {"", "/a", "/b", "/c"}
    async with visitor.source() as source, source.fetch(visitor.entry("/a")) as original:
        assert b"missing" in original.path.read_bytes()


async def test_links_are_relative_to_the_base_that_a_page_declares(site: Site, visitor: Visitor) -> None:
    site.put("/", page("Home", "See below.", links=["guide"], head="<base href='/en/'>"))
    put(site, "/en/guide")
    assert set(await visitor.list()) == {"", "/en/guide"}


async def test_links_of_a_page_that_says_so_are_not_followed(site: Site, visitor: Visitor) -> None:
    site.put("/", page("Home", "See below.", links=["/a"], head="<meta name=robots content=nofollow>"))
    put(site, "/a")
    assert set(await visitor.list()) == {""}


async def test_redirects_in_a_circle_end(site: Site, visitor: Visitor) -> None:
    put(site, "/", "/a", **{"/": ["/one", "/a"]})
    site.redirect("/one", "/two")
    site.redirect("/two", "/one")
    assert set(await visitor.list()) == {"", "/a"}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda site: None, "there is nothing at that address; correct `start`"),
        (lambda site: site.faults.update({"/": [answer(403)]}), "answers 403: nobody may read it without signing in"),
        (
            lambda site: site.redirect("/", "https://login.example.org/?next=/"),
            "leads to 'https://login.example.org/?next=/'",
        ),
        (lambda site: site.redirect("/", "/"), "leads in a circle"),
        (
            lambda site: site.put("/", page("Sign in", "", body="<form><input type=password></form>", links=["/lost"])),
            "a page to sign in",
        ),
        (lambda site: site.put("/", "<html><body><script>run()</script></body></html>"), "until its scripts have run"),
        (lambda site: site.put("/", b"0", "image/png"), "image/png holds no text"),
    ],
)
async def test_a_start_page_that_cannot_be_one_is_refused(site: Site, visitor: Visitor, make: Any, words: str) -> None:
    make(site)
    with pytest.raises(SourceRefused) as refused:
        await visitor.list()
    assert str(refused.value).startswith(f"source 'docs': '{site.base_url}/' cannot be listed: ")
    assert words in str(refused.value)


@pytest.mark.parametrize("start", ["/", "/sitemap.xml"])
async def test_a_start_that_fails_is_unavailable(site: Site, visitor: Visitor, start: str) -> None:
    site.faults[start] = [answer(502)] * 10
    with pytest.raises(SourceUnavailable) as failed:
        await visitor.list(start)
    assert str(failed.value) == (
        f"source 'docs': '{site.base_url}{start}' cannot be listed: '127.0.0.1' answers 502; nothing is removed, try"
        " again later"
    )


async def test_an_empty_sitemap_is_an_empty_listing(site: Site, visitor: Visitor) -> None:
    site.sitemap("/sitemap.xml")
    assert (await visitor.list("/sitemap.xml"), visitor.listed) == ({}, [])


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        ("<urlset><url><loc>/a</loc></url><url>", SourceUnavailable, "is cut off, or is no XML"),
        ("<urlset>" + "<a>" * 30, SourceUnavailable, "is nested as no sitemap is"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><urlset><url><loc>&a;</loc></url></urlset>", SourceUnavailable, "DTDForbidden"),
        (
            page("Sign in", "", body="<form><input type=password></form>"),
            SourceRefused,
            "no sitemap, but a page to sign in",
        ),
        (gzip.compress(b"<urlset>" + b" " * 10_000)[:-9], SourceUnavailable, "is cut off"),
    ],
)
async def test_what_is_no_sitemap_is_not_taken_for_an_empty_one(
    site: Site, visitor: Visitor, content: str | bytes, kind: type[Exception], words: str
) -> None:
    for start in ("/sitemap.xml", "/index.xml"):
        site.sitemap("/index.xml", "/sitemap.xml", index=True)
        site.put("/sitemap.xml", content, "text/html" if "doctype html" in str(content) else "application/xml")
        with pytest.raises(kind if start == "/sitemap.xml" else (SourceUnavailable, kind)) as failed:
            await visitor.list(start)
        assert words in str(failed.value) or "a page where a sitemap should be" in str(failed.value)


async def test_a_sitemap_that_another_one_names_in_vain_removes_nothing(site: Site, visitor: Visitor) -> None:
    put(site, "/a")
    site.sitemap("/one.xml", "/a")
    site.sitemap("/index.xml", "/one.xml", "/missing.xml", "https://cdn.example.org/three.xml", index=True)
    assert set(await visitor.list("/index.xml")) == {"/a"}
    assert visitor.unseen == {"http://"}
    assert "'/missing.xml'" in visitor.skipped["http://"].replace(site.base_url, "")
    assert "(and 1 more like it)" in visitor.skipped["http://"]


async def test_a_sitemap_of_another_host_says_how_to_allow_it(site: Site, visitor: Visitor) -> None:
    site.sitemap("/sitemap.xml", "https://help.example.org/a")
    with pytest.raises(SourceRefused, match=r"are on 'help\.example\.org'; if that is the site, add it to `hosts`"):
        await visitor.list("/sitemap.xml")


async def test_a_sitemap_may_be_a_list_of_lines(site: Site, visitor: Visitor) -> None:
    put(site, "/a", "/b")
    site.put("/sitemap.txt", f"{site.base_url}/a\r\n\r\n{site.base_url}/b\r\n", "text/plain")
    assert set(await visitor.list("/sitemap.txt")) == {"/a", "/b"}


def test_a_long_list_of_short_lines_takes_little_memory(tmp_path: Path) -> None:
    lines = tmp_path / "sitemap.txt"
    lines.write_bytes(b"https://docs.example.org/\n" + b"ab\n\n" * (1 << 20))
    tracemalloc.start()
    try:
        read = sitemap.read(lines, "https://docs.example.org/sitemap.txt")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(read.pages) == sitemap.MOST_ADDRESSES
    assert most < 30 << 20


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_list_of_lines_is_read_whole_wherever_its_pieces_begin(tmp_path: Path, end: str) -> None:
    pages = [f"https://docs.example.org/{'über' * (number % 9)}/{number}" for number in range(9_000)]
    endless = "https://docs.example.org/" + "x" * (3 * sitemap.PIECE)
    lines = tmp_path / "sitemap.txt"
    lines.write_bytes(end.join(["\ufeff" + pages[0], endless, *pages[1:]]).encode())
    read = sitemap.read(lines, "https://docs.example.org/sitemap.txt")
    assert [page for page, _ in read.pages] == [normal(page) for page in pages]


async def test_further_hosts_belong_to_the_site_when_they_are_named(site: Site, visitor: Visitor) -> None:
    other = Site()

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with other.served():
        port = int(other.base_url.rpartition(":")[2])
        put(site, "/", **{"/": [f"http://help.example.org:{port}/faq"]})
        put(other, "/faq")
        hosts = [f"help.example.org:{port}"]
        visitor.more["transport"] = GuardedTransport(allow_private=["help.example.org", "127.0.0.1"], resolve=resolve)
        assert set(await visitor.list(hosts=hosts)) == {"", f"http://help.example.org:{port}/faq"}


async def test_a_private_host_is_refused_with_the_way_out(site: Site, visitor: Visitor) -> None:
    with pytest.raises(AddressRefused) as refused:
        await visitor.list(allow_private=[])
    assert str(refused.value) == (
        "source 'docs': 127.0.0.1 is not on the public internet; if it is meant, add it to `allow_private`"
    )
    assert site.requests == []


async def test_cookies_are_neither_kept_nor_sent(site: Site, visitor: Visitor) -> None:
    site.put("/", page("Home", "Welcome.", links=["/a"]), set_cookie="session=1; Path=/")
    put(site, "/a")
    await visitor.list()
    assert not any("cookie" in request.headers for request in site.received)


async def test_a_page_is_read_as_an_article_in_the_sandbox(site: Site, visitor: Visitor) -> None:
    del visitor.more["parse"]
    head = (
        "<meta name=author content='Ada Lovelace'><script type='application/ld+json'>"
        '{"@graph": [{"@type": "Article", "dateModified": "2026-05-04"}]}</script>'
    )
    text = "Zwölf Tage im Voraus zu buchen, höchstens 300 €."
    site.put("/", page("Reisen", text, head=head).encode("iso-8859-15"), content_type="text/html; charset=iso-8859-15")
    await visitor.list()
    entry = visitor.entry("")
    async with visitor.source() as source, Sandbox(ParsingSettings()) as sandbox, source.fetch(entry) as original:
        parsed = await sandbox.parse(original, source.parser_for(entry))
    assert parsed == Parsed(
        text=f"# Reisen\n\n{text}", title="Reisen", author="Ada Lovelace", updated_at=datetime(2026, 5, 4, tzinfo=UTC)
    )


async def test_a_page_that_takes_too_long_to_read_costs_only_itself(site: Site, visitor: Visitor) -> None:
    del visitor.more["parse"]
    put(site, "/", "/a", **{"/": ["/bomb", "/a"]})
    site.put("/bomb", "<!doctype html>" + "<b a=1><p>" * 50_000)

    async def list_with(source: Website) -> None:
        source._parsing = ParsingSettings(cpu_seconds=1, workers=1, memory_mb=1024)
        visitor.listed = [item async for item in source.list(None)]

    async with visitor.source() as source:
        await list_with(source)
    assert {item.id for item in visitor.listed if isinstance(item, Entry)} == {site.base_url, f"{site.base_url}/a"}
    assert visitor.unseen == {"/bomb", "http://"}


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"last_modified": "Mon, 02 Nov 2026 10:00:00 GMT"}, datetime(2026, 11, 2, 10, tzinfo=UTC)),
        ({"last_modified": "Mon, 02 Nov 2026 10:00:00 GMT", "date": "Mon, 02 Nov 2026 10:00:09 GMT"}, None),
        ({}, None),
    ],
)
async def test_the_last_change_is_not_the_moment_of_asking(
    site: Site, visitor: Visitor, changed: dict[str, str], found: datetime | None
) -> None:
    site.put("/", page("Travel", "Trains."), **changed)
    await visitor.list()
    async with visitor.source() as source, source.fetch(visitor.entry("")) as original:
        assert original.updated_at == found


async def test_what_nobody_links_to_any_more_is_forgotten(site: Site, visitor: Visitor) -> None:
    put(site, "/", "/a", **{"/": ["/a"]})
    await visitor.list()
    put(site, "/")
    await visitor.list()
    assert len(list(visitor.cache.glob("*.json"))) == 1
    assert not list(visitor.cache.glob("*.part"))


async def test_a_folder_that_cannot_be_written_is_named(site: Site, visitor: Visitor, tmp_path: Path) -> None:
    put(site, "/")
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(SourceUnavailable, match=r"its folder '.*cache' cannot be used"):
        await visitor.list()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"start": []}, "at least 1"),
        ({"start": ["docs.example.org"]}, "'docs.example.org' is no address of a page or sitemap"),
        ({"start": ["file:///etc/passwd"]}, "is no address"),
        ({"start": ["https://ada:secret@example.org/"]}, "is no address"),
        ({"hosts": ["https://help.example.org"]}, "write it like help.example.org"),
        ({"allow_private": ["http://wiki"]}, "is no host"),
        ({"include": [""]}, "names no file"),
        ({"user_agent": "two\nlines"}, "pattern"),
        ({"max_pages": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        WebsiteSettings(**({"start": ["https://docs.example.org/"]} | wrong))
    assert words in str(refused.value)


def test_a_document_is_named_by_its_address() -> None:
    settings = WebsiteSettings(start=["https://Docs.example.org:443/a/../#top", "https://docs.example.org/"])
    assert settings.start == ["https://docs.example.org/"]
    assert settings.location == "https://docs.example.org/"
    assert DocumentId(settings.start[0])


async def test_a_response_with_no_body_or_an_odd_status_is_not_content(site: Site, visitor: Visitor) -> None:
    put(site, "/", **{"/": ["/teapot", "/empty", "/unasked"]})
    site.faults["/teapot"] = [answer(418)]
    site.pages["/empty"] = Response(status_code=204)
    site.pages["/unasked"] = Response(status_code=304)
    assert set(await visitor.list()) == {""}
    assert visitor.skipped["/teapot"] == "its server answers 418"
    assert visitor.unseen == {"/empty", "/unasked", "http://"}
