"""Readers are told when what an answer cites is old, or when an older version says otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from bot.model import Passage
from bot.writing.notes import dated_notes
from tests.fixtures.passages import passage

TODAY = date(2026, 11, 24)


def say(language: str, key: str, /, **values: str | int | date) -> str:
    return f"{language} {key} {values['date']}"


def dated(number: int, year: int | None) -> Passage:
    updated_at = datetime(year, 3, 1, tzinfo=UTC) if year else None
    return passage(number, f"Passage {number}.", updated_at=updated_at)


def notes(cited: list[Passage], passages: list[Passage] | None = None, stale_days: int | None = 730) -> tuple[str, ...]:
    return dated_notes(cited, passages or cited, language="de", say=say, today=TODAY, stale_days=stale_days)


def test_recent_sources_need_no_note() -> None:
    assert notes([dated(1, 2026), dated(2, 2019)]) == ()
    assert notes([]) == ()


def test_the_newest_of_what_is_cited_is_said_to_be_old() -> None:
    assert notes([dated(1, 2021), dated(2, 2019)]) == ("de note-stale 2021-03-01",)


def test_nothing_is_said_of_age_where_it_is_not_known_or_not_wanted() -> None:
    assert notes([dated(1, 2019), dated(2, None)]) == ()
    assert notes([dated(1, 2019)], stale_days=None) == ()


def test_an_older_version_of_what_is_cited_is_named_by_its_date() -> None:
    new, old, other = dated(1, 2026), dated(2, 2023), dated(3, 2022)
    old = replace(old, newer=new.chunk.id)
    assert notes([new], [new, old, other]) == ("de note-older 2023-03-01",)
    assert notes([other], [new, old, other], stale_days=None) == ()


def test_a_version_that_was_replaced_is_said_to_be_old_whatever_its_age() -> None:
    new, old = dated(1, 2026), dated(2, 2025)
    old = replace(old, newer=new.chunk.id)
    assert notes([old], [new, old]) == ("de note-stale 2025-03-01",)
    assert notes([new, old]) == ("de note-older 2025-03-01",)
