"""`bot doctor`: every setting and every endpoint tried, each finding one line that says what to do."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from bot.access.findings import findings
from bot.access.groups import GroupBook
from bot.composition import chat_writer, open_index
from bot.llm.interface import Message, Prompt, Writer
from bot.model import Passage
from bot.retrieval.gate import configuration_of, load_gate
from bot.settings import BotSettings
from bot.writing.grounding.detector import DetectorSupport
from bot.writing.interface import Statement
from ingest.errors import SouffleurError
from ingest.index.embedder import open_embedder
from ingest.index.reranker import open_reranker
from ingest.ledger import Ledger
from ingest.model import MEMBER, Chunk, DocumentId, chunk_id, group_token
from ingest.parsers.sandbox import Sandbox
from ingest.sources.files.settings import FilesSettings
from ingest.sources.interface import token_variable

Found = tuple[Literal["ok", "note", "problem"], str]

Probes = list[tuple[str, Callable[[], Awaitable[Sequence[Found]]]]]
"""What is looked at, and what finds out how it stands."""

PATIENCE = 60.0
"""Seconds for one check; a local model loads within it."""

EXTRAS = {
    "models": ("sentence_transformers", "embedding and reranking models in this process (`local:`)"),
    "unstructured": ("unstructured", "the second reader of documents (`parser: unstructured`)"),
    "slack": ("slack_bolt", "answering in Slack (`slack:`)"),
    "mattermost": ("aiohttp", "answering in Mattermost (`mattermost:`)"),
    "postgres": ("psycopg", "state in Postgres (`state.url: postgresql://…`)"),
}
"""Extra -> the module that it brings, and what it is for."""

GIGABYTE = 2**30

RED = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mP4z8CAFTEMLQkAKP8/wc53yE8AAAAA"
    "SUVORK5CYII="
)
"""A picture of eight by eight red points."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one check found."""

    what: str
    state: Literal["ok", "note", "problem"]
    """`note`: works, with less than there could be."""
    says: str


async def examine(settings: BotSettings) -> AsyncIterator[Finding]:
    """Every finding, in the order of a question's and a document's needs."""
    yield Finding(what="python", state="ok", says=sys.version.split()[0])
    probes: Probes = [(what, partial(_alone, check, settings)) for what, check in _checks(settings)]
    for what, probe in (*probes, *_platforms(settings)):
        async for finding in _probed(what, probe):
            yield finding


async def _alone(check: Callable[[BotSettings], Awaitable[Found]], settings: BotSettings) -> list[Found]:
    return [await check(settings)]


def _checks(settings: BotSettings) -> list[tuple[str, Callable[[BotSettings], Awaitable[Found]]]]:
    return [
        ("home", _home),
        ("sources", _sources),
        ("parsers", _parsers),
        ("state", _state),
        ("index", _index),
        ("embedding model", _embedding),
        ("reranker", _reranker),
        ("chat model", _chat),
        ("refusals", _refusals),
        ("grounding model", _grounding),
        *((f"{name} model", partial(_model_for, name)) for name in ("reasoning", "code", "judge")),
        ("vision model", _vision),
        ("serve", _serve),
        ("extras", _extras),
    ]


def _platforms(settings: BotSettings) -> Probes:
    """The groups, then each chat platform that is switched on, and what finds out how they stand."""
    probes: Probes = [("groups", partial(_groups, settings))]
    if settings.slack is not None:
        if missing := _missing("slack", "slack_bolt", "aiohttp"):
            probes.append(("slack", partial(_said, missing)))
        else:
            from bot.platforms.slack.probe import probe as slack

            probes.append(("slack", partial(slack, settings.slack)))
    if settings.mattermost is not None:
        if missing := _missing("mattermost", "aiohttp"):
            probes.append(("mattermost", partial(_said, missing)))
        else:
            from bot.platforms.mattermost.probe import probe as mattermost

            probes.append(("mattermost", partial(mattermost, settings.mattermost)))
    return probes


def _missing(extra: str, *modules: str) -> Found | None:
    """What to do about an extra that a platform needs; None where it is installed."""
    if all(importlib.util.find_spec(module) is not None for module in modules):
        return None
    return "problem", f"needs the extra `{extra}`: .venv/bin/pip install -e '.[{extra}]'"


async def _said(found: Found) -> list[Found]:
    return [found]


async def _probed(what: str, probe: Callable[[], Awaitable[Sequence[Found]]]) -> AsyncIterator[Finding]:
    try:
        async with asyncio.timeout(PATIENCE):
            found = await probe()
    except SouffleurError as error:
        found = [("problem", str(error))]
    except TimeoutError:
        found = [("problem", f"no answer within {PATIENCE:.0f} s; see whether it is running and reachable from here")]
    except OSError as error:
        found = [("problem", f"{error.strerror}: {error.filename}; see whether this user may read and write it")]
    for state, says in found:
        yield Finding(what=what, state=state, says=says)


