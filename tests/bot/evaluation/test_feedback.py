"""What people thought of answers is exported for a person to review, without who they are and without secrets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.access.audit import Audit
from bot.conversations import Conversations
from bot.dialogue.replies import Replies
from bot.evaluation.answers import ASKER
from bot.evaluation.feedback import export_feedback
from bot.model import Answer, Asker, Basis, Outcome, Place, Question
from bot.settings import BotSettings
from ingest.errors import ConfigurationError
from ingest.ledger import Ledger
from ingest.model import DocumentId, DocumentKey
from ingest.questions import read_set
from tests.fixtures.assistant import in_ledger
from tests.fixtures.passages import chunk, passage

START = datetime(2026, 11, 20, tzinfo=UTC)
KEY = "ghp_" + "a1B2" * 9


@pytest.fixture
def settings(tmp_path: Path) -> BotSettings:
    return BotSettings.model_validate({}).placed(tmp_path / "home")


@pytest.fixture
async def conversations(settings: BotSettings) -> AsyncIterator[Conversations]:
    opened = await Conversations.open(settings.state)
    opened.now = lambda: START
    yield opened
    await opened.close()


async def told(
    conversations: Conversations,
    trace: str,
    text: str = "How much leave?",
    *,
    outcome: Outcome = Outcome.ANSWERED,
    asker: str = "wilhelmina",
    basis: Basis = frozenset(),
    **opinions: tuple[str | None, str | None],
) -> None:
    """An answer that cites `leave.md` and read `travel.md`, and what people think of it."""
    given = (passage(1, "Thirty days.", document="leave.md"), passage(2, "A train.", document="travel.md"))
    question = Question(
        text=text,
        asker=Asker(id=asker, readers=frozenset({"everyone", "group:finance"})),
        place=Place(platform="slack", thread="t"),
    )
    answer = Answer(
        text="Thirty days [1].",
        language="en",
        outcome=outcome,
        citations=given[:1] if outcome is Outcome.ANSWERED else (),
        passages=given,
        trace_id=trace,
        written_by="m",
        basis=basis,
    )
    await conversations.remember(question, answer)
    for user, (value, remark) in opinions.items():
        await Replies(conversations.engine).feedback(trace, user, value, remark)  # type: ignore[arg-type]


def rows(folder: Path) -> dict[str, dict[str, Any]]:
    lines = (folder / "queries.jsonl").read_text().splitlines()
    return {row["_id"]: row for row in map(json.loads, lines)}


async def test_judged_answers_and_refusals_are_candidates_and_nothing_else_is(
    settings: BotSettings, conversations: Conversations, tmp_path: Path
) -> None:
    await told(conversations, "up", bob=("up", None))
    await told(conversations, "down", bob=("down", "It is 28."))
    await told(conversations, "mixed", bob=("up", None), eve=("down", "No."))
    await told(conversations, "refused", outcome=Outcome.NOT_FOUND)
    await told(conversations, "silent")
    await told(conversations, "measured", outcome=Outcome.NOT_FOUND, asker=ASKER)
    assert await export_feedback(settings, out=tmp_path / "out") == 0
    found = {trace: row["metadata"] for trace, row in rows(tmp_path / "out").items()}
    assert found == {
        "up": {"language": "en", "outcome": "answered", "verdict": "up"},
        "down": {"language": "en", "outcome": "answered", "verdict": "down", "remark": "It is 28."},
        "mixed": {"language": "en", "outcome": "answered", "verdict": "mixed", "remark": "No."},
        "refused": {"language": "en", "outcome": "not_found"},
    }


async def test_what_a_helpful_answer_cited_is_relevant_until_somebody_says_otherwise(
    settings: BotSettings, conversations: Conversations, tmp_path: Path
) -> None:
    await told(conversations, "up", bob=("up", None))
    await told(conversations, "mixed", bob=("up", None), eve=("down", None))
    await told(conversations, "down", bob=("down", None))
    await export_feedback(settings, out=tmp_path / "out")
    assert read_set(tmp_path / "out").relevant == {"up": {"leave.md": 1}}


async def test_neither_askers_nor_readers_nor_keys_leave(
    settings: BotSettings, conversations: Conversations, tmp_path: Path
) -> None:
    await told(conversations, "t", f"Why is {KEY} refused?", bob=("down", f"I meant {KEY}."))
    await export_feedback(settings, out=tmp_path / "out")
    written = "".join(path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert "•••" in rows(tmp_path / "out")["t"]["text"]
    for secret in (KEY, "wilhelmina", "bob", "finance"):
        assert secret not in written.replace('["everyone", "group:finance"]', "")


async def test_what_rests_on_a_document_that_may_not_be_read_is_exported_to_its_readers_alone(
    settings: BotSettings, conversations: Conversations, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    salaries = chunk("CANARY earns much.", document="canary.md", readers=frozenset({"group:finance"}))
    ledger = await Ledger.open(settings.state)
    await in_ledger(ledger, [chunk("Thirty days."), salaries])
    await ledger.close()
    leave: DocumentKey = ("handbook", DocumentId("leave.md"))
    secret: DocumentKey = ("handbook", DocumentId("canary.md"))
    await told(conversations, "plain", basis=frozenset({leave}), bob=("up", None))
    await told(conversations, "both", "What does CANARY earn?", basis=frozenset({leave, secret}), bob=("up", "CANARY"))
    await told(conversations, "gone", basis=frozenset({("handbook", DocumentId("gone.md"))}), bob=("up", None))
    await export_feedback(settings, out=tmp_path / "members")
    assert list(rows(tmp_path / "members")) == ["plain"]
    assert "CANARY" not in "".join(path.read_text() for path in (tmp_path / "members").rglob("*") if path.is_file())
    assert "Left out: answers that rest on what you may not read" in capsys.readouterr().out
    await export_feedback(settings, tokens=["group:finance"], out=tmp_path / "finance")
    assert list(rows(tmp_path / "finance")) == ["both", "plain"]
    await export_feedback(settings, tokens=["public"], out=tmp_path / "outsiders")
    assert not (tmp_path / "outsiders").exists()
    members, finance = await Audit(conversations.engine, keep_days=1).acts(deed="exported")
    assert (members.passed, finance.passed) == ({leave}, {leave, secret})
    assert finance.tokens == {"everyone", "public", "group:finance"}


async def test_only_what_was_answered_since_then_is_exported(
    settings: BotSettings, conversations: Conversations, tmp_path: Path
) -> None:
    await told(conversations, "before", outcome=Outcome.NOT_FOUND)
    conversations.now = lambda: START + timedelta(days=2)
    await told(conversations, "after", outcome=Outcome.NOT_FOUND)
    await export_feedback(settings, since=START + timedelta(days=1), out=tmp_path / "out")
    assert list(rows(tmp_path / "out")) == ["after"]


async def test_who_reviews_it_is_told_how(settings: BotSettings, conversations: Conversations, tmp_path: Path) -> None:
    await told(conversations, "up", bob=("up", None))
    await export_feedback(settings, out=tmp_path / "out")
    assert "Nobody has reviewed them" in (tmp_path / "out" / "README.md").read_text()


async def test_a_set_that_is_there_already_is_not_written_over(
    settings: BotSettings, conversations: Conversations, tmp_path: Path
) -> None:
    await told(conversations, "up", bob=("up", None))
    await export_feedback(settings, out=tmp_path / "out")
    with pytest.raises(ConfigurationError, match="holds a question set already"):
        await export_feedback(settings, out=tmp_path / "out")


async def test_without_opinions_nothing_is_written(
    settings: BotSettings, conversations: Conversations, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await told(conversations, "silent")
    assert await export_feedback(settings, out=tmp_path / "out") == 0
    assert not (tmp_path / "out").exists()
    assert "Nothing to export" in capsys.readouterr().out
