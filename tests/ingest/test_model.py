from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.model import canonical, group_token, held, reader_token


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
        ("Group:The Board", "group:the%20board"),
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
        token = reader_token(text)
        assert token.split() == [token] == [reader_token(token)] == [canonical(text)]
    except ValueError as error:
        assert str(error).isprintable()  # noqa: PT017 - both outcomes are right


def test_a_command_asks_as_a_member_unless_it_names_public_alone() -> None:
    member = {"everyone", "public"}
    assert held([]) == held(["everyone"]) == held(["everyone", "public"]) == member
    assert held(["group:finance"]) == held(["public", "group:finance"]) == member | {"group:finance"}
    assert held(["public"]) == {"public"}


@pytest.mark.parametrize(
    ("written", "token"),
    [
        ("user:Ada.Lovelace@Example.ORG", "user:ada.lovelace@example.org"),
        ("user:\u212aarl@example.org", "user:\u212aarl@example.org"),
        ("user:B\u00dcRO@example.org", "user:b\u00dcro@example.org"),
        ("group:Finance", "group:finance"),
        ("group:B\u00dcCHER", "group:b\u00fccher"),
        ("group:Bu\u0308cher", "group:b\u00fccher"),
        ("group:A%20B", "group:a%20b"),
        ("slack:C042", "slack:C042"),
        ("mattermost:group:Xy", "mattermost:group:Xy"),
        ("confluence:Ada", "confluence:Ada"),
    ],
)
def test_addresses_and_names_of_groups_have_one_form_and_ids_stay_as_they_are(written: str, token: str) -> None:
    assert reader_token(written) == token
    assert held([written]) == held([token])


@given(st.text(min_size=1))
def test_a_group_has_the_token_that_people_write_for_it(name: str) -> None:
    assert reader_token(group_token(name)) == group_token(name)


@given(st.text(min_size=1).filter(lambda name: not name.isascii()))
def test_an_address_with_another_letter_is_never_one_of_ascii_letters(name: str) -> None:
    assert not canonical(f"user:{name}").isascii()
