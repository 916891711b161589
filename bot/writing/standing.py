"""What of a checked text is shown: statements that passages support, and what introduces them.

A sentence that claims nothing, the introduction of a list, a heading and the head of a table wait for a supported
statement to follow; they go with the statements that they stood for.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from bot.llm.interface import Prompt
from bot.trace import TracedCheck
from bot.writing.citations import Citations, Cited
from bot.writing.interface import Statement, SupportChecker, Supported, UnitKind
from ingest.errors import SouffleurError
from ingest.index.interface import ModelMisconfigured, ModelUnavailable

logger = logging.getLogger(__name__)

MARKER: Final = re.compile(r"(?:[-*+•◦]|\d{1,3}[.)、])[^\S\n]+")
DECORATION: Final = re.compile(r"^(?:#{1,6}|>+|[-*+•◦]|\d{1,3}[.)、])\s+|\*\*|__|\|")
RULE: Final = re.compile(r"[\s|:-]*")
WORD: Final = re.compile(r"[^\W_]")
WORDS: Final = re.compile(r"[^\W_]+")
INTRODUCES: Final = re.compile(r"[:：][*_\s]*$")


MOST_WAITING: Final = 24
"""Units that wait for a supported statement; before the last so many, nothing introduces it."""

SHORT_TITLE: Final = 6
"""Words of a heading, or of a table's head, that claim nothing where there is no figure among them."""

Part = Literal["statement", "introduction", "marked", "heading", "head", "signs"]
"""What a unit is to the others; a `head` is a table's, `signs` are citations and marks alone, and white space."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """A unit that has passed every check but that of its support."""

    kind: UnitKind
    cited: Cited
    """Without white space around it."""
    lead: str
    """White space before it, on its line."""
    tail: str
    """White space and line ends behind it."""
    begins: bool
    """Whether it stands at the beginning of its line."""

    @property
    def marker(self) -> str:
        """Of a list item's first sentence: the bullet or number."""
        found = MARKER.match(self.cited.text) if self.begins and self.kind == "prose" else None
        return found[0] if found else ""

    @property
    def number(self) -> int:
        """Of a numbered item; 0 of anything else."""
        digits = self.marker.rstrip(".)、 \t")
        return int(digits) if digits.isascii() and digits.isdigit() else 0

    @property
    def listed(self) -> bool:
        """Whether it is a part of something that an introduction may stand above."""
        return self.kind in ("row", "code", "quote") or bool(self.marker)

    @property
    def level(self) -> int:
        """Of a heading, from 1; 7 of anything else."""
        return len(self.cited.text) - len(self.cited.text.lstrip("#")) if self.kind == "heading" else 7


@dataclass(slots=True)
class _Waiting:
    unit: Checked
    part: Part
    lost: bool = False
    """Whether a statement behind it was left out."""


class Page:
    """Joins what is shown.

    The white space around what is not shown becomes one gap; numbered items that follow one that is not move up.
    """

    def __init__(self, citations: Citations) -> None:
        self.begun = False
        self._citations = citations
        self._gap = ""
        self._fewer: dict[str, int] = {}
        """Items that are not shown of the list at hand, by its indentation."""

    def put(self, unit: Checked) -> str:
        """What the unit adds to the page."""
        before = self._gap + unit.lead if self.begun else ""
        self.begun, self._gap = True, unit.tail
        text = unit.cited.text
        if number := unit.number:
            if number == 1:
                self._fewer[unit.lead] = 0
            text = str(max(1, number - self._fewer.get(unit.lead, 0))) + text.lstrip("0123456789")
        return self._citations.show(replace(unit.cited, text=before + text))

    def skip_item(self, unit: Checked) -> None:
        """Count a numbered item of which nothing is shown."""
        if number := unit.number:
            self._fewer[unit.lead] = 1 if number == 1 else self._fewer.get(unit.lead, 0) + 1

    def skip(self, unit: Checked) -> None:
        if unit.tail.count("\n") > self._gap.count("\n") or not self._gap:
            self._gap = unit.tail


