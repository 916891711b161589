"""What every checker of support keeps, whatever is behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.writing.grounding.detector import DetectorSupport
from bot.writing.grounding.lexical import LexicalSupport
from bot.writing.grounding.settings import GroundingSettings
from bot.writing.interface import Statement, SupportChecker, Supported
from ingest.model import storable
from tests.fixtures import models
from tests.fixtures.passages import passage

PASSAGES = (
    passage(1, "Every employee has thirty days of leave a year. Up to 10 days move to the next year."),
    passage(2, "The Hamburg office is open from 7:30 to 19:00. The badge opens the door.", title="Offices"),
    passage(3, "Travel by train is booked by Ada Byron at travel@example.org.", title="Travel", headings=()),
)


def lexical(folder: Path) -> SupportChecker:
    return LexicalSupport()


def detector(folder: Path) -> SupportChecker:
    return DetectorSupport(GroundingSettings(local=str(models.token_classifier(folder))))


@pytest.fixture(params=[lexical, detector], ids=lambda make: make.__name__)
async def checker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SupportChecker]:
    checker = request.param(tmp_path)
    yield checker
    await checker.close()


async def held(checker: SupportChecker, *statements: Statement) -> list[Supported]:
    return await checker.check(statements, PASSAGES, question="How much leave do I have?", language="en")


def said(text: str, *cited: int) -> Statement:
    return Statement(text=text, cited=cited)


TRUE = said("Every employee has 30 days of leave a year.", 1)
FALSE = said("Every employee has 25 days of leave a year.", 1)
ELSEWHERE = said("The Hamburg office is open from 7:30.", 1)
UNCITED = said("The badge opens the door of the office.")
NO_CLAIM = said("In short:")


async def test_it_has_a_name(checker: SupportChecker) -> None:
    assert checker.name


async def test_what_stands_in_the_cited_passage_holds(checker: SupportChecker) -> None:
    assert await held(checker, TRUE) == [Supported(holds=True, by=(1,))]


async def test_what_is_not_supported_says_why(checker: SupportChecker) -> None:
    [verdict] = await held(checker, FALSE)
    assert not verdict.holds
    assert verdict.by == ()
    assert "25" in verdict.why


async def test_a_wrong_citation_does_not_support_what_another_passage_says(checker: SupportChecker) -> None:
    wrong, uncited = await held(checker, ELSEWHERE, said(ELSEWHERE.text))
    assert not wrong.holds
    assert uncited.holds
    assert uncited.by[0] == 2


async def test_a_statement_without_citation_is_held_against_all_passages(checker: SupportChecker) -> None:
    assert (await held(checker, UNCITED))[0].by[0] == 2


async def test_words_that_claim_nothing_need_no_support(checker: SupportChecker) -> None:
    assert await held(checker, NO_CLAIM) == [Supported(holds=True)]


async def test_there_is_a_verdict_for_each_statement_in_order_and_in_any_company(checker: SupportChecker) -> None:
    statements = [TRUE, FALSE, ELSEWHERE, UNCITED, NO_CLAIM] * 3
    verdicts = await held(checker, *statements)
    assert verdicts == [(await held(checker, statement))[0] for statement in statements]
    assert await held(checker, *statements[::-1]) == verdicts[::-1]


async def test_no_statements_get_no_verdicts(checker: SupportChecker) -> None:
    assert await held(checker) == []


async def test_without_passages_no_claim_holds(checker: SupportChecker) -> None:
    [verdict] = await checker.check([TRUE], (), question="", language="en")
    assert not verdict.holds
    assert verdict.why


async def test_many_callers_at_once_each_get_their_own_verdicts(checker: SupportChecker) -> None:
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(held(checker, statement)) for statement in (TRUE, FALSE, UNCITED)]
    assert [call.result()[0].holds for call in calls] == [True, False, True]


@pytest.mark.parametrize(
    "text", ["\ud800 leave", "\x00", "", "日本語 🎭 " * 200, "`" * 99, "1" * 5000, "1," * 300, "½²٣", "[]()"]
)
async def test_an_odd_statement_still_gets_a_verdict(checker: SupportChecker, text: str) -> None:
    odd = (passage(1, storable(text) or "leave"), passage(2, "\x00"))
    assert len(await checker.check([said(text, 1), said(text, 9)], odd, question=text, language="xx")) == 2