async def _home(settings: BotSettings) -> Found:
    place = settings.home
    existing = next(folder for folder in (place, *place.parents) if folder.exists())
    free = (await asyncio.to_thread(shutil.disk_usage, existing)).free
    if free < GIGABYTE:
        return "problem", f"{place}: only {free / GIGABYTE:.1f} GB free; make room, or set `home` to another disk"
    return "ok", f"{place} ({free / GIGABYTE:.0f} GB free)"


async def _sources(settings: BotSettings) -> Found:
    if not settings.sources:
        return "note", "none configured; `ingest sync FOLDER` indexes a folder, `sources:` in souffleur.yaml keeps it"
    missing = [
        f"{name} ({source.root})"
        for name, source in settings.sources.items()
        if isinstance(source, FilesSettings) and isinstance(source.root, Path) and not _is_folder(source.root)
    ]
    if missing:
        return "problem", f"no such folder: {', '.join(missing)}; mend `root`, or mount it"
    without_token = [name for name, source in settings.sources.items() if source.needs_token and source.token is None]
    if without_token:
        return "problem", f"no token: set {', '.join(map(token_variable, without_token))} in the environment or in .env"
    open_to_nobody = [
        name
        for name, source in settings.sources.items()
        if isinstance(source, FilesSettings) and not source.readers and not source.access
    ]
    if open_to_nobody:
        return "note", f"nobody may read {', '.join(open_to_nobody)}; give it `readers: [everyone]` or narrower ones"
    return "ok", ", ".join(settings.sources)


def _is_folder(path: Path) -> bool:
    return path.is_dir()


async def _parsers(settings: BotSettings) -> Found:
    if not Sandbox(settings.parsing).network_isolated:
        return "note", "documents are read in limited processes, but this kernel cannot keep those off the network"
    return "ok", "documents are read in limited processes without network"


async def _state(settings: BotSettings) -> Found:
    ledger = await Ledger.open(settings.state)
    try:
        states = await ledger.states()
    finally:
        await ledger.close()
    documents = sum(state.documents for state in states)
    if not documents:
        return "note", "no documents yet; run `ingest sync`"
    failing = sum(state.failing for state in states)
    if failing:
        return "note", f"{documents} documents, {failing} that cannot be read; `ingest status` names them"
    return "ok", f"{documents} documents"


async def _groups(settings: BotSettings) -> list[Found]:
    ledger = await Ledger.open(settings.state)
    try:
        named = await ledger.reader_tokens()
    finally:
        await ledger.close()
    platforms = {name for name in ("slack", "mattermost") if getattr(settings, name) is not None}
    return findings(
        await GroupBook(settings.access).current(),
        named=named,
        listed=[group_token(name) for name in settings.access.groups],
        given=frozenset().union(*(key.readers for key in settings.serve.keys)),
        kinds=platforms | {"user"} if platforms else (),
    )


async def _index(settings: BotSettings) -> Found:
    async with open_index(settings) as index:
        await index.search("souffleur", visible_to=frozenset({"everyone"}), language="en", lexical_only=True)
        return "ok", f"{await index.count()} passages, searchable"


async def _embedding(settings: BotSettings) -> Found:
    embedder = open_embedder(settings.models.embedding)
    if embedder is None:
        return "note", "none: questions find documents by their words; set `models.embedding` for their meaning"
    try:
        vector = await embedder.embed_query("How many days of leave do I have?")
    finally:
        await embedder.close()
    return "ok", f"{embedder.name}, {len(vector)} dimensions"


async def _reranker(settings: BotSettings) -> Found:
    reranker = open_reranker(settings.models.reranker)
    if reranker is None:
        return "note", "none: the fused order is kept; set `models.reranker` to have the best passages reread"
    try:
        right, wrong = await reranker.scores(
            "How many days of leave?", ["Thirty days of leave a year.", "The printer."]
        )
    finally:
        await reranker.close()
    if right <= wrong:
        return "note", f"{reranker.name} answers, but ranks a wrong passage above a right one; try it with `bot eval`"
    return "ok", reranker.name


async def _chat(settings: BotSettings) -> Found:
    writer = chat_writer(settings.models.chat)
    if writer is None:
        return "note", "none: answers are quotations; set `models.chat` to any OpenAI-compatible gateway"
    return "ok", f"{writer.name} replies {await _reply(writer, 'Reply with the word: ready')!r}"


