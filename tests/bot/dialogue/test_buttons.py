"""Only what this program has signed counts as a button of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.dialogue.buttons import ACTIONS, Action, Buttons, Signed, action_of
from bot.platforms.events import Pressed, Spot
from ingest.errors import ConfigurationError
from tests.fixtures.chat import Clock
from tests.fixtures.dialogue import TOKEN, say

SPOT = Spot(platform="slack", workspace="T1", channel="C1", thread="1732.0001", direct=False)
KEY = f"said/{SPOT.key_of('1732.0002')}"
BUTTONS = Buttons({"slack": TOKEN, "mattermost": SecretStr("another")}, say)


def pressed(value: str, spot: Spot = SPOT) -> Pressed:
    return Pressed(spot=spot, message="1732.0003", id="p1", by="U1", at=Clock().now(), value=value)


@pytest.mark.parametrize("action", sorted(ACTIONS))
@pytest.mark.parametrize("direct", [True, False])
def test_a_button_comes_back_as_what_it_was_made_for(action: Action, direct: bool) -> None:
    spot = replace(SPOT, direct=direct)
    button = BUTTONS.button(action, KEY, spot, language="de")
    assert button.label == f"de:chat-{action}"
    assert BUTTONS.opened(pressed(button.value)) == Signed(action=action, key=KEY, spot=spot)
    assert action_of(button.value) == action


def test_a_button_for_one_person_says_whose_it_is_and_so_does_its_form() -> None:
    value = BUTTONS.button("down", KEY, SPOT, language="de", only="U1").value
    opened = BUTTONS.opened(pressed(value))
    assert opened == Signed(action="down", key=KEY, spot=SPOT, only="U1")
    form = replace(pressed(BUTTONS.of_form(opened, by="U1")), remark="No.")
    assert BUTTONS.opened(form) == opened
    assert BUTTONS.opened(replace(form, by="U2")) is None
    assert BUTTONS.opened(replace(form, remark=None)) is None
    assert BUTTONS.opened(replace(pressed(value), remark="No.")) is None


def test_whose_a_button_is_cannot_be_changed_or_left_out() -> None:
    words, _, signature = BUTTONS.button("share", KEY, SPOT, language="de", only="U1").value.rpartition("|")
    for changed in (words.replace("only:U1", "only:U2"), words.removesuffix("|only:U1"), words.replace("only", "form")):
        assert BUTTONS.opened(pressed(f"{changed}|{signature}")) is None


def test_the_thread_is_the_buttons_own_wherever_it_was_pressed() -> None:
    value = BUTTONS.button("share", KEY, replace(SPOT, thread=""), language="de").value
    opened = BUTTONS.opened(pressed(value, replace(SPOT, channel="D7", thread="99")))
    assert opened is not None
    assert opened.spot == replace(SPOT, thread="")


def test_a_value_fits_the_smallest_limit_even_with_long_names() -> None:
    spot = Spot(
        platform="mattermost",
        workspace="chat." + "x" * 60 + ".example.org",
        channel="c" * 26,
        thread="t" * 26,
        direct=True,
    )
    button = BUTTONS.button("disclose", f"commanded/{spot.key_of('i' * 180)}", spot, language="de", only="u" * 26)
    assert len(button.value) <= 500


@pytest.mark.parametrize(
    "elsewhere",
    [replace(SPOT, workspace="T2"), replace(SPOT, platform="mattermost")],
    ids=["another workspace", "another platform"],
)
def test_a_button_counts_in_its_own_workspace_alone(elsewhere: Spot) -> None:
    value = BUTTONS.button("up", KEY, SPOT, language="de").value
    assert BUTTONS.opened(pressed(value, elsewhere)) is None


def test_a_button_signed_with_another_token_does_not_count() -> None:
    value = Buttons({"slack": SecretStr("stolen")}, say).button("up", KEY, SPOT, language="de").value
    assert BUTTONS.opened(pressed(value)) is None


def test_a_token_is_no_signature() -> None:
    signed = BUTTONS.button("up", KEY, SPOT, language="de").value
    assert TOKEN.get_secret_value() not in signed


@given(st.data())
def test_whatever_is_changed_in_a_value_it_does_not_count_any_more(data: st.DataObject) -> None:
    value = BUTTONS.button("up", KEY, SPOT, language="de").value
    position = data.draw(st.integers(0, len(value) - 1))
    character = data.draw(st.characters().filter(lambda character: character != value[position]))
    changed = value[:position] + character + value[position + 1 :]
    assert BUTTONS.opened(pressed(changed)) is None


@given(st.text() | st.text(alphabet="up|direct/channel=").map(lambda text: f"{text}|{text}"))
def test_whatever_comes_from_outside_is_no_button(value: str) -> None:
    assert BUTTONS.opened(pressed(value)) is None


def test_an_empty_token_signs_nothing() -> None:
    with pytest.raises(ConfigurationError, match="slack"):
        Buttons({"slack": SecretStr("")}, say)
