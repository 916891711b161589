"""Slash command, buttons and forms, as the server posts them; and what anybody else may post."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from bot.platforms.events import Commanded, Pressed
from bot.platforms.interface import Button, Form, Post, Receipt
from tests.bot.platforms.mattermost.conftest import (
    CALLBACK,
    COMMAND_TOKEN,
    NOON,
    Ears,
    Made,
    Place,
    callbacks,
    listening,
)
from tests.fakes.mattermost.hub import Row

DOWN = Button(action="down", label="Bad", value="signed-down")
FORM = Form(title="What was wrong with it, do tell us", label="Reason", submit="Send", value="signed-reason")


def _command(place: Place, **fields: str) -> dict[str, str]:
    return {
        "channel_id": place.channel,
        "channel_name": "town-square",
        "command": "/ask",
        "response_url": f"{place.url}/hooks/commands/abc",
        "team_id": place.team,
        "text": " How many days? ",
        "token": COMMAND_TOKEN,
        "trigger_id": "a-long-trigger",
        "user_id": place.ada,
        "user_name": "ada",
        **fields,
    }


async def test_a_slash_command_is_reported_and_answered_to_the_asker_alone(
    place: Place, make: Made, ears: Ears
) -> None:
    platform = make()
    ears.receipt = Receipt(text="Searching…")
    async with listening(platform, ears), callbacks(platform) as client:
        answer = await client.post("/mattermost/command", data=_command(place, root_id="therootid"))

    assert answer.json() == {"response_type": "ephemeral", "text": "Searching…", "skip_slack_parsing": True}
    (event,) = ears.heard
    assert isinstance(event, Commanded)
    assert (event.text, event.by, event.at) == ("How many days?", place.ada, NOON)
    assert event.spot == place.spot("therootid")
    assert event.respond_to == f"{place.url}/hooks/commands/abc#{place.ada}"
    assert "a-long-trigger" not in event.key


async def test_a_slash_command_in_a_direct_message_with_the_bot_is_direct(place: Place, make: Made, ears: Ears) -> None:
    platform = make()
    direct = place.server.direct(place.ada, place.server.bot)
    fields = {"channel_id": direct, "channel_name": place.server.channels[direct]["name"]}
    async with listening(platform, ears), callbacks(platform) as client:
        await client.post("/mattermost/command", data=_command(place, **fields))

    assert ears.heard[0].spot == place.spot("", channel=direct, direct=True)


@pytest.mark.parametrize(
    ("headers", "token", "status"),
    [
        ({"Authorization": f"Token {COMMAND_TOKEN}"}, "", 200),
        ({}, COMMAND_TOKEN, 200),
        ({}, "another team's", 200),
        ({"Authorization": "Token wrong"}, COMMAND_TOKEN, 403),
        ({}, "wrong", 403),
        ({}, "", 403),
        ({}, "töken", 403),
    ],
)
async def test_only_the_servers_token_opens_the_slash_command(
    place: Place, make: Made, ears: Ears, headers: dict[str, str], token: str, status: int
) -> None:
    from pydantic import SecretStr

    platform = make(command_token=SecretStr(f"{COMMAND_TOKEN}, another team's"))
    async with listening(platform, ears), callbacks(platform) as client:
        answer = await client.post("/mattermost/command", data=_command(place, token=token), headers=headers)

    assert answer.status_code == status
    assert len(ears.heard) == (status == 200)


async def test_without_a_token_no_slash_command_is_taken(place: Place, make: Made, ears: Ears) -> None:
    platform = make(command_token=None)
    async with listening(platform, ears), callbacks(platform) as client:
        answer = await client.post("/mattermost/command", data=_command(place, token=""))

    assert answer.status_code == 403


async def _shown(platform: Any, place: Place) -> tuple[str, str]:
    question = place.say("How many days?")
    (message,) = await platform.show(place.spot(question), Post(text="Thirty.", language="en", buttons=(DOWN,)))
    return question, message


def _press(place: Place, message: str, **fields: Any) -> Row:
    return {
        "user_id": place.ada,
        "channel_id": place.channel,
        "post_id": message,
        "trigger_id": "a-trigger",
        "type": "button",
        "context": {"value": "signed-down"},
        **fields,
    }


def _sent(place: Place, message: str, **fields: Any) -> Row:
    return {
        "type": "dialog_submission",
        "callback_id": message,
        "state": "signed-reason",
        "user_id": place.ada,
        "channel_id": place.channel,
        "submission": {"remark": "It is thirty-one."},
        "cancelled": False,
        **fields,
    }


async def test_a_press_is_reported_in_its_thread_and_its_receipt_shown(place: Place, make: Made, ears: Ears) -> None:
    platform = make()
    ears.receipt = Receipt(text="Thanks!")
    async with listening(platform, ears), callbacks(platform) as client:
        question, message = await _shown(platform, place)
        ears.heard.clear()
        answer = await client.post("/mattermost/action", json=_press(place, message))

    assert answer.json() == {"ephemeral_text": "Thanks!", "skip_slack_parsing": True}
    (event,) = [event for event in ears.heard if isinstance(event, Pressed)]
    assert (event.value, event.message, event.by, event.remark) == ("signed-down", message, place.ada, None)
    assert event.spot == place.spot(question)


async def test_the_place_of_a_press_is_where_the_message_is_whatever_is_claimed(
    place: Place, make: Made, ears: Ears
) -> None:
    platform = make()
    async with listening(platform, ears), callbacks(platform) as client:
        question, message = await _shown(platform, place)
        await client.post("/mattermost/action", json=_press(place, message, channel_id="elsewhere"))

    assert [event.spot for event in ears.heard if isinstance(event, Pressed)] == [place.spot(question)]


async def test_a_press_opens_a_form_and_what_is_written_there_is_reported(place: Place, make: Made, ears: Ears) -> None:
    platform = make()
    ears.receipt = Receipt(form=FORM)
    interactivity = place.server.interactivity
    async with listening(platform, ears), callbacks(platform) as client:
        question, message = await _shown(platform, place)
        trigger, _ = interactivity.trigger(place.ada, place.channel)
        await client.post("/mattermost/action", json=_press(place, message, trigger_id=trigger))
        dialog = interactivity.dialogs[place.ada]
        submission = _sent(place, dialog["dialog"]["callback_id"], state=dialog["dialog"]["state"])
        ears.heard.clear()
        answer = await client.post("/mattermost/form", json=submission)
        await client.post("/mattermost/form", json={**submission, "cancelled": True})

    assert dialog["url"] == f"{CALLBACK}/mattermost/form"
    assert dialog["dialog"]["title"] == "What was wrong with it, "
    assert (answer.status_code, answer.json()) == (200, {})
    (event,) = [event for event in ears.heard if isinstance(event, Pressed)]
    assert (event.remark, event.value, event.message) == ("It is thirty-one.", "signed-reason", message)
    assert event.spot == place.spot(question)


async def test_a_form_that_opens_too_late_does_not_undo_the_press(place: Place, make: Made, ears: Ears) -> None:
    platform = make()
    ears.receipt = Receipt(text="Thanks!", form=FORM)
    async with listening(platform, ears), callbacks(platform) as client:
        _, message = await _shown(platform, place)
        trigger, _ = place.server.interactivity.trigger(place.ada, place.channel)
        place.server.now += 10_000
        answer = await client.post("/mattermost/action", json=_press(place, message, trigger_id=trigger))

    assert answer.json()["ephemeral_text"] == "Thanks!"


async def test_a_press_under_a_private_answer_has_no_message(place: Place, make: Made, ears: Ears) -> None:
    platform = make()
    async with listening(platform, ears), callbacks(platform) as client:
        private = place.server.ephemeral(place.ada, place.channel, "Thirty.")
        await client.post("/mattermost/action", json=_press(place, private))

    assert [(event.message, event.spot) for event in ears.heard if isinstance(event, Pressed)] == [("", place.spot(""))]


async def test_whoever_is_not_in_the_channel_presses_nothing(place: Place, make: Made, ears: Ears) -> None:
    platform, stranger = make(), place.server.user("eve")
    async with listening(platform, ears), callbacks(platform) as client:
        _, message = await _shown(platform, place)
        answer = await client.post("/mattermost/action", json=_press(place, message, user_id=stranger))

    assert answer.status_code == 403
    assert not [event for event in ears.heard if isinstance(event, Pressed)]


async def test_nobody_presses_in_the_name_of_whoever_was_told_alone(place: Place, make: Made, ears: Ears) -> None:
    """A call that nobody signs says that Bob, or the bot, has pressed what Ada alone was shown."""
    platform = make()
    post = Post(text="Thirty.", language="en", buttons=(DOWN,))
    async with listening(platform, ears), callbacks(platform) as client:
        await platform.whisper(place.spot(""), place.ada, post)
        (row,) = place.by_bot(place.server.direct(place.ada, place.server.bot))
        forged = [
            await client.post("/mattermost/action", json=_press(place, row["id"], user_id=user))
            for user in (place.bob, place.server.bot)
        ]
        forged += [
            await client.post("/mattermost/form", json=_sent(place, row["id"], user_id=user))
            for user in (place.bob, place.server.bot)
        ]
        own = await client.post("/mattermost/action", json=_press(place, row["id"]))

    assert [answer.status_code for answer in forged] == [403] * 4
    assert own.status_code == 200
    assert [event.by for event in ears.heard if isinstance(event, Pressed)] == [place.ada]


async def test_a_button_under_somebody_elses_message_is_none_of_ours(place: Place, make: Made, ears: Ears) -> None:
    platform = make()
    async with listening(platform, ears), callbacks(platform) as client:
        answer = await client.post("/mattermost/action", json=_press(place, place.say("mine", by=place.bob)))

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/mattermost/action", b"", 400),
        ("/mattermost/action", b"[]", 400),
        ("/mattermost/action", b'{"user_id": "u", "channel_id": "c", "context": {"value": 7}}', 400),
        ("/mattermost/action", b'{"user_id": "u", "channel_id": "c"}', 400),
        ("/mattermost/form", b'{"user_id": "u", "channel_id": "c", "state": ""}', 400),
        ("/mattermost/form", b"\xff\xfe", 400),
        ("/mattermost/action", b"x" * 300_000, 413),
    ],
)
async def test_what_is_not_mattermosts_is_refused(
    place: Place, make: Made, ears: Ears, path: str, body: bytes, status: int
) -> None:
    platform = make()
    async with listening(platform, ears), callbacks(platform) as client:
        assert (await client.post(path, content=body)).status_code == status

    assert ears.heard == []


async def test_nothing_is_acknowledged_that_was_not_kept(place: Place, make: Made, ears: Ears) -> None:
    platform = make()
    async with listening(platform, ears), callbacks(platform) as client:
        ears.failing = 1
        assert (await client.post("/mattermost/command", data=_command(place))).status_code == 503
    async with callbacks(platform) as client:
        assert (await client.post("/mattermost/command", data=_command(place))).status_code == 503

    assert ears.heard == []


@pytest.mark.parametrize("user", ["me", "../../users/me", "%2e%2e", "", "x" * 5_000])
async def test_whoever_is_said_to_have_pressed_must_have_an_id(place: Place, make: Made, ears: Ears, user: str) -> None:
    platform = make()
    async with listening(platform, ears), callbacks(platform) as client:
        _, message = await _shown(platform, place)
        ears.heard.clear()
        answer = await client.post("/mattermost/action", json=_press(place, message, user_id=user))

    assert answer.status_code == 400
    assert not any(isinstance(event, Pressed) for event in ears.heard)


@pytest.mark.parametrize("path", ["/mattermost/action", "/mattermost/form", "/mattermost/command"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"[" * 100_000,
        b'{"context":' * 20_000,
        b'{"user_id": "u", "channel_id": "c", "context": {"value": 7}}',
        b'{"user_id": {}, "channel_id": [], "context": null, "state": 3}',
        b"\xff\xfe",
        b"&" * 200_000,
        b'{"user_id": "\\ud800", "channel_id": "c", "context": {"value": "\\ud800"}}',
    ],
    ids=range(10),
)
async def test_nothing_that_is_posted_without_a_signature_breaks_or_is_kept(
    place: Place, make: Made, ears: Ears, path: str, body: bytes
) -> None:
    platform = make()
    async with listening(platform, ears), callbacks(platform) as client:
        for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/html"):
            answer = await client.post(path, content=body, headers={"Content-Type": kind})
            assert 400 <= answer.status_code < 500

    assert not ears.heard


async def test_a_flood_of_presses_leaves_calls_for_answers(place: Place, make: Made, ears: Ears) -> None:
    platform = make()
    async with listening(platform, ears), callbacks(platform) as client:
        _, message = await _shown(platform, place)
        ears.heard.clear()
        async with asyncio.TaskGroup() as group:
            flood = [
                group.create_task(
                    client.post("/mattermost/action", json=_press(place, message, trigger_id=str(number)))
                )
                for number in range(100)
            ]
        statuses = Counter(task.result().status_code for task in flood)
        assert (await client.post("/mattermost/action", json=_press(place, message))).status_code == 200

    assert set(statuses) == {200, 503}
    assert statuses[503] >= 50
