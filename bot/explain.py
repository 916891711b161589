"""`bot explain`: how one answer came about, from what was kept of it; nothing is searched and no model asked.

explain → found (which answer is meant) → explained (what is kept, as data) → shown in the terminal, or JSON

Whoever looks is shown no more than the documents that they may read now: passages and hits of those alone; and whatever
may tell of the others (queries, prompts, replies, the answer itself) only where none is among what the answer rests on.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from rich.console import Console as Terminal

from bot.access.audit import CONSOLE, Audit
from bot.access.interface import Act, Note
from bot.conversations import Conversations, Kept, Rested
from bot.dialogue.replies import Replies, Reply
from bot.explanation import show
from bot.model import ATTACHED, Basis
from bot.platforms.console import print_json
from bot.settings import BotSettings
from bot.trace import Trace
from ingest.errors import Terminal as Final
from ingest.ledger import Ledger
from ingest.masking import masked
from ingest.model import Chunk, ChunkId, DocumentId, Readers, held

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What whoever looks may see of one answer."""

    documents: Basis
    """Of all that plays a part, those that are there and that they may read."""
    withheld: Basis
    """The others."""
    files: bool
    """Whether they are whoever asked, and so may open the files of the conversation."""
    whole: bool
    """Whether they may read all that the answer rests on; not where that is not known."""

    def of(self, source: str, document: str) -> bool:
        return self.files if source == ATTACHED else (source, document) in self.documents


async def explain(settings: BotSettings, reference: str, *, tokens: Collection[str] = (), as_json: bool) -> int:
    """Show how the answer came about that `reference` names, to a member who holds `tokens` too (see `held`).

    A reference is a trace id, `SHORTEST` digits of its beginning or more, or the link to a message in Slack or
    Mattermost: the bot's own, the question, or the one that the thread hangs on. Raises `AnswerUnknown`.
    """
    readers = held(tokens)
    async with AsyncExitStack() as stack:
        conversations = await Conversations.open(settings.state, keep_traces=settings.answer.explain_days > 0)
        stack.push_async_callback(conversations.close)
        ledger = await Ledger.open(settings.state)
        stack.push_async_callback(ledger.close)
        which = await found(reference, conversations, Replies(conversations.engine))
        audit = Audit(conversations.engine, keep_days=settings.retention.audit_days)
        data = await explained(which, conversations, ledger, readers=readers, note=audit.note)
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


async def explained(
    which: Found, conversations: Conversations, ledger: Ledger, *, readers: Readers, note: Note
) -> dict[str, Any]:
    """What is kept of the answer and holders of `readers` may know, without secrets, as data that goes to JSON.

    That somebody looked is noted before anything is shown. Raises `AnswerUnknown`.
    """
    kept = await conversations.kept(which.trace)
    if kept is None:
        raise AnswerUnknown(
            f"nothing is kept of the answer {which.trace}; it could not be stored when it was given: look for its"
            " trace id in the log"
        )
    trace = await conversations.trace(which.trace)
    passages = _passages_of(kept, trace)
    sight = await _sight(kept, passages, ledger, readers)
    act = Act(deed="explained", by=CONSOLE, platform=kept.platform, place=kept.thread or "", answer=kept.trace)
    await note(replace(act, tokens=readers, passed=sight.documents, withheld=sight.withheld))
    documents = await _documents(ledger, [one for one in passages if sight.of(*one[:2])])
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
        "walk": None if trace is None else _walk(trace, documents, sight),
        "passages": _seen(kept.passages, documents, sight),
        "nearest": _seen(kept.nearest, documents, sight),
        "notices": list(kept.notices),
        "spent": kept.spent,
        "timings": kept.timings,
        "text": kept.answer if sight.whole else None,
        "withheld": not sight.whole,
        "other_answers": list(which.others),
    }
    without_secrets: dict[str, Any] = _masked(data)
    return without_secrets


async def _sight(
    kept: Kept, passages: Collection[tuple[str, DocumentId, ChunkId]], ledger: Ledger, readers: Readers
) -> Sight:
    concerned = {(source, document) for source, document, _ in passages if source != ATTACHED} | (kept.basis or set())
    allowed = await ledger.allows(concerned, readers)
    files = kept.asker in readers
    attached = any(source == ATTACHED for source, _, _ in passages)
    return Sight(
        documents=frozenset(allowed),
        withheld=frozenset(concerned - allowed),
        files=files,
        whole=kept.basis is not None and kept.basis <= allowed and (files or not attached),
    )


def _seen(
    passages: Iterable[Rested], documents: Mapping[ChunkId, dict[str, object]], sight: Sight
) -> list[dict[str, object]]:
    seen = [passage for passage in passages if sight.of(passage.source, passage.document)]
    if not sight.whole:  # no gap tells how many there are beside these
        seen = [replace(passage, number=number) for number, passage in enumerate(seen, start=1)]
    return [asdict(passage) | documents[passage.chunk] for passage in seen]


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
    """What is known now of each passage of a document that is there; `gone` says why its text is not."""
    passages = list(passages)
    chunks = {chunk.id: chunk for chunk in await ledger.chunks_by_id([chunk for _, _, chunk in passages])}

    def gone(source: str, chunk: Chunk | None) -> str | None:
        if chunk is not None:
            return None
        attached = source == ATTACHED
        return "a file of the conversation" if attached else "its document has changed, and no longer holds this text"

    return {id: _now(chunks.get(id)) | {"gone": gone(source, chunks.get(id))} for source, _, id in passages}


def _now(chunk: Chunk | None) -> dict[str, object]:
    if chunk is None:
        return {"headings": [], "page": None, "text": None}
    return {"headings": list(chunk.headings), "page": chunk.page, "text": chunk.text}


def _walk(trace: Trace, documents: Mapping[ChunkId, Mapping[str, object]], sight: Sight) -> dict[str, Any]:
    """The walk as far as whoever looks may know of it; not even how many documents there are that they may not read."""
    walk = asdict(trace)
    walk["withheld"] = trace.withheld > 0
    for ranking in walk["rankings"]:
        hits = [hit for hit in ranking["hits"] if sight.of(hit["source"], hit["document"])]
        ranking["withheld"] = len(hits) < len(ranking["hits"])
        ranking["hits"] = [hit | {"gone": documents[hit["chunk"]]["gone"]} for hit in hits]
    # What is behind the hits that are kept may be of documents that nobody has looked at here.
    sees_all = sight.whole and not any(ranking["withheld"] for ranking in walk["rankings"])
    if not sees_all:
        for ranking in walk["rankings"]:
            ranking["found"] = None
        # How well the hits fit the question, those among them that are left out here.
        walk |= {"evidence": {}, "probability": None, "threshold": None, "widened": ""}
    if not sight.whole:
        walk |= {"query": None, "translations": {}, "variants": [], "calls": [], "checks": []}
        for ranking in walk["rankings"]:
            ranking["query"] = None
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
