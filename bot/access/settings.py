"""The `access`, `retention` and `quotas` sections."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from ingest.model import reader_token

Token = Annotated[str, AfterValidator(reader_token)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GroupFile(_Section):
    """An export of groups from the company's directory."""

    path: Path
    """CSV or JSON; relative to `souffleur.yaml`."""
    max_age_hours: float | None = Field(default=None, gt=0)
    """Older than that, nobody is in its groups; null: however old."""

    @field_validator("path")
    @classmethod
    def of_a_known_form(cls, path: Path) -> Path:
        """How a file is read is told by its name, for what is half written looks like nothing."""
        if path.suffix.lower() not in {".csv", ".json"}:
            raise ValueError("a file of groups is named .csv (a line for each membership) or .json (SCIM)")
        return path

    @property
    def is_table(self) -> bool:
        """CSV; else JSON, which can also say who left."""
        return self.path.suffix.lower() == ".csv"


class AccessSettings(_Section):
    """Who is in which group, and how fresh that must be."""

    max_age_minutes: float = Field(default=5, gt=0)
    """How old what is known of people, groups and channels may be; older, restricted documents are withheld."""
    groups: dict[str, tuple[Token, ...]] = {}
    """By the group's name, whoever holds one of these tokens: `finance: [user:ada@example.org, group:accounting]`."""
    group_files: tuple[GroupFile, ...] = ()
    offer: bool = True
    """Whether an asker in a channel who may read more than the others there is offered a fuller answer, alone."""
    disclose: bool = True
    """Whether somebody who may read all that a private answer rests on may show it to a channel that may not."""

    @field_validator("groups")
    @classmethod
    def by_their_names(cls, groups: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for name in groups:
            if not name or name.strip() != name:
                raise ValueError(f"`{name}` is no name of a group; give it one without spaces around it")
            if name.startswith("group:"):
                raise ValueError(f"write `{name.removeprefix('group:')}`; `group:` stands before it in tokens alone")
        return groups


class RetentionSettings(_Section):
    """How long what people said and were answered is kept, in days; null: for ever."""

    conversations_days: int | None = Field(default=365, ge=1)
    """Questions, answers, what the bot wrote where, and events that are done with."""
    feedback_days: int | None = Field(default=365, ge=1)
    attachments_days: int = Field(default=30, ge=1)
    """The text of files in conversations; asked about later, a file is read again."""
    audit_days: int = Field(default=365, ge=1)


class QuotaSettings(_Section):
    """How much may be asked; null: any number."""

    person_per_hour: int | None = Field(default=120, ge=1)
    """Questions of one person or API key."""
    person_per_day: int | None = Field(default=None, ge=1)
    workspace_per_day: int | None = Field(default=None, ge=1)
    """Questions of a Slack workspace, of a Mattermost server, or of the web surface."""
    person_tokens_per_day: int | None = Field(default=None, ge=1000)
    """Tokens that the questions of one person cost at the chat models."""
    person_at_once: int = Field(default=4, ge=1)
    """Questions of one person that are worked on at the same time; further ones wait for their turn."""
