"""Files and content of Mattermost's channels, and what is done when they or the server are not what they were."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from starlette.responses import JSONResponse, RedirectResponse, Response

from ingest.model import DocumentId, Entry
from ingest.sources.interface import (
    CursorExpired,
    DocumentGone,
    DocumentTooLarge,
    DocumentUnavailable,
    SourceRefused,
    SourceUnavailable,
)
from ingest.sources.mattermost.settings import MattermostSettings
from ingest.sources.mattermost.source import Mattermost
from tests.fakes.mattermost import DAY, START, TOKEN, broken, busy, login_page, refusal
from tests.fakes.mattermost import Mattermost as Server
from tests.fixtures.mattermost_shelf import TODAY, Chat, Shelf

pytestmark = pytest.mark.usefixtures("without_waits")


async def test_files_are_documents_where_that_is_wanted_with_the_channels_readers(chat: Chat) -> None:
    shelf = Shelf(chat.server, {"files": True})
    plan = chat.server.file("plan.md", b"# Evacuation\n\nMeet at the gate.", "text/markdown; charset=utf-8")
    files = [
        plan,
        chat.server.file("screen.png", b"\x89PNG", "image/png"),
        chat.server.file("all.zip", bytes((1 << 20) + 1), "application/zip"),
    ]
    post = chat.alone("The plan.", files=files)
    await shelf.sync()
    id = f"{chat.channel}/{post}/{plan}"
    assert {*shelf.entries} == {chat.id(TODAY), id}
    assert shelf.entries[id].readers == {"everyone"}
    assert shelf.entries[id].url == f"https://chat.example.org/engineering/pl/{post}"
    assert [skip.reason for skip in shelf.skipped] == ["'all.zip': 1.1 MiB, larger than 1 MiB (`parsing.max_file_mb`)"]
    async with shelf.source().fetch(shelf.entries[id]) as original:
        assert (original.name, original.media_type, original.author) == ("plan.md", "text/markdown", "Ada Lovelace")
        assert original.path.read_bytes() == b"# Evacuation\n\nMeet at the gate."
    assert "Attached: plan.md, screen.png, all.zip" in await shelf.text(chat.id(TODAY))

    chat.server.edit(post, "The plan, without pictures.", files=files[2:])
    await shelf.sync()
    assert {*shelf.entries} == {chat.id(TODAY)}
    chat.server.delete(post)
    await shelf.sync()
    assert shelf.entries == {}


async def test_files_of_a_deleted_thread_are_gone(chat: Chat) -> None:
    shelf = Shelf(chat.server, {"files": True})
    root = chat.thread()
    notes = chat.server.file("notes.txt", b"notes", "text/plain")
    reply = chat.server.post(chat.channel, chat.bob, "My notes.", root=root, files=[notes])
    await shelf.sync()
    assert f"{chat.channel}/{reply}/{notes}" in shelf.entries
    chat.server.delete(root)
    await shelf.sync()
    assert shelf.entries == {}


async def test_a_file_that_grew_or_is_gone_is_said_to_be(chat: Chat) -> None:
    shelf = Shelf(chat.server, {"files": True})
    file = chat.server.file("notes.txt", b"notes", "text/plain")
    post = chat.alone("My notes.", files=[file])
    await shelf.sync()
    entry = shelf.entries[f"{chat.channel}/{post}/{file}"]
    chat.server.contents[file] = bytes((1 << 20) + 1)
    with pytest.raises(DocumentTooLarge):
        async with shelf.source().fetch(entry):
            pass
    chat.server.delete(post)
    with pytest.raises(DocumentGone):
        async with shelf.source().fetch(entry):
            pass


async def test_a_login_page_instead_of_a_file_is_no_document(chat: Chat) -> None:
    shelf = Shelf(chat.server, {"files": True})
    file = chat.server.file("notes.txt", b"notes", "text/plain")
    post = chat.alone("My notes.", files=[file])
    await shelf.sync()
    chat.server.fault(login_page, of=f"/files/{file}")
    chat.server.faults.appendleft(("/info", lambda: JSONResponse(chat.server.files[file])))
    with pytest.raises(DocumentUnavailable, match="answered a web page where a file was expected"):
        async with shelf.source().fetch(shelf.entries[f"{chat.channel}/{post}/{file}"]):
            pass


@pytest.mark.parametrize("deleted", ["thread", "day"])
async def test_a_conversation_deleted_since_it_was_listed_is_gone(chat: Chat, shelf: Shelf, deleted: str) -> None:
    post = chat.thread() if deleted == "thread" else chat.alone()
    await shelf.sync()
    (entry,) = shelf.entries.values()
    chat.server.delete(post)
    with pytest.raises(DocumentGone):
        async with shelf.source().fetch(entry):
            pass


async def test_a_long_thread_is_read_to_its_end(chat: Chat, shelf: Shelf) -> None:
    root = chat.alone("Count with me.")
    for number in range(9):
        chat.server.post(chat.channel, chat.bob, f"number {number}", root=root, at=START + 9)
    await shelf.sync()
    chat.server.page_limit = 4
    text = await shelf.text(chat.id(root))
    assert all(f"number {number}" in text for number in range(9))


async def test_an_old_day_is_read_whole_from_the_middle_of_a_long_channel(chat: Chat, shelf: Shelf) -> None:
    for number in range(60):
        chat.alone(f"number {number}.", at=START - 10 * DAY + number * DAY // 6)
    await shelf.sync()
    chat.server.page_limit = 4
    text = await shelf.text(chat.id("2026-11-18"))
    start = START - 5 * DAY - DAY // 2
    expected = [row["message"] for row in chat.server.posts.values() if start <= row["create_at"] < start + DAY]
    assert len(expected) == 6
    assert [line for line in text.split("\n") if line.startswith("number")] == expected


async def test_all_is_listed_again_after_full_days_and_after_other_settings(chat: Chat, shelf: Shelf) -> None:
    root = chat.thread()
    await shelf.sync()
    chat.server.purge(root)
    await shelf.sync()
    assert {*shelf.entries} == {chat.id(root)}
    shelf.now += timedelta(days=7)
    await shelf.sync()
    assert shelf.entries == {}
    cursor = shelf.cursor
    shelf.options["files"] = True
    with pytest.raises(CursorExpired):
        [item async for item in shelf.source().list(cursor)]
    with pytest.raises(CursorExpired):
        [item async for item in shelf.source().list("of another version")]


async def test_posts_removed_for_good_while_they_are_listed_end_the_listing(chat: Chat, shelf: Shelf) -> None:
    chat.server.page_limit = 2
    for number in range(6):
        chat.alone(f"number {number}")

    def purge(request: str) -> None:
        if "/posts?" in request:
            for id in [*chat.server.posts]:
                chat.server.purge(id)

    chat.server.after = purge
    with pytest.raises(SourceUnavailable, match="removed while they were listed"):
        await shelf.sync()


@pytest.mark.parametrize("answer", [broken, lambda: JSONResponse({"posts": [1]}), login_page])
async def test_a_thread_that_alone_cannot_be_had_is_one_document_s_trouble(
    chat: Chat, shelf: Shelf, answer: Callable[[], Response]
) -> None:
    root, other = chat.thread(), chat.thread("The stairs are wet.")
    await shelf.sync()
    chat.server.edit(root, "The lift is in order.")
    chat.server.always = [(f"/posts/{root}/thread", answer)]
    with pytest.raises(CursorExpired, match="a thread that has changed"):
        [item async for item in shelf.source().list(shelf.cursor)]
    before = shelf.entries[chat.id(root)].version
    await shelf.sync()
    assert shelf.entries[chat.id(root)].version != before
    with pytest.raises(DocumentUnavailable):
        await shelf.text(chat.id(root))
    assert "stairs" in await shelf.text(chat.id(other))
    chat.server.always = [("", broken)]
    with pytest.raises(SourceUnavailable):
        await shelf.text(chat.id(root))


@pytest.mark.parametrize(
    ("answer", "of", "error", "said"),
    [
        (lambda: refusal(401), "", SourceRefused, "set SOUFFLEUR_SOURCE_CHAT_TOKEN"),
        (lambda: refusal(401), "/posts", SourceRefused, "set SOUFFLEUR_SOURCE_CHAT_TOKEN"),
        (broken, "/posts", SourceUnavailable, "try again later"),
        (broken, "before=", SourceUnavailable, "try again later"),
        (lambda: busy(1), "/posts", SourceUnavailable, "asks to wait 1 s"),
        (lambda: busy(3600), "/posts", SourceUnavailable, "asks to wait 3,600 s"),
        (login_page, "/users/me", SourceRefused, "does a login page stand in front of it"),
        (login_page, "before=", SourceRefused, "does a login page stand in front of it"),
        (lambda: RedirectResponse("https://sso.example.org/"), "", SourceRefused, "a redirect to"),
        (lambda: Response("not found", 404), "/users/me", SourceRefused, "correct `base_url`"),
        (lambda: JSONResponse({"status": "OK"}), "/users/me", SourceRefused, "not as Mattermost does"),
        (lambda: JSONResponse([1]), "/posts", SourceRefused, "not as Mattermost does"),
    ],
)
async def test_a_server_that_does_not_list_is_told_apart_by_what_to_do(
    chat: Chat, shelf: Shelf, answer: Callable[[], Response], of: str, error: type[Exception], said: str
) -> None:
    chat.server.page_limit = 2
    chat.thread()
    chat.thread("The stairs are wet.")
    await shelf.sync()
    held = dict(shelf.entries)
    chat.server.always = [(of, answer)]
    for cursor in (None, shelf.cursor) if of != "before=" else (None,):
        shelf.cursor = cursor
        with pytest.raises(error, match=said):
            await shelf.sync()
    assert shelf.entries == held
    chat.server.always = []
    await shelf.sync()
    assert shelf.entries == held


async def test_a_rate_limit_is_waited_for(chat: Chat, shelf: Shelf) -> None:
    root = chat.thread()
    chat.server.fault(lambda: busy(1), times=3)
    await shelf.sync()
    assert {*shelf.entries} == {chat.id(root)}
    assert chat.server.asked("/users/me") == 6


async def test_without_a_token_the_variable_to_set_is_named(chat: Chat) -> None:
    shelf = Shelf(chat.server, {"token": None})
    with pytest.raises(SourceRefused, match="SOUFFLEUR_SOURCE_CHAT_TOKEN"):
        await shelf.sync()


async def test_a_listing_over_real_sockets_finds_the_same(chat: Chat, tmp_path: Path) -> None:
    root = chat.thread()
    async with chat.server.served() as base_url:
        options = MattermostSettings(kind="mattermost", base_url=f"{base_url}/api/v4/", token=SecretStr(TOKEN))
        source = Mattermost("chat", options, cache=tmp_path)
        listed = [item async for item in source.list(None)]
        await source.close()
    assert [item.id for item in listed if isinstance(item, Entry)] == [DocumentId(chat.id(root))]
    assert [item.url for item in listed if isinstance(item, Entry)] == [f"{base_url}/engineering/pl/{root}"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"base_url": "chat.example.org"}, "is no address; write it as https://chat.example.org"),
        ({"channels": ["town-square"]}, "write it as engineering/town-square"),
        ({"teams": ["Engineering Team"]}, "write it as engineering"),
        ({"history_days": 0}, "greater than or equal to 1"),
        ({"chanels": []}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        MattermostSettings(**({"kind": "mattermost", "base_url": "https://chat.example.org"} | settings))


ACTS = (
    "alone",
    "thread",
    "reply",
    "edit",
    "delete",
    "react",
    "file",
    "bot",
    "join",
    "sync",
    "rename",
    "private",
    "leave",
)


@settings(max_examples=60, deadline=None)
@given(
    acts=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 1000)), max_size=40),
    page_limit=st.sampled_from([2, 3, 5, 200]),
    skews=st.sampled_from([(0,), (0, -60_000), (90_000, 0, -90_000)]),
)
def test_whatever_happens_following_it_comes_to_what_a_whole_listing_says(
    acts: list[tuple[str, int]], page_limit: int, skews: tuple[int, ...]
) -> None:
    asyncio.run(_followed(acts, page_limit, skews))


async def _followed(acts: list[tuple[str, int]], page_limit: int, skews: tuple[int, ...]) -> None:
    chat = Chat(Server(page_limit=page_limit, skews=skews))
    server = chat.server
    channels = [chat.channel, server.channel(chat.team, "lobby")]
    options = {"files": True, "private": True}
    followed = Shelf(server, options)
    await followed.sync()
    for act, number in acts:
        channel = channels[number % 2]
        live = [id for id, row in server.posts.items() if row["channel_id"] == channel and not row["delete_at"]]
        chosen = live[number % len(live)] if live else None
        match act:
            case "alone":
                server.now += number * 60_000
                server.post(channel, chat.ada, f"message {number}")
            case "thread":
                chat.thread(f"thread {number}", channel)
            case "file":
                server.post(channel, chat.ada, "", files=[server.file(f"{number}.txt", b"text", "text/plain")])
            case "bot":
                server.post(channel, chat.bob, "beep", root=_root(server, chosen), props={"from_bot": "true"})
            case "join":
                server.post(channel, chat.bob, "@bob joined.", type="system_join_channel")
            case "rename":
                server.channels[channel]["display_name"] = f"Renamed {number}"
            case "private":
                server.channels[channel]["type"] = "P" if number % 3 else "O"
            case "leave":
                server.members[channel] ^= {server.bot}
            case "sync":
                await followed.sync()
            case "reply" if chosen:
                server.post(channel, chat.bob, f"reply {number}", root=_root(server, chosen))
            case "edit" if chosen:
                server.edit(chosen, f"edited {number}")
            case "delete" if chosen:
                server.delete(chosen)
            case "react" if chosen:
                server.react(chosen)
    await followed.sync()
    whole = Shelf(server, options)
    await whole.sync()
    assert followed.entries == whole.entries


def _root(server: Server, post: str | None) -> str:
    return (server.posts[post]["root_id"] or post) if post else ""
