"""Confluence, Cloud and Data Center: what is listed and read, and what a server that misbehaves does to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.responses import HTMLResponse

from ingest.model import DocumentId, Entry
from ingest.sources.confluence.settings import ConfluenceSettings
from ingest.sources.interface import (
    DocumentGone,
    DocumentTooLarge,
    DocumentUnavailable,
    SourceRefused,
    SourceUnavailable,
)
from tests.fixtures.confluence import LOGIN_PAGE, Wiki, only, status
from tests.fixtures.confluence_source import everything, failure, listing, opened, read

pytestmark = pytest.mark.usefixtures("without_waits")


@pytest.fixture(params=["cloud", "data_center"])
async def wiki(request: pytest.FixtureRequest) -> AsyncIterator[Wiki]:
    wiki = Wiki(edition=request.param)
    wiki.group("staff", wiki.person("ada"), wiki.person("bob"), wiki.person("eve"))
    wiki.space("HB", groups=["staff"])
    async with wiki.served():
        yield wiki


async def test_pages_and_blog_posts_are_listed_over_all_parts_of_the_answer(wiki: Wiki) -> None:
    pages = [wiki.page("HB", f"Page {number}") for number in range(5)]
    posts = [wiki.page("HB", f"Post {number}", kind="blogpost") for number in range(5)]
    entries = await listing(wiki)
    assert set(entries) == {*(f"HB/{page.id}" for page in pages), *(f"HB/blog{post.id}" for post in posts)}
    entry = entries[f"HB/{pages[0].id}"]
    context = "/wiki" if wiki.edition == "cloud" else ""
    assert entry.url == f"{wiki.base_url}{context}/spaces/HB/pages/{pages[0].id}/Page%200"
    assert {entry.readers for entry in entries.values()} == {frozenset({"everyone"})}


async def test_what_is_in_the_trash_is_not_listed(wiki: Wiki) -> None:
    kept, trashed = wiki.page("HB", "Kept"), wiki.page("HB", "Trashed")
    wiki.trash(trashed)
    assert set(await listing(wiki)) == {f"HB/{kept.id}"}


async def test_a_page_is_read_with_title_author_and_date_and_without_what_macros_bring(wiki: Wiki) -> None:
    wiki.person("ada", name="Ada Lovelace")
    key = {"cloud": "ri:account-id", "data_center": "ri:userkey"}[wiki.edition]
    body = f'<p>Ask <ac:link><ri:user {key}="u-bob" /></ac:link>.</p><ac:structured-macro ac:name="children" />'
    page = wiki.page("HB", "Leave & absence", body, kind="blogpost")
    [entry] = (await listing(wiki)).values()
    original, text = await read(wiki, entry)
    assert (original.title, original.author) == ("Leave & absence", "Ada Lovelace")
    assert original.updated_at is not None
    assert original.updated_at.isoformat() == "2026-03-01T09:30:00+00:00"
    assert original.media_type == "text/html"
    assert "<p>Ask @Bob.</p>" in text
    assert page.title not in text


async def test_only_a_new_version_or_title_changes_the_version(wiki: Wiki) -> None:
    page = wiki.page("HB", "Leave", "<p>One</p>")
    first = (await listing(wiki))[f"HB/{page.id}"]
    page.users = ["u-ada"]
    restricted = (await listing(wiki))[f"HB/{page.id}"]
    assert restricted.version == first.version
    assert restricted.readers == {"user:ada@example.org"}
    wiki.edit(page, "<p>Two</p>")
    assert (await listing(wiki))[f"HB/{page.id}"].version != first.version


async def test_a_page_moved_to_another_space_is_a_new_document_there(wiki: Wiki) -> None:
    wiki.space("HR", users=["u-ada"])
    page = wiki.page("HB", "Page", "<p>One</p>")
    [before] = (await listing(wiki)).values()
    page.space = "HR"
    [after] = (await listing(wiki)).values()
    assert (after.id, after.readers) == (f"HR/{page.id}", {"user:ada@example.org"})
    with pytest.raises(DocumentGone, match="moved out of space 'HB'"):
        await read(wiki, before)


async def test_attachments_are_documents_with_the_readers_of_their_page(wiki: Wiki) -> None:
    page = wiki.page("HB", "Page", users=["u-ada"])
    files = [wiki.attach(page, f"plan {number}.txt", b"The plan.", "text/plain") for number in range(5)]
    wiki.attach(page, "chart.png", b"\x89PNG", "image/png")
    entries = await listing(wiki)
    assert set(entries) == {f"HB/{page.id}", *(f"HB/{file.id}" for file in files)}
    entry = entries[f"HB/{files[0].id}"]
    assert entry.readers == {"user:ada@example.org"}
    assert entry.url is not None
    assert entry.url.endswith(f"/pages/viewpageattachments.action?pageId={page.id}&preview=/{page.id}/{files[0].id}")
    original, text = await read(wiki, entry)
    assert (original.name, original.author, text) == ("plan 0.txt", "Ada", "The plan.")
    assert set(await listing(wiki, attachments=False)) == {f"HB/{page.id}"}


async def test_the_token_does_not_follow_a_download_to_another_host(wiki: Wiki) -> None:
    page = wiki.page("HB", "Page")
    file = wiki.attach(page, "plan.txt", b"The plan.", "text/plain")
    _, text = await read(wiki, (await listing(wiki))[f"HB/{file.id}"])
    assert text == "The plan."
    assert wiki.media_authorization == ([None] if wiki.edition == "cloud" else [])


async def test_a_file_that_is_too_large_or_a_recording_is_skipped_with_the_reason(wiki: Wiki) -> None:
    page = wiki.page("HB", "Page")
    large = wiki.attach(page, "large.bin", bytes((1 << 20) + 1), "text/plain")
    film = wiki.attach(page, "film.mp4", b"film", "video/mp4")
    entries, skipped = await everything(wiki)
    assert set(entries) == {f"HB/{page.id}"}
    assert {item.id: item.reason for item in skipped} == {
        f"HB/{large.id}": "'large.bin': 1.1 MiB, larger than 1 MiB (`parsing.max_file_mb`)",
        f"HB/{film.id}": "'film.mp4': a recording (video/mp4), which is not read",
    }
    with pytest.raises(DocumentTooLarge):
        await read(wiki, Entry(id=DocumentId(f"HB/{large.id}"), version="1"))


async def test_a_page_deleted_between_listing_and_reading_is_gone(wiki: Wiki) -> None:
    page = wiki.page("HB", "Page")
    file = wiki.attach(page, "plan.txt", b"The plan.", "text/plain")
    entries = await listing(wiki)
    wiki.trash(page)
    wiki.trash(file)
    for entry in entries.values():
        with pytest.raises(DocumentGone):
            await read(wiki, entry)


async def test_a_page_deleted_while_the_list_is_read_loses_no_other_page(wiki: Wiki) -> None:
    pages = [wiki.page("HB", f"Page {number}") for number in range(6)]
    wiki.meanwhile("/scan" if wiki.edition == "data_center" else "/pages", lambda: wiki.trash(pages[0]))
    entries = await listing(wiki)
    assert {f"HB/{page.id}" for page in pages[1:]} <= set(entries)


async def test_blog_posts_deleted_while_the_list_is_read_hide_no_other_in_silence(wiki: Wiki) -> None:
    posts = [wiki.page("HB", f"Post {number}", kind="blogpost") for number in range(6)]

    def delete_the_first_two() -> None:
        wiki.trash(posts[0])
        wiki.trash(posts[1])

    wiki.meanwhile("/rest/api/content" if wiki.edition == "data_center" else "/blogposts", lambda: None)
    if wiki.edition == "data_center":
        wiki.meanwhile("/rest/api/content", delete_the_first_two)
        assert "run the sync again" in str(await failure(wiki))
    else:
        wiki.meanwhile("/blogposts", delete_the_first_two)
        assert {f"HB/blog{post.id}" for post in posts[2:]} <= set(await listing(wiki))


async def test_labels_choose_pages(wiki: Wiki) -> None:
    policy = wiki.page("HB", "Policy", labels=["Policy"])
    draft = wiki.page("HB", "Draft", labels=["policy", "draft"], indexed=False)
    other = wiki.page("HB", "Other")
    assert set(await listing(wiki, labels=["policy"])) == {f"HB/{policy.id}", f"HB/{draft.id}"}
    assert set(await listing(wiki, exclude_labels=["draft"])) == {f"HB/{policy.id}", f"HB/{other.id}"}


async def test_personal_spaces_are_left_out_unless_asked_for(wiki: Wiki) -> None:
    wiki.space("~ada", kind="personal", users=["u-ada"])
    page = wiki.page("~ada", "Notes")
    assert not await listing(wiki)
    assert set(await listing(wiki, personal_spaces=True)) == {f"~ada/{page.id}"}
    assert set(await listing(wiki, spaces=["~ada"])) == {f"~ada/{page.id}"}


async def test_what_is_known_of_a_space_that_became_forbidden_stays(wiki: Wiki) -> None:
    wiki.space("HR", groups=["staff"], closed=True)
    kept = wiki.page("HB", "Kept")
    wiki.page("HR", "Secret")
    for chosen in ([], ["HB", "HR"]):
        entries, [skipped] = await everything(wiki, spaces=chosen)
        assert set(entries) == {f"HB/{kept.id}"}
        assert (skipped.id, skipped.unseen) == ("HR/", True)
    wiki.spaces["HR"].gone = True
    entries, [skipped] = await everything(wiki, spaces=["HB", "HR"])
    assert (skipped.id, skipped.unseen) == ("HR/", True)
    assert set(await listing(wiki)) == {f"HB/{kept.id}"}


@pytest.mark.parametrize("revoked", ["401", "login page", "anonymous"])
async def test_a_revoked_token_is_named_with_the_way_out(wiki: Wiki, revoked: Any) -> None:
    if wiki.edition == "cloud" and revoked == "anonymous":
        pytest.skip("Cloud does not answer anybody")
    wiki.page("HB", "Page")
    wiki.spaces["HB"].anonymous = True
    wiki.revoked = revoked
    error = await failure(wiki)
    assert isinstance(error, SourceRefused)
    assert "SOUFFLEUR_SOURCE_WIKI_TOKEN" in str(error)


async def test_a_token_revoked_in_the_middle_of_a_listing_does_not_look_like_removals(wiki: Wiki) -> None:
    for number in range(6):
        wiki.page("HB", f"Page {number}", users=["u-ada"])
    wiki.spaces["HB"].anonymous = True
    path = "/scan" if wiki.edition == "data_center" else "/pages"

    def revoke() -> None:
        wiki.revoked = "anonymous" if wiki.edition == "data_center" else "401"

    wiki.meanwhile(path, revoke)
    assert isinstance(await failure(wiki), SourceRefused)


async def test_a_token_revoked_before_a_page_is_read_does_not_look_like_a_removal(wiki: Wiki) -> None:
    wiki.page("HB", "Page", users=["u-ada"])
    [entry] = (await listing(wiki)).values()
    wiki.revoked = "anonymous" if wiki.edition == "data_center" else "401"
    with pytest.raises(SourceRefused):
        await read(wiki, entry)


async def test_people_and_the_pages_of_attachments_are_asked_for_once_in_a_run(wiki: Wiki) -> None:
    page = wiki.page("HB", "Page")
    for number in range(3):
        wiki.attach(page, f"plan {number}.txt", b"The plan.", "text/plain")
    async with opened(wiki) as source:
        entries = [item async for item in source.list(None) if isinstance(item, Entry)]
        asked = len(wiki.requests)
        for entry in entries:
            async with source.fetch(entry) as original:
                assert original.author == "Ada"
    requests = [request.partition("?")[0] for request in wiki.requests[asked:]]
    assert sum("/users-bulk" in request for request in requests) <= 1
    assert sum(request.endswith(f"/pages/{page.id}") for request in requests) <= 2, "the page itself, and its files"


async def test_a_login_page_is_not_taken_for_a_file(wiki: Wiki) -> None:
    page = wiki.page("HB", "Page")
    file = wiki.attach(page, "plan.pdf", b"%PDF-", "application/pdf")
    entry = (await listing(wiki))[f"HB/{file.id}"]
    wiki.always(only("/download", lambda request: HTMLResponse(LOGIN_PAGE)))
    with pytest.raises(DocumentUnavailable, match="login page"):
        await read(wiki, entry)


@pytest.mark.parametrize("code", [400, 500])
async def test_a_page_that_alone_cannot_be_had_is_one_document_s_trouble(wiki: Wiki, code: int) -> None:
    [first, second] = [wiki.page("HB", title) for title in ("First", "Second")]
    entries = await listing(wiki)
    wiki.always(only(f"/{first.id}", status(code, retry_after=0)))
    with pytest.raises(DocumentUnavailable, match=f"answered {code}"):
        await read(wiki, entries[f"HB/{first.id}"])
    await read(wiki, entries[f"HB/{second.id}"])
    wiki.always(status(code, retry_after=0))
    with pytest.raises(SourceRefused if code == 400 else SourceUnavailable):
        await read(wiki, entries[f"HB/{first.id}"])


async def test_a_busy_server_is_waited_for(wiki: Wiki) -> None:
    pages = [wiki.page("HB", f"Page {number}") for number in range(3)]
    wiki.script(status(429, retry_after=0), status(503), status(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"))
    assert len(await listing(wiki)) == len(pages)


async def test_a_listing_whose_second_part_fails_fails_whole(wiki: Wiki) -> None:
    for number in range(5):
        wiki.page("HB", f"Page {number}")
    wiki.always(only("cursor=", status(502)))
    assert isinstance(await failure(wiki), SourceUnavailable)


async def test_a_server_that_always_leads_to_the_same_page_is_left(wiki: Wiki) -> None:
    for number in range(5):
        wiki.page("HB", f"Page {number}")
    wiki.cursor = loop(wiki)  # type: ignore[method-assign]
    assert "same page again" in str(await failure(wiki))


def loop(wiki: Wiki) -> Any:
    whole = wiki.cursor

    def stuck(path: str, query: dict[str, str], results: list[Any], *, base: str = "") -> Any:
        return whole(path, {name: value for name, value in query.items() if name != "cursor"}, results, base=base)

    return stuck


async def test_another_kind_of_server_is_named(wiki: Wiki) -> None:
    wiki.script(status(404))
    assert isinstance(await failure(wiki), SourceRefused)


async def test_a_source_without_a_token_says_which_variable_to_set(wiki: Wiki) -> None:
    assert "SOUFFLEUR_SOURCE_WIKI_TOKEN" in str(await failure(wiki, token=None))


async def test_dates_are_taken_as_they_are_however_wrong_the_clock(wiki: Wiki) -> None:
    page = wiki.page("HB", "Page", "<p>One</p>", when="2093-01-01T00:00:00.000+14:00")
    odd = wiki.page("HB", "Odd", "<p>Two</p>", when="yesterday")
    entries = await listing(wiki)
    original, _ = await read(wiki, entries[f"HB/{page.id}"])
    assert original.updated_at is not None
    assert original.updated_at.year == 2093
    assert (await read(wiki, entries[f"HB/{odd.id}"]))[0].updated_at is None


@pytest.mark.parametrize(
    ("settings", "way_out"),
    [
        ({"base_url": "wiki.example.org"}, "https://"),
        ({"base_url": "https://ada:secret@wiki.example.org"}, "no user"),
        ({"base_url": "https://example.atlassian.net"}, "`user`"),
        ({"base_url": "https://wiki.example.org", "spaces": ["../x"]}, "no space key"),
        ({"base_url": "https://wiki.example.org", "space_readers": {"HB": ["finance"]}}, "group:finance"),
        ({"base_url": "https://wiki.example.org", "email_domain": "ada at home"}, "example.org"),
        ({"base_url": "https://wiki.example.org", "email_domain": "example.org", "user": "a@b.c"}, "leave out one"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_with_the_way_out(settings: dict[str, Any], way_out: str) -> None:
    with pytest.raises(ValidationError, match=way_out):
        ConfluenceSettings(**settings)
