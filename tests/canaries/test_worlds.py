"""Two worlds: one with documents that the asker may not read, one without them. Nobody can tell in which they are.

What must be equal: how a question ends and why, its language, notes, notices and statuses, which lines are logged and
what is counted under which labels; and where all that the readers may read about it fits into one answer, the documents
that it was given and, of a model that writes down all of it, those that it cites. What may differ: the passages' order
and scores, for how rare a word is the index counts over all documents; and with the order what of too many
passages is given, which few are quoted, and whether a document comes first that is worth the offer of a fuller answer.
Offered is only what the asker may read. Time is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.model import Passage
from bot.offer import Offers
from ingest.telemetry import Metrics
from tests.canaries.asking import Asked, question, questions, told
from tests.canaries.company import Company, small
from tests.canaries.house import House, house, retriever
from tests.canaries.library import TOPICS
from tests.canaries.lookout import CHECKS, Heard
from tests.canaries.writer import Copying

ASKERS = ("U34", "U40", "U20", "U15", "U03")
"""A guest, a stranger, a member, one with a group of their own, one with several."""

PLACES = ("", "C1", "C7")
"""A direct message, all members, everybody."""

OURS = re.compile(r"\w+ (bot|ingest)\.")
"""Log lines of the product; libraries say when they load something for the first time."""

Worlds = dict[str, tuple[House, House]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worlds(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worlds]:
    """By who asks: the world as it is, and without all that they may not read."""
    folder = tmp_path_factory.mktemp("worlds")
    async with AsyncExitStack() as stack:
        whole = await stack.enter_async_context(house(folder / "whole", small()))
        made: Worlds = {}
        for who in ASKERS:
            less = small()
            less.papers = {key: paper for key, paper in less.papers.items() if less.may_read(who, key)}
            made[who] = (whole, await stack.enter_async_context(house(folder / who, less)))
        yield made


@pytest.mark.asyncio(loop_scope="module")
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(who=st.sampled_from(ASKERS), place=st.sampled_from(PLACES), asked=questions, model=st.booleans())
async def test_nobody_can_tell_whether_there_is_what_they_may_not_read(
    worlds: Worlds, heard: Heard, who: str, place: str, asked: Asked, model: bool
) -> None:
    with_them, without = [await seen_in(world, heard, who, place, asked, model=model) for world in worlds[who]]
    CHECKS["worlds"] += len(with_them)
    for name, value in with_them.items():
        assert value == without[name], f"{name} of {asked.text!r} tells {who} of what they may not read"


async def seen_in(world: House, heard: Heard, who: str, place: str, asked: Asked, *, model: bool) -> dict[str, object]:
    """All that must be the same."""
    company = world.company
    readers = company.readers_in(place) if place else frozenset({who})
    shared = frozenset.intersection(*(company.holds(each) for each in readers)) if place else None
    writer, world.metrics = (Copying() if model else None), Metrics()
    of = question(asked, who=who, own=company.holds(who), shared=shared)
    with company.knowing(asked.known, who, *readers):
        answering = world.answering(writer, understanding=writer)
        out = await told(world, answering, of, company=company, readers=readers, writer=writer)
    answer = out.answer
    more = await Offers(retriever(world), None, world.ledger.allows).more(of, answer)
    assert not more or offered(company, who, readers, asked)
    lines = [re.sub(r"[0-9a-f]{32}|\d+", "#", line) for line in heard.lines if OURS.match(line)]
    heard.check()
    told_of: dict[str, object] = {
        "outcome": answer.outcome,
        "refusal": answer.refusal,
        "language": answer.language,
        "route": answer.route,
        "notes": answer.notes,
        "notices": answer.notices,
        "withheld": answer.withheld,
        "statuses": out.statuses,
        "log": sorted(lines),
        "labels": labels(world.metrics),
    }
    if (shared or company.holds(who)) == {"public"}:
        told_of["passages"] = documents(answer.passages, asked)
        if model:
            told_of["citations"] = documents(answer.citations, asked)
    return told_of


def offered(company: Company, who: str, readers: Iterable[str], asked: Asked) -> bool:
    """Whether there is anything about it that `who` may read and somebody else here may not."""
    readers = tuple(readers)
    return any(
        paper.topic in asked.text
        and company.may_read(who, key)
        and not all(company.may_read(each, key) for each in readers)
        for key, paper in company.papers.items()
    )


def labels(metrics: Metrics) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """What was counted at all, under which labels; how long it took is nobody's secret."""
    samples = (sample for metric in metrics.registry.collect() for sample in metric.samples)
    counted = (sample for sample in samples if sample.name.startswith("souffleur") and sample.name.endswith("_total"))
    return {(sample.name, tuple(sorted(sample.labels.items()))) for sample in counted if sample.value}


def documents(passages: Iterable[Passage], asked: Asked) -> set[str]:
    """Those about what was asked: all that somebody from outside may read of it fits into one answer."""
    about = tuple(topic.replace(" ", "-") for topic in TOPICS if topic in asked.text)
    return {passage.chunk.document for passage in passages if passage.chunk.document.startswith(about)}