async def _model_for(task: Literal["reasoning", "code", "judge"], settings: BotSettings) -> Found:
    writer = chat_writer(getattr(settings.models, task), f"models.{task}")
    if task != "judge" and settings.models.chat is None:
        if writer is None:
            return "ok", "none: answers are quotations"
        await writer.close()
        return "note", f"{writer.name} is not used: answers are quotations until `models.chat` is set"
    if writer is None:
        return (
            "ok",
            "none: `bot eval` has no model grade answers" if task == "judge" else "none: the chat model does it",
        )
    return "ok", f"{writer.name} replies {await _reply(writer, 'Reply with the word: ready')!r}"


async def _refusals(settings: BotSettings) -> Found:
    if not settings.answer.refuse_by_evidence:
        return "note", "only the chat model refuses: `answer.refuse_by_evidence` is off"
    if load_gate(settings.home, configuration_of(settings.models.embedding, settings.models.reranker)) is None:
        return "note", "nothing is refused by evidence yet: run `bot calibrate FOLDER` with questions of your own"
    return "ok", "questions without evidence are refused before a model is asked"


async def _grounding(settings: BotSettings) -> Found:
    if settings.models.grounding is None:
        return "ok", "none: figures, names and words decide what passages support"
    detector = DetectorSupport(settings.models.grounding)
    told = ("Employees have thirty days of leave a year.", "Employees travel by train free of charge.")
    try:
        right, wrong = await detector.check(
            [Statement(text=text, cited=(1,)) for text in told],
            [Passage(number=1, chunk=_chunk(told[0]), score=1.0)],
            question="How many days of leave do employees have?",
            language="en",
        )
    finally:
        await detector.close()
    if settings.models.chat is None:
        return "note", f"{detector.name} is not used: answers are quotations until `models.chat` is set"
    if not right.holds or wrong.holds:
        fault = "lets pass what no passage says" if right.holds else "finds unsupported what its passage says"
        return "note", f"{detector.name} answers, but {fault}; try it with `bot eval`"
    return "ok", detector.name


def _chunk(text: str) -> Chunk:
    """A passage of a page that says just that."""
    return Chunk(
        id=chunk_id("doctor", DocumentId("leave"), text),
        source="doctor",
        document=DocumentId("leave"),
        position=0,
        title="Leave",
        headings=(),
        page=None,
        text=text,
        language="en",
        readers=MEMBER,
        url=None,
        updated_at=None,
    )


async def _vision(settings: BotSettings) -> Found:
    writer = chat_writer(settings.models.vision, "models.vision")
    if writer is None:
        return "note", "none: pictures in conversations are declined; set `models.vision` to a model that sees"
    seen = await _reply(writer, "Reply with the name of the colour.", picture=RED)
    return "ok", f"{writer.name} sees {seen!r} in a red picture"


async def _reply(writer: Writer, request: str, *, picture: str = "") -> str:
    """The beginning of what the model says; the writer is closed."""
    prompt = Prompt(
        messages=(Message(role="user", content=request, picture=picture),),
        question="",
        passages=(),
        language="en",
        max_tokens=50,
    )
    try:
        reply = "".join([piece async for piece in writer.write(prompt)])
    finally:
        await writer.close()
    return reply.strip()[:40]


async def _serve(settings: BotSettings) -> Found:
    serve, mattermost = settings.serve, settings.mattermost
    local = serve.host in {"127.0.0.1", "::1", "localhost"}
    called = urlsplit((mattermost and mattermost.callback_url) or "").hostname
    if local and called not in {None, "127.0.0.1", "::1", "localhost"}:
        return (
            "note",
            f"{serve.host}:{serve.port} is this machine alone, but Mattermost is to call {called}; set `serve.host` to "
            "0.0.0.0, unless a proxy here passes that on",
        )
    if not local and not serve.keys:
        return (
            "problem",
            f"{serve.host}:{serve.port} is open to the network, where `bot serve` does not start without API keys; "
            "`bot key NAME` makes one",
        )
    now = datetime.now(UTC)
    if expired := sorted({key.name for key in serve.keys if key.expires is not None and key.expires <= now}):
        return (
            "note",
            f"{serve.host}:{serve.port}, {len(serve.keys)} keys, of which those of {', '.join(expired)} have expired; "
            "take their lines out, `bot key NAME` makes new ones",
        )
    return "ok", f"{serve.host}:{serve.port}, {len(serve.keys)} keys"


async def _extras(settings: BotSettings) -> Found:
    missing = [
        f"{extra} ({purpose})"
        for extra, (module, purpose) in EXTRAS.items()
        if importlib.util.find_spec(module) is None
    ]
    if not missing:
        return "ok", "all installed"
    return "note", "not installed: " + "; ".join(missing) + " – .venv/bin/pip install -e '.[EXTRA]'"
