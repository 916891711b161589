"""What a listing of Mattermost's channels says, whole and since, driven against a server that keeps rows as it does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.mattermost import DAY, START
from tests.fakes.mattermost import Mattermost as Server
from tests.fixtures.mattermost_shelf import TODAY, Chat, Shelf

pytestmark = pytest.mark.usefixtures("without_waits")


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
