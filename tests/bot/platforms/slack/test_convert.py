"""Payloads as Slack's pages show them, and what they are reported as."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.events import Deleted, Edited, Pointed, Pressed, Said, Stopped
from bot.platforms.slack import convert
from bot.platforms.slack.convert import Identity, Reading
from bot.platforms.slack.markup import Names, escaped, markdown

ME = Identity(team="T1", user="UBOT", bot="BBOT")
READING = Reading(me=ME, names={"UADA": "Ada", "UBOB": "Bob"}, ask_reaction="question")
NAMES = READING.known
TS = "1795472063.741619"


def message(text: str = "Hello", **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "channel": "C1",
        "channel_type": "channel",
        "user": "UADA",
        "text": text,
        "ts": TS,
    } | more


def said(payload: dict[str, Any]) -> Said:
    found = convert.of_event(payload, READING)
    assert isinstance(found, Said)
    return found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<@UBOT> where is *it*?", "where is **it**?"),
        ("Well, <@UBOT> where?", "Well, where?"),
        ("ask <@UBOB> or <@UZED|zed> or <@WGRID>", "ask @Bob or @zed or @WGRID"),
        ("in <#C2|general> and <#C3>", "in #general and #C3"),
        ("<https://example.org/a?b=1&amp;c=2|the page>", "[the page](https://example.org/a?b=1&c=2)"),
        ("<https://example.org>", "https://example.org"),
        ("<mailto:ada@example.org|ada@example.org>", "ada@example.org"),
        ("<javascript:alert(1)|click>", "click"),
        ("<!here> and <!subteam^S1|@finance> and <!subteam^S2>", "@here and @finance and @subteam"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("~gone~ and 2*3*4 and `*code* &lt;`", "~~gone~~ and 2*3*4 and `*code* <`"),
        ("```*not bold* &lt;x&gt;```", "```*not bold* <x>```"),
        ("• one\n• two", "- one\n- two"),
    ],
)
def test_slacks_markup_becomes_markdown(text: str, shown: str) -> None:
    assert markdown(text, NAMES) == shown


@given(st.text())
def test_plain_text_survives_the_way_to_slack_and_back(text: str) -> None:
    plain = text.translate(str.maketrans("*~`•◦▪‣", "       ")).strip()
    assert markdown(escaped(plain), Names(own_user="UBOT")) == plain


@given(st.text(alphabet="<@#!|>*~`&;UBC1 \n^"))
def test_no_markup_however_broken_fails(text: str) -> None:
    markdown(text, NAMES)


def test_a_mention_that_arrives_twice_has_one_key() -> None:
    as_message = said(message("<@UBOT> hi", client_msg_id="x", event_ts=TS))
    as_mention = said(message("<@UBOT> hi", type="app_mention", channel_type=None))

    assert as_message.key == as_mention.key == f"said/slack/T1/C1/{TS}"
    assert as_message.mentions_bot
    assert as_mention.mentions_bot


def test_a_message_outside_a_thread_begins_one() -> None:
    found = said(message())

    assert found.spot.thread == TS
    assert not found.in_thread
    assert not found.spot.direct
    assert found.at == datetime.fromtimestamp(float(TS), UTC)


def test_a_reply_is_in_the_thread_of_its_root() -> None:
    found = said(message(thread_ts="1795472000.000100"))

    assert found.spot.thread == "1795472000.000100"
    assert found.in_thread


@pytest.mark.parametrize("where", [{"channel": "D1"}, {"channel_type": "im"}])
def test_a_direct_message_is_known_by_its_channel(where: dict[str, str]) -> None:
    assert said(message(**where)).spot.direct


def test_a_message_with_files_is_a_message() -> None:
    file = {
        "id": "F1",
        "name": "plan.pdf",
        "mimetype": "application/pdf",
        "size": 12,
        "url_private_download": "https://files.slack.com/F1",
    }
    found = said(message("", subtype="file_share", files=[file, {"id": "F2", "mode": "tombstone"}, {"id": "F3"}]))

    assert [(each.id, each.name, each.size, each.url) for each in found.files] == [
        ("F1", "plan.pdf", 12, "https://files.slack.com/F1"),
        ("F3", "F3", 0, ""),
    ]


@pytest.mark.parametrize(
    "text", ["<@UBOB> what do you think?", "<!here> hello", "<!channel>", "<!everyone>", "<!subteam^S1|@finance> hm"]
)
def test_who_mentions_somebody_else_addresses_others(text: str) -> None:
    assert said(message(f"<@UBOT> {text}")).mentions_others


@pytest.mark.parametrize("text", ["<@UBOT> what is <#C2|general>?", "ada@example.org", "see <https://x.example|@bob>"])
def test_channels_and_addresses_are_nobody_else(text: str) -> None:
    assert not said(message(text)).mentions_others


@pytest.mark.parametrize(
    "payload",
    [
        message(bot_id="B2"),
        message(subtype="bot_message", bot_id="B2", user=""),
        message(user="UBOT"),
        message(user="USLACKBOT"),
        message(subtype="channel_join"),
        message(subtype="channel_topic"),
        message(subtype="reminder_add"),
        {"type": "member_joined_channel", "user": "UADA", "channel": "C1"},
        {"type": "tokens_revoked"},
    ],
)
def test_bots_and_slack_itself_are_not_reported(payload: dict[str, Any]) -> None:
    assert convert.of_event(payload, READING) is None


def changed(now: dict[str, Any], before: dict[str, Any], **more: Any) -> dict[str, Any]:
    stamps = {"ts": "1795472100.000200", "event_ts": "1795472100.000200", "hidden": True}
    event = {"type": "message", "subtype": "message_changed", "channel": "C1", "channel_type": "channel"}
    return {**event, **stamps, "message": now, "previous_message": before} | more


EDIT = {"user": "UADA", "ts": "1795472100.000000"}


def test_an_edit_is_reported_with_what_the_message_is_now() -> None:
    found = convert.of_event(changed(message("<@UBOT> new", edited=EDIT), message("old")), READING)

    assert isinstance(found, Edited)
    assert found.said.text == "new"
    assert found.said.mentions_bot
    assert found.revision == EDIT["ts"]
    assert found.message == TS


def test_a_mention_that_comes_again_because_of_an_edit_is_that_edit() -> None:
    again = convert.of_event(message("<@UBOT> new", type="app_mention", edited=EDIT), READING)
    change = convert.of_event(changed(message("<@UBOT> new", edited=EDIT), message("old")), READING)

    assert again is not None
    assert change is not None
    assert again.key == change.key


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (message("same", attachments=[{"id": 1}]), message("same")),
        (message("same", edited=EDIT, attachments=[{"id": 1}]), message("same", edited=EDIT)),
        (message("new"), message("old")),
        (message("new", user="UBOT", bot_id="BBOT", edited=EDIT), message("old", user="UBOT", bot_id="BBOT")),
        (message("new", bot_id="B2", edited=EDIT), message("old", bot_id="B2")),
    ],
    ids=["preview", "preview after an edit", "by Slack", "our own", "another bot's"],
)
def test_a_change_in_which_nobody_said_anything_new_is_no_edit(now: dict[str, Any], before: dict[str, Any]) -> None:
    assert convert.of_event(changed(now, before), READING) is None


def test_a_deletion_names_the_message_and_its_thread() -> None:
    event = changed({}, message(thread_ts="1795472000.000100"), subtype="message_deleted", deleted_ts=TS)
    found = convert.of_event(event, READING)

    assert isinstance(found, Deleted)
    assert (found.message, found.spot.thread) == (TS, "1795472000.000100")


def test_a_tombstone_is_a_deletion() -> None:
    tombstone = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "ts": TS, "text": "deleted"}
    found = convert.of_event(changed(tombstone, message()), READING)

    assert isinstance(found, Deleted)
    assert found.message == TS


def test_deletions_of_what_a_bot_wrote_are_not_reported() -> None:
    event = changed({}, message(bot_id="BBOT", user="UBOT"), subtype="message_deleted", deleted_ts=TS)
    assert convert.of_event(event, READING) is None


def reaction(name: str, **more: Any) -> dict[str, Any]:
    item = {"type": "message", "channel": "C1", "ts": TS}
    return {"type": "reaction_added", "user": "UBOB", "reaction": name, "item": item, "event_ts": "1795472100.1"} | more


@pytest.mark.parametrize("name", ["question", "question::skin-tone-3"])
def test_the_reaction_that_asks_points_at_its_message(name: str) -> None:
    found = convert.of_event(reaction(name), READING)

    assert isinstance(found, Pointed)
    assert (found.message, found.by) == (TS, "UBOB")


@pytest.mark.parametrize(
    "event",
    [
        reaction("eyes"),
        reaction("question", user="UBOT"),
        reaction("question", item_user="UBOT"),
        reaction("question", item={"type": "file", "file": "F1"}),
    ],
)
def test_other_reactions_point_at_nothing(event: dict[str, Any]) -> None:
    assert convert.of_event(event, READING) is None


def test_the_native_stop_names_the_thread() -> None:
    event = {"type": "agent_session_stopped", "channel": "C1", "thread_ts": TS, "user": "UADA", "event_ts": "1.2"}
    found = convert.of_event(event, READING)

    assert isinstance(found, Stopped)
    assert (found.spot.thread, found.by, found.id) == (TS, "UADA", "1.2")


def pressed(**more: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": "UADA"},
        "trigger_id": "1.2.3",
        "response_url": "https://hooks.slack.com/actions/T1/1/x",
        "channel": {"id": "C1"},
        "container": {"type": "message", "message_ts": TS, "channel_id": "C1"},
        "message": {"ts": TS, "thread_ts": "1795472000.000100"},
        "actions": [
            {
                "type": "feedback_buttons",
                "action_id": "souffleur_feedback",
                "value": "v|up",
                "action_ts": "1795472100.1",
            }
        ],
    } | more


def test_a_press_carries_the_value_and_where_the_button_is() -> None:
    found = convert.of_press(pressed(), READING)

    assert isinstance(found, Pressed)
    assert (found.value, found.message, found.spot.thread) == ("v|up", TS, "1795472000.000100")
    assert found.remark is None


def test_a_private_message_has_no_id_to_keep() -> None:
    container = {"type": "message", "message_ts": TS, "channel_id": "C1", "is_ephemeral": True}
    found = convert.of_press(pressed(container=container, message={}), READING)

    assert found is not None
    assert found.message == ""


def test_buttons_of_others_are_not_ours() -> None:
    assert convert.of_press(pressed(actions=[{"action_id": "other", "action_ts": "1.1"}]), READING) is None


def test_a_form_comes_back_as_the_press_that_opened_it_with_a_remark() -> None:
    press = convert.of_press(pressed(), READING)
    assert press is not None
    view = {
        "id": "V1",
        "callback_id": "souffleur",
        "private_metadata": convert.form_metadata(press, "signed"),
        "state": {"values": {"remark": {"remark": {"type": "plain_text_input", "value": "too old"}}}},
    }
    sent = convert.of_form({"user": {"id": "UADA"}, "view": view}, READING, datetime.now(UTC))

    assert sent is not None
    assert (sent.value, sent.remark, sent.message, sent.spot) == ("signed", "too old", TS, press.spot)
    assert sent.key != press.key


def test_what_needs_names_is_found_wherever_the_text_is() -> None:
    event = changed(message("<@UBOB> and <@UCLEO|cleo>"), message("<@UOLD>"))
    assert convert.named({"event": event}) == {"UBOB", "UCLEO"}


@pytest.mark.parametrize(
    ("user", "member"),
    [
        ({}, True),
        ({"is_app_user": True}, True),
        ({"team_id": "T9", "enterprise_user": {"teams": ["T1", "T9"]}}, True),
        ({"team_id": "T9", "enterprise_user": {"enterprise_id": "E1", "teams": ["T9"]}}, True),
        ({"team_id": "E1", "enterprise_user": {"enterprise_id": "E1"}}, True),
        ({"team_id": "T9", "enterprise_user": {"enterprise_id": "E2", "teams": ["T9"]}}, False),
        ({"team_id": "T9"}, False),
        ({"team_id": None}, False),
        ({"is_restricted": True}, False),
        ({"is_ultra_restricted": True}, False),
        ({"is_stranger": True}, False),
        ({"is_invited_user": True}, False),
        ({"is_bot": True}, False),
        ({"is_workflow_bot": True}, False),
        ({"is_connector_bot": True}, False),
        ({"deleted": True}, False),
    ],
)
def test_who_is_a_member_of_the_company_and_has_an_address(user: dict[str, Any], member: bool) -> None:
    profile = {"email": "ada@example.org"}
    known = {"id": "U1", "team_id": "T1", "locale": "de-DE", "real_name": "Ada L", "profile": profile}
    found = convert.person(known | user, replace(ME, enterprise="E1"))

    assert found.member is member
    assert found.email == ("ada@example.org" if member else "")
    assert (found.locale, found.name) == ("de", "Ada L")


def test_a_workspace_of_no_organisation_has_nobody_of_one() -> None:
    user = {"id": "U1", "team_id": "T9", "enterprise_user": {"enterprise_id": "", "teams": []}}

    assert not convert.person(user, ME).member


@pytest.mark.parametrize(
    ("told", "email"),
    [
        ({"profile": {"email": "Ada@Example.ORG"}}, "ada@example.org"),
        ({"profile": {"email": "ada@example.org"}, "is_email_confirmed": True}, "ada@example.org"),
        ({"profile": {"email": "ada@example.org"}, "is_email_confirmed": False}, ""),
        ({"profile": {"email": "ädä@example.org"}}, ""),
        ({"profile": {"email": "\u212aim@example.org"}}, ""),
        ({"profile": {"email": "ada@example.org eve@example.org"}}, ""),
        ({"profile": {"email": "ada@eve@example.org"}}, ""),
        ({"profile": {"email": "ada"}}, ""),
        ({"profile": {"email": None}}, ""),
        ({"profile": {}}, ""),
    ],
    ids=["case", "confirmed", "unconfirmed", "accents", "Kelvin sign", "two", "two signs", "no sign", "null", "none"],
)
def test_an_address_is_one_that_slack_vouches_for(told: dict[str, Any], email: str) -> None:
    assert convert.person({"id": "U1", "team_id": "T1"} | told, ME).email == email


def test_what_the_bot_wrote_is_read_from_its_blocks() -> None:
    blocks = [
        {"type": "markdown", "text": "The **whole** answer."},
        {"type": "context", "elements": [{"type": "plain_text", "text": "note"}]},
    ]
    found = convert.message_of(message("The whole…", user="UBOT", bot_id="BBOT", blocks=blocks), READING)

    assert found.own
    assert found.bot
    assert found.text == "The **whole** answer."


def test_anothers_bot_and_slacks_own_messages_are_told_from_peoples() -> None:
    joined = convert.message_of(message("<@UADA> has joined", subtype="channel_join"), READING)
    other = convert.message_of(message("hi", user="", bot_id="B2", username="ci", subtype="bot_message"), READING)
    person = convert.message_of(message("hi"), READING)

    assert (joined.bot, joined.own) == (True, False)
    assert (other.bot, other.own, other.name) == (True, False, "ci")
    assert (person.bot, person.name) == (False, "Ada")
