"""What a listing of Mattermost's channels says, whole and since, driven against a server that keeps rows as it does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from starlette.responses import JSONResponse, RedirectResponse, Response

from ingest.model import Cursor, DocumentId, Entry, Gone, Skipped
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
from tests.fixtures.mattermost import DAY, START, TOKEN, broken, busy, login_page, refusal
from tests.fixtures.mattermost import Mattermost as Server

NOW = datetime.fromtimestamp(START / 1000, UTC)

pytestmark = pytest.mark.usefixtures("without_waits")


@dataclass
class Shelf:
    """What a sync would hold of the source: each listing applied as the contract says."""

    server: Server
    options: dict[str, Any] = field(default_factory=dict)
    now: datetime = NOW
    entries: dict[str, Entry] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    cursor: str | None = None

    def source(self, **more: Any) -> Mattermost:
        options = {"token": SecretStr(TOKEN), "base_url": "https://chat.example.org"} | self.options
        return Mattermost(
            "chat",
            MattermostSettings(kind="mattermost", **options),
            cache=Path("nowhere"),
            max_file_mb=1,
            transport=httpx.ASGITransport(app=self.server.app),
            now=lambda: self.now,
            **more,
        )

    async def sync(self) -> None:
        """List, since the last cursor if there is one, and keep what the listing says."""
        try:
            await self._apply(self.cursor)
        except CursorExpired:
            await self._apply(None)

    async def _apply(self, since: str | None) -> None:
        source = self.source()
        items = [item async for item in source.list(since)]
        await source.close()
        named = [item for item in items if isinstance(item, Entry)]
        self.named = [str(item.id) for item in named]
        self.skipped = [item for item in items if isinstance(item, Skipped)]
        self.gone = [str(item.id) for item in items if isinstance(item, Gone)]
        kept = [str(item.id) for item in self.skipped if item.unseen]
        assert len(set(self.named)) == len(self.named)
        assert len({*self.gone} - {*self.named}) == len(self.gone)
        for id in [*self.entries]:
            left = since is None or _covered(id, self.gone)
            if left and not _covered(id, kept):
                del self.entries[id]
        self.entries |= {str(item.id): item for item in named}
        (self.cursor,) = [item.value for item in items if isinstance(item, Cursor)]

    async def text(self, id: str) -> str:
        async with AsyncExitStack() as stack:
            source = self.source()
            stack.push_async_callback(source.close)
            original = await stack.enter_async_context(source.fetch(self.entries[id]))
            return original.path.read_text("utf-8")


def _covered(id: str, ids: list[str]) -> bool:
    return any(id == other or (other.endswith("/") and id.startswith(other)) for other in ids)


@dataclass
class Chat:
    """A server with one open team, one channel and two people."""

    server: Server

    def __post_init__(self) -> None:
        self.team = self.server.team("engineering")
        self.channel = self.server.channel(self.team, "facilities")
        self.ada = self.server.user("ada", "Ada Lovelace")
        self.bob = self.server.user("bob", "Bob Ross")

    def thread(self, text: str = "The lift is out of order.", channel: str | None = None) -> str:
        root = self.server.post(channel or self.channel, self.ada, text)
        self.server.post(channel or self.channel, self.bob, "The engineer comes at noon.", root=root)
        return root

    def alone(self, text: str = "Lunch is at one.", **more: Any) -> str:
        return self.server.post(self.channel, self.ada, text, **more)

    def id(self, key: str) -> str:
        return f"{self.channel}/{key}"


TODAY = "2026-11-23"


@pytest.fixture
def chat() -> Chat:
    return Chat(Server())


@pytest.fixture
def shelf(chat: Chat) -> Shelf:
    return Shelf(chat.server)


async def test_a_thread_is_one_document_with_its_link_readers_title_author_and_date(chat: Chat, shelf: Shelf) -> None:
    root = chat.thread()
    await shelf.sync()
    entry = shelf.entries[chat.id(root)]
    assert entry.readers == {"everyone"}
    assert entry.url == f"https://chat.example.org/engineering/pl/{root}"
    async with shelf.source().fetch(entry) as original:
        assert original.title == "~Facilities: The lift is out of order."
        assert original.author == "Ada Lovelace"
        assert original.updated_at == datetime.fromtimestamp(START / 1000 + 2, UTC)
        assert original.path.read_text("utf-8") == (
            "**Ada Lovelace** (2026-11-23 12:00 UTC):\n\nThe lift is out of order.\n\n"
            "**Bob Ross** (2026-11-23 12:00 UTC):\n\nThe engineer comes at noon.\n"
        )


async def test_messages_without_replies_are_one_document_for_each_day(chat: Chat, shelf: Shelf) -> None:
    chat.alone("Who has the ladder?", at=START - DAY)
    first = chat.alone("Where is the printer?")
    chat.server.post(chat.channel, chat.bob, "On the second floor.")
    await shelf.sync()
    assert {*shelf.entries} == {chat.id(TODAY), chat.id("2026-11-22")}
    entry = shelf.entries[chat.id(TODAY)]
    assert entry.url == f"https://chat.example.org/engineering/pl/{first}"
    async with shelf.source().fetch(entry) as original:
        assert (original.title, original.author) == ("~Facilities: 2026-11-23", None)
    text = await shelf.text(chat.id(TODAY))
    assert "Where is the printer?" in text
    assert "On the second floor." in text
    assert "ladder" not in text


async def test_a_whole_listing_of_many_pages_loses_no_post_of_one_millisecond() -> None:
    chat = Chat(Server(page_limit=3))
    roots = [chat.alone(f"number {number}", at=START + number // 5) for number in range(40)]
    for root in roots:
        chat.server.post(chat.channel, chat.bob, "yes", root=root, at=START + 100)
    shelf = Shelf(chat.server)
    await shelf.sync()
    assert {*shelf.entries} == {chat.id(root) for root in roots}
    pages = {json.dumps(entry.version) for entry in shelf.entries.values()}
    chat.server.page_limit = 200
    shelf.cursor = None
    await shelf.sync()
    assert pages == {json.dumps(entry.version) for entry in shelf.entries.values()}


async def test_a_quiet_channel_costs_one_request_and_names_nothing(chat: Chat, shelf: Shelf) -> None:
    chat.thread()
    chat.alone()
    await shelf.sync()
    await shelf.sync()
    chat.server.requests.clear()
    await shelf.sync()
    assert (shelf.named, shelf.gone) == ([], [])
    assert chat.server.asked("/posts") == 1


async def test_new_edited_and_deleted_posts_are_followed(chat: Chat, shelf: Shelf) -> None:
    lift, stairs = chat.thread(), chat.thread("The stairs are wet.")
    reply = chat.server.post(chat.channel, chat.bob, "Mind the bucket.", root=stairs)
    chat.server.now += 3_600_000
    lunch = chat.alone()
    await shelf.sync()
    before = dict(shelf.entries)

    chat.server.edit(stairs, "The stairs are dry.")
    chat.server.edit(reply, "Mind the mop.")
    await shelf.sync()
    assert (shelf.named, shelf.gone) == ([chat.id(stairs)], [])
    assert shelf.entries[chat.id(stairs)].version != before[chat.id(stairs)].version
    assert "mop" in (text := await shelf.text(chat.id(stairs)))
    assert "bucket" not in text

    chat.server.delete(lift)
    chat.server.delete(lunch)
    later = chat.alone("Coffee is ready.")
    await shelf.sync()
    assert {*shelf.entries} == {chat.id(stairs), chat.id(TODAY)}
    assert shelf.entries[chat.id(TODAY)].url == f"https://chat.example.org/engineering/pl/{later}"
    assert "Lunch" not in await shelf.text(chat.id(TODAY))


async def test_a_message_becomes_a_thread_with_its_first_reply_and_leaves_its_day(chat: Chat, shelf: Shelf) -> None:
    root = chat.alone("Who has the ladder?", at=START - 3 * DAY)
    other = chat.alone("Who has the drill?", at=START - 3 * DAY + 5)
    await shelf.sync()
    reply = chat.server.post(chat.channel, chat.bob, "I have it.", root=root)
    await shelf.sync()
    assert {*shelf.entries} == {chat.id(root), chat.id("2026-11-20")}
    assert shelf.entries[chat.id("2026-11-20")].url == f"https://chat.example.org/engineering/pl/{other}"
    chat.server.delete(reply)
    await shelf.sync()
    assert {*shelf.entries} == {chat.id("2026-11-20")}
    assert "ladder" in await shelf.text(chat.id("2026-11-20"))


async def test_a_reaction_changes_no_version(chat: Chat, shelf: Shelf) -> None:
    root = chat.thread()
    await shelf.sync()
    before = shelf.entries[chat.id(root)].version
    chat.server.react(root)
    await shelf.sync()
    assert shelf.entries[chat.id(root)].version == before


async def test_more_changes_than_the_server_tells_have_the_channel_listed_anew(chat: Chat, shelf: Shelf) -> None:
    gone = chat.thread()
    kept = [chat.thread(f"number {number}") for number in range(20)]
    await shelf.sync()
    chat.server.delete(gone)
    for number in range(1180):
        chat.server.edit(kept[number % 20], f"edited {number}")
    await shelf.sync()
    assert {*shelf.named} == {chat.id(root) for root in kept}
    whole = Shelf(chat.server)
    await whole.sync()
    assert shelf.entries == whole.entries


async def test_changes_by_a_node_whose_clock_is_slow_are_not_lost(chat: Chat, shelf: Shelf) -> None:
    root = chat.thread()
    await shelf.sync()
    await shelf.sync()
    chat.server.skews = (-200_000,)
    chat.server.edit(root, "The lift works again.")
    assert chat.server.posts[root]["update_at"] < START
    await shelf.sync()
    assert shelf.named == [chat.id(root)]


async def test_a_change_while_a_channel_is_listed_is_named_by_the_next_listing(chat: Chat, shelf: Shelf) -> None:
    chat.server.page_limit = 2
    first, last = chat.thread("number 1"), [chat.thread(f"number {n}") for n in range(2, 6)][-1]

    def meanwhile(request: str) -> None:
        if "before=" in request:
            chat.server.after = lambda request: None
            chat.server.edit(last, "edited behind the back")
            chat.server.now += 3_600_000
            chat.server.react(first)

    chat.server.after = meanwhile
    await shelf.sync()
    await shelf.sync()
    assert chat.id(last) in shelf.named


async def test_channels_that_vanish_take_their_documents_with_them(chat: Chat, shelf: Shelf) -> None:
    channels = [chat.server.channel(chat.team, name) for name in ("left", "archived", "kept")]
    roots = [chat.thread(channel=channel) for channel in channels]
    await shelf.sync()
    chat.server.members[channels[0]].discard(chat.server.bot)
    chat.server.channels[channels[1]]["delete_at"] = chat.server.tick()
    await shelf.sync()
    assert {*shelf.gone} == {f"{channels[0]}/", f"{channels[1]}/"}
    assert {*shelf.entries} == {f"{channels[2]}/{roots[2]}"}
    chat.server.members[channels[0]].add(chat.server.bot)
    await shelf.sync()
    assert {*shelf.entries} == {f"{channel}/{root}" for channel, root in zip(channels[::2], roots[::2], strict=True)}


async def test_a_channel_that_turns_private_is_labelled_anew_without_another_version(chat: Chat) -> None:
    shelf = Shelf(chat.server, {"private": True})
    root = chat.thread()
    await shelf.sync()
    before = shelf.entries[chat.id(root)]
    chat.server.channels[chat.channel]["type"] = "P"
    await shelf.sync()
    after = shelf.entries[chat.id(root)]
    assert (before.readers, after.readers) == ({"everyone"}, {f"mattermost:{chat.channel}"})
    assert before.version == after.version


async def test_private_channels_are_left_out_unless_they_are_asked_for(chat: Chat, shelf: Shelf) -> None:
    chat.thread()
    await shelf.sync()
    chat.server.channels[chat.channel]["type"] = "P"
    await shelf.sync()
    assert shelf.entries == {}


async def test_direct_messages_are_never_read(chat: Chat) -> None:
    shelf = Shelf(chat.server, {"private": True})
    for type in ("D", "G"):
        chat.thread(channel=chat.server.channel(chat.team, f"{chat.ada}__{type.lower()}", type))
    await shelf.sync()
    assert shelf.entries == {}
    assert chat.server.asked("/posts") == 1  # of the one channel


@pytest.mark.parametrize(
    ("team", "channel", "company_teams", "readers"),
    [
        ({"open": True}, {}, [], "everyone"),
        ({"open": False}, {}, [], "mattermost:team:{team}"),
        ({"open": False}, {}, ["sales"], "everyone"),
        ({"open": True, "group_constrained": True}, {}, [], "mattermost:team:{team}"),
        ({"open": True, "allowed_domains": "example.org"}, {}, [], "mattermost:team:{team}"),
        ({"open": True}, {"group_constrained": True}, [], "mattermost:{channel}"),
        ({"open": True}, {"type": "P"}, ["sales"], "mattermost:{channel}"),
        ({"open": True}, {"shared": True}, [], "everyone"),
    ],
)
async def test_who_can_open_a_channel_reads_it(
    team: dict[str, Any], channel: dict[str, Any], company_teams: list[str], readers: str
) -> None:
    chat = Chat(Server())
    sales = chat.server.team("sales", **team)
    plans = chat.server.channel(sales, "plans", **channel)
    chat.thread(channel=plans)
    shelf = Shelf(chat.server, {"private": True, "company_teams": company_teams})
    await shelf.sync()
    (entry,) = shelf.entries.values()
    assert entry.readers == {readers.format(team=sales, channel=plans)}


async def test_a_team_that_closes_labels_its_documents_anew(chat: Chat, shelf: Shelf) -> None:
    root = chat.thread()
    await shelf.sync()
    chat.server.teams[chat.team]["allow_open_invite"] = False
    await shelf.sync()
    assert shelf.entries[chat.id(root)].readers == {f"mattermost:team:{chat.team}"}


async def test_only_the_teams_and_channels_named_are_read_and_missing_ones_are_told(chat: Chat) -> None:
    chat.thread()
    lobby = chat.server.channel(chat.team, "lobby")
    root = chat.thread(channel=lobby)
    chat.server.channel(chat.team, "secret", "P")
    chat.thread(channel=chat.server.channel(chat.server.team("sales"), "lobby"))
    names = ["engineering/lobby", "engineering/typo", "engineering/secret"]
    shelf = Shelf(chat.server, {"teams": ["engineering", "marketing"], "channels": names})
    await shelf.sync()
    assert {*shelf.entries} == {f"{lobby}/{root}"}
    assert [(skip.id, skip.reason.partition(":")[0]) for skip in shelf.skipped] == [
        ("engineering/secret", "the channel is private"),
        ("engineering/typo", "the account is in no channel of that name that is not archived"),
        ("marketing", "the account is in no team of that name"),
    ]


async def test_a_channel_that_may_not_be_read_now_keeps_its_documents_until_it_may(chat: Chat, shelf: Shelf) -> None:
    root = chat.thread()
    await shelf.sync()
    chat.server.forbidden.add(chat.channel)
    for cursor in (shelf.cursor, None):
        shelf.cursor = cursor
        chat.server.edit(root, "The lift works again.")
        await shelf.sync()
        assert [(skip.id, skip.unseen) for skip in shelf.skipped] == [(f"{chat.channel}/", True)]
        assert {*shelf.entries} == {chat.id(root)}
    chat.server.forbidden.clear()
    chat.server.delete(root)
    await shelf.sync()
    assert shelf.entries == {}


async def test_a_channel_that_the_account_loses_while_it_is_listed_is_gone(chat: Chat, shelf: Shelf) -> None:
    chat.thread()
    await shelf.sync()
    chat.server.channels[chat.channel]["type"] = "P"
    shelf.options["private"] = True
    await shelf.sync()

    def leave(request: str) -> None:
        if request.endswith("/channels"):
            chat.server.members[chat.channel].discard(chat.server.bot)

    chat.server.after = leave
    await shelf.sync()
    assert shelf.gone == [f"{chat.channel}/"]
    assert shelf.entries == {}


async def test_what_machines_and_the_server_say_is_read_only_where_that_is_wanted(chat: Chat, shelf: Shelf) -> None:
    build = chat.server.user("build", is_bot=True)
    said = {
        "people": chat.alone("typed by hand"),
        "me": chat.alone("*waves*", type="me"),
        "bot": chat.server.post(chat.channel, build, "by a bot", props={"from_bot": "true"}),
        "webhook": chat.server.post(
            chat.channel,
            chat.ada,
            "by a webhook",
            type="slack_attachment",
            props={
                "from_webhook": "true",
                "override_username": "Jenkins",
                "attachments": [{"title": "Build 7", "text": "is green", "fields": [{"title": "Took", "value": 9}]}],
            },
        ),
        "plugin": chat.alone("by a plugin", type="custom_git_pr"),
        "join": chat.alone("@ada joined the channel.", type="system_join_channel"),
        "vanishing": chat.alone("burn after reading", type="burn_on_read"),
        "own": chat.server.post(chat.channel, chat.server.bot, "an answer", props={"from_bot": "true"}),
    }
    await shelf.sync()
    text = await shelf.text(chat.id(TODAY))
    assert [word for word in said if (chat.server.posts[said[word]]["message"]) in text] == ["people", "me"]
    shelf.options["bots"] = True
    await shelf.sync()
    text = await shelf.text(chat.id(TODAY))
    read = [word for word in said if (chat.server.posts[said[word]]["message"]) in text]
    assert read == ["people", "me", "bot", "webhook", "plugin"]
    assert "**Jenkins** (2026-11-23 12:00 UTC):\n\nby a webhook\n\nBuild 7\n\nis green\n\nTook: 9" in text


async def test_joins_and_leaves_are_not_looked_into(chat: Chat, shelf: Shelf) -> None:
    chat.alone()
    await shelf.sync()
    await shelf.sync()
    chat.server.requests.clear()
    chat.alone("@bob joined the channel.", type="system_join_channel")
    await shelf.sync()
    assert chat.server.asked("/posts") == 1
    assert shelf.named == []


async def test_only_what_began_within_history_days_is_read_and_no_day_in_part(chat: Chat) -> None:
    shelf = Shelf(chat.server, {"history_days": 2})
    old = chat.alone("three days ago", at=START - 3 * DAY)
    chat.alone("early in the day before yesterday", at=START - 2 * DAY - DAY // 2 + 1)
    await shelf.sync()
    assert {*shelf.entries} == {chat.id("2026-11-21")}
    chat.server.post(chat.channel, chat.bob, "a late reply", root=old)
    await shelf.sync()
    assert {*shelf.entries} == {chat.id("2026-11-21")}
    shelf.cursor = None
    await shelf.sync()
    assert {*shelf.entries} == {chat.id("2026-11-21")}


async def test_a_renamed_channel_gives_its_documents_another_title(chat: Chat, shelf: Shelf) -> None:
    root = chat.thread()
    await shelf.sync()
    before = shelf.entries[chat.id(root)].version
    chat.server.channels[chat.channel]["display_name"] = "Buildings"
    await shelf.sync()
    entry = shelf.entries[chat.id(root)]
    assert entry.version != before
    async with shelf.source().fetch(entry) as original:
        assert original.title == "~Buildings: The lift is out of order."


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
