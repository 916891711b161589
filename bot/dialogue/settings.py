"""The `channels` and `conversation` sections: where the bot answers, and how it behaves among people."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class ChannelSettings(BaseModel):
    """One channel, under its id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: Literal["every", "asked", "never"] = "asked"
    """`every`: each new question of a person; `asked`: where the bot is mentioned; `never`: nothing at all."""
    owners: tuple[Annotated[str, StringConstraints(pattern=r"^([UW][A-Z0-9]+|[a-z0-9]{26})$")], ...] = ()
    """Users by id, whom "ask a person" hands a question to."""


class ConversationSettings(BaseModel):
    """The `conversation` section."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_age_minutes: float = Field(default=60, gt=0)
    """An older question, found after the bot was away, gets an apology instead of an answer."""
    answers_at_once: int = Field(default=32, ge=1)
    """Of one process; further questions wait."""
    finish_seconds: float = Field(default=20, ge=0)
    """How long running answers may go on once the program is told to end; another replica finishes what is left."""
