"""Main languages are those of a tenth of the documents; what cannot be counted now is as it was counted before."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest

import bot.counted
from bot.main_languages import MainLanguages, main
from ingest.ledger import DatabaseUnavailable


@pytest.mark.parametrize(
    ("documents", "languages"),
    [
        ({}, ()),
        ({"und": 5}, ()),
        ({"en": 90, "de": 10, "fr": 9}, ("en",)),
        ({"en": 80, "de": 10, "fr": 10}, ("en", "de", "fr")),
        ({"und": 95, "en": 5}, ()),
        (dict.fromkeys(("it", "fr", "en", "de", "es"), 20), ("de", "en", "es", "fr")),
    ],
)
def test_a_language_is_a_main_one_from_a_tenth_of_the_documents_on(
    documents: Mapping[str, int], languages: tuple[str, ...]
) -> None:
    assert main(documents) == languages


class Counts:
    def __init__(self, *counts: Mapping[str, int] | Exception) -> None:
        self.left = list(counts)

    async def __call__(self) -> Mapping[str, int]:
        count = self.left.pop(0)
        if isinstance(count, Exception):
            raise count
        return count


async def test_languages_are_counted_once_in_a_while() -> None:
    counts = Counts({"en": 1}, {"de": 1})
    languages = MainLanguages(counts)
    assert [await languages(), await languages()] == [("en",), ("en",)]
    assert len(counts.left) == 1


async def test_a_ledger_that_is_away_leaves_the_languages_as_they_were_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bot.counted, "KEPT_SECONDS", 0.0)
    languages = MainLanguages(Counts({"en": 1}, DatabaseUnavailable("the database is away"), {"de": 1}))
    with caplog.at_level(logging.WARNING):
        assert [await languages() for _ in range(3)] == [("en",), ("en",), ("de",)]
    assert "the database is away" in caplog.text
