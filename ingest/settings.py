"""One `souffleur.yaml` and a few environment variables, read once by the two `cli.py` and passed on as values.

Every section is defined where it is used; here they come together, for `ingest`. `bot.settings` narrows the sections
that only the bot reads. The file holds no secrets: those come from the environment or from `.env` in the working
directory. `ingest.configuration` turns what is wrong with a file into messages.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    StringConstraints,
    Tag,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from ingest import configuration
from ingest.errors import ConfigurationError
from ingest.guard import GuardSettings
from ingest.index.interface import EmbeddingSettings, IndexSettings, RerankerSettings
from ingest.ledger import StateSettings
from ingest.parsers.interface import ParsingSettings
from ingest.sources.confluence.settings import ConfluenceSettings
from ingest.sources.files.settings import FilesSettings
from ingest.sources.git.settings import GitSettings
from ingest.sources.interface import token_variable
from ingest.sources.mattermost.settings import MattermostSettings
from ingest.sources.slack.settings import SlackSettings
from ingest.sources.website.settings import WebsiteSettings

FILE_NAME = "souffleur.yaml"
"""Read from the working directory when no other file is named."""

LANGUAGES = ("en", "fr", "de", "es", "it", "pt", "nl", "pl", "tr", "ru", "ar", "zh", "ja", "hi")
"""The languages that the bot's phrases cover (ISO 639-1)."""

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
"""What a person writes before `://` in `state.url`, and SQLAlchemy's name for it with an async driver."""

Language = Annotated[str, StringConstraints(pattern="^[a-z]{2}$")]
SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]


def _kind(source: Any) -> Any:
    """The kind that a source names, or files; of text where a section should be, too."""
    return source.get("kind", "files") if isinstance(source, dict) else getattr(source, "kind", "files")


AnySource = Annotated[
    Annotated[FilesSettings, Tag("files")]
    | Annotated[WebsiteSettings, Tag("website")]
    | Annotated[GitSettings, Tag("git")]
    | Annotated[ConfluenceSettings, Tag("confluence")]
    | Annotated[SlackSettings, Tag("slack")]
    | Annotated[MattermostSettings, Tag("mattermost")],
    Discriminator(_kind),
]
"""The settings of one source; `kind` says of which."""


def supported_database(state: StateSettings) -> StateSettings:
    """`state`, unless its address names a database that is not supported (a ValueError for pydantic)."""
    if state.url is not None and state.url.partition("://")[0] not in DRIVERS:
        raise ValueError("`url` must start with sqlite:/// or postgresql://")
    try:
        make_url(state.url or "sqlite://")
    except (ArgumentError, ValueError) as error:
        raise ValueError("`url` is no address; write it as postgresql://user@host:5432/database") from error
    return state


class Section(BaseModel):
    """A part of the file that knows its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSettings(Section):
    """The `models` section; each one is optional."""

    chat: Any = None
    """The bot's, as are the next; see `bot.settings`."""
    reasoning: Any = None
    code: Any = None
    judge: Any = None
    vision: Any = None
    grounding: Any = None
    embedding: EmbeddingSettings | None = None
    reranker: RerankerSettings | None = None


class LogSettings(Section):
    """The `log` section: what both programs write to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "warning"
    format: Literal["plain", "json"] = "plain"


class IngestSettings(Section):
    """The whole file, as `ingest` reads it."""

    home: Path = Path(".souffleur")
    """Where the embedded index and the embedded state live when their sections name no other place."""
    models: ModelSettings = ModelSettings()
    index: IndexSettings = IndexSettings()
    state: Annotated[StateSettings, AfterValidator(supported_database)] = StateSettings()
    parsing: ParsingSettings = ParsingSettings()
    languages: tuple[Language, ...] = Field(default=LANGUAGES, min_length=1)
    """Candidates when the language of a text is told."""
    sources: dict[SourceName, AnySource] = Field(default={})
    guard: GuardSettings = GuardSettings()
    log: LogSettings = LogSettings()
    serve: Any = None
    """The bot's, as are the sections below; see `bot.settings`."""
    answer: Any = None
    slack: Any = None
    mattermost: Any = None
    channels: Any = None
    conversation: Any = None
    access: Any = None
    retention: Any = None
    quotas: Any = None

    @field_validator("sources")
    @classmethod
    def with_tokens_of_their_own(cls, sources: dict[str, Any]) -> dict[str, Any]:
        """No two sources share the variable of their token: the one's would be sent to the other's server."""
        seen: dict[str, str] = {}
        for name in sources:
            if (other := seen.setdefault(token_variable(name), name)) != name:
                raise ValueError(f"{other!r} and {name!r} would have the same {token_variable(name)}; rename one")
        return sources

    @model_validator(mode="before")
    @classmethod
    def without_empty_sections(cls, data: Any) -> Any:
        """A section whose lines are all commented out is an absent one."""
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None or key not in cls.model_fields}

    def placed(self, folder: Path) -> Self:
        """A copy with every path absolute (relative ones start at `folder`) and a place for index and state."""
        placed = _absolute(self, folder)
        index, state, models = placed.index, placed.state, placed.models
        if index.path is None and index.url is None:
            index = index.model_copy(update={"path": placed.home / "index"})
        state = state.model_copy(update={"url": _database(state.url, placed.home, folder)})
        update: dict[str, Any] = {
            name: model.model_copy(update={"local": _local_model(model.local, folder)})
            for name, model in (("embedding", models.embedding), ("reranker", models.reranker))
            if model is not None and model.local is not None
        }
        return placed.model_copy(update={"index": index, "state": state, "models": models.model_copy(update=update)})

    def with_secrets(self, secrets: Secrets) -> Self:
        """A copy that holds each secret in the section that uses it."""
        models: dict[str, Any] = {
            name: model.model_copy(update={"api_key": key})
            for name, model, key in (
                ("chat", self.models.chat, secrets.chat_api_key),
                ("embedding", self.models.embedding, secrets.embedding_api_key),
                ("reranker", self.models.reranker, secrets.reranker_api_key),
            )
            if isinstance(model, BaseModel)
        }
        tokens = _tokens(self.sources)
        sources = {name: source.model_copy(update={"token": tokens[name]}) for name, source in self.sources.items()}
        return self.model_copy(
            update={
                "models": self.models.model_copy(update=models),
                "index": self.index.model_copy(update={"api_key": secrets.qdrant_api_key}),
                "state": self.state.model_copy(update={"password": secrets.state_password}),
                "sources": sources,
            }
        )


