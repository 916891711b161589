"""Two hundred documents, each with words of its own wherever a document can show itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

from ingest.model import Chunk, DocumentId, DocumentKey, chunk_id
from tests.canaries.words import canaries

SEED = 20261123

TOPICS = (
    "parental leave",
    "travel expenses",
    "server outage",
    "salary review",
    "office move",
    "supplier contract",
    "security audit",
    "product launch",
    "training budget",
    "customer complaint",
)

SHAPES: tuple[frozenset[str], ...] = (
    frozenset({"public"}),
    frozenset({"everyone"}),
    frozenset({"group:finance"}),
    frozenset({"group:accounting"}),
    frozenset({"group:board"}),
    frozenset({"group:leads"}),
    frozenset({"group:loop%20a"}),
    frozenset({"group:größe%20süd"}),
    frozenset({"group:deep%203"}),
    frozenset({"group:g04711"}),
    frozenset({"group:ghosts"}),
    frozenset({"user:p07@example.org"}),
    frozenset({"user:p34@example.org"}),
    frozenset({"slack:C2"}),
    frozenset({"slack:S2"}),
    frozenset({"slack:U08"}),
    frozenset({"mattermost:team:t1", "mattermost:U01"}),
    frozenset({"group:finance", "user:p07@example.org", "slack:C4"}),
    frozenset({"public", "group:board"}),
    frozenset(),
)
"""Twenty ways to be readable, or not."""

VERSIONS = {1: "", 4: "-2024", 18: "-2020"}
"""Number of a shape -> mark in the name: papers of one topic that are versions of each other, for different readers."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Paper:
    """A document: what it is about, who may read it, and the words by which it is known."""

    source: str
    id: str
    topic: str
    readers: frozenset[str]
    title_word: str
    heading_word: str
    body_words: tuple[str, str, str]
    """One a chunk."""
    url: str
    updated_at: datetime
    same_as: int | None = None
    """Number of a text that others have word by word, so that it is known by its title, its place and its id alone."""
    words: frozenset[str]
    """All of them, those of the id, the address and the source among them."""

    def __repr__(self) -> str:
        return f"<{self.id} for {sorted(self.readers)}>"

    @property
    def key(self) -> tuple[str, str]:
        return (self.source, self.id)

    @property
    def document(self) -> DocumentKey:
        return self.source, DocumentId(self.id)

    @property
    def title(self) -> str:
        return f"{self.topic.capitalize()} {self.title_word}"

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        return tuple(self._chunk(position) for position in range(3))

    def to(self, *readers: str) -> Paper:
        """The same with other readers."""
        return replace(self, readers=frozenset(readers))

    def _chunk(self, position: int) -> Chunk:
        part = ("rules", "limits", "contacts")[position]
        text = (
            f"The {part} of the {self.topic} were agreed in the office, and the plan was kept."
            if self.same_as is not None
            else f"The {part} of the {self.topic} are in the hands of {self.body_words[position]}."
        )
        headings = ((), (f"Section {self.heading_word}",), (f"Section {self.heading_word}", "Contacts"))[position]
        return Chunk(
            id=chunk_id(self.source, DocumentId(self.id), str(position)),
            source=self.source,
            document=DocumentId(self.id),
            position=position,
            title=self.title,
            headings=headings,
            page=None,
            text=text,
            language="en",
            readers=self.readers,
            url=self.url,
            updated_at=self.updated_at,
        )


@cache
def library() -> tuple[Paper, ...]:
    """Ten topics in twenty shapes. Of each topic two papers are versions of a third, and two have one text."""
    new = canaries(SEED)
    secret_source = next(new)
    papers: list[Paper] = []
    for topic_number, topic in enumerate(TOPICS):
        for number, readers in enumerate(SHAPES):
            title, heading, url, id = next(new), next(new), next(new), next(new)
            body = (next(new), next(new), next(new))
            source = secret_source if readers == {"group:g04711"} else ("handbook", "wiki")[number % 2]
            name = f"{topic.replace(' ', '-')}/{id}.md"
            if number in VERSIONS:
                name, source = f"{topic.replace(' ', '-')}/plan{VERSIONS[number]}.md", "handbook"
            words = {title, heading, url, *body}
            words |= {id} if id in name else set()
            words |= {source} if source == secret_source else set()
            papers.append(
                Paper(
                    source=source,
                    id=name,
                    topic=topic,
                    readers=readers,
                    title_word=title,
                    heading_word=heading,
                    body_words=body,
                    url=f"https://docs.example.org/{url}",
                    updated_at=datetime(2025, 1 + topic_number, 1 + number, tzinfo=UTC),
                    same_as=topic_number if number in (0, 2) else None,
                    words=frozenset(words),
                )
            )
    return tuple(papers)


def pieces(papers: Iterable[Paper]) -> list[Chunk]:
    return [chunk for paper in papers for chunk in paper.chunks]


@cache
def owners() -> dict[str, frozenset[tuple[str, str]]]:
    """Word -> the documents that it gives away: whoever may read one of them may see it."""
    found: dict[str, set[tuple[str, str]]] = {}
    for paper in library():
        for word in paper.words:
            found.setdefault(word, set()).add(paper.key)
    return {word: frozenset(keys) for word, keys in found.items()}
