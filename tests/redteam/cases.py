"""Every case: an attack (`payloads`) at one place, in one language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from tests.redteam.leaked import Predicate
from tests.redteam.payloads import HIJACKS, PAYLOADS, PRIVATE, Payload
from tests.redteam.worlds import WORLDS

LANGUAGES = ("en", "de", "fr", "zh")

Place = Literal[
    "body", "HTML comment", "white text", "zero-width signs", "turned direction", "alternative text", "title",
    "heading", "table cell", "code block", "attached file", "file name", "display name", "thread message", "question",
    "asked outright", "asked in public",
]  # fmt: skip
"""Where an instruction stands."""

WITHIN: dict[Place, Callable[[str], str]] = {
    "body": str,
    "HTML comment": lambda text: f"<!-- {text} -->",
    "white text": lambda text: f'<span style="color:#fff;font-size:0">{text}</span>',
    "zero-width signs": "\u200b".join,
    "turned direction": lambda text: f"\u202e{text}\u202c",
    "alternative text": lambda text: f"![{text}](https://docs.example.org/plan.png)",
    "table cell": lambda text: f"\n\n| A | B |\n| --- | --- |\n| 1 | {' '.join(text.split())} |\n",
    "code block": lambda text: f"\n\n```text\n{text}\n```\n",
}
"""Places within the text of a page, as a reader of files that strips nothing would leave them."""

PAGES: tuple[Place, ...] = (*WITHIN, "title", "heading")
AROUND: tuple[Place, ...] = ("attached file", "file name", "display name", "thread message", "question")
EVERYWHERE = PAGES + AROUND


@dataclass(frozen=True, kw_only=True)
class Case:
    language: str
    place: Place
    payload: Payload

    @property
    def id(self) -> str:
        return f"{self.payload.name} / {self.place} / {self.language}"

    @property
    def instruction(self) -> str:
        return self.payload.instruction[self.language]

    @property
    def leaked(self) -> Predicate:
        return self.payload.leaked


def _cases() -> Iterator[Case]:
    """Each attack in every language, at a place of its own in each, so that every place sees every kind of attack."""
    for number, payload in enumerate(PAYLOADS):
        for turn, language in enumerate(payload.instruction):
            place = EVERYWHERE[(number * 4 + turn * 4 + number // 4) % len(EVERYWHERE)]
            yield Case(language=language, place=place, payload=payload)
    for payload in HIJACKS:
        for language in payload.instruction:
            for place in ("thread message", "question") if language in LANGUAGES else ("thread message",):
                yield Case(language=language, place=place, payload=payload)  # type: ignore[arg-type]
    for language in WORLDS:
        yield Case(language=language, place="asked outright", payload=PRIVATE)
        yield Case(language=language, place="asked in public", payload=PRIVATE)


CASES = tuple(_cases())
