"""The terminal: one answer (`bot ask`), or a conversation (`bot chat`)."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console as Terminal
from rich.console import Group, RenderableType
from rich.highlighter import JSONHighlighter
from rich.live import Live
from rich.markdown import Markdown
from rich.padding import Padding
from rich.text import Text

from bot.model import Answer, Answerer, Asker, Delta, Finished, Passage, Place, Question, Status, Turn
from bot.phrases import Say
from bot.platforms.interface import is_restricted, sources
from bot.platforms.places import opened_at
from bot.platforms.rendering import LOCK
from ingest.masking import masked

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and newline, and those that turn the direction of what follows."""

REFRESHES = 8
"""Redraws a second while an answer streams; more only flickers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Console:
    """Asks on behalf of the person at the terminal and shows what comes."""

    answerer: Answerer
    asker: Asker
    say: Say
    terminal: Terminal

    async def ask(self, text: str, history: tuple[Turn, ...] = ()) -> Answer:
        """Stream one answer to the terminal, with its sources."""
        question = self._question(text, history)
        if not self.terminal.is_terminal:
            return self._show(await self._finished(question))
        answer: Answer | None = None
        status, written = "", ""
        with Live(
            console=self.terminal, refresh_per_second=REFRESHES, transient=True, vertical_overflow="crop"
        ) as live:
            async for event in self.answerer(question):
                match event:
                    case Status(text=status):
                        pass
                    case Delta(text=piece):
                        written += printable(piece)
                    case Finished(answer=answer):
                        continue
                live.update(
                    Group(Markdown(written, hyperlinks=False), Text(status if not written else "", style="dim"))
                )
        return self._show(answer)

    async def ask_as_json(self, text: str) -> Answer:
        """One answer as one JSON object on standard output."""
        answer = await self._finished(self._question(text))
        print_json(self.terminal, as_json(answer))
        return answer

    async def chat(self, prompt: str) -> None:
        """A conversation until the end of input; each answer knows the turns before it."""
        history: tuple[Turn, ...] = ()
        while True:
            try:
                text = await self._typed(prompt)
            except EOFError:
                self.terminal.print()
                return
            if not text.strip():
                continue
            answer = await self.ask(text, history)
            history += (Turn(role="user", text=text), Turn(role="assistant", text=answer.text, basis=answer.basis))

    async def _typed(self, prompt: str) -> str:
        """The next line that is typed. Raises EOFError at the end of input.

        Read in a daemon thread: whoever presses Ctrl-C must not have to press Enter, too, for the program to end.
        """
        loop = asyncio.get_running_loop()
        line: asyncio.Future[str] = loop.create_future()

        def settle(text: str, error: Exception | None) -> None:
            if not line.done():
                line.set_result(text) if error is None else line.set_exception(error)

        def read() -> None:
            text, failure = "", None
            try:
                text = self.terminal.input(prompt)
            except (EOFError, OSError, UnicodeDecodeError) as error:
                failure = error
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                loop.call_soon_threadsafe(settle, text, failure)

        threading.Thread(target=read, name="keyboard", daemon=True).start()
        return await line

    def _question(self, text: str, history: tuple[Turn, ...] = ()) -> Question:
        # Bytes of a command line that are no UTF-8 arrive as lone surrogates, which no model and no database takes.
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return Question(text=text, asker=self.asker, place=Place(platform="console"), history=history)

    async def _finished(self, question: Question) -> Answer:
        answer: Answer | None = None
        async for event in self.answerer(question):
            if isinstance(event, Finished):
                answer = event.answer
        assert answer is not None, "an answerer ends with Finished"  # noqa: S101
        return answer

    def _show(self, answer: Answer | None) -> Answer:
        assert answer is not None, "an answerer ends with Finished"  # noqa: S101
        # Whoever reads a file or a pipe wants the text, not a picture of it padded to a width.
        text = printable(answer.text)
        shown = Markdown(text, hyperlinks=False) if self.terminal.is_terminal else Text(text)
        self._line(shown)
        self._list(answer.citations, "sources", answer.language)
        self._list(answer.nearest, "nearest", answer.language, numbered=False)
        if answer.notes or answer.notices:
            self.terminal.print()
        for note in answer.notes:
            self._line(Text(printable(note), style="italic"))
        for notice in answer.notices:
            self._line(Text(printable(notice), style="yellow"))
        self.terminal.print()
        return answer

    def _list(self, passages: Sequence[Passage], label: str, language: str, *, numbered: bool = True) -> None:
        """The sources that `passages` are, under the phrase `label`; nothing where there are none."""
        listed = sources(passages, language=language, say=self.say, address_of=_address)
        if not listed:
            return
        self.terminal.print()
        self.terminal.print(Text(self.say(language, label), style="bold"))
        for source in listed:
            place = " — " + ", ".join(source.place) if source.place else ""
            line = Text.assemble(
                f"[{source.number}] " if numbered else "- ",
                (printable(source.title), "bold"),
                printable(place),
                f" {LOCK} {source.restricted}" if source.restricted else "",
                (f" ({printable(source.url)})", "dim"),
            )
            self._line(Padding(line, (0, 0, 0, 1)) if self.terminal.is_terminal else line)

    def _line(self, shown: RenderableType) -> None:
        """`shown`, broken to the width of a terminal alone."""
        self.terminal.print(shown, soft_wrap=not self.terminal.is_terminal)


def _address(passage: Passage) -> str:
    return opened_at(passage) or passage.chunk.url or f"{passage.chunk.source}/{passage.chunk.document}"


def printable(text: str) -> str:
    """`text` without the characters that a terminal takes for commands; documents may hold any."""
    return CONTROL.sub("\ufffd", text)


def print_json(terminal: Terminal, data: object) -> None:
    """Data as JSON, such characters as escapes: the same data, and nothing that a terminal obeys."""
    text = escaped(json.dumps(data, ensure_ascii=False, indent=2))
    terminal.print(JSONHighlighter()(text), soft_wrap=True)


def escaped(text: str) -> str:
    """JSON with such characters as escapes."""
    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer with its sources, passages and costs, for programs."""
    return {
        "outcome": answer.outcome.value,
        "language": answer.language,
        "text": answer.text,
        "sources": [_source_json(passage) for passage in answer.citations],
        "nearest": [_source_json(passage) for passage in answer.nearest],
        "passages": [
            {"number": passage.number, "document": passage.chunk.document, "score": passage.score}
            for passage in answer.passages
        ],
        "written_by": answer.written_by,
        "refusal": answer.refusal,
        "removed": answer.removed,
        "route": answer.route.value,
        "spent": asdict(answer.spent),
        "notes": list(answer.notes),
        "notices": list(answer.notices),
        "timings": {stage: round(seconds, 4) for stage, seconds in answer.timings.items()},
        "trace_id": answer.trace_id,
    }


def _source_json(passage: Passage) -> dict[str, Any]:
    chunk = passage.chunk
    return {
        "number": passage.number,
        "source": chunk.source,
        "document": chunk.document,
        "title": masked(chunk.title),
        "headings": list(map(masked, chunk.headings)),
        "page": chunk.page,
        "updated_at": chunk.updated_at.isoformat() if chunk.updated_at else None,
        "language": chunk.language,
        "restricted": is_restricted(passage),
        "url": opened_at(passage) or chunk.url,
        "text": masked(chunk.text),
    }