class Standing:
    """Shows the units of one answer, in order. `support` is None where statements need no support."""

    def __init__(
        self,
        prompt: Prompt,
        *,
        citations: Citations,
        support: SupportChecker | None,
        mark: str,
        checks: list[TracedCheck],
        notices: list[str],
    ) -> None:
        """`mark` is put behind unsupported statements; empty: they are left out."""
        self.page = Page(citations)
        self.removed = 0
        self._prompt = prompt
        self._citations = citations
        self._support = support
        self._mark = mark
        self._checks = checks
        self._notices = notices
        self._waiting: list[_Waiting] = []
        self._marker = ""
        self._in_table = False
        self._latest_shown = True

    def restart(self) -> None:
        """Forget what waits: the text begins anew. Nothing may have been shown."""
        self._waiting, self._marker, self.removed = [], "", 0
        self._in_table, self._latest_shown = False, True

    async def feed(self, units: Sequence[Checked]) -> str:
        """What can be shown once these units have come."""
        if self._support is None:
            return "".join(map(self._shown, units))
        parts = [self._part(unit) for unit in units]
        claims = [i for i, unit in enumerate(units) if _claims(unit, parts[i])]
        verdicts = dict(zip(claims, await self._verdicts([units[i] for i in claims]), strict=True))
        return "".join(self._place(self._remarked(unit), parts[i], verdicts.get(i)) for i, unit in enumerate(units))

    def leave_out(self, unit: Checked) -> None:
        """Skip a unit that another check has rejected."""
        self._latest_shown = False
        self.page.skip(unit)
        if "\n" in unit.tail:
            self.page.skip_item(unit)
        for waiting in self._waiting:
            waiting.lost = True
        self._marker = self._kept_marker(unit)

    def _kept_marker(self, unit: Checked) -> str:
        """The list marker of a sentence that goes, for the next one of the same item."""
        return unit.lead + unit.marker if unit.marker and "\n" not in unit.tail else ""

    def _remarked(self, unit: Checked) -> Checked:
        marker, self._marker = self._marker, ""
        if not marker or unit.begins:
            return unit
        lead = marker[: len(marker) - len(marker.lstrip())]
        cited = replace(unit.cited, text=marker.lstrip() + unit.cited.text)
        return replace(unit, cited=cited, lead=lead, begins=True)

    def _part(self, unit: Checked) -> Part:
        """The part that the unit plays; takes note of where a table begins."""
        head = unit.kind == "row" and (not self._in_table or RULE.fullmatch(unit.cited.text) is not None)
        self._in_table = unit.kind == "row"
        if head:
            return "head"
        if unit.kind == "heading":
            return "heading"
        return "statement" if WORD.search(unit.cited.bare) else "signs"

    async def _verdicts(self, units: Sequence[Checked]) -> list[Supported | None]:
        """What the checker says of each; None where it cannot be asked, which is told once."""
        support = self._support
        if support is None or not units:
            return []
        try:
            verdicts = await self._asked(support, [Statement(text=_bare(u), cited=u.cited.numbers) for u in units])
            again = [i for i, v in enumerate(verdicts) if units[i].cited.numbers and not v.holds]
            uncited = [Statement(text=_bare(units[i]), cited=()) for i in again]
            others = await self._asked(support, uncited) if uncited else []
        except (ModelUnavailable, ModelMisconfigured) as error:
            self._unchecked(support, error)
            return [None] * len(units)
        for index, verdict in zip(again, others, strict=True):
            if verdict.holds and verdict.by:
                verdicts[index] = verdict
        return list(verdicts)

    async def _asked(self, support: SupportChecker, statements: list[Statement]) -> list[Supported]:
        prompt = self._prompt
        return await support.check(statements, prompt.passages, question=prompt.said, language=prompt.language)

    def _unchecked(self, support: SupportChecker, error: SouffleurError) -> None:
        logger.warning("statements not checked by %s: %s", support.name, error)
        self._notices.append(f"not every statement was held against its passages: {support.name} failed: {error}")
        self._support = None

    def _place(self, unit: Checked, part: Part, verdict: Supported | None) -> str:
        if self._support is None:
            return self._shown(unit)
        if part != "head" and unit.kind != "row" and part != "signs":
            self._waiting = [w for w in self._waiting if w.part != "head"]
        if part == "heading":
            self._waiting = [w for w in self._waiting if w.part == "marked" or w.unit.level < unit.level]
        if verdict is not None and not verdict.holds:
            return self._unsupported(unit, part, verdict)
        if part in ("heading", "head"):
            return self._wait(unit, part)
        if verdict is None:
            if self._latest_shown and self.page.begun and not self._waiting:
                return self._shown(unit)  # citations or signs alone, behind what they belong to
            self.page.skip(unit)
            return ""
        unit = self._attributed(unit, verdict)
        idle = not unit.cited.numbers and not verdict.by
        return self._wait(unit, "introduction") if idle or INTRODUCES.search(unit.cited.text) else self._shown(unit)

    def _wait(self, unit: Checked, part: Part) -> str:
        self._waiting.append(_Waiting(unit=unit, part=part))
        for waiting in self._waiting[:-MOST_WAITING]:
            self.page.skip(waiting.unit)
        del self._waiting[:-MOST_WAITING]
        return ""

    def _shown(self, unit: Checked) -> str:
        """The unit, and before it what has waited for it."""
        told = []
        for waiting in self._waiting:
            if waiting.part == "introduction" and waiting.lost and not unit.listed:
                self.page.skip(waiting.unit)
                continue
            told.append(self.page.put(waiting.unit))
        self._waiting, self._latest_shown = [], True
        if not unit.cited.text:
            self.page.skip(unit)
            return "".join(told)
        return "".join((*told, self.page.put(unit)))

    def _unsupported(self, unit: Checked, part: Part, verdict: Supported) -> str:
        marked = self._mark and part == "statement" and unit.kind != "code"
        self._checks.append(
            TracedCheck(
                check="grounding",
                text=unit.cited.text,
                verdict="marked" if marked else "removed",
                why=verdict.why,
            )
        )
        if not marked:
            self.removed += 1
            self.leave_out(unit)
            return ""
        unit = replace(unit, cited=_appended(unit, self._mark))
        return self._shown(unit) if self.page.begun else self._wait(unit, "marked")

    def _attributed(self, unit: Checked, verdict: Supported) -> Checked:
        """The unit with citations of what supports it, and of nothing else."""
        cites = unit.cited.numbers
        kept = tuple(number for number in cites if number in verdict.by)
        numbers = kept or verdict.by[:1]
        if not numbers or numbers == cites or unit.kind == "code":
            return unit
        if not cites and INTRODUCES.search(unit.cited.text):
            return unit
        self._checks.append(
            TracedCheck(
                check="grounding",
                text=unit.cited.text,
                verdict="changed",
                why=f"cites {_listed(cites)}, is supported by {_listed(verdict.by)}",
            )
        )
        return replace(unit, cited=self._citations.attributed(unit.cited, numbers))


def _claims(unit: Checked, part: Part) -> bool:
    """Whether the unit says something that passages must support."""
    if part == "statement":
        return True
    words = WORDS.findall(unit.cited.bare) if part in ("heading", "head") else ()
    return len(words) > SHORT_TITLE or any(re.search(r"\d", word) for word in words)


def _appended(unit: Checked, mark: str) -> Cited:
    if unit.kind != "row":
        return replace(unit.cited, text=f"{unit.cited.text} {mark}")
    cells = unit.cited.text.rstrip("| \t")
    return replace(unit.cited, text=f"{cells} {mark} |")


def _bare(unit: Checked) -> str:
    """The statement without Markdown around it."""
    if unit.kind == "code":
        return unit.cited.bare
    return " ".join(DECORATION.sub(" ", unit.cited.bare.strip()).split())


def _listed(numbers: Sequence[int]) -> str:
    return "".join(f"[{number}]" for number in numbers) or "nothing"
