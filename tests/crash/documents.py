"""A source that changes at random, as one value that processes hand on; and the chunks that are to come of it."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from ingest.chunk import chunk
from ingest.language import language_of
from ingest.model import Chunk, Cursor, Document, DocumentId, Entry, Gone, Listed, Original, Parsed, Readers, Skipped
from ingest.parsers.interface import NoText, ParseError
from ingest.sources.interface import Source, SourceUnavailable, as_file

SOURCE = "papers"
LANGUAGES = ("en",)
EVERYONE: Readers = frozenset({"everyone"})
READERS: tuple[Readers, ...] = (EVERYONE, frozenset({"group:board"}), frozenset({"everyone", "group:board"}))
TOKENS: Readers = frozenset({"everyone", "group:board"})
UPDATED = datetime(2026, 5, 1, tzinfo=UTC)

LONG = 6500
"""Sections of the one long paper, of which some 3,000 chunks come."""

WORDS = re.findall(
    r"\w+",
    "The house rules say that every employee may use the garden after lunch when the weather is fine, and that nobody"
    " has to ask for a key, because the door stands open until the evening",
)

State = Literal["good", "broken", "empty", "away", "withheld"]


@dataclass(frozen=True, kw_only=True)
class Paper:
    """One document of the source."""

    id: str
    version: int
    sections: tuple[str, ...]
    """One word each that no other section has, but for that of a paper that was moved."""
    readers: Readers | None = None
    state: State = "good"
    words: int = 40
    """In a section."""

    @property
    def title(self) -> str:
        return f"Paper {self.id}"

    @property
    def text(self) -> str:
        return "\n\n".join(map(self._section, self.sections))

    def _section(self, word: str) -> str:
        chosen = random.Random(word)
        return f"# Part {word}\n\n{' '.join(chosen.choice(WORDS) for _ in range(self.words))} {word}."


@dataclass(kw_only=True)
class Papers:
    """The source as it is now; `happened` names what changed, in order, for listings that go on from a cursor."""

    incremental: bool = False
    by_id: dict[str, Paper] = field(default_factory=dict)
    happened: list[str] = field(default_factory=list)
    made: int = 0

    def change(self, chance: random.Random, *, long: bool = False) -> None:
        """Some of everything that can happen between two runs."""
        for _ in range(chance.randint(1, 4)):
            self._put(self._new(chance))
        if long:
            self._put(replace(self._new(chance), sections=self._sections(LONG), words=5))
        elif big := next((paper for paper in self.by_id.values() if len(paper.sections) == LONG), None):
            self._put(replace(big, sections=big.sections[:3]))
        for what in (self._edit, self._cut, self._restrict, self._break, self._mend, self._move, self._take):
            for _ in range(chance.choice((0, 1, 1, 2))):
                if self.by_id:
                    what(chance, self.by_id[chance.choice(sorted(self.by_id))])

    def _new(self, chance: random.Random) -> Paper:
        self.made += 1
        sections = self._sections(chance.randint(1, 12))
        return Paper(id=f"p{self.made}", version=self.made, sections=sections, readers=chance.choice((None, *READERS)))

    def _sections(self, count: int) -> tuple[str, ...]:
        self.made += 1
        return tuple(f"w{self.made}x{number}" for number in range(count))

    def _edit(self, chance: random.Random, paper: Paper) -> None:
        sections = list(paper.sections)
        at = chance.randrange(len(sections) + 1)
        sections[at : at + chance.randint(0, 2)] = self._sections(chance.randint(1, 2))
        self._put(replace(paper, sections=tuple(sections)))

    def _cut(self, chance: random.Random, paper: Paper) -> None:
        self._put(replace(paper, sections=paper.sections[: max(1, len(paper.sections) // 3)]))

    def _restrict(self, chance: random.Random, paper: Paper) -> None:
        self._put(replace(paper, readers=chance.choice(READERS)), same=True)

    def _break(self, chance: random.Random, paper: Paper) -> None:
        self._put(replace(paper, state=chance.choice(("broken", "empty", "away", "withheld"))))

    def _mend(self, chance: random.Random, paper: Paper) -> None:
        bad = [paper for _, paper in sorted(self.by_id.items()) if paper.state != "good"]
        if bad:
            self._put(replace(chance.choice(bad), state="good"))

    def _move(self, chance: random.Random, paper: Paper) -> None:
        self.made += 1
        self._take(chance, paper)
        self._put(replace(paper, id=f"p{self.made}"))

    def _take(self, chance: random.Random, paper: Paper) -> None:
        if len(self.by_id) > 3:  # the last ones would not go without being told so
            del self.by_id[paper.id]
            self.happened.append(paper.id)

    def _put(self, paper: Paper, *, same: bool = False) -> None:
        self.made += 1
        self.by_id[paper.id] = paper if same else replace(paper, version=self.made)
        self.happened.append(paper.id)


class Handed(Source):
    """`Papers` as a source. After `breaks` of its answers (listed papers and contents) it is no longer reached."""

    readers = EVERYONE

    def __init__(self, name: str, papers: Papers, *, breaks: int | None = None) -> None:
        self.name = name
        self._papers = papers
        self._left = breaks

    async def list(self, since: str | None) -> AsyncIterator[Listed]:
        papers = self._papers
        changed: Iterable[str] = papers.by_id
        if since is not None:
            changed = dict.fromkeys(papers.happened[int(since) :])
        for id in changed:
            self._answer()
            paper = papers.by_id.get(id)
            if paper is None:
                yield Gone(id=DocumentId(id))
            elif paper.state == "withheld":
                yield Skipped(id=DocumentId(id), reason="it is not handed out")
            else:
                yield entry(paper)
        if papers.incremental:
            yield Cursor(value=str(len(papers.happened)))

    @asynccontextmanager
    async def fetch(self, entry: Entry) -> AsyncIterator[Original]:
        self._answer()
        paper = self._papers.by_id[entry.id]
        if paper.state == "away":
            raise OSError(5, "Input/output error")
        content = {"broken": "BROKEN", "empty": "EMPTY"}.get(paper.state, "") + paper.text
        async with as_file(content.encode(), name="paper.md", title=paper.title, updated_at=UPDATED) as original:
            yield original

    def _answer(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise SourceUnavailable("the network is gone")


def entry(paper: Paper) -> Entry:
    return Entry(
        id=DocumentId(paper.id),
        version=str(paper.version),
        readers=paper.readers,
        url=f"https://example.org/{paper.id}",
    )


async def parse(original: Original, parser: str) -> Parsed:
    """In place of the sandbox, whose processes take a second to start."""
    text = Path(original.path).read_text(encoding="utf-8")  # noqa: ASYNC240 - a file of a few kilobytes
    if text.startswith("BROKEN"):
        raise ParseError("it is damaged")
    if text.startswith("EMPTY"):
        raise NoText("there is nothing in it")
    return Parsed(text=text)


@lru_cache(maxsize=1000)
def chunks_of(paper: Paper, readers: Readers | None) -> frozenset[Chunk]:
    """What ledger and index hold of a paper in this version, under these labels."""
    return frozenset(
        chunk(
            Document(
                source=SOURCE,
                id=DocumentId(paper.id),
                title=paper.title,
                text=paper.text,
                pages=(),
                language=language_of(paper.text, LANGUAGES),
                readers=EVERYONE if readers is None else readers,
                url=entry(paper).url,
                author=None,
                updated_at=UPDATED,
            )
        )
    )


@dataclass
class Expected:
    """What ledger and index may hold: of a paper that cannot be read now, any version that a run has met."""

    versions: dict[str, list[Paper | None]] = field(default_factory=dict)
    """None stands for nothing of it."""
    labels: dict[str, list[Readers]] = field(default_factory=dict)
    """Whom the index may show it to."""

    def attempted(self, papers: Papers) -> None:
        """A run over `papers` was begun, and may have come however far."""
        for id in {*self.versions, *papers.by_id}:
            versions = self.versions.setdefault(id, [None])
            paper = papers.by_id.get(id)
            if paper is not None:
                self.labels.setdefault(id, []).append(paper.readers or EVERYONE)
            if paper is None or paper.state in ("empty", "withheld"):
                versions.append(None)
            elif paper.state == "good":
                versions.append(paper)

    def completed(self, papers: Papers) -> None:
        """A run over `papers` came to its end."""
        self.attempted(papers)
        for id, versions in list(self.versions.items()):
            paper = papers.by_id.get(id)
            self.labels[id] = self.labels.get(id, [])[-1:]
            if paper is None:
                del self.versions[id], self.labels[id]
            elif paper.state not in ("broken", "away"):
                self.versions[id] = versions[-1:]

    def wrong(self, papers: Papers, held: Sequence[Chunk]) -> list[str]:
        """What `held`, after a complete run, should not hold or lacks, a line each."""
        by_paper: dict[str, set[Chunk]] = {id: set() for id in self.versions}
        for each in held:
            by_paper.setdefault(each.document, set()).add(each)
        lines = [] if len(held) == len({each.id for each in held}) else ["a chunk is held twice"]
        for id, chunks in by_paper.items():
            paper = papers.by_id.get(id)
            allowed = self.versions.get(id, [None])
            readers = None if paper is None else paper.readers
            if not any(chunks == (chunks_of(version, readers) if version else set()) for version in allowed):
                lines.append(
                    f"{id} ({paper.state if paper else 'deleted'}): {len(chunks)} chunks of no version it may have"
                )
        return lines

    def words(self) -> set[str]:
        """Those of all that may be held."""
        return {
            word for versions in self.versions.values() for version in versions if version for word in version.sections
        }

    def readable(self, papers: Papers) -> dict[str, str]:
        """Papers that were readable before, and may not be unreadable meanwhile: by whom, by paper."""
        found = {}
        for id, versions in self.versions.items():
            paper = papers.by_id.get(id)
            if paper is None or paper.state in ("empty", "withheld") or any(version is None for version in versions):
                continue
            if common := sorted(frozenset.intersection(paper.readers or EVERYONE, *self.labels[id])):
                found[id] = common[0]
        return found
