"""The ledger is asked again after the search: before a writer reads, before anybody is shown, before an answer is told
once more."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.llm.interface import Prompt
from bot.llm.scripted import ScriptedWriter
from bot.model import Answer, Basis, Delta, Finished, Outcome, Place, Question, Turn
from bot.offer import Offers
from bot.retrieval.evidence import witness
from bot.retrieval.retrieve import Retriever
from ingest.errors import Transient
from ingest.ledger import Ledger
from ingest.model import DocumentId, DocumentKey, Readers
from tests.fixtures.assistant import MEMBER, Stage, all_events, answer_to, asked, in_ledger, plan, stage
from tests.fixtures.assistant import SAY as say
from tests.fixtures.passages import chunk

FINANCE = MEMBER | {"group:finance"}

LEAVE = chunk("Employees in Dublin have 25 days of annual leave a year. Unused days expire on 31 March.")
PRICE = chunk(
    "The price of Project Sextant is 18.4 million euros. Hjemfrost is its target.",
    document="memo.md",
    title="Project Sextant",
    headings=(),
    readers=frozenset({"group:finance"}),
)
TEAM = chunk(
    "Project Sextant is led by Rosa Lind. The team of Project Sextant has seven people.",
    document="team.md",
    title="Project Sextant: the team",
    headings=(),
)
KEY_OF_LEAVE: DocumentKey = ("handbook", DocumentId("leave.md"))
KEY_OF_PRICE: DocumentKey = ("handbook", DocumentId("memo.md"))
KEY_OF_TEAM: DocumentKey = ("handbook", DocumentId("team.md"))


@pytest.fixture
async def ready(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path, (LEAVE, PRICE, TEAM)) as made:
        yield made


@dataclass
class Between:
    """Writes a sentence, does what it is told, and writes another."""

    first: str
    meanwhile: Callable[[], Awaitable[None]]
    second: str
    name: str = "between"

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        yield f"{self.first} [1]. "
        # A sentence is shown when the next one has begun.
        begun, rest = self.second.split(" ", 1)
        yield f"{begun} "
        await self.meanwhile()
        yield f"{rest} [1]. "
        yield "That is all [1]."

    async def close(self) -> None:
        """Holds nothing open."""


def in_channel(question: Question, *, readers: Readers = MEMBER, thread: str = "t") -> Question:
    return replace(question, place=Place(platform="slack", thread=thread, readers=readers, workspace="T1"))


async def test_a_document_that_is_withdrawn_while_its_answer_is_written_is_gone_from_the_answer(ready: Stage) -> None:
    async def withdrawn() -> None:
        await in_ledger(ready.ledger, [LEAVE], readers=frozenset({"group:board"}))

    writer = Between("Employees in Dublin have 25 days of annual leave", withdrawn, "Unused days expire on 31 March")
    events = [event async for event in ready.answering(writer).answer(asked("How many days of leave in Dublin?"))]
    shown = "".join(event.text for event in events if isinstance(event, Delta))
    last = events[-1]
    assert isinstance(last, Finished)
    assert "25 days" in shown
    assert "31 March" not in shown
    assert (last.answer.outcome, last.answer.text) == (Outcome.WITHDRAWN, say("en", "answer-withdrawn"))
    assert (last.answer.citations, last.answer.passages, last.answer.nearest, last.answer.basis) == ((), (), (), set())
    assert last.answer.trace is not None
    assert "Dublin have" not in json.dumps([call.messages for call in last.answer.trace.calls])
    assert ready.remembered == [last.answer]
    assert KEY_OF_LEAVE in ready.noted[-1].passed


async def test_a_document_that_is_deleted_while_its_answer_is_written_is_gone_from_the_answer(ready: Stage) -> None:
    async def deleted() -> None:
        await ready.ledger.commit("handbook", removed=[LEAVE.document])

    writer = Between("Employees in Dublin have 25 days of annual leave", deleted, "Unused days expire on 31 March")
    events = [event async for event in ready.answering(writer).answer(asked("How many days of leave in Dublin?"))]
    assert isinstance(events[-1], Finished)
    assert events[-1].answer.outcome is Outcome.WITHDRAWN


async def test_what_the_ledger_no_longer_allows_after_the_search_is_not_given_to_the_writer(ready: Stage) -> None:
    async def allows(documents: Collection[DocumentKey], tokens: Readers) -> set[DocumentKey]:
        return {key for key in documents if key != KEY_OF_TEAM}

    writer = ScriptedWriter(lambda prompt: "Annual leave is 25 days [1].")
    answering = ready.answering(writer, allows=allows)
    answer = await answer_to(
        answering, asked("Who leads Project Sextant, and how many days of annual leave are there?")
    )
    assert "Rosa Lind" not in str(writer.prompts)
    assert KEY_OF_TEAM not in {passage.key for passage in answer.passages}
    assert [passage.number for passage in writer.prompts[0].passages] == [
        *range(1, len(writer.prompts[0].passages) + 1)
    ]


@pytest.mark.parametrize(
    ("readers", "basis", "told"),
    [
        (FINANCE, frozenset({KEY_OF_PRICE}), True),
        (MEMBER, frozenset({KEY_OF_PRICE}), False),
        (MEMBER, frozenset({KEY_OF_PRICE, KEY_OF_TEAM}), False),
        (MEMBER, frozenset({KEY_OF_TEAM}), True),
        (frozenset({"public"}), frozenset({KEY_OF_TEAM}), False),
        (MEMBER, frozenset({("handbook", DocumentId("gone.md"))}), False),
        (MEMBER, frozenset(), True),
        (FINANCE, None, False),
    ],
)
async def test_an_earlier_answer_is_told_again_only_where_all_that_it_rests_on_may_be_read(
    ready: Stage, readers: Readers, basis: Basis | None, told: bool
) -> None:
    history = (
        Turn(role="user", text="What does Project Sextant cost?"),
        Turn(role="assistant", text="It costs 18.4 million euros.", basis=basis),
    )
    thinking = ScriptedWriter(lambda prompt: plan(prompt.question, route="conversation"))
    writer = ScriptedWriter(lambda prompt: "They talked about Project Sextant.")
    question = in_channel(asked("summarise the messages above", readers=FINANCE, history=history), readers=readers)
    answer = await answer_to(ready.answering(writer, understanding=thinking), question)
    prompts = str([prompt.messages for prompt in (*thinking.prompts, *writer.prompts)])
    assert ("18.4 million" in prompts) is told
    assert (say("en", "note-history-left-out") in answer.notes) is not told
    assert answer.basis == (basis if told else frozenset())


async def test_every_question_is_noted_with_its_audience_and_its_documents_and_without_a_word_of_either(
    ready: Stage,
) -> None:
    question = in_channel(asked("How many days of annual leave in Dublin?", readers=FINANCE))
    answer = await answer_to(ready.answering(), question)
    (act,) = ready.noted
    assert (act.deed, act.by, act.platform, act.place, act.answer) == ("asked", "ada", "slack", "t", answer.trace_id)
    assert act.tokens == MEMBER
    assert KEY_OF_LEAVE in act.passed
    assert KEY_OF_PRICE not in act.passed | act.withheld
    assert "25 days" not in str(act)
    assert "Dublin" not in str(act)


async def test_documents_that_the_index_still_shows_and_the_ledger_does_not_are_noted_as_withheld(ready: Stage) -> None:
    await in_ledger(ready.ledger, [LEAVE], readers=frozenset({"group:board"}))
    answer = await answer_to(ready.answering(), asked("How many days of annual leave in Dublin?"))
    assert "25 days" not in answer.text
    assert KEY_OF_LEAVE in ready.noted[0].withheld
    assert KEY_OF_LEAVE not in ready.noted[0].passed


@dataclass
class Purse:
    """A quota that is told what it says."""

    phrase: str = "quota-spent"
    minutes: int = 7
    spent: bool = False
    charged: int = 0
    asked: int = 0

    async def admit(self, asker: str, workspace: str) -> Purse | None:
        assert (asker, workspace) == ("ada", "T1")
        self.asked += 1
        return self if self.spent else None

    async def charge(self, asker: str, tokens: int) -> None:
        self.charged += tokens


async def test_who_has_asked_enough_is_told_so_and_nothing_is_searched_or_written(ready: Stage) -> None:
    purse = Purse(spent=True)
    writer = ScriptedWriter(())
    answer = await answer_to(ready.answering(writer, quotas=purse), in_channel(asked("How many days of leave?")))
    assert (answer.outcome, answer.text) == (Outcome.LIMITED, say("en", "quota-spent", minutes=7))
    assert answer.passages == ()
    assert writer.prompts == []
    assert [act.deed for act in ready.noted] == ["limited"]


async def test_what_an_answer_cost_is_charged_and_what_is_no_question_is_not_counted(ready: Stage) -> None:
    purse = Purse()
    answering = ready.answering(ScriptedWriter(lambda prompt: "It is 25 days [1]."), quotas=purse)
    answer = await answer_to(answering, in_channel(asked("How many days of annual leave in Dublin?")))
    assert purse.charged == answer.spent.tokens > 0
    await answer_to(answering, in_channel(asked("   ")))
    assert purse.asked == 1


async def test_an_operator_at_the_machine_has_no_quota(ready: Stage) -> None:
    purse = Purse(spent=True)
    answer = await answer_to(ready.answering(quotas=purse), asked("How many days of annual leave in Dublin?"))
    assert answer.outcome is Outcome.ANSWERED
    assert purse.asked == 0


def offers(ready: Stage) -> Offers:
    retriever = Retriever(
        ready.index,
        readable=ready.ledger.readable,
        neighbours=ready.ledger.neighbours,
        reranker=None,
        candidates=20,
        passages=8,
        per_document=3,
        passage_tokens=2500,
        witness=witness,
    )
    return Offers(retriever, None, ready.ledger.allows)


@pytest.mark.parametrize(
    ("text", "own", "shared", "more"),
    [
        ("What is the price of Project Sextant?", FINANCE, MEMBER, True),
        ("What is the price of Project Sextant?", FINANCE, FINANCE, False),
        ("What is the price of Project Sextant?", MEMBER, MEMBER, False),
        ("What is the price of Project Sextant?", FINANCE, None, False),
        ("How many days of annual leave in Dublin?", FINANCE, MEMBER, False),
        ("How many days of annual leave in Dublin?", MEMBER, frozenset({"public"}), True),
    ],
)
async def test_a_fuller_answer_is_there_where_the_asker_would_be_answered_from_what_others_may_not_read(
    ready: Stage, text: str, own: Readers, shared: Readers | None, more: bool
) -> None:
    question = asked(text, readers=own)
    question = replace(question, place=Place(platform="slack", readers=shared))
    answer: Answer = await answer_to(ready.answering(), question)
    assert await offers(ready).more(question, answer) is more


async def test_nothing_is_offered_for_a_document_that_was_withdrawn_from_the_asker_too(ready: Stage) -> None:
    question = in_channel(asked("What is the price of Project Sextant?", readers=FINANCE))
    answer = await answer_to(ready.answering(), question)
    await in_ledger(ready.ledger, [PRICE], readers=frozenset({"group:board"}))
    assert not await offers(ready).more(question, answer)


async def test_the_ledger_is_asked_once_for_all_earlier_answers(ready: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    original = Ledger.allows

    async def counted(self: Ledger, documents: Collection[DocumentKey], tokens: Readers) -> set[DocumentKey]:
        nonlocal calls
        calls += 1
        return await original(self, documents, tokens)

    monkeypatch.setattr(Ledger, "allows", counted)
    history = tuple(
        Turn(role="assistant", text=f"Answer {number}.", basis=frozenset({KEY_OF_TEAM})) for number in range(10)
    )
    await answer_to(ready.answering(), asked("What is the capital of Peru?", history=history))
    assert calls <= 4


async def test_what_could_not_be_cleared_is_not_shown_when_the_ledger_fails_in_the_middle(ready: Stage) -> None:
    class Gone(Transient):
        """No ledger."""

    asked_before = 0

    async def allows(documents: Collection[DocumentKey], tokens: Readers) -> set[DocumentKey]:
        nonlocal asked_before
        asked_before += 1
        if asked_before > 2:  # the passages, and the first piece
            raise Gone("the database does not answer; look whether it runs")
        return await ready.ledger.allows(documents, tokens)

    async def nothing() -> None:
        pass

    writer = Between("Employees in Dublin have 25 days of annual leave", nothing, "Unused days expire on 31 March")
    events = await all_events(ready.answering(writer, allows=allows), asked("How many days of leave in Dublin?"))
    shown = "".join(event.text for event in events if isinstance(event, Delta))
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.answer.outcome is Outcome.FAILED
    assert "25 days" in shown
    assert "31 March" not in last.answer.text


async def test_nothing_at_all_is_shown_or_cited_where_the_ledger_fails_before_the_first_piece(ready: Stage) -> None:
    class Gone(Transient):
        """No ledger."""

    asked_before = 0

    async def allows(documents: Collection[DocumentKey], tokens: Readers) -> set[DocumentKey]:
        nonlocal asked_before
        asked_before += 1
        if asked_before > 1:
            raise Gone("the database does not answer; look whether it runs")
        return await ready.ledger.allows(documents, tokens)

    answer = await answer_to(ready.answering(allows=allows), asked("How many days of leave in Dublin?"))
    assert answer.outcome is Outcome.FAILED
    assert "25 days" not in answer.text
    assert answer.citations == ()


async def test_a_question_that_its_asker_leaves_is_noted_and_charged_like_any_other(ready: Stage) -> None:
    async def nothing() -> None:
        pass

    purse = Purse()
    writer = Between("Employees in Dublin have 25 days of annual leave", nothing, "Unused days expire on 31 March")
    question = in_channel(asked("How many days of leave in Dublin?", readers=FINANCE))
    events = ready.answering(writer, quotas=purse).answer(question)
    async for event in events:
        if isinstance(event, Delta):
            break
    assert ready.noted == []
    await events.aclose()
    (act,) = ready.noted
    assert (act.deed, act.by, act.place, act.tokens) == ("asked", "ada", "t", MEMBER)
    assert KEY_OF_LEAVE in act.passed
    assert act.answer
    assert purse.charged > 0
    assert ready.remembered == []
