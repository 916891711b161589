"""What Slack tells of people, groups and channels, so that nothing is taken for true that is so no more.

Whatever is kept of it is dropped first, then whoever watches is told. Nothing is learned from an event itself: neither
their order nor that each one comes is promised (https://docs.slack.dev/apis/events-api), so it is asked again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.platforms.interface import Change
from bot.platforms.slack.convert import Identity
from bot.platforms.slack.directory import Directory
from bot.platforms.slack.holdings import Holdings

logger = logging.getLogger(__name__)

MEMBERSHIPS = ("member_joined_channel", "member_left_channel")

ACCOUNTS = ("user_change", "team_join")

GROUPS = ("subteam_created", "subteam_updated", "subteam_members_changed")

CHANNELS = (
    *("channel_shared", "channel_unshared", "channel_archive", "channel_unarchive", "channel_deleted", "channel_left"),
    *("group_archive", "group_unarchive", "group_deleted", "group_left"),
)

MOVED = "channel_id_changed"

TOKENS = "tokens_revoked"

EVENTS = (*MEMBERSHIPS, *ACCOUNTS, *GROUPS, *CHANNELS, MOVED, TOKENS)


class Changes:
    """Keeps what is kept fresh."""

    def __init__(self, directory: Directory, holdings: Holdings) -> None:
        self._directory = directory
        self._holdings = holdings
        self._watchers: list[Callable[[Change], None]] = []

    def watch(self, changed: Callable[[Change], None]) -> None:
        self._watchers.append(changed)

    def hear(self, event: Mapping[str, Any], me: Identity) -> bool:
        """Take an event; False if it tells of something else."""
        if event.get("type") not in EVENTS:
            return False
        try:
            for change in self._dropped(event, me):
                self._tell(change)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            logger.error(
                "slack: an event of type %r is not as documented (%s); everything is asked again",
                event.get("type"),
                type(error).__name__,
            )
            self.missed()
        return True

    def shared(self, channel: str) -> None:
        """Something was said in a channel that is shared with another company, as is told with every event there."""
        if self._directory.is_taken_for_own(channel):
            self._directory.forget_channel(channel)
            self._tell(Change(channel=channel))

    def missed(self) -> None:
        """Something may have changed that was not heard."""
        self._directory.forget()
        self._holdings.forget()
        self._tell(Change())

    def _dropped(self, event: Mapping[str, Any], me: Identity) -> Iterator[Change]:
        """Drop what an event is about; what that is."""
        kind = str(event["type"])
        if kind in MEMBERSHIPS:
            person, channel = str(event["user"]), str(event["channel"])
            self._directory.forget_channel(channel)
            self._holdings.forget_channels_of(person)
            yield Change(person=person, channel=channel)
        elif kind in ACCOUNTS:
            id = str(event["user"]["id"])
            # Of every status and picture it is told, too.
            if not self._directory.is_as_known(event["user"], me):
                self._directory.forget_person(id)
                self._holdings.forget_channels_of(id)
                yield Change(person=id)
        elif kind in GROUPS:
            self._holdings.forget_groups()
            yield Change()
        elif kind in CHANNELS or kind == MOVED:
            names = ("old_channel_id", "new_channel_id") if kind == MOVED else ("channel",)
            self._holdings.forget_channels()
            for name in names:
                channel = str(event[name])
                self._directory.forget_channel(channel)
                yield Change(channel=channel)
        else:
            self.missed()

    def _tell(self, change: Change) -> None:
        for changed in self._watchers:
            changed(change)
