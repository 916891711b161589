from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.model import held, reader_token


@pytest.mark.parametrize(
    "token", ["public", "everyone", "group:finance", "user:ada@example.org", "slack:C042", "a:b:c"]
)
def test_a_reader_token_is_public_or_everyone_or_a_kind_and_a_name(token: str) -> None:
    assert reader_token(token) == token


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("finance", "group:finance"),
        ("ada@example.org", "user:ada@example.org"),
        ("User: ada", "user:ada"),
        ("Public", "public"),
        ("group:", "group:finance"),
        ("group:a\u2028b", "group:ab"),
        ("group:a\x00", "group:finance"),
        ("", "group:finance"),
    ],
)
def test_what_is_no_reader_token_is_refused_with_one_that_may_be_meant(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"is no reader token; did you mean `{meant}`? (public, everyone, ")):
        reader_token(text)


@given(st.text() | st.from_regex("[a-z]+:.+"))
def test_every_text_is_a_token_without_space_or_is_refused_in_one_line(text: str) -> None:
    try:
        assert reader_token(text).split() == [text]
    except ValueError as error:
        assert str(error).isprintable()  # noqa: PT017 - both outcomes are right


def test_a_command_asks_as_a_member_unless_it_names_public_alone() -> None:
    member = {"everyone", "public"}
    assert held([]) == held(["everyone"]) == held(["everyone", "public"]) == member
    assert held(["group:finance"]) == held(["public", "group:finance"]) == member | {"group:finance"}
    assert held(["public"]) == {"public"}
