"""What Slack sends, as far as it is looked at. Whatever is null counts as absent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Sent(BaseModel):
    """Anything Slack sends; what is not named here is let go."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        return {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value


class Profile(Sent):
    display_name: str = ""
    real_name: str = ""


class User(Sent):
    id: str
    name: str = ""
    real_name: str = ""
    profile: Profile = Profile()

    @property
    def shown(self) -> str:
        """The name that people see beside the user's messages."""
        return self.profile.display_name or self.profile.real_name or self.real_name or self.name or self.id


class Channel(Sent):
    id: str
    name: str = ""
    is_private: bool = False
    is_ext_shared: bool = False
    """Members of other companies are in it (Slack Connect)."""
    is_archived: bool = False
    is_im: bool = False
    is_mpim: bool = False


class File(Sent):
    id: str
    name: str = ""
    title: str = ""
    mimetype: str = ""
    mode: str = "hosted"
    """`hosted` and `snippet` are files kept by Slack; `tombstone` is what is left of a deleted one."""
    size: int = 0
    created: int = 0
    updated: int = 0
    user: str = ""
    permalink: str = ""
    url_private_download: str = ""

    @property
    def is_there(self) -> bool:
        """False for what is left of a deleted file, or of one beyond a free plan's limit."""
        return self.mode not in ("tombstone", "hidden_by_limit")

    @property
    def shown(self) -> str:
        return self.name or self.title or self.id

    @property
    def changed(self) -> datetime | None:
        """Last change of its content, as far as Slack tells."""
        seconds = self.updated or self.created
        return datetime.fromtimestamp(seconds, UTC) if seconds else None


class Edited(Sent):
    ts: str = Field(default="", pattern=r"^(\d+\.\d+)?$")


class BotProfile(Sent):
    name: str = ""


class Message(Sent):
    ts: str = Field(pattern=r"^\d+\.\d+$")
    """Seconds since 1970 and a serial number; names the message within its channel."""
    subtype: str = ""
    user: str = ""
    bot_id: str = ""
    username: str = ""
    bot_profile: BotProfile = BotProfile()
    text: str = ""
    thread_ts: str = ""
    """Of a thread's first message, on that message and on its replies."""
    reply_count: int = 0
    latest_reply: str = Field(default="", pattern=r"^(\d+\.\d+)?$")
    reply_users: tuple[str, ...] = ()
    """At most five of them."""
    edited: Edited | None = None
    files: tuple[File, ...] = ()
    blocks: tuple[dict[str, Any], ...] = ()
    attachments: tuple[dict[str, Any], ...] = ()

    @property
    def posted(self) -> datetime:
        return datetime.fromtimestamp(float(self.ts), UTC)

    @property
    def changed(self) -> datetime:
        """Last edit, or when it was posted."""
        return datetime.fromtimestamp(float(self.edited.ts), UTC) if self.edited and self.edited.ts else self.posted

    @property
    def is_reply(self) -> bool:
        return bool(self.thread_ts) and self.thread_ts != self.ts

    @property
    def opens_thread(self) -> bool:
        return self.reply_count > 0 and not self.is_reply
