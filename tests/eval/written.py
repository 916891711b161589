"""What the checks make of answers as a model writes them (`tests/fixtures/answers`), each sentence of them judged."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from bot.language import LanguageDecider
from bot.llm.calls import Calls, Caps
from bot.llm.scripted import ScriptedWriter
from bot.phrases import PHRASE_LANGUAGES, Phrases
from bot.prompting import Budget, Prompts
from bot.trace import TracedCheck
from bot.writing.draft import Drafts
from bot.writing.grounding.lexical import LexicalSupport
from bot.writing.interface import Ended
from bot.writing.spoken import Spoken
from bot.writing.standing import MARKER
from tests.bench.table import Table
from tests.eval.asking import Chosen, letters
from tests.fixtures.answers import Piece, WrittenAnswer, written_answers

SAY = Phrases().say
PROMPTS = Prompts(
    Budget(context_tokens=8192, answer_tokens=800),
    answer_language=lambda language: SAY(language, "answer-language"),
    today=lambda: date(2026, 11, 23),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """One answer as it is shown."""

    answer: WrittenAnswer
    text: str
    checks: tuple[TracedCheck, ...]

    def shows(self, piece: Piece) -> bool:
        marker = MARKER.match(piece.text)
        return letters(piece.text[marker.end() if marker else 0 :]) in letters(self.text)

    @property
    def lost(self) -> list[Piece]:
        """What passages support, and is not shown."""
        return [piece for piece in self.answer.pieces if piece.supported and not self.shows(piece)]

    @property
    def let_through(self) -> list[Piece]:
        """What no passage supports, and is shown."""
        return [piece for piece in self.answer.pieces if piece.supported is False and self.shows(piece)]

    @property
    def alarms(self) -> list[TracedCheck]:
        """What another check than that of support had to say; all of them are false alarms."""
        return [check for check in self.checks if check.check != "grounding"]


async def seen() -> list[Seen]:
    """All of the answers."""
    drafts = Drafts(
        prompts=PROMPTS, spoken=Spoken(LanguageDecider(PHRASE_LANGUAGES)), support=LexicalSupport(), mark=None
    )
    return [await _seen(drafts, answer) for answer in written_answers()]


async def _seen(drafts: Drafts, answer: WrittenAnswer) -> Seen:
    checks: list[TracedCheck] = []
    prompt = PROMPTS.answer(answer.question, answer.passages, (), answer.language)
    writer = ScriptedWriter([answer.text] * 2)
    async with aclosing(
        drafts.write(writer, prompt, calls=Calls(Caps()), shown={}, checks=checks, notices=[])
    ) as parts:
        told = [part async for part in parts if not isinstance(part, Ended)]
    return Seen(answer=answer, text="".join(told), checks=tuple(checks))


def damage(text: str) -> list[str]:
    """What is wrong with the Markdown of a text, in a few words each."""
    found = []
    numbers = [(match[1], int(match[2])) for match in re.finditer(r"^([ ]*)(\d+)\. ", text, re.MULTILINE)]
    for (indent, before), (other, after) in pairwise(numbers):
        if indent == other and after not in (before + 1, 1):
            found.append(f"{after}. follows {before}.")
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        lines = block.splitlines()
        if len(lines) < 3 or not re.fullmatch(r"[\s|:-]+", lines[1]):
            found.append(f"a table without a head or a row: {lines[0]}")
        if len({line.count("|") for line in lines}) > 1:
            found.append(f"a table with rows of several lengths: {lines[0]}")
    if text.count("**") % 2:
        found.append("emphasis that does not end")
    if re.search(r"\n{3,}|[ \t]\n|^\s", text):
        found.append("white space where something is gone")
    if re.search(r"^[ ]*(?:[-*]|\d+\.)[ ]*$", text, re.MULTILINE):
        found.append("an empty item")
    if re.search(r"[:：]\s*\Z", text) or re.search(r"^(?:#.*|\*\*[^*]+\*\*)\s*\Z", text, re.MULTILINE):
        found.append("what introduces nothing")
    return found


async def measure(chosen: Chosen) -> list[Table]:
    answers = await seen()
    pieces = [piece for one in answers for piece in one.answer.pieces]
    lost = Counter(one.answer.language for one in answers for _ in one.lost)
    told = Counter(one.answer.language for one in answers for piece in one.answer.pieces if piece.supported)
    through = Counter(piece.kind for one in answers for piece in one.let_through)
    planted = Counter(piece.kind for piece in pieces if piece.supported is False)
    damaged = [f"{one.answer.name}: {why}" for one in answers for why in damage(one.text)]
    return [
        Table(
            title="supported sentences that are left out",
            columns=("answers in", "sentences", "left out", "%"),
            rows=[(name, told[name], lost[name], 100 * lost[name] / told[name]) for name in (*told,)]
            + [("all", told.total(), lost.total(), 100 * lost.total() / told.total())],
            notes=tuple(f"{one.answer.name}: {piece.text}" for one in answers for piece in one.lost),
        ),
        Table(
            title="unsupported sentences that are shown",
            columns=("what is wrong", "sentences", "shown", "%"),
            rows=[(kind, planted[kind], through[kind], 100 * through[kind] / planted[kind]) for kind in (*planted,)]
            + [("all", planted.total(), through.total(), 100 * through.total() / planted.total())],
            notes=tuple(f"{one.answer.name}: {piece.text}" for one in answers for piece in one.let_through),
        ),
        Table(
            title="false alarms of the other checks, and Markdown that is damaged",
            columns=("answers", "alarms", "damaged"),
            rows=[(len(answers), sum(len(one.alarms) for one in answers), len(damaged))],
            notes=tuple(damaged),
        ),
    ]
