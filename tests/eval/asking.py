"""The assistant over a set of questions, with models that say what a measurement tells them to."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.composition import Assistant, assistant
from bot.evaluation.answers import ask
from bot.evaluation.derived import sample
from bot.evaluation.rank import at_hand
from bot.llm.interface import Prompt
from bot.llm.scripted import ScriptedWriter
from bot.llm.writers import Writers
from bot.model import Answer, Outcome
from bot.settings import BotSettings
from bot.writing.units import Units
from ingest.questions import Article, Query, QuestionSet, read_set
from tests.bench.process import ROOT, command, run

DEMO = ROOT / "deploy" / "demo"
LEAST_WORDS = 6
"""Of a sentence that a scripted model takes from a passage."""

WRAPPED = re.compile(r"(?<=[\w,;])\n(?=[^\W\d_])")
"""The end of a line within a sentence, as PDF files have them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """What is measured over."""

    folders: tuple[Path, ...] = ()
    """Question sets; none: the demo's own."""
    sample: int = 100
    points: int = 50_000
    """Passages that are made for `filtered`."""
    qdrant_url: str | None = None
    """A server that `filtered` may fill and search."""

    def sets(self) -> list[QuestionSet]:
        folders = self.folders or (DEMO / "questions",)
        sets = (sample(read_set(folder), self.sample) for folder in folders)
        return [replace(found, name="demo") if found.corpus is None else found for found in sets]


@asynccontextmanager
async def ready_for(
    corpus: Sequence[Article] | None,
    says: Callable[[Prompt], str],
    translations: Callable[[str], dict[str, str]] = lambda question: {},
) -> AsyncIterator[tuple[Assistant, ScriptedWriter]]:
    """The assistant as it is composed, over `corpus` (None: the demo's documents), and the model that it asks.

    The model understands every message as a question to the documents that stands alone; `translations` of it, by
    language, are its own.
    """

    def reply(prompt: Prompt) -> str:
        return understood(prompt.question, translations(prompt.question)) if prompt.schema else says(prompt)

    writer = ScriptedWriter(reply)
    with TemporaryDirectory(prefix="souffleur-eval-") as folder:
        settings = BotSettings().placed(Path(folder))
        if corpus is None:
            _demo_synced(Path(folder))
        async with at_hand(settings, corpus) as own, assistant(own, writers=Writers(chat=writer)) as ready:
            ready.warm()
            yield ready, writer


def understood(question: str, translations: dict[str, str]) -> str:
    plan = {"query": question, "route": "documents", "skill": "chat", "broad": False, "translations": translations}
    return json.dumps(plan, ensure_ascii=False)


def _demo_synced(folder: Path) -> None:
    demo = (DEMO / "souffleur.yaml").read_text(encoding="utf-8").replace("root: handbook", f"root: {DEMO}/handbook")
    (folder / "souffleur.yaml").write_text(demo, encoding="utf-8")
    run([*command("ingest", "--config", folder / "souffleur.yaml", "sync")])


async def answer(ready: Assistant, query: Query) -> Answer:
    found = await ask(ready.answering.answer, query)
    if not found.passages and found.outcome is Outcome.FAILED:
        raise RuntimeError(f"{query.text!r} could not be asked: {found.text}")
    return found


def sentences(text: str) -> list[str]:
    """The whole sentences of a passage, on one line each; tables, lists, headings and ends of lines are left out."""
    units = Units()
    found = (
        " ".join(u.text.split()) for u in (*units.feed(WRAPPED.sub(" ", text)), *units.close()) if u.kind == "prose"
    )
    return [
        s
        for s in found
        if re.search(r"[.!?。！？]$", s) and _long(s) and not re.match(r"[-*•\d\W]", s) and not s[0].islower()
    ]


def of_its_language(prompt: Prompt, most: int) -> list[tuple[int, str]]:
    """From each of the first passages in the answer's language, its number and the sentence closest to the question."""
    passages = [passage for passage in prompt.passages if passage.chunk.language == prompt.language][:most]
    found = ((passage.number, closest(sentences(passage.chunk.text), prompt.question)) for passage in passages)
    return [(number, text) for number, text in found if text]


def _long(sentence: str) -> bool:
    return len(sentence.split()) >= LEAST_WORDS or (len(sentence) >= LEAST_WORDS * 3 and not sentence.isascii())


def closest(found: Sequence[str], question: str) -> str:
    """The one that shares most words with the question; the first of several; empty where there is none."""
    wanted = set(re.findall(r"\w+", question.casefold()))
    return max(found, key=lambda text: len(wanted & set(re.findall(r"\w+", text.casefold()))), default="")


def letters(text: str) -> str:
    """What two writings of one sentence have in common: no citations, spaces or punctuation."""
    return re.sub(r"[\W_]+", "", re.sub(r"\[\d+\]", "", text)).casefold()
