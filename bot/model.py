"""What flows through the bot: who asks what and where, the passages found, and the answer as a stream of events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from bot.trace import Trace
from ingest.model import Chunk, ChunkId, DocumentKey, Readers

Basis = frozenset[DocumentKey]
"""The documents that a text rests on: all that whoever wrote it was given, and what the earlier answers among that did.

Whoever may not read one of them is not told the text."""

ATTACHED = "@attached"
"""`Chunk.source` of a passage of a file in the conversation; no configured source can have such a name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asker:
    """The person or program that asks, with what they may read."""

    id: str
    readers: Readers
    locale: str | None = None
    """Language of their profile, ISO 639-1, where the platform knows it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the answer will be read."""

    platform: Literal["console", "web", "api", "slack", "mattermost"]
    thread: str | None = None
    """Id of the conversation that the question belongs to; None for a single question."""
    readers: Readers | None = None
    """Tokens that everyone holds who can read there; None where the asker alone reads the answer."""
    workspace: str = ""
    """Slack's team, Mattermost's server: what a quota may be set for, beside one for each asker."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """One earlier message of the conversation."""

    role: Literal["user", "assistant"]
    text: str
    name: str = ""
    """Of whoever said it, where several people talk; empty where there are only the asker and the assistant."""
    basis: Basis | None = frozenset()
    """What an answer rests on; None where that is not known any more. What a person said rests on nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One question, as it arrived."""

    text: str
    asker: Asker
    place: Place
    history: tuple[Turn, ...] = ()
    """Earlier turns, oldest first, without this question."""
    attached: tuple[Chunk, ...] = ()
    """Passages of the files that were dropped into the conversation; everybody who reads the answer can open those."""
    trace_id: str = ""
    """Under which it came, where whoever asks tells it before it is answered; empty: the answer gets its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A retrieved chunk under the number by which the answer may cite it."""

    number: int
    """From 1: in order of relevance for the writer, in order of citation in an answer."""
    chunk: Chunk
    score: float
    before: str = ""
    """What stands before the chunk in its document, as far as the budget lets the writer read it."""
    after: str = ""
    """The same behind it."""
    newer: ChunkId | None = None
    """The passage that replaces this one: an older version of the same text, kept because it says otherwise."""

    @property
    def key(self) -> DocumentKey:
        """The document that it is from."""
        return (self.chunk.source, self.chunk.document)

    @property
    def text(self) -> str:
        """All that the writer reads under this number, and may cite."""
        return "\n\n".join(part for part in (self.before, self.chunk.text, self.after) if part)


class Outcome(StrEnum):
    """How a question ended; every question ends in exactly one."""

    ANSWERED = "answered"
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    LIMITED = "limited"
    """Not worked on: the asker, or the workspace, has asked as much as a quota allows for now."""
    WITHDRAWN = "withdrawn"
    """Something that it rests on may not be read any more since it was begun; nothing of it may be shown."""
    FAILED = "failed"


Refusal = Literal["evidence", "model", "unsupported"]
"""Too little evidence before anything was written; the model found no answer; nothing that it wrote was supported."""


class Route(StrEnum):
    """What a message asks for."""

    DOCUMENTS = "documents"
    """A question to the documents, or a text that needs company facts."""
    CONVERSATION = "conversation"
    """Work on the conversation or its files: a summary, a translation, a reply."""
    GENERAL = "general"
    """Work that needs neither: to write, rewrite or translate what the message itself holds, to explain its code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What a question cost at the chat models."""

    calls: int = 0
    prompt_tokens: int = 0
    reply_tokens: int = 0
    estimated: bool = False
    """Whether a gateway did not count, so that some of it is estimated."""

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.reply_tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The finished answer. `text` is the concatenation of every `Delta` that went before it.

    But for one that is withdrawn: then it is a sentence that takes the place of all that was shown.
    """

    text: str
    language: str
    outcome: Outcome
    citations: tuple[Passage, ...]
    """The passages that the text cites, in the order of their numbers."""
    passages: tuple[Passage, ...]
    """Every passage the writer was given."""
    trace_id: str
    written_by: str
    """`extractive`, or the chat model's name."""
    notices: tuple[str, ...] = ()
    """What was done otherwise than configured, one English line each: a leg left out, a model that failed."""
    notes: tuple[str, ...] = ()
    """What its readers should know, in their language: that it was written from the conversation, not the documents."""
    nearest: tuple[Passage, ...] = ()
    """Of an answer that was not found: what comes closest, one passage a document, for readers to look at."""
    refusal: Refusal | None = None
    """Why it was not found."""
    removed: int = 0
    """Statements that were left out because no passage supports them."""
    route: Route = Route.DOCUMENTS
    basis: Basis = frozenset()
    withheld: Basis = frozenset()
    """Documents that the index found, and that the ledger would not let this audience read."""
    audience: Readers = frozenset()
    """The tokens that it was made for."""
    spent: Spent = Spent()
    timings: dict[str, float] = field(default_factory=dict)
    """Seconds since the question by stage: `language`, `understood`, `retrieve`, `first_token`, `total`; `models` and
    `search` are the seconds that were waited for either."""
    trace: Trace | None = None
    """How it came about, for `bot explain`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """What happens now, as a phrase in the asker's language."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Delta:
    """The next piece of the answer's text, never to be taken back."""

    text: str
    cited: tuple[Passage, ...] = ()
    """What is cited so far, under the numbers that the text shows; so that a text that is stopped has its sources."""
    basis: Basis = frozenset()
    """What the text so far rests on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """The last event of every question."""

    answer: Answer


AnswerEvent = Status | Delta | Finished

Answerer = Callable[[Question], AsyncIterator[AnswerEvent]]
"""What platforms are handed: any number of `Status` and `Delta`, then one `Finished`, whatever goes wrong."""
