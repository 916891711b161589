"""What a writer of answers is, what it is given, and how it may fail."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bot.model import Passage
from ingest.errors import Terminal, Transient


class ChatSettings(BaseModel):
    """The `models.chat` section: any OpenAI-compatible endpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str
    model: str
    temperature: float = Field(default=0.2, ge=0, le=2)
    """Low: language confusion grows with temperature (Language Confusion Benchmark, arXiv 2406.20052)."""
    context_tokens: int = Field(default=8192, ge=1024)
    """What prompt and answer together may take of the model's window."""
    answer_tokens: int = Field(default=800, ge=50)
    json_schema: bool = True
    """Whether the gateway takes `response_format` with a JSON schema; without it, JSON is asked for in words."""
    send_user: bool = True
    """Whether the gateway is told who asks, by their id (`slack:U042`), so that its budgets for end users hold."""
    first_token_seconds: float = Field(default=30, gt=0)
    between_tokens_seconds: float = Field(default=20, gt=0)
    total_seconds: float = Field(default=180, gt=0)
    api_key: SecretStr | None = Field(default=None, exclude=True)
    """From the environment (`SOUFFLEUR_CHAT_API_KEY`), never from the file."""


class ChatUnavailable(Transient):
    """The gateway was away, slow, busy, or stopped in the middle."""


class ChatRefused(Terminal):
    """The gateway refused: key, model name or request."""


class BudgetSpent(ChatRefused):
    """Whoever asks, or the key, has spent the budget that the gateway keeps for them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str
    picture: str = ""
    """A `data:` URL that goes with the content; only for models that see."""


@dataclass(kw_only=True, slots=True)
class Usage:
    """What a gateway counted for one prompt; filled in by the writer when the text has ended, else None."""

    prompt_tokens: int | None = None
    reply_tokens: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """One piece of writing to do."""

    messages: tuple[Message, ...]
    """For a chat model: the whole rendered prompt."""
    question: str
    """Stand-alone form of the question; a model may have made it."""
    passages: tuple[Passage, ...]
    """What may be cited; may be empty for tasks that cite nothing."""
    language: str
    max_tokens: int
    asked: str | None = None
    """What the person wrote, which an answer may repeat without support; None: `question` itself."""
    schema: dict[str, Any] | None = None
    """JSON schema of the reply, where it is JSON."""
    user: str = ""
    """Whose question it is, as `Asker.id`; empty where it is nobody's in particular."""
    usage: Usage = field(default_factory=Usage, compare=False, repr=False)

    @property
    def said(self) -> str:
        """The person's own words."""
        return self.question if self.asked is None else self.asked


class Writer(Protocol):
    """Streams a text for a prompt. Raises `ChatUnavailable` or `ChatRefused`, also after the first pieces."""

    name: str

    def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """Pieces of text in order, never empty ones; ends when the text is complete. Closing it stops the writing."""
        ...

    async def close(self) -> None: ...
