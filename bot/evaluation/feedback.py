"""What people thought of answers, as candidates for a question set, for a person to review."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import click
import sqlalchemy as sa

from bot.access.audit import CONSOLE, Audit
from bot.access.interface import Act
from bot.conversations import ANSWERS, Conversations
from bot.dialogue.tables import FEEDBACK
from bot.evaluation.answers import ASKER
from bot.evaluation.sets import write_judgements, write_rows
from bot.model import Basis, Outcome
from bot.settings import BotSettings
from ingest.database import transaction
from ingest.errors import ConfigurationError
from ingest.ledger import Ledger
from ingest.masking import masked
from ingest.model import held

Verdict = Literal["up", "down", "mixed"]

REFUSED = Outcome.NOT_FOUND.value

README = """\
# Candidates for a question set

Questions that people asked ({count}): those whose answers were marked as helpful or not, and those that were refused.
Nobody has reviewed them. Before `bot eval` measures anything with them, a person

- removes questions that name people, customers or secrets: keys and tokens are masked (`•••`), names are not;
- removes what is no question to the documents, or cannot be understood without the conversation around it, or adds
  `history` (`[{{"role": "user", "text": "…"}}, …]`);
- checks `qrels/test.tsv`: a document stands there because a helpful answer cited it, which is no proof that it answers
  the question, and other documents may answer it too;
- finds the documents for every other question, or sets `"answerable": false`;
- adds `readers` (as `["everyone", "group:finance"]`) where a member of the company may not read the documents: whether
  whoever asked holds more than that is not known, and none are invented;
- adds `answers`: short gold answers, any of which will do;
- deletes this file.

Every `_id` is a trace id: `bot explain ID` shows the answer. `verdict` is `up`, `down` or `mixed` (people disagreed),
and absent where nobody said anything; `outcome` is how the question ended; `remark` is what people wrote.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """One answer that somebody should look at."""

    trace: str
    question: str
    language: str
    outcome: str
    verdict: Verdict | None
    remark: str
    cited: tuple[str, ...]
    """Documents that it cites."""
    basis: Basis | None
    """What it rests on; None where that is not known."""

    @property
    def row(self) -> dict[str, object]:
        """Its line of `queries.jsonl`."""
        metadata = {
            "language": self.language,
            "outcome": self.outcome,
            "verdict": self.verdict,
            "remark": masked(self.remark),
        }
        said = {name: value for name, value in metadata.items() if value}
        return {"_id": self.trace, "text": masked(self.question), "metadata": said}


async def export_feedback(
    settings: BotSettings, *, tokens: Collection[str] = (), since: datetime | None = None, out: Path
) -> int:
    """Write what was judged or refused since then as a set in BEIR layout, with a README for who reviews it.

    Only of answers that rest on nothing but what a member who holds `tokens` too (see `held`) may read now. What is
    written holds no asker and no reader tokens. Raises `ConfigurationError` when `out` holds a set already.
    """
    if (out / "queries.jsonl").exists():
        raise ConfigurationError(f"{out}: holds a question set already; name another folder")
    readers = held(tokens)
    async with AsyncExitStack() as stack:
        conversations = await Conversations.open(settings.state)
        stack.push_async_callback(conversations.close)
        ledger = await Ledger.open(settings.state)
        stack.push_async_callback(ledger.close)
        found = await candidates_since(conversations, since)
        concerned = {key for candidate in found for key in candidate.basis or ()}
        allowed = await ledger.allows(concerned, readers)
        candidates = [one for one in found if one.basis is not None and one.basis <= allowed]
        if candidates:
            passed = frozenset(key for candidate in candidates for key in candidate.basis or ())
            audit = Audit(conversations.engine, keep_days=settings.retention.audit_days)
            await audit.note(Act(deed="exported", by=CONSOLE, tokens=readers, passed=passed))
    if len(candidates) < len(found):
        click.echo(
            "Left out: answers that rest on what you may not read; `--as TOKEN` exports as a holder of that token."
        )
    if not candidates:
        click.echo("Nothing to export: no answer that you may read was judged or refused.")
        return 0
    await asyncio.to_thread(_write, candidates, out)
    refused = sum(candidate.outcome == REFUSED for candidate in candidates)
    judged = sum(candidate.verdict is not None for candidate in candidates)
    click.echo(
        f"Candidates in {out}: {len(candidates)}, {judged} judged by people, {refused} refused. See its README.md."
    )
    return 0


async def candidates_since(conversations: Conversations, since: datetime | None) -> list[Candidate]:
    """Answers that people judged, and refusals, oldest first; without what `bot eval` itself asked."""
    columns = [ANSWERS.c[name] for name in ("trace", "question", "language", "outcome", "passages", "basis")]
    told = sa.or_(FEEDBACK.c.value.is_not(None), FEEDBACK.c.remark.is_not(None), ANSWERS.c.outcome == REFUSED)
    query = (
        sa.select(*columns, FEEDBACK.c.value, FEEDBACK.c.remark)
        .join_from(ANSWERS, FEEDBACK, ANSWERS.c.trace == FEEDBACK.c.trace, isouter=True)
        .where(ANSWERS.c.asker != ASKER, told)
        .order_by(ANSWERS.c.answered_at, ANSWERS.c.trace, FEEDBACK.c.given)
    )
    if since is not None:
        query = query.where(ANSWERS.c.answered_at >= since)
    async with transaction(conversations.engine) as connection:
        rows = (await connection.execute(query)).all()
    opinions: dict[str, list[Any]] = {}
    for row in rows:
        opinions.setdefault(row.trace, []).append(row)
    return [_candidate(given) for given in opinions.values()]


def _candidate(given: Sequence[Any]) -> Candidate:
    first = given[0]
    return Candidate(
        trace=first.trace,
        question=first.question,
        language=first.language,
        outcome=first.outcome,
        verdict=_verdict(row.value for row in given),
        remark="\n".join(row.remark for row in given if row.remark),
        cited=tuple(dict.fromkeys(passage["document"] for passage in first.passages if passage["cited"])),
        basis=first.basis,
    )


def _verdict(values: Iterable[Literal["up", "down"] | None]) -> Verdict | None:
    said = {value for value in values if value is not None}
    return "mixed" if len(said) > 1 else next(iter(said), None)


def _write(candidates: Sequence[Candidate], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    write_rows(out / "queries.jsonl", (candidate.row for candidate in candidates))
    helpful = (candidate for candidate in candidates if candidate.verdict == "up")
    write_judgements(out, {candidate.trace: dict.fromkeys(candidate.cited, 1) for candidate in helpful})
    (out / "README.md").write_text(README.format(count=len(candidates)), encoding="utf-8")
