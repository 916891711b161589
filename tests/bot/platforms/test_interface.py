"""What a source shows of itself, wherever it is shown."""

from __future__ import annotations

from typing import Any

from bot.model import ATTACHED
from bot.platforms.interface import Source, language_name, sources
from tests.bot.platforms.web import say
from tests.fixtures.passages import passage


def shown(**fields: Any) -> Source:
    (source,) = sources([passage(1, "x", **fields)], language="de", say=say, address_of=lambda one: one.chunk.url or "")
    return source


def test_a_source_shows_heading_page_date_and_language_in_the_readers_language() -> None:
    source = shown(headings=("Urlaub", "Übertrag"), page=3, language="fr")
    assert source.place == ("Urlaub › Übertrag", "de:page page=3", "de:updated date=2025-03-01", "Französisch")


def test_a_language_that_cannot_be_told_is_not_named() -> None:
    assert shown(language="und", headings=(), updated_at=None).place == ()
    assert [language_name("de", language) for language in ("en", "zh", "ar", "xx")] == [
        "German",
        "德语",
        "الألمانية",
        "",
    ]


def test_a_lock_stands_beside_what_not_every_member_may_open() -> None:
    for readers in ({"everyone"}, {"public"}, {"group:finance", "everyone"}):
        assert not shown(readers=frozenset(readers)).restricted
    for readers in ({"group:finance"}, {"user:ada@example.org", "slack:C042"}):
        assert shown(readers=frozenset(readers)).restricted == "de:restricted"


def test_a_file_of_the_conversation_has_no_lock() -> None:
    assert not shown(source=ATTACHED, readers=frozenset()).restricted
