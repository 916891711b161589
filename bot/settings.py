"""The same `souffleur.yaml` as the bot reads it: with the sections that only the bot uses."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from bot.llm.interface import ChatSettings
from ingest.model import MEMBER, PUBLIC, Readers, reader_token
from ingest.settings import IngestSettings, ModelSettings, Secrets, Section, locate, read, secrets

__all__ = [
    "AnswerSettings",
    "ApiKey",
    "BotModelSettings",
    "BotSettings",
    "Secrets",
    "ServeSettings",
    "locate",
    "read",
    "secrets",
]


class BotModelSettings(ModelSettings):
    """The `models` section, with the chat model."""

    chat: ChatSettings | None = None
    """Absent: extractive answers."""


class ApiKey(Section):
    """A key that may ask, known by its digest: the file never holds the key itself."""

    name: str = Field(min_length=1)
    """Who asks with it; stands in logs and conversations."""
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{64}$", to_lower=True)]
    """Of the key's UTF-8 bytes: `printf %s KEY | sha256sum`."""
    readers: frozenset[Annotated[str, AfterValidator(reader_token)]] = MEMBER
    """Reader tokens of who asks with it; `public` is always among them."""

    @field_validator("readers")
    @classmethod
    def with_public(cls, readers: Readers) -> Readers:
        return readers | {PUBLIC}


class ServeSettings(Section):
    """The `serve` section: where `bot serve` listens and who may ask."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    keys: tuple[ApiKey, ...] = ()
    """None: only somebody at this machine may ask, as a member. With keys, everybody needs one, here too."""
    public_url: str | None = Field(default=None, pattern="^https?://")
    """Where others reach this server, for links in answers; absent: as each request addressed it."""


class AnswerSettings(Section):
    """The `answer` section."""

    company: str | None = Field(default=None, min_length=1)
    """What the assistant calls the company; None: no name in particular."""
    passages: int = Field(default=8, ge=1, le=50)
    """How many passages the writer is given."""
    max_question_characters: int = Field(default=4000, ge=100)
    """A longer question is answered with the request to shorten it."""


class BotSettings(IngestSettings):
    """The whole file, as `bot` reads it."""

    models: BotModelSettings = BotModelSettings()
    serve: ServeSettings = ServeSettings()
    answer: AnswerSettings = AnswerSettings()
