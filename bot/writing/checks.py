"""One text that a model writes, unit by unit through the checks: citations, masking, leaks, language, support."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from bot.llm.interface import Prompt
from bot.prompting import MISSING, NOT_FOUND
from bot.trace import TracedCheck
from bot.writing.citations import Citations, Cited
from bot.writing.grounding.names import names
from bot.writing.inert import visible
from bot.writing.interface import Ended, Unit
from bot.writing.leaks import leaks
from bot.writing.spoken import Spoken
from bot.writing.standing import MARKER, Checked, Standing
from bot.writing.units import Units
from ingest.index.lexical import fold
from ingest.masking import masked

HELD_CHARACTERS: Final = 400
"""Of units whose language cannot be told, held back for their neighbours: a paragraph at most."""

NEIGHBOURS: Final = 600
"""Characters of such units that the next ones are judged together with after they were shown."""

LEAK_NEIGHBOURS: Final = 400
"""Characters before a unit that are searched with it for the system prompt: it may be given away in short sentences."""

DRESSING: Final = ' \t\r\n`*".'
"""What models put around the sentinel."""

MISSING_CHARACTERS: Final = 160
"""Longest line on what the passages do not tell: it names a part of the question."""

MISSING_READ: Final = 1000
"""Characters of such a line from which on nothing more of it is read: it is too long already."""

FIGURE: Final = re.compile(r"\w*\d\w*|\S+@\S+")
MISSING_LINE: Final = re.compile(rf"[\s\d\[\]>*_`#•.)-]{{0,16}}{MISSING.rstrip(':')}[*_`]*\s*[:：][*_`]*\s*")
PARAGRAPH_END: Final = re.compile(r"\n[^\S\n]*\n")
NO_SIGN: Final = re.compile(r"[\s\[\]【】,;、^]+")

Check = Literal["citations", "leaks", "masking", "language", "grounding"]
CheckVerdict = Literal["changed", "removed", "marked", "retried", "translated"]


class Foreign(Exception):
    """A unit is not in the asked language; the text says why."""


@dataclass(slots=True)
class Text:
    """One text that a model writes, as far as it has come."""

    pieces: list[str] = field(default_factory=list)
    settled: int = 0
    """Characters of `raw` up to where every unit is in the asked language, or cannot be told not to be."""
    foreign: str = ""
    """Why the rest is not; empty while it is."""

    @property
    def raw(self) -> str:
        return "".join(self.pieces)

    @property
    def rest(self) -> str:
        return self.raw[self.settled :].strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A unit on its way, with how many characters of the raw text it took."""

    length: int
    checked: Checked
    rejected: bool = False
    """Whether a check rejected it, so that what introduces it is lost."""