class _Variables(BaseSettings):
    """What comes from the environment (or `.env`), each under `SOUFFLEUR_` and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="SOUFFLEUR_",
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )


class Secrets(_Variables):
    """Those that do not depend on the file; each source has a token besides (`sources.interface.token_variable`)."""

    config: Path | None = None
    """The configuration file, where no `--config` names one."""
    chat_api_key: SecretStr | None = None
    embedding_api_key: SecretStr | None = None
    reranker_api_key: SecretStr | None = None
    qdrant_api_key: SecretStr | None = None
    state_password: SecretStr | None = None


AnySecrets = TypeVar("AnySecrets", bound=Secrets)


def secrets(secrets_class: type[AnySecrets] = Secrets) -> AnySecrets:  # type: ignore[assignment]  # mypy #3737
    """What the environment and `.env` hold. Raises `ConfigurationError` for an `.env` that is no text."""
    try:
        return secrets_class()
    except UnicodeDecodeError as error:
        raise ConfigurationError(".env: is not UTF-8 text; save it as UTF-8") from error


def programs() -> dict[str, str]:
    """The whole environment, of which a source hands the programs that it runs (`git`) what they need."""
    return dict(os.environ)  # noqa: TID251 - this is where the environment is read


Settings = TypeVar("Settings", bound=IngestSettings)
_Model = TypeVar("_Model", bound=BaseModel)


def locate(path: Path | None, secrets: Secrets) -> Path | None:
    """The configuration file: `path` (from `--config`), else `SOUFFLEUR_CONFIG`, else `./souffleur.yaml`, else none.

    Raises `ConfigurationError` when the first two name something that is not a file.
    """
    for named, by in ((path, "--config"), (secrets.config, "SOUFFLEUR_CONFIG")):
        if named is not None:
            if not named.is_file():
                what = "is a folder" if named.is_dir() else "is not there"
                raise ConfigurationError(f"{named}: {what}, and {by} names it; name a {FILE_NAME}, or leave {by} out")
            return named
    default = Path(FILE_NAME)
    return default if default.is_file() else None


def read(path: Path | None, settings_class: type[Settings], secrets: Secrets) -> Settings:
    """The settings in force: the file that `locate` finds, or the defaults, with every secret and every path in place.

    Raises `ConfigurationError`; its text names all that is wrong with the file, one line each.
    """
    file = locate(path, secrets)
    settings = settings_class() if file is None else configuration.load(file, settings_class)
    folder = Path.cwd() if file is None else file.parent.absolute()
    return settings.placed(folder).with_secrets(secrets)


def _tokens(sources: Iterable[str]) -> dict[str, SecretStr | None]:
    """Each source's token, from the environment or `.env`; None where there is none."""
    variables = {name: token_variable(name).removeprefix("SOUFFLEUR_").lower() for name in sources}
    fields: Any = dict.fromkeys(variables.values(), (SecretStr | None, None))
    found = create_model("SourceTokens", __base__=_Variables, **fields)()
    return {name: _usable(getattr(found, variable), token_variable(name)) for name, variable in variables.items()}


def _usable(token: SecretStr | None, variable: str) -> SecretStr | None:
    """A token as a header can hold it, without the line break that a secret file may end in."""
    plain = "" if token is None else token.get_secret_value().strip()
    one_line = "".join(plain.split()) if plain.startswith("{") else plain  # a key in JSON may have several
    if not (one_line.isascii() and one_line.isprintable()):
        raise ConfigurationError(f"{variable} holds characters that no token has; set it again")
    return SecretStr(plain) if plain else None


def _absolute(model: _Model, folder: Path) -> _Model:
    return model.model_copy(update={name: _absolute_value(value, folder) for name, value in model})


def _absolute_value(value: Any, folder: Path) -> Any:
    match value:
        case Path():
            return folder / value.expanduser()
        case BaseModel():
            return _absolute(value, folder)
        case dict():
            return {key: _absolute_value(item, folder) for key, item in value.items()}
        case list() | tuple():
            return type(value)(_absolute_value(item, folder) for item in value)
    return value


def _database(url: str | None, home: Path, folder: Path) -> str:
    """`url` with an async driver; SQLite's file absolute, and in `home` when no url is given."""
    if url is None:
        return f"sqlite+aiosqlite:///{home / 'state.db'}"
    kind, _, rest = url.partition("://")
    if kind.startswith("sqlite") and rest.startswith("/") and not rest.startswith("/:memory:"):
        rest = f"/{folder / Path(rest[1:]).expanduser()}"
    return f"{DRIVERS[kind]}://{rest}"


def _local_model(name: str, folder: Path) -> str:
    """A folder as an absolute path; a hub name (`BAAI/bge-m3`), which looks like a relative path, as it is."""
    path = folder / Path(name).expanduser()
    return str(path) if name.startswith((".", "~", "/")) or path.is_dir() else name
