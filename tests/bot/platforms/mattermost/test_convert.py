"""Pure: what is read out of texts and written into them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.interface import Post
from bot.platforms.mattermost.convert import addressed, has_sentence, language_of, messages_of, version_of


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("@souffleur how many?", "how many?"),
        ("@souffleur: how many?", "how many?"),
        ("@souffleur, how many?", "how many?"),
        ("Hey @souffleur, how many?", "Hey, how many?"),
        ("Hey @souffleur how many?", "Hey how many?"),
        ("How many, @souffleur?", "How many,?"),
        ("@souffleur", ""),
        ("@Souffleur @souffleur x", "x"),
        ("first line\n@souffleur second", "first line\nsecond"),
        ("```\n@souffleur\n```", "```\n@souffleur\n```"),
        ("mail@souffleur.example.org", "mail@souffleur.example.org"),
    ],
)
def test_the_bots_own_name_goes_from_what_it_is_asked(text: str, without: str) -> None:
    assert addressed(text, bot="souffleur").text == without


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_any_text_is_read(text: str) -> None:
    found = addressed(text, bot="souffleur")

    assert "\x00" not in found.text
    assert found.names.isdisjoint({"souffleur"} if found.bot else set())


@given(st.text(alphabet="@souffleradb .-_`\n", max_size=60))
def test_reading_again_finds_no_more_of_the_bot_outside_code(text: str) -> None:
    once = addressed(text, bot="souffleur")
    if "`" not in text:
        assert len(addressed(once.text, bot="souffleur").text) <= len(once.text)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Thirty days", False),
        ("Thirty days.", False),  # it may go on: "1." or "example."
        ("Thirty days. ", True),
        ('"Thirty days!" she said', True),
        ("三十天。", True),
        ("तीस दिन। और", True),
        ("- a list\n", True),
        ("  \n", False),
    ],
)
def test_a_first_sentence_is_known_when_it_is_whole(text: str, whole: bool) -> None:
    assert has_sentence(text) is whole


def test_an_empty_answer_is_still_a_message() -> None:
    assert messages_of(Post(text="", language="en")) == [""]


@pytest.mark.parametrize(("text", "version"), [("11.10.0.123.abc.ee", (11, 10, 0)), ("5.37", (5, 37, 0)), ("?", ())])
def test_versions_are_compared_as_numbers(text: str, version: tuple[int, ...]) -> None:
    assert version_of(text) == version


@pytest.mark.parametrize(("locale", "language"), [("de", "de"), ("zh-CN", "zh"), ("pt_BR", "pt"), ("", None)])
def test_languages_of_profiles(locale: str, language: str | None) -> None:
    assert language_of(locale) == language