class Checks:
    """The text of one answer on its way to its readers; attempts at it and translations of it follow one another."""

    def __init__(
        self,
        prompt: Prompt,
        *,
        citations: Citations,
        standing: Standing,
        checks: list[TracedCheck],
        spoken: Spoken | None,
    ) -> None:
        self.language = prompt.language
        self.spoken = spoken
        self.standing = standing
        self._citations = citations
        self._checks = checks
        self._question = prompt.said
        self._system = "\n".join(m.content for m in prompt.messages if m.role == "system")
        self._given = "\n".join((prompt.question, *(m.content for m in prompt.messages if m.role != "system")))
        self._missing: dict[str, None] = {}
        self.restart()

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(self._missing)

    def restart(self) -> None:
        self._missing.clear()
        self.standing.restart()
        self._begin()

    def _begin(self) -> None:
        self._held: list[Entry] = []
        self._untold = ""
        self._before = ""
        self._line_begins = True
        self._missing_line = ""
        self._missing_list = False

    def ended(self, *, wrote: bool) -> Ended:
        if self.standing.page.begun:
            return Ended(how="written", removed=self.standing.removed, missing=self.missing)
        nothing = not wrote or (self._missing and not self.standing.removed)
        return Ended(how="not_found" if nothing else "unsupported", removed=self.standing.removed, missing=self.missing)

    async def told(self, pieces: AsyncIterator[str], text: Text, *, to_the_end: bool) -> AsyncGenerator[str, None]:
        """What is shown of a text.

        Stops where the language is wrong: `text.foreign` says why then, and `text.raw` is read to its end where
        something was shown, or `to_the_end` asks for it.
        """
        self._begin()
        units = Units()
        try:
            async for piece in pieces:
                text.pieces.append(piece)
                for unit in units.feed(piece):
                    if told := await self._settle(unit, text):
                        yield told
                    await asyncio.sleep(0)  # other questions go on, however much a gateway sends at once
            for unit in units.close():
                if told := await self._settle(unit, text):
                    yield told
            self._end_missing_line()
            if told := await self._release(text):
                yield told
        except Foreign as foreign:
            text.foreign = str(foreign)
            if to_the_end or self.standing.page.begun:
                async for piece in pieces:
                    text.pieces.append(piece)

    def foreign_in(self, text: str) -> str:
        """Why a whole text is not in the asked language, unit by unit and as a whole; empty when it is."""
        if self.spoken is None:
            return ""
        units = Units()
        parts = [unit.text for unit in (*units.feed(text), *units.close())]
        for part in (*parts, text):
            if why := self.spoken.wrong(part, self.language, given=self._given):
                return why
        return ""

    def traced(self, check: Check, text: str, verdict: CheckVerdict, why: str) -> None:
        self._checks.append(TracedCheck(check=check, text=text, verdict=verdict, why=why))

    async def _settle(self, unit: Unit, text: Text) -> str:
        """What can be shown once this unit has come. Raises `Foreign`."""
        begins, self._line_begins = self._line_begins, unit.text.endswith("\n") or unit.kind == "code"
        if self._missing_line or self._begins_missing(unit, begins=begins):
            if len(self._missing_line) < MISSING_READ:
                self._missing_line += unit.text
            if self._line_begins:
                self._end_missing_line()
            self._held.append(_gap(unit))
            return await self._release(text) if len(self._held) == 1 else ""
        self._missing_list = False
        if unit.text.strip(DRESSING) == NOT_FOUND:
            self._held.append(_gap(unit))
            return ""
        self._held.append(self._checked(unit, begins=begins))
        return await self._release(text) if self._told(unit) else ""

    def _checked(self, unit: Unit, *, begins: bool) -> Entry:
        """The unit after the checks for citations, keys and the system prompt."""
        text = visible(unit.text)
        body = text.strip()
        start = text.find(body)
        lead, tail = text[:start], text[start + len(body) :]
        if not body:
            lead, tail = "", text
        if unit.kind == "code" and (marker := MARKER.match(body)):
            # Below its marker, it is code to all readers of Markdown.
            body = f"{marker[0].rstrip()}\n{lead}{' ' * len(marker[0])}{body[marker.end() :]}"
        cited = self._citations.read(body)
        if _letters(cited.text) != _letters(body):
            self.traced("citations", body, "changed", "links, addresses or citations that are not its own to make")
        hidden = masked(cited.text)
        if hidden != cited.text:
            self.traced("masking", hidden, "changed", "what looks like a key or a password is hidden")
            cited = replace(cited, text=hidden, bare=masked(cited.bare))
        checked = Checked(kind=unit.kind, cited=cited, lead=lead, tail=tail, begins=begins)
        together = f"{self._before[-LEAK_NEIGHBOURS:]}\n{cited.text}"
        if why := leaks(together, self._system) if body else None:
            self.traced("leaks", hidden, "removed", why)
        else:
            self._before = together
        return Entry(length=len(unit.text), checked=checked, rejected=bool(why))

    def _told(self, unit: Unit) -> bool:
        """Whether the language of all that is held is settled: right, or not to be told from a paragraph either."""
        if self.spoken is None:
            return True
        latest = self._held[-1]
        if latest.rejected or unit.kind in ("code", "blank"):
            return len(self._held) == 1
        alone = self.spoken.judge(latest.checked.cited.text, self.language, given=self._given)
        if alone.says == "wrong":
            raise Foreign(alone.why)
        held = "".join(_whole(entry.checked) for entry in self._held if not entry.rejected)
        together = alone
        if self._untold or len(self._held) > 1:
            together = self.spoken.judge(self._untold + held, self.language, given=self._given)
        if together.says == "wrong":
            raise Foreign(together.why)
        if "right" in (alone.says, together.says):
            self._untold = ""
            return True
        if len(held) < HELD_CHARACTERS and not PARAGRAPH_END.search(latest.checked.tail):
            return False
        self._untold = (self._untold + held)[-NEIGHBOURS:]
        return True

    async def _release(self, text: Text) -> str:
        """Show what is held."""
        entries, self._held = self._held, []
        told, batch = [], list[Checked]()
        for entry in entries:
            text.settled += entry.length
            if not entry.rejected:
                batch.append(entry.checked)
            else:
                told.append(await self.standing.feed(batch))
                self.standing.leave_out(entry.checked)
                batch = []
        told.append(await self.standing.feed(batch))
        return "".join(told)

    def _begins_missing(self, unit: Unit, *, begins: bool) -> bool:
        listed = begins and self._missing_list and MARKER.match(unit.text.lstrip())
        return bool(listed or MISSING_LINE.match(unit.text))

    def _end_missing_line(self) -> None:
        """Keep what a `MISSING:` line says, or a list item below one that says nothing itself."""
        line, self._missing_line = self._missing_line.strip(), ""
        if not line:
            return
        body = MARKER.sub("", MISSING_LINE.sub("", line, count=1), count=1)
        self._missing_list = self._missing_list or not body.strip()
        what = " ".join(masked(self._citations.read(body).bare).split())
        if not what:
            return
        if why := leaks(what, self._system):
            self.traced("leaks", what, "removed", why)
            return
        if self.spoken and (why := self.spoken.wrong(what, self.language, given=self._given)):
            self.traced("language", what, "removed", why)
            return
        if why := self._told_in_missing(what):
            self.traced("grounding", what, "removed", why)
            return
        self._missing[what] = None

    def _told_in_missing(self, what: str) -> str:
        """Why a line on what is missing tells something instead; no passage can support what is in none."""
        if len(what) > MISSING_CHARACTERS:
            return "too long for what is missing"
        unasked = [figure for figure in FIGURE.findall(what) if figure not in self._question]
        if not unasked:
            given = fold(self._given)
            unasked = [name.text for name in names(what, self.language) if fold(name.text) not in given]
        return f"{unasked[0]} is not in the question" if unasked else ""


def _gap(unit: Unit) -> Entry:
    """What is left of a unit of which nothing is shown."""
    tail = unit.text[len(unit.text.rstrip()) :]
    nothing = Cited(text="", numbers=(), bare="")
    return Entry(length=len(unit.text), checked=Checked(kind="blank", cited=nothing, lead="", tail=tail, begins=False))


def _whole(checked: Checked) -> str:
    return checked.lead + checked.cited.text + checked.tail


def _letters(text: str) -> str:
    """What a reader would miss: white space and the form of brackets aside."""
    return NO_SIGN.sub("", text)
