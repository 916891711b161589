"""Listings of a website that could not look at everything, and the patience with its servers."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from starlette.responses import Response

from ingest.change import Outcome
from ingest.sources.interface import SourceRefused, SourceUnavailable
from ingest.sync import Report
from tests.fixtures.website import Site, answer, page
from tests.fixtures.website_visitor import Visitor, put
from tests.ingest.workplace import Workplace

pytestmark = pytest.mark.usefixtures("without_waits")


async def test_a_page_that_fails_stays_as_it_was_with_all_it_links_to(site: Site, visitor: Visitor) -> None:
    put(site, "/", "/hub", "/leaf", **{"/": ["/hub"], "/hub": ["/leaf"]})
    await visitor.list()
    site.faults["/hub"] = [answer(500)] * 10

    assert set(await visitor.list()) == {"", "/leaf"}

    assert visitor.unseen == {"/hub"}
    assert visitor.skipped == {"/hub": "'127.0.0.1' answers 500"}


async def test_a_page_that_was_never_read_and_fails_keeps_everything(site: Site, visitor: Visitor) -> None:
    put(site, "/", "/leaf", **{"/": ["/hub", "/leaf", "/dead"]})
    site.faults["/hub"] = [answer(500)] * 10

    assert set(await visitor.list()) == {"", "/leaf"}

    assert visitor.unseen == {"/hub", "http://"}
    assert "so what it links to is not known" in visitor.skipped["http://"]
    assert visitor.gone == {"/dead"}


def break_one_link(site: Site) -> None:
    """From now on the listing is incomplete: an address that always fails, and that was never read."""
    put(site, "/", **{"/": ["/broken"]})
    site.faults["/broken"] = [answer(500)] * 1000


async def test_what_was_looked_at_and_says_no_is_gone_although_one_link_is_broken(site: Site, visitor: Visitor) -> None:
    paths = ["/missing", "/noindex", "/moved", "/closed", "/double", "/secret", "/page"]
    put(site, "/", *paths, **{"/": paths})
    assert len(await visitor.list()) == 8
    break_one_link(site)
    put(site, "/", **{"/": ["/broken", *paths]})
    del site.pages["/missing"]
    site.put("/noindex", page("Hidden", "Not to be found.", head="<meta name=robots content=noindex>"))
    site.redirect("/moved", "https://elsewhere.example.org/")
    site.put("/robots.txt", "User-agent: *\nDisallow: /closed\n")
    site.put("/double", page("Double", "The same.", head="<link rel=canonical href=/page>"))
    site.faults["/secret"] = [answer(401)]

    assert set(await visitor.list()) == {"", "/page"}

    assert visitor.gone == {"/missing", "/noindex", "/moved", "/closed", "/double"}
    assert visitor.unseen == {"/broken", "http://"}
    assert "/secret" in visitor.skipped


async def test_what_an_incomplete_listing_does_not_reach_is_asked_for(site: Site, visitor: Visitor) -> None:
    paths = ["/missing", "/gone", "/noindex", "/moved", "/closed", "/unwanted", "/changed", "/same", "/fails"]
    put(site, "/", *paths, "/target", **{"/": paths, "/changed": ["/"]})
    first = await visitor.list()
    break_one_link(site)
    del site.pages["/missing"]
    site.faults["/gone"] = [answer(410)]
    site.put("/noindex", page("Hidden", "Not to be found."), x_robots_tag="noindex")
    site.redirect("/moved", "/target")
    site.put("/robots.txt", "User-agent: *\nDisallow: /closed\n")
    site.put("/changed", page("Changed", "Now it says something else.", links=["/never-linked-before"]))
    site.faults["/fails"] = [answer(500)] * 10

    listed = await visitor.list(exclude=["/unwanted"])

    assert set(listed) == {"", "/changed", "/same", "/target"}
    assert listed["/same"] == first["/same"]
    assert listed["/changed"] != first["/changed"]
    assert visitor.gone == {"/missing", "/gone", "/noindex", "/moved", "/closed", "/unwanted"}
    assert visitor.unseen == {"/broken", "/fails", "http://"}
    assert visitor.skipped["http://"].startswith(f"'{site.base_url}/broken' could not be read")
    assert not {"/unwanted", "/closed", "/never-linked-before"} & set(site.requests)
    assert site.sent.count("/same") == 0


async def test_a_deletion_is_told_until_a_listing_is_complete_again(site: Site, visitor: Visitor) -> None:
    """What is told to be gone may be held back; it is known to be gone in the next run, too."""
    put(site, "/", "/a", **{"/": ["/a"]})
    await visitor.list()
    break_one_link(site)
    del site.pages["/a"]
    for _ in range(2):
        await visitor.list()
        assert visitor.gone == {"/a"}
    put(site, "/")
    await visitor.list()
    assert (visitor.gone, visitor.skipped) == (set(), {})
    assert len(list(visitor.cache.glob("*.json"))) == 1


async def test_no_more_than_max_pages_are_asked_for_again_and_all_in_turn(site: Site, visitor: Visitor) -> None:
    paths = [f"/{number}" for number in range(7)]
    put(site, "/", *paths, **{"/": paths})
    await visitor.list()
    for number, file in enumerate(sorted(visitor.cache.glob("*.json"))):
        os.utime(file, (number, number))
    break_one_link(site)
    for path in paths:
        del site.pages[path]
    told: list[set[str]] = []
    for _ in range(3):
        assert set(await visitor.list(max_pages=3)) == {""}
        assert len(set(site.requests) & set(paths)) == 3
        assert "http://" in visitor.unseen
        told.append(visitor.gone)
    assert set.union(*told) == set(paths)


async def test_a_crawl_that_is_cut_off_still_sees_what_is_gone(site: Site, visitor: Visitor) -> None:
    put(site, "/", "/1", "/2", "/3", **{"/": ["/1", "/2", "/3"]})
    await visitor.list()
    del site.pages["/3"]
    assert set(await visitor.list(max_pages=2)) == {"", "/1", "/2"}
    assert visitor.gone == {"/3"}
    assert visitor.skipped == {"http://": visitor.skipped["http://"]}
    assert "the site has more than 2 pages; raise `max_pages`; " in visitor.skipped["http://"]


async def test_what_may_be_under_another_spelling_is_not_gone(site: Site, visitor: Visitor) -> None:
    """`/a` and `/a/` are one document; the one that has it is not reached, and its turn does not come."""
    put(site, "/", "/a/", "/b", "/c", **{"/": ["/a/", "/b", "/c"]})
    assert set(await visitor.list()) == {"", "/a", "/b", "/c"}
    for file in visitor.cache.glob("*.json"):
        os.utime(file, (2, 2) if '/a/"' in file.read_text() else (1, 1))
    break_one_link(site)
    put(site, "/", **{"/": ["/broken", "/a"]})
    assert set(await visitor.list(max_pages=2)) == {"", "/b", "/c"}
    assert "/a" in site.requests
    assert (visitor.gone, visitor.unseen) == (set(), {"/broken", "http://"})


async def test_pages_of_an_old_scheme_are_not_removed_unseen(site: Site, visitor: Visitor) -> None:
    """An incomplete listing covers all that is remembered, asked for or not."""
    put(site, "/", "/a", "/b", **{"/": ["/a", "/b"]})
    await visitor.list()
    for file in visitor.cache.glob("*.json"):
        record = file.read_text().replace(f'"url":"{site.base_url}/a"', f'"url":"https{site.base_url[4:]}/a"')
        file.write_text(record)
        os.utime(file, (2, 2) if "https:" in record else (1, 1))
    break_one_link(site)
    await visitor.list(max_pages=1)
    assert {"http://", "https://"} <= visitor.unseen


async def test_a_dead_part_of_a_site_that_nobody_links_to_does_not_stop_the_rest(site: Site, visitor: Visitor) -> None:
    paths = [f"/{number}" for number in range(40)]
    put(site, "/", *paths, **{"/": paths})
    await visitor.list()
    break_one_link(site)
    for path in paths:
        site.faults[path] = [answer(503, retry_after="9999")] * 2
    assert set(await visitor.list()) == {""}
    assert (visitor.gone, visitor.unseen) == (set(), {"/broken", "http://"})
    asked = set(site.requests) & set(paths)
    assert len(asked) == 32
    waited = min(set(paths) - asked)
    del site.pages[waited], site.faults[waited]
    await visitor.list()
    assert visitor.gone == {waited}
    assert asked | set(site.requests) >= set(paths)


async def test_a_deleted_page_leaves_the_index_although_one_link_is_broken(
    site: Site, visitor: Visitor, tmp_path: Path
) -> None:
    paths = ["/a", "/b", "/c", "/d"]
    put(site, "/", *paths, **{"/": [*paths, "/broken"]})
    site.faults["/broken"] = [answer(500)] * 1000
    workplace = Workplace(tmp_path / "workplace")

    async def sync() -> Report:
        async with visitor.source() as source:
            return await workplace.sync(source)

    assert (await sync()).counts[Outcome.ADDED] == 5
    del site.pages["/a"]
    put(site, "/", **{"/": ["/broken", "/b", "/c"]})
    report = await sync()
    assert report.counts[Outcome.REMOVED] == 1
    known, indexed = await workplace.held()
    assert known == indexed
    assert {chunk.document for chunk in indexed.values()} == {site.base_url + path for path in ("", "/b", "/c", "/d")}
    assert f"{site.base_url}/broken" in {problem.document for problem in report.problems}
    assert any("only what is seen to be gone is removed" in (problem.reason or "") for problem in report.problems)


@pytest.mark.parametrize("times", [1, 3])
async def test_a_busy_server_is_waited_for(site: Site, visitor: Visitor, times: int) -> None:
    put(site, "/", "/a", **{"/": ["/a"]})
    site.faults["/a"] = [answer(429, retry_after="1")] * times
    assert set(await visitor.list()) == {"", "/a"}


async def test_a_server_that_asks_for_too_much_patience_is_left_alone(site: Site, visitor: Visitor) -> None:
    put(site, "/", "/a", **{"/": ["/a"]})
    await visitor.list()
    site.faults["/a"] = [answer(503, retry_after="86400")]
    await visitor.list()
    assert visitor.skipped == {"/a": "'127.0.0.1' answers 503 and asks to wait 86,400 s"}
    assert site.requests.count("/a") == 1


async def test_a_server_that_goes_down_is_given_up(site: Site, visitor: Visitor) -> None:
    paths = [f"/{number}" for number in range(40)]
    put(site, "/", *paths, **{"/": paths})
    for path in paths[5:]:
        site.faults[path] = [answer(503, retry_after="9999")]
    with pytest.raises(SourceUnavailable, match=r"source 'docs': .* 10 times in a row; nothing is removed"):
        await visitor.list()


async def test_no_more_is_asked_at_once_than_is_polite(site: Site, visitor: Visitor) -> None:
    paths = [f"/{number}" for number in range(12)]
    put(site, "/", **{"/": paths})
    together = asyncio.Barrier(3)

    async def when_all_three_are_there() -> Response:
        async with asyncio.timeout(10):
            await together.wait()
        return Response(page("Travel", "Trains are booked through the portal."), media_type="text/html")

    site.faults |= {path: [when_all_three_are_there] for path in paths}
    assert len(await visitor.list(requests_at_once=3)) == 13
    assert site.most_at_once == 3


async def test_the_pace_that_robots_txt_asks_for_is_kept(site: Site, visitor: Visitor) -> None:
    paths = [f"/{number}" for number in range(4)]
    put(site, "/", *paths, **{"/": paths})
    site.put("/robots.txt", "User-agent: *\nCrawl-delay: 7\n", "text/plain")
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(round(seconds))

    visitor.more["sleep"] = sleep
    await visitor.list()
    assert waits == [7, 14, 21, 28]


async def test_robots_txt_is_obeyed_and_told_who_asks(site: Site, visitor: Visitor) -> None:
    put(site, "/", "/open", "/closed", "/named", **{"/": ["/open", "/closed"]})
    site.sitemap("/sitemap.xml", "/named")
    site.put(
        "/robots.txt", "User-agent: *\nDisallow: /\n\nUser-agent: souffleur\nDisallow: /closed\nDisallow: /named\n"
    )
    name = "Souffleur/2 (it@example.org)"

    assert set(await visitor.list("/", "/sitemap.xml", user_agent=name)) == {"", "/open"}

    assert visitor.skipped == {"/named": "robots.txt does not let 'Souffleur' read it"}
    assert not {"/closed", "/named"} & set(site.requests)
    assert {request.headers["user-agent"] for request in site.received} == {name}


async def test_a_start_that_robots_txt_forbids_is_refused_with_the_way_out(site: Site, visitor: Visitor) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /\n")
    with pytest.raises(SourceRefused, match=r"`User-agent: Souffleur`, `Allow: /`"):
        await visitor.list()


async def test_a_host_whose_robots_txt_fails_is_not_read(site: Site, visitor: Visitor) -> None:
    put(site, "/")
    site.faults["/robots.txt"] = [answer(500)] * 20
    with pytest.raises(SourceUnavailable, match=r"robots\.txt; nothing is removed"):
        await visitor.list()
    assert set(site.requests) == {"/robots.txt"}


async def test_robots_txt_is_looked_for_where_it_moved(site: Site, visitor: Visitor) -> None:
    put(site, "/", "/closed", **{"/": ["/closed"]})
    site.redirect("/robots.txt", "/rules.txt")
    site.put("/rules.txt", "User-agent: *\nDisallow: /closed\n")
    assert set(await visitor.list()) == {""}
