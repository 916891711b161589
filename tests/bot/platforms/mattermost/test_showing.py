"""What is shown and looked up besides drafts: posts, whispers, threads, people, rooms, files."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.responses import JSONResponse

from bot.platforms.events import File
from bot.platforms.interface import Button, MessageGone, PlatformRefused, Post
from bot.platforms.mattermost.convert import addressed_to
from tests.bot.platforms.mattermost.conftest import Made, Place, actions_of
from tests.fakes.mattermost.hub import Row

SHARE = Button(action="share", label="Share", value="signed-share")


async def test_only_those_who_are_to_be_notified_are(place: Place, make: Made) -> None:
    question = place.say("How many days?")
    ids = await make().show(
        place.spot(question), Post(text="@ada @channel asks @here", language="en", mention=(place.bob, "nobody"))
    )

    (row,) = place.by_bot()
    assert ids == (row["id"],)
    assert row["message"].startswith("@bob\n\n@\u2060ada")
    assert place.server.notified.get(row["id"], set()) == {place.bob}


async def test_what_changes_is_changed_in_place_and_what_is_too_much_deleted(place: Place, make: Made) -> None:
    platform, question = make(), place.say("How many days?")
    long = await platform.show(place.spot(question), Post(text="word " * 5000, language="en"))
    assert len(long) == 2

    short = await platform.change(place.spot(question), long, Post(text="word", language="en"))

    assert short == long[:1]
    assert [row["message"] for row in place.by_bot()] == ["word"]


async def test_what_is_gone_cannot_be_changed_but_removed_as_often_as_one_likes(place: Place, make: Made) -> None:
    platform, question = make(), place.say("How many days?")
    ids = await platform.show(place.spot(question), Post(text="Thirty.", language="en"))

    await platform.remove(place.spot(question), ids)
    await platform.remove(place.spot(question), ids)

    assert place.by_bot() == []
    with pytest.raises(MessageGone):
        await platform.change(place.spot(question), ids, Post(text="Thirty-one.", language="en"))


async def test_a_whisper_is_a_direct_message(place: Place, make: Made) -> None:
    question = place.say("How many days?")
    await make().whisper(place.spot(question), place.ada, Post(text="Thirty.", language="en", buttons=(SHARE,)))

    direct = place.server.direct(place.ada, place.server.bot)
    (row,) = place.by_bot(direct)
    assert (row["message"], row["root_id"]) == ("Thirty.", "")
    assert [action["id"] for action in actions_of(row)] == ["share"]
    assert place.by_bot() == []


async def _hook(place: Place) -> tuple[str, Row]:
    """A slash command's address to answer to."""
    server = place.server
    heard: Row = {}

    async def call(url: str, **content: object) -> None:
        heard.update(content["data"])  # type: ignore[call-overload]
        raise KeyError

    server.commands.add(place.team, "ask", "http://127.0.0.1:9/")
    server.interactivity.call = call  # type: ignore[method-assign,assignment]
    with pytest.raises(KeyError):
        await server.commands.give(place.ada, place.channel, "/ask How many days?")
    return heard["response_url"], heard


async def test_a_slash_command_is_answered_where_it_was_given(place: Place, make: Made) -> None:
    url, _ = await _hook(place)
    post = Post(text="Thirty.", language="en", buttons=(SHARE,))

    await make().whisper(place.spot(""), place.ada, post, respond_to=addressed_to(place.ada, url))

    (row,) = place.server.ephemerals.values()
    assert (row["viewer"], row["message"]) == (place.ada, "Thirty.")
    assert [action["id"] for action in actions_of(row)] == ["share"]


async def test_a_slash_command_that_is_long_past_is_answered_by_direct_message(place: Place, make: Made) -> None:
    url, _ = await _hook(place)
    place.server.now += 3_600_000
    post = Post(text="Thirty.", language="en")

    await make().whisper(place.spot(""), place.ada, post, respond_to=addressed_to(place.ada, url))

    assert [row["message"] for row in place.by_bot(place.server.direct(place.ada, place.server.bot))] == ["Thirty."]


@pytest.mark.parametrize("respond_to", ["{url}", "{url}#{bob}", "{url}#", "#{ada}", "{url}#{ada}#{bob}"])
async def test_what_is_for_one_person_is_never_sent_to_the_address_of_anothers_command(
    place: Place, make: Made, respond_to: str
) -> None:
    """The server shows what is sent there to whoever gave the command, and the address does not say who that was."""
    url, _ = await _hook(place)
    respond_to = respond_to.format(url=url, ada=place.ada, bob=place.bob)

    await make().whisper(place.spot(""), place.ada, Post(text="Thirty.", language="en"), respond_to=respond_to)

    assert place.server.ephemerals == {}
    assert place.by_bot() == []
    assert [row["message"] for row in place.by_bot(place.server.direct(place.ada, place.server.bot))] == ["Thirty."]


async def test_what_is_for_one_person_is_not_said_where_the_server_gives_another_channel(
    place: Place, make: Made
) -> None:
    wrong = JSONResponse(place.server.channels[place.channel], 201)
    place.server.fault(lambda: wrong, of="/channels/direct")

    with pytest.raises(PlatformRefused, match="for others too"):
        await make().whisper(place.spot(""), place.ada, Post(text="Thirty.", language="en"))

    assert place.by_bot() == []


