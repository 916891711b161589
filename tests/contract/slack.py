"""Slack as a workplace: its fake, with four people and the bot."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr

from bot.phrases import Phrases
from bot.platforms.events import PlatformName
from bot.platforms.interface import ChatPlatform
from bot.platforms.slack.settings import SlackSettings
from tests.contract.workplace import Shown, Upload
from tests.fakes.slack import BOT_SCOPES, OWN_USER, NotThere, Slack, Tiers, typed
from tests.fakes.slack import screen as slack_screen

PEOPLE = {"ada": "UADA", "bob": "UBOB", "cleo": "UCLEO", "gast": "UGAST"}

ACTIONS = ("stop", "again", "up", "down", "share", "person", "resolved", "fuller", "disclose")

LANGUAGES = ("en", "ar", "de", "es", "fr", "hi", "it", "ja", "nl", "pl", "pt", "ru", "tr", "zh")

LOCALES = {"en": "en-US", "de": "de-DE", "fr": "fr-FR", "es": "es-ES", "ja": "ja-JP", "pt": "pt-BR", "zh": "zh-CN"}
"""As Slack names languages (docs.slack.dev/reference/objects/user-object)."""


class SlackWorkplace:
    """With `tiers` Slack's rate limits are kept; without nobody is too fast unless told so."""

    name: PlatformName = "slack"
    wordless = ""
    keeps_history = False

    def __init__(self, tiers: Tiers | None = None, people: Sequence[str] = ()) -> None:
        """`people` are members besides those that every workplace has."""
        self._ids = PEOPLE | {name: f"U{name.upper()}" for name in people}
        self.server = Slack(
            token="xoxb-workplace", app_token="xapp-workplace", scopes=BOT_SCOPES, now=time.time, tiers=tiers
        )
        for name, id in self._ids.items():
            guest = name == "gast"
            self.server.user(id, name, is_restricted=guest, is_ultra_restricted=guest, locale="en-US")
        self.server.user("USTRANGER", "stranger", team_id="T0OTHER", is_stranger=True)
        self.server.strangers.add("USTRANGER")

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with self.server.served():
            yield

    def configuration(self) -> tuple[dict[str, object], dict[str, str]]:
        """The section of souffleur.yaml and the environment by which a process of its own is connected."""
        environment = {
            "SOUFFLEUR_SLACK_BOT_TOKEN": self.server.token,
            "SOUFFLEUR_SLACK_APP_TOKEN": self.server.app_token,
        }
        return {"slack": {"base_url": self.server.base_url}}, environment

    def platform(self) -> ChatPlatform:
        from bot.platforms.slack.platform import SlackPlatform

        settings = SlackSettings(
            base_url=self.server.base_url,
            bot_token=SecretStr(self.server.token),
            app_token=SecretStr(self.server.app_token),
        )
        return SlackPlatform(settings, say=Phrases().say, languages=LANGUAGES)

    async def id_of(self, person: str) -> str:
        return self._ids[person]

    async def locale(self, person: str, language: str) -> None:
        self.server.users[self._ids[person]]["locale"] = LOCALES.get(language, language)

    async def direct(self, person: str) -> str:
        return self.server.direct(self._ids[person])

    async def channel(self, *people: str, bot: bool = True, shared: bool = False) -> str:
        members = {self._ids[person] for person in people} | ({OWN_USER} if bot else set())
        members |= {"USTRANGER"} if shared else set()
        return self.server.channel(f"room-{len(self.server.rooms)}", is_ext_shared=shared, members=members)

    async def enter(self, channel: str, person: str) -> None:
        self.server.join(channel, self._ids[person])
        await self.server.outbox.idle()

    async def leave(self, channel: str, person: str) -> None:
        self.server.leave(channel, self._ids[person])
        await self.server.outbox.idle()

    async def say(
        self,
        channel: str,
        text: str,
        *,
        by: str,
        thread: str | None = None,
        mention: bool = False,
        to: str | None = None,
        files: Sequence[Upload] = (),
    ) -> str:
        whom = ([OWN_USER] if mention else []) + ([self._ids[to]] if to else [])
        words = " ".join([*(f"<@{id}>" for id in whom), typed(text)])
        by = self._ids[by]
        if files:
            ids = [
                self.server.upload(channel, one.name, one.content, media_type=one.media_type, by=by) for one in files
            ]
            message = self.server.say_with_files(channel, words, ids, by=by, thread=thread)
        else:
            message = self.server.say(channel, words, by=by, thread=thread)
        await self.server.outbox.idle()
        return message

    async def edit(self, channel: str, message: str, text: str, *, mention: bool = False) -> None:
        self.server.edit(channel, message, f"<@{OWN_USER}> {typed(text)}" if mention else typed(text))
        await self.server.outbox.idle()

    async def delete(self, channel: str, message: str) -> None:
        self.server.delete(channel, message)
        await self.server.outbox.idle()

    async def command(self, text: str, *, by: str, channel: str) -> str:
        interaction = await self.server.command(channel, SlackSettings().command, text, by=self._ids[by])
        return await slack_screen.receipt(self.server, interaction)

    async def point(self, channel: str, message: str, *, by: str) -> None:
        from bot.platforms.slack.convert import SHORTCUT

        await self.server.shortcut(channel, message, SHORTCUT, by=self._ids[by])

    async def press(self, channel: str, message: str, action: str, *, by: str) -> str:
        on_screen = self.server.on_screen(self.server.rooms[channel], message, self._ids[by])
        for element in slack_screen.pressable(on_screen):
            if action_of(element) == action:
                interaction = await self.server.press(
                    channel, message, element["action_id"], by=self._ids[by], side=element.get("side", "")
                )
                return await slack_screen.receipt(self.server, interaction)
        raise NotThere(f"no button {action!r} under message {message}")

    async def submit(self, remark: str, *, by: str) -> None:
        await self.server.submit(remark, by=self._ids[by])

    async def stop(self, channel: str, thread: str, *, by: str) -> None:
        try:
            self.server.stop(channel, thread, by=self._ids[by])
        except NotThere:
            for shown in reversed(await self.seen(channel, by=by, thread=thread)):
                if "stop" in shown.buttons:
                    await self.press(channel, shown.id, "stop", by=by)
                    return
            raise
        await self.server.outbox.idle()

    async def seen(self, channel: str, *, by: str, thread: str | None = None) -> tuple[Shown, ...]:
        found = slack_screen.visible(self.server, channel, by=self._ids[by], thread=thread)
        return tuple(self._shown(channel, message) for message in found)

    def _shown(self, channel: str, message: dict[str, Any]) -> Shown:
        text, links = slack_screen.read(self.server, message)
        stream = self.server.streams.get((channel, message["ts"]))
        notified = self.server.notified.get((channel, message["ts"]), set())
        return Shown(
            id=message["ts"],
            by=self.server.name(message.get("user", "")),
            text=text,
            links=tuple(links),
            buttons=tuple(filter(None, (action_of(element) for element in slack_screen.pressable(message)))),
            private="recipient" in message,
            streaming=stream is not None and stream.running,
            notified=tuple(sorted(self.server.name(user) for user in notified)),
        )

    async def status(self, channel: str, thread: str) -> str:
        return slack_screen.status(self.server, channel, thread)

    async def changed(self) -> None:
        await self.server.changed()

    async def say_as_bot(self, channel: str, text: str, *, mention: bool = True) -> str:
        words = f"<@{OWN_USER}> {typed(text)}" if mention else typed(text)
        message = self.server.say_as_bot(channel, words)
        await self.server.outbox.idle()
        return message

    async def redeliver(self) -> None:
        self.server.redeliver()
        await self.server.outbox.idle()

    async def disconnect(self, *, resumable: bool = True) -> None:
        """At once: nothing that is said before the bot is heard of again reaches it by the old connections."""
        self.server.disconnect(resumable=resumable)

    async def busy(self, calls: int, *, seconds: int = 1) -> None:
        self.server.busy(calls, seconds=seconds)

    async def expire_streams(self) -> None:
        self.server.expire_streams()

    def pass_time(self, seconds: float) -> None:
        self.server.clock += seconds

    async def refused(self) -> Sequence[str]:
        return self.server.faults()


def action_of(element: dict[str, Any]) -> str:
    """Which button of the contract that is, by the words of its `action_id`; feedback buttons are two."""
    if side := element.get("side"):
        return "up" if side == "positive" else "down"
    words = re.split(r"[^a-z]+", str(element.get("action_id", "")).lower())
    return next((action for action in ACTIONS if action in words), "")
