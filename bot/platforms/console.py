"""The terminal: one answer (`bot ask`), or a conversation (`bot chat`)."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rich.console import Console as Terminal
from rich.console import Group
from rich.live import Live
from rich.markdown import Markdown
from rich.padding import Padding
from rich.text import Text

from bot.model import Answer, Answerer, Asker, Delta, Finished, Passage, Place, Question, Status, Turn
from bot.phrases import Say
from bot.platforms.interface import sources

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
                        written += _printable(piece)
                    case Finished(answer=answer):
                        continue
                live.update(
                    Group(Markdown(written, hyperlinks=False), Text(status if not written else "", style="dim"))
                )
        return self._show(answer)

    async def ask_as_json(self, text: str) -> Answer:
        """One answer as one JSON object on standard output."""
        answer = await self._finished(self._question(text))
        self.terminal.print_json(json.dumps(as_json(answer), ensure_ascii=False))
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
            history += (Turn(role="user", text=text), Turn(role="assistant", text=answer.text))

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
        text = _printable(answer.text)
        shown = Markdown(text, hyperlinks=False) if self.terminal.is_terminal else Text(text)
        self.terminal.print(shown, soft_wrap=not self.terminal.is_terminal)
        listed = sources(answer.citations, language=answer.language, say=self.say, address_of=_address)
        if listed:
            self.terminal.print()
            self.terminal.print(Text(self.say(answer.language, "sources"), style="bold"))
        for source in listed:
            place = " — " + ", ".join(source.place) if source.place else ""
            line = Text.assemble(
                f"[{source.number}] ",
                (_printable(source.title), "bold"),
                _printable(place),
                (f" ({_printable(source.url)})", "dim"),
            )
            if self.terminal.is_terminal:
                self.terminal.print(Padding(line, (0, 0, 0, 1)))
            else:
                self.terminal.print(line, soft_wrap=True)
        for note in answer.notes:
            self.terminal.print(Text(_printable(note), style="italic"))
        for notice in answer.notices:
            self.terminal.print(Text(notice, style="yellow"))
        self.terminal.print()
        return answer


def _address(passage: Passage) -> str:
    return passage.chunk.url or f"{passage.chunk.source}/{passage.chunk.document}"


def _printable(text: str) -> str:
    """`text` without the characters that a terminal takes for commands; documents may hold any."""
    return CONTROL.sub("\ufffd", text)


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer with its sources, passages and costs, for programs."""
    return {
        "outcome": answer.outcome.value,
        "language": answer.language,
        "text": answer.text,
        "sources": [
            {
                "number": passage.number,
                "source": passage.chunk.source,
                "document": passage.chunk.document,
                "title": passage.chunk.title,
                "headings": list(passage.chunk.headings),
                "page": passage.chunk.page,
                "updated_at": passage.chunk.updated_at.isoformat() if passage.chunk.updated_at else None,
                "url": passage.chunk.url,
                "text": passage.chunk.text,
            }
            for passage in answer.citations
        ],
        "passages": [
            {"number": passage.number, "document": passage.chunk.document, "score": passage.score}
            for passage in answer.passages
        ],
        "written_by": answer.written_by,
        "model_calls": answer.model_calls,
        "notes": list(answer.notes),
        "notices": list(answer.notices),
        "timings": {stage: round(seconds, 4) for stage, seconds in answer.timings.items()},
        "trace_id": answer.trace_id,
    }
