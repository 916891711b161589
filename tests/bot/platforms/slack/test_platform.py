"""What the adapter reads, shows and tells on a fake of Slack."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.responses import RedirectResponse

from bot.platforms.events import Commanded, File
from bot.platforms.interface import MessageGone, PlatformRefused, PlatformUnavailable
from bot.platforms.slack.platform import SlackPlatform
from bot.platforms.slack.probe import probe
from bot.platforms.slack.settings import SlackSettings
from tests.bot.platforms.slack.conftest import DOWN, UP, Bot, post, seen, spot
from tests.fakes.slack import OWN_USER, Slack, answering, failing, limited, login_page, refusing


async def test_a_thread_is_read_with_its_root_and_its_latest_messages(
    bot: Bot, platform: SlackPlatform, slack: Slack, ops: str
) -> None:
    slack.page_size = 7
    root = slack.say(ops, "root", by="UBOB")
    for number in range(20):
        slack.say(ops, f"reply {number}", thread=root)
    await platform.show(spot(slack, ops, root), post("The **answer**."))

    whole = await platform.thread(spot(slack, ops, root))
    latest = await platform.thread(spot(slack, ops, root), limit=3)

    assert [message.text for message in whole] == ["root", *(f"reply {n}" for n in range(20)), "The answer."]
    assert [message.text for message in latest] == ["root", "reply 19", "The answer."]
    assert [(message.name, message.own, message.bot) for message in latest] == [
        ("Bob", False, False),
        ("Ada Lovelace", False, False),
        ("souffleur", True, True),
    ]


async def test_a_message_is_found_with_its_thread(platform: SlackPlatform, slack: Slack, ops: str) -> None:
    root = slack.say(ops, "root")
    reply = slack.say(ops, "reply", thread=root)

    where, found = await platform.message(spot(slack, ops, reply), reply)
    assert (where.thread, found.text) == (root, "reply")

    with pytest.raises(MessageGone):
        await platform.message(spot(slack, ops, root), "1.000001")
    with pytest.raises(MessageGone):
        await platform.thread(spot(slack, ops, "1.000001"))


async def test_people_are_asked_about_once_in_a_few_minutes(bot: Bot, platform: SlackPlatform, slack: Slack) -> None:
    slack.users["UADA"]["locale"] = "fr-FR"
    first = await platform.person("UADA")
    await asyncio.gather(*(platform.person("UADA") for _ in range(5)))
    assert len(slack.called("users.info")) == 1
    bot.clock.ahead += 151
    await platform.person("UADA")

    assert (first.name, first.locale, first.member) == ("Ada Lovelace", "fr", True)
    assert len(slack.called("users.info")) == 2
    assert not (await platform.person("UGUEST")).member
    assert not (await platform.person("UNOBODY")).member


@pytest.mark.parametrize(
    ("members", "more", "outsiders"),
    [
        ({"UADA", "UBOB"}, {}, False),
        ({"UADA", "UGUEST"}, {}, True),
        ({"UADA"}, {"is_ext_shared": True}, True),
        ({"UADA", "U0OTHER"}, {}, False),
    ],
    ids=["members alone", "with a guest", "shared with another company", "with another bot"],
)
async def test_outsiders_in_a_channel_are_known(
    platform: SlackPlatform, slack: Slack, members: set[str], more: dict[str, bool], outsiders: bool
) -> None:
    slack.user("U0OTHER", "ci", is_bot=True)
    channel = slack.channel("room", members={OWN_USER, *members}, **more)

    assert (await platform.room(spot(slack, channel, ""))).outsiders is outsiders


@pytest.mark.parametrize(
    ("flags", "outsiders"),
    [
        ({"is_pending_ext_shared": True}, True),
        ({"is_shared": True}, True),
        ({"is_shared": True, "is_org_shared": True}, False),
    ],
)
async def test_a_channel_that_is_about_to_be_shared_counts_as_shared(
    platform: SlackPlatform, slack: Slack, ops: str, flags: dict[str, bool], outsiders: bool
) -> None:
    shown = slack.rooms[ops].shown() | flags
    slack.always(answering({"ok": True, "channel": shown}), on="conversations.info")

    assert (await platform.room(spot(slack, ops, ""))).outsiders is outsiders


async def test_who_reads_a_large_channel_is_learned_from_the_directory(platform: SlackPlatform, slack: Slack) -> None:
    people = {slack.user(f"UM{number}", f"m{number}") for number in range(80)}
    channel = slack.channel("all", members={OWN_USER, *people})

    assert not (await platform.room(spot(slack, channel, ""))).outsiders
    assert not slack.called("users.info")


async def test_where_it_cannot_be_learned_who_reads_everybody_may_be_an_outsider(
    platform: SlackPlatform, slack: Slack, ops: str
) -> None:
    slack.always(refusing("missing_scope"), on="conversations.members")
    assert (await platform.room(spot(slack, ops, ""))).outsiders


async def test_a_whisper_is_seen_by_one_person_where_they_are(platform: SlackPlatform, slack: Slack, ops: str) -> None:
    await platform.whisper(spot(slack, ops, ""), "UADA", post("For you alone."))

    assert "For you alone." in seen(slack, ops, by="UADA")
    assert "For you alone." not in seen(slack, ops, by="UBOB")


async def test_a_whisper_to_somebody_elsewhere_is_a_direct_message(
    platform: SlackPlatform, slack: Slack, ops: str
) -> None:
    await platform.whisper(spot(slack, ops, ""), "UGUEST", post("For you alone."))

    assert seen(slack, slack.direct("UGUEST"), by="UGUEST") == ["For you alone."]


async def test_a_whisper_answers_a_command_and_is_told_otherwise_when_the_address_is_too_old(
    bot: Bot, slack: Slack, ops: str
) -> None:
    async with bot.at_work() as platform:
        await slack.command(ops, "/ask", "How much leave?", by="UADA")
        (commanded,) = bot.events
        assert isinstance(commanded, Commanded)
        await platform.whisper(commanded.spot, "UADA", post("Thirty."), respond_to=commanded.respond_to)
        assert not slack.called("chat.postEphemeral")
        slack.clock += 3600
        await platform.whisper(commanded.spot, "UADA", post("Thirty!"), respond_to=commanded.respond_to)

    assert seen(slack, ops, by="UADA") == ["Thirty.", "Thirty!"]
    assert seen(slack, ops, by="UBOB") == []


async def test_only_the_owners_of_a_post_are_notified(platform: SlackPlatform, slack: Slack, ops: str) -> None:
    text = "Ada asks: <@UADA> @here <!channel>"
    (message,) = await platform.show(spot(slack, ops, ""), post(text, mention=("UBOB",)))

    assert slack.notified[ops, message] == {"UBOB"}


async def test_a_long_post_is_changed_in_as_many_messages_as_it_takes(
    platform: SlackPlatform, slack: Slack, ops: str
) -> None:
    root = slack.say(ops, "root")
    where = spot(slack, ops, root)
    long = await platform.show(where, post("A paragraph of some words.\n\n" * 800, buttons=(UP, DOWN)))
    assert len(long) > 2

    short = await platform.change(where, long, post("Short."))
    again = await platform.change(where, short, post("A paragraph of some words.\n\n" * 800))

    assert short == long[:1]
    assert again[:1] == short
    assert len(again) == len(long)
    assert not slack.faults()
    await platform.remove(where, [*again, "1.000001"])
    assert seen(slack, ops, root) == ["root"]
    with pytest.raises(MessageGone):
        await platform.change(where, again, post("Gone."))


async def test_a_file_is_read_with_the_token_from_slack_alone(
    platform: SlackPlatform, slack: Slack, ops: str, tmp_path: Path
) -> None:
    id = slack.upload(ops, "plan.pdf", b"%PDF-1.7 plan", media_type="application/pdf")
    url = slack.files[id]["url_private_download"]
    file = File(id=id, name="plan.pdf", media_type="application/pdf", size=13, url=url)
    to = tmp_path / "plan.pdf"

    await platform.download(file, to, max_bytes=100)
    assert to.read_bytes() == b"%PDF-1.7 plan"
    await platform.download(File(id=id, name="plan.pdf", media_type="", size=13), to, max_bytes=100)

    with pytest.raises(PlatformRefused, match="larger"):
        await platform.download(file, to, max_bytes=5)
    lying = File(id=id, name="plan.pdf", media_type="", size=1, url=url)
    with pytest.raises(PlatformRefused, match="larger"):
        await platform.download(lying, to, max_bytes=5)
    elsewhere = File(id="F9", name="x", media_type="", size=1, url="https://files.slack.com.example.org/x")
    with pytest.raises(PlatformRefused, match="not kept by Slack"):
        await platform.download(elsewhere, to, max_bytes=5)
    slack.unshare(id)
    with pytest.raises(MessageGone):
        await platform.download(file, to, max_bytes=100)


async def test_a_login_page_is_no_file(platform: SlackPlatform, slack: Slack, ops: str, tmp_path: Path) -> None:
    id = slack.upload(ops, "plan.pdf", b"%PDF", media_type="application/pdf")
    file = File(id=id, name="plan.pdf", media_type="", size=4, url=slack.files[id]["url_private_download"])
    elsewhere = f"{slack.base_url}auth.test"
    slack.script(login_page, lambda received: RedirectResponse(elsewhere), on="download")

    for _ in range(2):
        with pytest.raises(PlatformRefused, match="files:read"):
            await platform.download(file, tmp_path / "plan.pdf", max_bytes=100)
    assert not slack.called("auth.test")
    assert not (tmp_path / "plan.pdf").exists()


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        ("missing_scope", PlatformRefused, "lacks the scope"),
        ("invalid_auth", PlatformRefused, "SOUFFLEUR_SLACK_BOT_TOKEN"),
        ("not_in_channel", PlatformRefused, "invite the app"),
        ("message_not_found", MessageGone, "not there any more"),
        ("internal_error", PlatformUnavailable, "try again"),
    ],
)
async def test_slacks_errors_say_what_to_do(
    platform: SlackPlatform, slack: Slack, ops: str, error: str, kind: type[Exception], told: str
) -> None:
    slack.always(refusing(error), on="chat.postMessage")
    with pytest.raises(kind, match=told) as raised:
        await platform.show(spot(slack, ops, ""), post("Hello"))
    assert "xoxb" not in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_a_busy_slack_is_asked_again(platform: SlackPlatform, slack: Slack, ops: str) -> None:
    slack.script(limited(0), failing(503), on="conversations.info")
    assert not (await platform.room(spot(slack, ops, ""))).outsiders


async def test_the_doctor_is_told_what_is_there_and_what_is_missing(bot: Bot, slack: Slack, ops: str) -> None:
    settings = SlackSettings(
        base_url=slack.base_url, bot_token=SecretStr(slack.token), app_token=SecretStr(slack.app_token)
    )
    healthy = await probe(settings)
    assert not [says for state, says in healthy if state == "problem"]
    assert any("#ops" in says for _, says in healthy)

    slack.scopes -= {"im:write", "files:read"}
    slack.always(refusing("invalid_auth"), on="apps.connections.open")
    problems = [says for state, says in await probe(settings) if state == "problem"]
    assert len(problems) == 2
    assert "files:read, im:write" in problems[0]
    assert "connections:write" in problems[1]

    slack.revoked = "account_inactive"
    ((state, says),) = await probe(settings)
    assert state == "problem"
    assert "SOUFFLEUR_SLACK_BOT_TOKEN" in says
