"""What is done without the documents: work on the conversation and its files, and on what a message itself holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.llm.interface import ChatRefused, ChatUnavailable, Prompt
from bot.llm.scripted import Failure, ScriptedWriter
from bot.model import Delta, Finished, Outcome, Route, Turn
from ingest.index.fusion import Leg
from ingest.index.interface import Hit
from ingest.model import Readers
from tests.fixtures.assistant import SAY as say
from tests.fixtures.assistant import Stage, all_events, answer_to, asked, plan, stage
from tests.fixtures.passages import attachment, chunk


@pytest.fixture
async def ready(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path, [chunk("Employees in Dublin have 25 days of annual leave a year.")]) as made:
        yield made


def on_conversation() -> ScriptedWriter:
    return ScriptedWriter([plan("", route="conversation")])


THREAD = (
    Turn(role="user", text="The supplier wants to deliver on Monday.", name="Ada"),
    Turn(role="assistant", text="Deliveries are possible from 8 to 12 [1]."),
    Turn(role="user", text="Tuesday suits us better.", name="Bob"),
)


async def test_work_on_the_conversation_is_done_from_it_alone_and_says_so(ready: Stage) -> None:
    writer = ScriptedWriter(["Ada: Monday. Bob: rather Tuesday [1], see [here](https://evil.example)."])
    answer = await answer_to(
        ready.answering(writer, understanding=on_conversation()), asked("Please summarise this thread", history=THREAD)
    )
    assert answer.text == "Ada: Monday. Bob: rather Tuesday, see here."
    assert (answer.outcome, answer.citations, answer.passages) == (Outcome.ANSWERED, (), ())
    assert answer.notes == (say("en", "chat-from-conversation"),)
    assert (answer.written_by, answer.spent.calls, answer.notices) == ("scripted", 2, ())
    prompt = writer.prompts[0].messages[1].content
    assert all(turn.text in prompt for turn in THREAD)
    assert 'name="Bob"' in prompt
    assert "Request: Please summarise this thread" in prompt
    assert prompt.endswith(say("en", "answer-language"))


async def test_work_on_the_conversation_is_streamed_with_its_spaces(ready: Stage) -> None:
    writer = ScriptedWriter(["\n\n Ada asks.\n\n- Monday\n- Tuesday"])
    events = await all_events(
        ready.answering(writer, understanding=on_conversation()), asked("tl;dr please, in English", history=THREAD)
    )
    assert len([event for event in events if isinstance(event, Delta)]) > 1
    assert isinstance(events[-1], Finished)
    assert events[-1].answer.text.strip() == "Ada asks.\n\n- Monday\n- Tuesday"


async def test_a_file_alone_can_be_worked_on(ready: Stage) -> None:
    writer, understanding = ScriptedWriter(["Das Angebot gilt bis Mai."]), on_conversation()
    answer = await answer_to(
        ready.answering(writer, understanding=understanding),
        asked("Fasse die Datei bitte kurz zusammen", attached=(attachment("Valid until May."),)),
    )
    assert answer.text == "Das Angebot gilt bis Mai."
    assert answer.notes == (say("de", "chat-from-conversation"),)
    assert "offer.pdf" in understanding.prompts[0].messages[1].content
    assert "Valid until May." in writer.prompts[0].messages[1].content


@pytest.mark.parametrize(
    ("reply", "key"),
    [
        (Failure(error=ChatUnavailable("the gateway is away")), "try-again"),
        (Failure(error=ChatRefused("the key is wrong")), "error"),
        (
            Failure(
                error=ChatUnavailable("the stream ended"),
                after="Ada says that the supplier wants to deliver on Monday. And then ",
            ),
            "interrupted",
        ),
        ("  \n", "try-again"),
    ],
)
async def test_work_on_the_conversation_that_fails_ends_in_one_sentence_with_the_trace_id(
    ready: Stage, reply: Failure | str, key: str
) -> None:
    answer = await answer_to(
        ready.answering(ScriptedWriter([reply]), understanding=on_conversation()),
        asked("Summarise this thread", history=THREAD),
    )
    assert answer.outcome is Outcome.FAILED
    assert answer.text.endswith(say("en", key, trace=answer.trace_id))
    assert answer.notes == ()


@pytest.mark.parametrize(
    ("message", "note"),
    [
        ("Please make Zygmunt's football story in this thread shorter", "chat-needs-model"),
        ("Which football team does Zygmunt support?", "note-alone"),
        ("And Zygmunt?", "note-alone"),
    ],
)
async def test_without_a_chat_model_readers_are_told_why_nothing_was_found_for_what_rests_on_the_conversation(
    ready: Stage, message: str, note: str
) -> None:
    answer = await answer_to(ready.answering(), asked(message, history=THREAD))
    assert answer.outcome is Outcome.NOT_FOUND
    assert answer.notes == (say("en", note),)


@pytest.mark.parametrize(("order", "language"), [("Summarise this thread", "en"), ("fasse das zusammen", "de")])
async def test_without_a_chat_model_an_order_to_work_on_the_conversation_is_told_to_need_one_and_quotes_nothing(
    ready: Stage, order: str, language: str
) -> None:
    answer = await answer_to(ready.answering(), asked(order, history=THREAD))
    assert answer.text == say(language, "chat-needs-model")
    assert (answer.outcome, answer.citations) == (Outcome.INVALID, ())


async def test_what_a_message_holds_is_worked_on_without_the_documents_and_says_so(ready: Stage) -> None:
    writer = ScriptedWriter(["Dear all, the meeting moves to Tuesday, see <https://evil.example>."])
    answer = await answer_to(
        ready.answering(writer, understanding=ScriptedWriter([plan("", route="general")])),
        asked("Rewrite this politely in full sentences: meeting moved, tuesday"),
    )
    assert "evil.example" not in answer.text
    assert (answer.route, answer.outcome, answer.citations) == (Route.GENERAL, Outcome.ANSWERED, ())
    assert answer.notes == (say("en", "note-general"),)


async def test_a_translation_is_written_in_the_language_that_the_request_names(ready: Stage) -> None:
    understanding = ScriptedWriter([plan("", route="general", language="de")])
    writer = ScriptedWriter(["Die Besprechung wird auf Dienstag verschoben, bitte gebt allen Bescheid."])
    answer = await answer_to(
        ready.answering(writer, understanding=understanding),
        asked("Please translate this into German: The meeting is moved to Tuesday, please tell everybody."),
    )
    assert answer.text == "Die Besprechung wird auf Dienstag verschoben, bitte gebt allen Bescheid."
    assert answer.language == "en"
    assert answer.spent.calls == 2


async def test_work_without_the_documents_does_not_wait_for_them(ready: Stage) -> None:
    writer, never = ScriptedWriter(["Dear all, the meeting moves to Tuesday."]), NeverFinds()
    answer = await answer_to(
        ready.answering(writer, searchable=never, understanding=UnderstandsOnceSearched(never)),
        asked("Rewrite this politely in full sentences: meeting moved, tuesday"),
    )
    assert answer.outcome is Outcome.ANSWERED
    assert never.left


class NeverFinds:
    """An index that another process holds."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.left = False

    async def rank(
        self, text: str, *, visible_to: Readers, language: str | None, label: str = "", lexical_only: bool = False
    ) -> list[Leg]:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.left = True
        raise AssertionError("never")

    async def hits(self, legs: Sequence[Leg], *, visible_to: Readers, limit: int) -> list[Hit]:
        raise AssertionError("never")

    def covers(self, language: str | None) -> bool:
        return True


class UnderstandsOnceSearched:
    """A model that replies when the search has begun."""

    name = "understands"

    def __init__(self, index: NeverFinds) -> None:
        self._index = index

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        await self._index.asked.wait()
        yield plan("", route="general")

    async def close(self) -> None:
        """Holds nothing."""


async def test_code_is_written_by_the_model_for_code_where_there_is_one(ready: Stage) -> None:
    chat, coder = ScriptedWriter([]), ScriptedWriter(["It adds up the numbers of the list."], name="coder")
    answer = await answer_to(
        ready.answering(chat, coder=coder, understanding=ScriptedWriter([plan("", route="general", skill="code")])),
        asked("Please explain what this code does:\n```\ntotal = sum(numbers)\n```"),
    )
    assert answer.written_by == "coder"
    assert chat.prompts == []
