"""`bot explain`: how one answer came about, from what was kept of it; nothing is searched and no model asked.

explain → found (which answer is meant) → explained (all that is kept, as data) → shown in the terminal, or JSON
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from rich.console import Console as Terminal

from bot.conversations import Conversations, Kept
from bot.dialogue.replies import Replies, Reply
from bot.explanation import show
from bot.model import ATTACHED
from bot.platforms.console import print_json
from bot.settings import BotSettings
from bot.trace import Trace
from ingest.errors import Terminal as Final
from ingest.ledger import Ledger
from ingest.masking import masked
from ingest.model import Chunk, ChunkId, DocumentId

SHORTEST = 8
"""Digits of a trace id that tell it from others: among a million answers, one in 4,300 shares them with another."""

TRACE = re.compile(r"[0-9a-f]{1,32}")

SLACK = re.compile(r".*/archives/(?P<channel>[A-Z0-9]+)/p(?P<seconds>[0-9]{6,})(?P<micros>[0-9]{6})/?")
"""Path of the link to a message: its time without the full stop."""

MATTERMOST = re.compile(r".*/pl/(?P<post>[a-z0-9]{26})/?")


class AnswerUnknown(Final):
    """There is no such answer, or more than one; the text says how to name it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Which answer is meant."""

    trace: str
    others: tuple[str, ...] = ()
    """Trace ids of the other answers in the thread that was named, the latest first."""


async def explain(settings: BotSettings, reference: str, *, as_json: bool) -> int:
    """Show how the answer came about that `reference` names.

    A reference is a trace id, `SHORTEST` digits of its beginning or more, or the link to a message in Slack or
    Mattermost: the bot's own, the question, or the one that the thread hangs on. Raises `AnswerUnknown`.
    """
    async with AsyncExitStack() as stack:
        conversations = await Conversations.open(settings.state, keep_traces_days=settings.answer.explain_days)
        stack.push_async_callback(conversations.close)
        ledger = await Ledger.open(settings.state)
        stack.push_async_callback(ledger.close)
        which = await found(reference, conversations, Replies(conversations.engine))
        data = await explained(which, conversations, ledger)
    terminal = Terminal(highlight=False, file=sys.stdout)
    if as_json:
        print_json(terminal, data)
    else:
        show(data, terminal, keep_days=settings.answer.explain_days)
    return 0


async def found(reference: str, conversations: Conversations, replies: Replies) -> Found:
    """The answer that `reference` names. Raises `AnswerUnknown`."""
    reference = reference.strip()
    if "://" in reference:
        return await _linked(reference, replies)
    prefix = reference.lower()
    if not TRACE.fullmatch(prefix):
        raise AnswerUnknown(
            f"{reference!r} is neither a trace id nor the link to a message; give the reference that stands under an"
            " error or in the JSON of an answer, or copy the link of the bot's message in Slack or Mattermost"
        )
    if len(prefix) < SHORTEST:
        raise AnswerUnknown(f"{reference!r} is too short: give at least the first {SHORTEST} digits of the trace id")
    traces = await conversations.find(prefix)
    if len(traces) > 1:
        raise AnswerUnknown(f"several answers begin with {prefix}: {', '.join(traces)}; give more digits")
    if not traces:
        raise AnswerUnknown(
            f"no answer with the trace id {prefix} is known here; is it complete, and is `state.url` the database of"
            " the bot that answered?"
        )
    return Found(trace=traces[0])


async def explained(which: Found, conversations: Conversations, ledger: Ledger) -> dict[str, Any]:
    """All that is kept of the answer, without secrets, as data that goes to JSON. Raises `AnswerUnknown`."""
    kept = await conversations.kept(which.trace)
    if kept is None:
        raise AnswerUnknown(
            f"nothing is kept of the answer {which.trace}; it could not be stored when it was given: look for its"
            " trace id in the log"
        )
    trace = await conversations.trace(which.trace)
    documents = await _documents(ledger, _passages_of(kept, trace))
    data = {
        "trace_id": kept.trace,
        "question": kept.question,
        "asked_by": kept.asker,
        "platform": kept.platform,
        "thread": kept.thread,
        "answered_at": kept.answered_at.isoformat(timespec="seconds"),
        "outcome": kept.outcome,
        "refusal": kept.refusal or None,
        "language": kept.language,
        "route": kept.route or None,
        "written_by": kept.written_by,
        "walk": None if trace is None else _walk(trace, documents),
        "passages": [asdict(passage) | documents[passage.chunk] for passage in kept.passages],
        "nearest": [asdict(passage) | documents[passage.chunk] for passage in kept.nearest],
        "notices": list(kept.notices),
        "spent": kept.spent,
        "timings": kept.timings,
        "text": kept.answer,
        "other_answers": list(which.others),
    }
    without_secrets: dict[str, Any] = _masked(data)
    return without_secrets


async def _linked(link: str, replies: Replies) -> Found:
    try:
        parts = urlsplit(link)
    except ValueError:
        raise AnswerUnknown(f"{link!r} is no address; copy the link of the bot's message again") from None
    if slack := SLACK.fullmatch(parts.path):
        below = parse_qs(parts.query).get("thread_ts", [])
        candidates = [f"{slack['seconds']}.{slack['micros']}", *below]
        answers = [await replies.linked("slack", message, channel=slack["channel"]) for message in candidates]
    elif mattermost := MATTERMOST.fullmatch(parts.path):
        answers = [await replies.linked("mattermost", mattermost["post"])]
    else:
        raise AnswerUnknown(
            f"{link!r} is no link to a message; copy one in Slack (https://….slack.com/archives/C…/p…) or Mattermost"
            " (https://…/team/pl/…)"
        )
    return _named(link, next(filter(None, answers), ()))


def _named(link: str, answers: tuple[Reply, ...]) -> Found:
    if not answers:
        raise AnswerUnknown(
            f"no answer is known to {link}; copy the link of the bot's own message, and see that `state.url` is the"
            " database of the bot that answered"
        )
    traces = tuple(reply.trace for reply in answers if reply.trace)
    if not traces:
        how = {"writing": "is still being written", "stopped": "was stopped"}.get(answers[0].state, "was taken back")
        raise AnswerUnknown(f"the answer to {link} {how}; only a finished answer can be explained")
    return Found(trace=traces[0], others=traces[1:])


def _passages_of(kept: Kept, trace: Trace | None) -> set[tuple[str, DocumentId, ChunkId]]:
    """Source, document and chunk of all that plays a part."""
    passages = {(passage.source, passage.document, passage.chunk) for passage in (*kept.passages, *kept.nearest)}
    for ranking in trace.rankings if trace else ():
        passages |= {(hit.source, DocumentId(hit.document), hit.chunk) for hit in ranking.hits}
    return passages


async def _documents(
    ledger: Ledger, passages: Iterable[tuple[str, DocumentId, ChunkId]]
) -> dict[ChunkId, dict[str, object]]:
    """What is known of each passage now; `gone` says why its text is not."""
    passages = list(passages)
    chunks = {chunk.id: chunk for chunk in await ledger.chunks_by_id([chunk for _, _, chunk in passages])}
    by_source: dict[str, set[DocumentId]] = {}
    for source, document, chunk in passages:
        if chunk not in chunks and source != ATTACHED:
            by_source.setdefault(source, set()).add(document)
    there = {(source, id) for source, ids in by_source.items() for id in await ledger.records(source, ids)}

    def gone(source: str, document: DocumentId, chunk: Chunk | None) -> str | None:
        if chunk is not None:
            return None
        if source == ATTACHED:
            return "a file of the conversation"
        changed = (source, document) in there
        return (
            "its document has changed, and no longer holds this text"
            if changed
            else "its document is not there any more"
        )

    return {
        id: _now(chunks.get(id)) | {"gone": gone(source, document, chunks.get(id))} for source, document, id in passages
    }


def _now(chunk: Chunk | None) -> dict[str, object]:
    if chunk is None:
        return {"headings": [], "page": None, "text": None}
    return {"headings": list(chunk.headings), "page": chunk.page, "text": chunk.text}


def _walk(trace: Trace, documents: Mapping[ChunkId, Mapping[str, object]]) -> dict[str, Any]:
    walk = asdict(trace)
    for ranking in walk["rankings"]:
        for hit in ranking["hits"]:
            hit["gone"] = documents[hit["chunk"]]["gone"]
    return walk


def _masked(value: Any) -> Any:
    """`value` with every text in it masked."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return value