async def test_nothing_is_sent_to_another_host_than_the_server(place: Place, make: Made) -> None:
    """The address of a response comes in a request; only its last part is used."""
    url, _ = await _hook(place)
    elsewhere = "https://evil.example.org" + url[url.index("/hooks") :]
    post = Post(text="Thirty.", language="en")

    await make().whisper(place.spot(""), place.ada, post, respond_to=addressed_to(place.ada, elsewhere))

    assert [row["message"] for row in place.server.ephemerals.values()] == ["Thirty."]


async def test_a_thread_is_read_with_who_said_what(place: Place, make: Made) -> None:
    root = place.say("@souffleur first")
    replies = [place.say(f"reply {number}", root=root, by=place.bob) for number in range(5)]
    own = place.say("an answer", root=root, by=place.server.bot, props={"from_bot": "true"})

    whole = await make().thread(place.spot(root))
    latest = await make().thread(place.spot(root), limit=3)

    assert [message.id for message in whole] == [root, *replies, own]
    assert (whole[0].name, whole[0].text, whole[0].mentions_bot) == ("Ada Lovelace", "first", True)
    assert [(message.own, message.bot) for message in whole[-2:]] == [(False, False), (True, True)]
    assert [message.id for message in latest] == [root, replies[-1], own]


async def test_a_thread_and_a_message_that_are_gone_are_told_of(place: Place, make: Made) -> None:
    platform, message = make(), place.say("hello")
    other = place.server.channel(place.team, "other")
    spot, found = await platform.message(place.spot(message), message)
    assert (spot, found.text) == (place.spot(message), "hello")

    with pytest.raises(MessageGone):
        await platform.message(place.spot(message, channel=other), message)
    place.server.delete(message)
    with pytest.raises(MessageGone):
        await platform.message(place.spot(message), message)
    with pytest.raises(MessageGone):
        await platform.thread(place.spot(message))


@pytest.mark.parametrize(
    ("fields", "member", "locale"),
    [
        ({"locale": "pt-BR"}, True, "pt"),
        ({"roles": "system_guest"}, False, "en"),
        ({"remote_id": "rrr"}, False, "en"),
        ({"delete_at": 1}, False, "en"),
        ({"is_bot": True}, False, "en"),
        ({"locale": ""}, True, None),
    ],
)
async def test_who_is_of_the_company(
    place: Place, make: Made, fields: dict[str, object], member: bool, locale: str | None
) -> None:
    person = await make().person(place.server.user("eve", "Eve Online", **fields))

    assert (person.name, person.member, person.locale) == ("Eve Online", member, locale)


async def test_whether_outsiders_read_along(place: Place, make: Made) -> None:
    server = place.server
    guest = server.user("gast", roles="system_guest")
    shared = server.channel(place.team, "shared", shared=True)
    visited = server.channel(place.team, "visited")
    server.join(visited, guest)
    foreign = server.channel(place.team, "foreign", "P")
    server.members[foreign] = {place.ada}
    rooms = {
        channel: (await make().room(place.spot("", channel=channel))).outsiders
        for channel in (
            place.channel,
            shared,
            visited,
            foreign,
            server.direct(place.ada, server.bot),
            server.direct(guest, server.bot),
        )
    }

    assert [*rooms.values()] == [False, True, True, True, False, True]


async def test_a_guest_who_joins_is_noticed_at_once(place: Place, make: Made) -> None:
    from tests.bot.platforms.mattermost.conftest import Ears, listening

    platform, ears = make(), Ears()
    guest = place.server.user("gast", roles="system_guest")
    async with listening(platform, ears):
        assert not (await platform.room(place.spot(""))).outsiders
        place.server.join(place.channel, guest)
        data = {"user_id": guest, "team_id": place.team}
        place.server.hub.publish("user_added", data, {place.server.bot}, channel=place.channel, own={})
        place.say("hello")
        await ears.until(1)

        assert (await platform.room(place.spot(""))).outsiders


async def test_files_are_written_up_to_a_bound(place: Place, make: Made, tmp_path: Path) -> None:
    id = place.server.file("plan.txt", b"twelve bytes", "text/plain", by=place.ada, channel=place.channel)
    place.say("see", files=[id])
    file = File(id=id, name="plan.txt", media_type="text/plain", size=12)

    await make().download(file, tmp_path / "plan.txt", max_bytes=12)

    assert (tmp_path / "plan.txt").read_bytes() == b"twelve bytes"
    with pytest.raises(PlatformRefused, match="larger than 11 bytes"):
        await make().download(file, tmp_path / "again.txt", max_bytes=11)


async def test_a_file_that_is_gone_is_told_of(place: Place, make: Made, tmp_path: Path) -> None:
    file = File(id="nothing", name="plan.txt", media_type="text/plain", size=12)
    with pytest.raises(MessageGone):
        await make().download(file, tmp_path / "plan.txt", max_bytes=12)
