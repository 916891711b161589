"""An answer from the documents rests on evidence before it is written, and on its passages after it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.llm.calls import Caps
from bot.llm.interface import Prompt
from bot.llm.scripted import ScriptedWriter
from bot.model import Outcome, Status
from bot.retrieval.interface import Evidence, Judgement
from tests.fixtures.assistant import SAY as say
from tests.fixtures.assistant import Stage, all_events, answer_to, asked, plan, stage
from tests.fixtures.passages import attachment, chunk

DUBLIN = "Employees in Dublin have 25 days of annual leave a year. Unused days expire on 31 March."
CHUNKS = (
    chunk(DUBLIN, position=0),
    chunk(
        "The gym at the Dublin office opens at 6:30. Members need the blue badge.",
        document="gym.md",
        title="Gym",
        headings=(),
    ),
    chunk(
        "Lunch in the Dublin canteen costs 4.50 euros.",
        document="canteen.md",
        title="Canteen",
        headings=(),
        updated_at=datetime(2019, 5, 3, tzinfo=UTC),
    ),
)
LEAVE = "How many days of annual leave in Dublin?"


@dataclass(frozen=True, kw_only=True)
class FixedGate:
    probability: float

    def judge(self, evidence: Evidence) -> Judgement:
        return Judgement(probability=self.probability, threshold=0.5)


@pytest.fixture
async def ready(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path, CHUNKS) as made:
        yield made


async def test_too_little_evidence_is_refused_before_a_model_writes_and_the_nearest_documents_are_named(
    ready: Stage,
) -> None:
    writer = ScriptedWriter([])
    answer = await answer_to(ready.answering(writer, gate=FixedGate(probability=0.2)), asked(LEAVE))
    assert (answer.outcome, answer.refusal, answer.text) == (Outcome.NOT_FOUND, "evidence", say("en", "not-found"))
    assert writer.prompts == []
    assert answer.citations == ()
    assert (answer.nearest[0].number, answer.nearest[0].chunk.document) == (1, "leave.md")
    assert len({near.chunk.document for near in answer.nearest}) == len(answer.nearest) <= 3
    assert answer.trace
    assert (answer.trace.probability, answer.trace.threshold) == (0.2, 0.5)


async def test_enough_evidence_is_written_from(ready: Stage) -> None:
    writer = ScriptedWriter(["Employees in Dublin have 25 days of annual leave [1]."])
    answer = await answer_to(ready.answering(writer, gate=FixedGate(probability=0.8)), asked(LEAVE))
    assert (answer.outcome, answer.nearest, answer.refusal) == (Outcome.ANSWERED, (), None)


async def test_the_gate_does_not_judge_the_files_of_a_conversation(ready: Stage) -> None:
    writer = ScriptedWriter(["The bindery in Ghent delivers on Tuesdays [1]."])
    answer = await answer_to(
        ready.answering(writer, gate=FixedGate(probability=0.1)),
        asked("When does the bindery deliver?", attached=(attachment("The bindery in Ghent delivers on Tuesdays."),)),
    )
    assert answer.outcome is Outcome.ANSWERED


async def test_what_no_passage_supports_is_left_out_and_readers_are_told(ready: Stage) -> None:
    writer = ScriptedWriter(["Employees in Dublin have 25 days of annual leave [1]. Berlin grants 40 days [1]."])
    answer = await answer_to(ready.answering(writer), asked(LEAVE))
    assert answer.text.strip() == "Employees in Dublin have 25 days of annual leave [1]."
    assert answer.removed == 1
    assert say("en", "note-removed") in answer.notes
    assert answer.trace
    assert any(check.check == "grounding" and "40" in check.text for check in answer.trace.checks)


async def test_what_no_passage_supports_can_be_marked_instead(ready: Stage) -> None:
    writer = ScriptedWriter(["Employees in Dublin have 25 days of annual leave [1]. Berlin grants 40 days [1]."])
    answering = ready.answering(writer, mark=lambda language: say(language, "note-unconfirmed"))
    answer = await answer_to(answering, asked(LEAVE))
    assert "40 days" in answer.text
    assert say("en", "note-unconfirmed") in answer.text.partition("40 days")[2]


async def test_an_answer_of_which_nothing_is_supported_is_not_in_the_documents(ready: Stage) -> None:
    writer = ScriptedWriter(["Berlin grants 40 days [1]. Paris grants 55 days [2]."])
    answer = await answer_to(ready.answering(writer), asked(LEAVE))
    assert (answer.outcome, answer.refusal, answer.text) == (Outcome.NOT_FOUND, "unsupported", say("en", "not-found"))
    assert answer.nearest


async def test_a_wrong_citation_is_put_right(ready: Stage) -> None:
    writer = ScriptedWriter(["The gym at the Dublin office opens at 6:30 [1]."])
    answer = await answer_to(
        ready.answering(writer), asked("When does the gym at the Dublin office open? annual leave")
    )
    assert [citation.chunk.document for citation in answer.citations] == ["gym.md"]


async def test_an_answer_in_another_language_is_written_once_more(ready: Stage) -> None:
    replies = [
        "Employees in Dublin have 25 days of annual leave a year, and unused days expire on 31 March [1].",
        "Die Beschäftigten in Dublin haben 25 Tage Urlaub im Jahr; nicht genommene Tage verfallen am 31. März [1].",
    ]
    writer = ScriptedWriter(replies)
    answer = await answer_to(ready.answering(writer), asked("Wie viele Tage Urlaub (annual leave) gibt es in Dublin?"))
    assert answer.text == replies[1]
    assert answer.spent.calls == 3
    assert writer.prompts[1].messages[-1].content.rstrip().endswith(say("de", "answer-language"))


async def test_a_model_that_never_writes_in_the_language_leaves_quotations_and_says_so(ready: Stage) -> None:
    english = "Employees in Dublin have 25 days of annual leave a year, and unused days expire on 31 March [1]."
    answer = await answer_to(
        ready.answering(ScriptedWriter(lambda prompt: english)),
        asked("Wie viele Tage Urlaub (annual leave) gibt es in Dublin?"),
    )
    assert answer.text.startswith(say("de", "wrong-language"))
    assert f"> {DUBLIN}" in answer.text
    assert answer.outcome is Outcome.ANSWERED


async def test_stray_chinese_never_gets_through(ready: Stage) -> None:
    def leaking(prompt: Prompt) -> str:
        return "Employees in Dublin have 25 days of 年假 annual leave [1]. Unused days 过期 on 31 March [1]."

    answer = await answer_to(ready.answering(ScriptedWriter(leaking)), asked(LEAVE))
    assert not any("\u4e00" <= character <= "\u9fff" for character in answer.text)


async def test_what_the_passages_do_not_tell_is_a_note_of_its_own(ready: Stage) -> None:
    writer = ScriptedWriter(
        ["Employees in Dublin have 25 days of annual leave [1].\n\nMISSING: the rules for trainees\n"]
    )
    answer = await answer_to(ready.answering(writer), asked(LEAVE))
    assert "MISSING" not in answer.text
    assert say("en", "answer-missing", what="the rules for trainees") in answer.notes


async def test_sources_that_have_not_been_touched_for_years_are_said_to_be_old(ready: Stage) -> None:
    writer = ScriptedWriter(["Lunch in the Dublin canteen costs 4.50 euros [1]."])
    answer = await answer_to(ready.answering(writer, stale_days=730), asked("What does lunch in the canteen cost?"))
    assert any("2019" in note for note in answer.notes)


async def test_a_question_that_may_cost_no_more_is_answered_with_quotations(ready: Stage) -> None:
    writer = ScriptedWriter([])
    answer = await answer_to(ready.answering(writer, caps=Caps(calls=1)), asked(LEAVE))
    assert answer.spent.calls == 1
    assert writer.prompts == []
    assert "> Employees in Dublin have 25 days" in answer.text
    assert any("answer.model_calls" in notice for notice in answer.notices)


async def test_the_question_is_searched_in_the_languages_of_the_documents_too(tmp_path: Path) -> None:
    documents = [
        chunk("Die Tiefgarage öffnet um sechs Uhr.", document="garage.md", title="Parken", headings=(), language="de")
    ]
    async with stage(tmp_path, documents) as ready:
        writer = ScriptedWriter(["The underground car park opens at six [1]."])
        understanding = ScriptedWriter(
            [plan("When does the car park open?", translations={"de": "Wann öffnet die Tiefgarage?"})]
        )
        answer = await answer_to(
            ready.answering(writer, understanding=understanding), asked("When does the car park open?")
        )
    assert [passage.chunk.document for passage in answer.passages] == ["garage.md"]
    assert answer.trace
    assert answer.trace.translations == {"de": "Wann öffnet die Tiefgarage?"}


async def test_an_older_version_that_says_otherwise_is_shown_with_its_date(tmp_path: Path) -> None:
    text = (
        "Passwords at Corvandel have at least {} characters. They are changed when somebody else may know them. "
        "The password manager keeps them, and nobody writes them down or sends them to a colleague by e-mail or chat."
    )
    old, new = datetime(2022, 5, 3, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    documents = [
        chunk(text.format(10), document="passwords-2022.md", title="Passwords", headings=(), updated_at=old),
        chunk(text.format(14), document="passwords.md", title="Passwords", headings=(), updated_at=new),
    ]
    async with stage(tmp_path, documents) as ready:
        writer = ScriptedWriter(["Passwords have at least 14 characters [1]."])
        answer = await answer_to(
            ready.answering(writer), asked("How many characters must passwords have at Corvandel?")
        )
    assert [citation.chunk.document for citation in answer.citations] == ["passwords.md"]
    assert any("2022" in note for note in answer.notes)
    assert "2022-05-03" in writer.prompts[0].messages[1].content


async def test_how_an_answer_came_about_is_told_with_it(ready: Stage) -> None:
    writer = ScriptedWriter(["Employees in Dublin have 25 days of annual leave [1]."])
    answer = await answer_to(ready.answering(writer, gate=FixedGate(probability=0.9)), asked(LEAVE))
    trace = answer.trace
    assert trace
    assert trace.decided
    assert trace.decided.language == "en"
    assert [call.task for call in trace.calls] == ["understand", "answer"]
    assert {"lexical", "fused", "readable", "passages"} <= {ranking.stage for ranking in trace.rankings}
    assert trace.evidence
    assert answer.spent.prompt_tokens > 0
    assert answer.timings["total"] >= answer.timings["models"]


async def test_writing_is_announced_after_searching(ready: Stage) -> None:
    writer = ScriptedWriter(["Employees in Dublin have 25 days of annual leave [1]."])
    events = await all_events(ready.answering(writer), asked(LEAVE))
    told = [event.text for event in events if isinstance(event, Status)]
    assert told == [say("en", "chat-searching", count=1), say("en", "status-writing")]


async def test_without_a_calibration_a_thin_search_for_several_documents_is_widened_once(ready: Stage) -> None:
    broad = {"broad": True, "variants": ["opening hours of the gym in Dublin"]}

    async def widened(text: str) -> str:
        understanding = ScriptedWriter([plan(text, **broad)])
        answer = await answer_to(
            ready.answering(ScriptedWriter(["NOT_FOUND"]), understanding=understanding), asked(text)
        )
        assert answer.trace
        return answer.trace.widened

    assert await widened("List every sports club, sauna, swimming pool and tennis court near Dublin")
    assert not await widened("List the days of annual leave of employees in Dublin a year")
