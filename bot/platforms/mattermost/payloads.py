"""What the server sends, where its bytes enter: parts of REST answers, websocket frames, callbacks.

Names are Mattermost's own; times are milliseconds since 1970, by the server's clock.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Json, model_validator

TYPED_BY_PEOPLE = frozenset({"", "me"})
"""Types of posts that somebody wrote (`me`: with `/me`); all others are the platform's, a webhook's or a plugin's."""

FROM_PROGRAMS = ("from_bot", "from_webhook", "from_plugin")
"""Props that say `"true"` (or true) on what no person wrote."""


class Payload(BaseModel):
    """What is `null` is as if it were absent; what is not known is passed over."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


class User(Payload):
    id: str
    username: str
    nickname: str = ""
    first_name: str = ""
    last_name: str = ""
    locale: str = ""
    roles: str = ""
    delete_at: int = 0
    remote_id: str = ""
    """Not empty for somebody of a connected server."""
    is_bot: bool = False
    email: str = ""
    """Empty where the server shows none (`ShowEmailAddress`); whether it is checked, it does not say."""

    @property
    def is_member(self) -> bool:
        """Of the company."""
        return not ("system_guest" in self.roles.split() or self.remote_id or self.is_bot or self.delete_at)

    @property
    def display_name(self) -> str:
        return " ".join(f"{self.first_name} {self.last_name}".split()) or self.nickname.strip() or self.username


class Team(Payload):
    id: str
    name: str
    display_name: str = ""


class Channel(Payload):
    id: str
    team_id: str = ""
    type: str
    """`O` public, `P` private, `D` direct messages of two, `G` of several."""
    name: str = ""
    display_name: str = ""
    shared: bool = False
    """With another server."""
    last_post_at: int = 0


class Stats(Payload):
    guest_count: int | None = None
    """None where the server does not say."""


class Membership(Payload):
    """Of a channel or a team."""

    user_id: str
    delete_at: int = 0
    """When they left the team; 0 for not."""


class GroupMembers(Payload):
    members: tuple[User, ...] = ()


class FileInfo(Payload):
    id: str
    name: str = ""
    size: int = 0
    mime_type: str = ""


class Metadata(Payload):
    files: tuple[FileInfo, ...] = ()


class Post(Payload):
    id: str
    create_at: int
    update_at: int = 0
    edit_at: int = 0
    """Of the last change of the text; 0 for none."""
    delete_at: int = 0
    user_id: str
    channel_id: str
    root_id: str = ""
    original_id: str = ""
    """Not empty for what a post was before it was edited."""
    message: str = ""
    type: str = ""
    props: dict[str, Any] = {}
    file_ids: tuple[str, ...] = ()
    metadata: Metadata = Metadata()

    @property
    def thread(self) -> str:
        return self.root_id or self.id

    @property
    def by_person(self) -> bool:
        """As far as the post itself tells; an account may still be a bot's."""
        return self.type in TYPED_BY_PEOPLE and not any(
            str(self.props.get(name)).lower() == "true" for name in FROM_PROGRAMS
        )


class PostList(Payload):
    order: tuple[str, ...] = ()
    """Newest first."""
    posts: dict[str, Post] = {}

    @property
    def newest_first(self) -> list[Post]:
        return [self.posts[id] for id in self.order if id in self.posts]


class Reaction(Payload):
    user_id: str
    post_id: str
    emoji_name: str
    create_at: int = 0


class Broadcast(Payload):
    channel_id: str = ""
    user_id: str = ""
    """Whom alone it is sent to; empty for everybody there."""


class Frame(Payload):
    """What comes over the websocket: an event, or (without `event`) the answer to something that was sent."""

    event: str = ""
    seq: int = 0
    data: dict[str, Any] = {}
    broadcast: Broadcast = Broadcast()


class Hello(Payload):
    connection_id: str
    server_version: str = ""


class PostEvent(Payload):
    """Data of `posted`, `post_edited` and `post_deleted`: the post is JSON within JSON."""

    post: Json[Post]
    channel_type: str = ""
    delete_by: str = ""


class ReactionEvent(Payload):
    reaction: Json[Reaction]


class Action(Payload):
    """A button that was pressed, as the server posts it. Unsigned: nothing but a signed context is evidence."""

    user_id: str
    channel_id: str
    post_id: str = ""
    trigger_id: str = ""
    context: dict[str, Any] = {}


class Submission(Payload):
    """A form that was sent, or closed (`cancelled`)."""

    callback_id: str = ""
    state: str = ""
    user_id: str
    channel_id: str
    submission: dict[str, Any] = {}
    cancelled: bool = False


class SlashCommand(Payload):
    """A slash command, as the server posts it."""

    channel_id: str
    channel_name: str = ""
    user_id: str
    text: str = ""
    trigger_id: str
    root_id: str = ""
    response_url: str = ""
