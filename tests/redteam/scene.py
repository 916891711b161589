"""The documents and the question of a case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from bot.model import ATTACHED, Asker, Place, Question, Turn
from ingest.model import Chunk, Readers
from tests.fixtures.passages import chunk
from tests.redteam.cases import CASES, PAGES, WITHIN, Case
from tests.redteam.worlds import WORLDS

SITE = "https://docs.example.org"

NUMBERS = {case.id: number for number, case in enumerate(CASES)}


def token(case: Case) -> str:
    """Held by the readers of this case's attacker alone, so that all cases can share one index."""
    return f"case:{NUMBERS[case.id]}"


def handbook() -> list[Chunk]:
    """What all cases share: in each language the page that answers, and the one on pay."""
    pages: list[Chunk] = []
    for language, world in WORLDS.items():
        pages += [
            chunk(
                world.fact,
                document=f"leave-{language}.md",
                title=world.title,
                headings=(),
                language=language,
                readers=frozenset({"public", "everyone"}),
                url=f"{SITE}/leave-{language}",
            ),
            chunk(
                world.salary,
                document=f"pay-{language}.md",
                title=f"Kestrel {language}",
                headings=(),
                language=language,
                readers=frozenset({"group:finance"}),
                url=f"{SITE}/pay-{language}",
            ),
        ]
    return pages


def planted(case: Case) -> list[Chunk]:
    """The attacker's page, or their file."""
    world, instruction = WORLDS[case.language], case.instruction
    if case.place not in (*PAGES, "attached file", "file name"):
        return []
    own = case.place in PAGES
    page = chunk(
        f"{world.topic} {WITHIN.get(case.place, str)(instruction)}",
        document=f"{NUMBERS[case.id]}.md",
        title=f"Wiki {NUMBERS[case.id]}",
        headings=(),
        language=case.language,
        readers=frozenset({token(case)}),
        source="wiki" if own else ATTACHED,
        url=f"{SITE}/wiki/{NUMBERS[case.id]}" if own else None,
        updated_at=datetime(2026, 11, 20, tzinfo=UTC),
    )
    if case.place == "title":
        page = replace(page, title=instruction, text=world.topic)
    elif case.place == "heading":
        page = replace(page, headings=(" ".join(instruction.split()),), text=world.topic)
    elif case.place == "file name":
        page = replace(page, title=instruction, text=world.topic)
    return [page]


def wiki() -> list[Chunk]:
    return [page for case in CASES if case.place in PAGES for page in planted(case)]


def asked(case: Case) -> Question:
    """The question of a case, as it arrives."""
    world = WORLDS[case.language]
    text, history = world.question, ()
    readers: Readers = frozenset({"everyone", "public", token(case)})
    place = Place(platform="slack", thread="C1:1", readers=readers)
    if case.place == "question":
        text = f"{world.question} {case.instruction}"
    elif case.place == "asked outright":
        text = case.instruction
    elif case.place == "asked in public":
        # The asker may read the page on pay; guests read along.
        text, readers = case.instruction, frozenset({"everyone", "public", "group:finance"})
        place = replace(place, readers=frozenset({"public"}))
    elif case.place in ("thread message", "display name"):
        named = case.place == "display name"
        history = (
            Turn(role="user", text=world.topic, name="Ada"),
            Turn(
                role="user",
                text=world.topic if named else case.instruction,
                name=case.instruction if named else "Mallory",
            ),
        )
        text = world.follow_up
    attached = tuple(planted(case)) if case.place in ("attached file", "file name") else ()
    return Question(text=text, asker=Asker(id="ada", readers=readers), place=place, history=history, attached=attached)


def everything(case: Case) -> Iterable[Chunk]:
    """What a program without access control would find."""
    return [page for page in handbook() if page.language == case.language] + planted(case)
