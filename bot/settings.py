"""The same `souffleur.yaml` as the bot reads it: with the sections that only the bot uses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, field_validator, model_validator

from bot.access.settings import AccessSettings, QuotaSettings, RetentionSettings
from bot.dialogue.settings import ChannelSettings, ConversationSettings
from bot.llm.interface import ChatSettings
from bot.platforms.mattermost.settings import MattermostSettings
from bot.platforms.slack.settings import SlackSettings
from bot.writing.grounding.settings import GroundingSettings
from ingest.model import MEMBER, PUBLIC, Readers, reader_token
from ingest.settings import IngestSettings, ModelSettings, Secrets, Section, locate, read
from ingest.settings import secrets as found

__all__ = [
    "AnswerSettings",
    "ApiKey",
    "BotModelSettings",
    "BotSecrets",
    "BotSettings",
    "Secrets",
    "ServeSettings",
    "locate",
    "read",
    "secrets",
]


ChannelId = Annotated[str, StringConstraints(pattern=r"^([CDG][A-Z0-9]+|[a-z0-9]{26})$")]
"""Of Slack (https://docs.slack.dev/reference/objects/conversation-object), or of Mattermost."""


class BotSecrets(Secrets):
    """What `ingest` needs too, and what only the bot does."""

    vision_api_key: SecretStr | None = None
    reasoning_api_key: SecretStr | None = None
    code_api_key: SecretStr | None = None
    judge_api_key: SecretStr | None = None
    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    mattermost_token: SecretStr | None = None
    mattermost_command_token: SecretStr | None = None
    mattermost_admin_token: SecretStr | None = None


def secrets() -> BotSecrets:
    """What the environment and `.env` hold. Raises `ConfigurationError` for an `.env` that is no text."""
    return found(BotSecrets)


class BotModelSettings(ModelSettings):
    """The `models` section, with the chat model."""

    chat: ChatSettings | None = None
    """Absent: extractive answers."""
    reasoning: ChatSettings | None = None
    """Writes where a question asks to compare, weigh or work something out. Absent: the chat model does."""
    code: ChatSettings | None = None
    """Writes where code is asked for or to be explained. Absent: the chat model does."""
    judge: ChatSettings | None = None
    """Grades answers for `bot eval`."""
    grounding: GroundingSettings | None = None
    """A model that finds what passages do not support. Absent: figures, names and words decide."""
    vision: ChatSettings | None = None
    """Puts pictures in conversations into words. Absent: they are declined."""

    @model_validator(mode="before")
    @classmethod
    def same_gateway(cls, data: Any) -> Any:
        """A model for a task that names no `base_url` is another alias of the chat model's gateway."""
        chat = data.get("chat") if isinstance(data, dict) else None
        if not isinstance(chat, dict) or "base_url" not in chat:
            return data
        tasks = {name: data[name] for name in ("reasoning", "code", "judge") if isinstance(data.get(name), dict)}
        return data | {name: {"base_url": chat["base_url"]} | section for name, section in tasks.items()}

    def with_keys(self, secrets: BotSecrets) -> Self:
        """A copy in which each model of the bot's has its key: the chat model's, where both share a gateway."""
        update: dict[str, Any] = {}
        for name, key in (
            ("vision", secrets.vision_api_key),
            ("reasoning", secrets.reasoning_api_key),
            ("code", secrets.code_api_key),
            ("judge", secrets.judge_api_key),
        ):
            model: ChatSettings | None = getattr(self, name)
            if model is not None:
                shared = self.chat is not None and name != "vision" and model.base_url == self.chat.base_url
                update[name] = model.model_copy(update={"api_key": key or (secrets.chat_api_key if shared else None)})
        return self.model_copy(update=update)


class ApiKey(Section):
    """A key that may ask, known by its digest: the file never holds the key itself."""

    name: str = Field(min_length=1)
    """Who asks with it; stands in logs and conversations. Several keys may have it: an old one until it expires, and
    the new one."""
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{64}$", to_lower=True)]
    """Of the key's UTF-8 bytes: `printf %s KEY | sha256sum`."""
    readers: frozenset[Annotated[str, AfterValidator(reader_token)]] = MEMBER
    """Reader tokens of who asks with it; `public` is always among them."""
    expires: datetime | None = None
    """From then on it is refused; UTC where no time zone is given. None: it never is."""
    per_minute: int = Field(default=60, ge=1)
    """Requests within any minute, by all keys of that name together, to one replica; see `quotas` for questions."""

    @field_validator("expires")
    @classmethod
    def with_time_zone(cls, expires: datetime | None) -> datetime | None:
        return expires.replace(tzinfo=UTC) if expires is not None and expires.tzinfo is None else expires

    @field_validator("readers")
    @classmethod
    def with_public(cls, readers: Readers) -> Readers:
        return readers | {PUBLIC}


class ServeSettings(Section):
    """The `serve` section: where `bot serve` listens and who may ask."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    keys: tuple[ApiKey, ...] = ()
    """None: only somebody at this machine may ask, as a member, and `host` must be an address that only this machine
    reaches. With keys, everybody needs one, here too. They are exchanged without a restart."""
    public_url: str | None = Field(default=None, pattern="^https?://")
    """Where others reach this server, for links in answers; absent: as each request addressed it."""


class AnswerSettings(Section):
    """The `answer` section."""

    company: str | None = Field(default=None, min_length=1)
    """What the assistant calls the company; None: no name in particular."""
    passages: int = Field(default=8, ge=1, le=50)
    """How many passages the writer is given."""
    passages_per_document: int = Field(default=3, ge=1)
    """Most passages of one document among them."""
    passage_tokens: int = Field(default=2500, ge=500)
    """What the passages and what stands around them may take of the prompt."""
    refuse_by_evidence: bool = True
    """Whether the calibrated gate refuses before a model is asked."""
    unsupported: Literal["remove", "mark"] = "remove"
    """What becomes of a statement that no passage supports."""
    stale_days: int | None = Field(default=730, ge=1)
    """Sources that were last changed longer ago are said to be old; null: never."""
    model_calls: int = Field(default=5, ge=1)
    """Most calls of chat models for one question."""
    tokens: int = Field(default=30_000, ge=2000)
    """Most tokens, prompts and replies together, for one question."""
    explain_days: int = Field(default=30, ge=0)
    """How long `bot explain` can tell how an answer came about; 0: nothing is kept for it."""
    max_question_characters: int = Field(default=4000, ge=100)
    """A longer question is answered with the request to shorten it."""


class BotSettings(IngestSettings):
    """The whole file, as `bot` reads it."""

    models: BotModelSettings = BotModelSettings()
    serve: ServeSettings = ServeSettings()
    answer: AnswerSettings = AnswerSettings()
    slack: SlackSettings | None = None
    """Absent: not in Slack."""
    mattermost: MattermostSettings | None = None
    """Absent: not in Mattermost."""
    channels: dict[ChannelId, ChannelSettings] = Field(default={})
    """By the channel's id, never by its name: names change hands."""
    conversation: ConversationSettings = ConversationSettings()
    access: AccessSettings = AccessSettings()
    retention: RetentionSettings = RetentionSettings()
    quotas: QuotaSettings = QuotaSettings()

    @model_validator(mode="before")
    @classmethod
    def platforms_switched_on(cls, data: Any) -> Any:
        """These sections switch something on by being there: `slack:` with nothing below it means `slack: {}`."""
        if not isinstance(data, dict):
            return data
        return data | {name: {} for name in ("slack", "mattermost") if name in data and data[name] is None}

    def with_secrets(self, secrets: Secrets) -> Self:
        settings = super().with_secrets(secrets)
        if not isinstance(secrets, BotSecrets):
            return settings
        update: dict[str, Any] = {"models": settings.models.with_keys(secrets)}
        if settings.slack is not None:
            update["slack"] = settings.slack.model_copy(
                update={
                    "bot_token": secrets.slack_bot_token,
                    "app_token": secrets.slack_app_token,
                    "signing_secret": secrets.slack_signing_secret,
                }
            )
        if settings.mattermost is not None:
            update["mattermost"] = settings.mattermost.model_copy(
                update={
                    "token": secrets.mattermost_token,
                    "command_token": secrets.mattermost_command_token,
                    "admin_token": secrets.mattermost_admin_token,
                }
            )
        return settings.model_copy(update=update)
