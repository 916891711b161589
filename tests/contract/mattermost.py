"""A workplace on Mattermost: the fake server, its people, and the callbacks of the bot that was started last."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from bot.platforms.events import PlatformName
from bot.platforms.interface import ChatPlatform
from bot.platforms.mattermost.settings import MattermostSettings
from tests.contract.workplace import Shown, Upload
from tests.fakes.mattermost import TOKEN, Mattermost
from tests.fakes.mattermost.attachments import actions
from tests.fakes.mattermost.hub import Row
from tests.fakes.mattermost.screen import links_of, text_of, typing, visible
from tests.fixtures.assistant import DECIDER, SAY
from tests.fixtures.serving import served

BOT = "souffleur"
PEOPLE = {"ada": "system_user", "bob": "system_user", "cleo": "system_user", "gast": "system_guest"}


class Callbacks:
    """Where the server reaches the bot: the routes of the platform that was made last."""

    def __init__(self) -> None:
        self.platform: ChatPlatform | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.platform is None:
            await PlainTextResponse("nobody is there", 503)(scope, receive, send)
        else:
            await Starlette(routes=[*self.platform.routes])(scope, receive, send)


class MattermostWorkplace:
    name: PlatformName = "mattermost"
    wordless = "souffleur is typing…"
    """All that Mattermost says of what is not yet written, in the language of the client."""
    keeps_history = True

    def __init__(self, people: Sequence[str] = ()) -> None:
        """`people` are members besides those that every workplace has."""
        self._members = PEOPLE | dict.fromkeys(people, "system_user")
        self._ahead = 0.0
        self._seen = 0
        self.server = Mattermost(clock=lambda: int((time.time() + self._ahead) * 1000))
        self._people: dict[str, str] = {}
        self._callbacks = Callbacks()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        server = self.server
        self._team = server.team("company")
        for name, roles in self._members.items():
            self._people[name] = server.user(name, roles=roles)
        self._people["helper"] = server.user("helper", is_bot=True)
        server.join(self._team, *self._people.values())
        async with AsyncExitStack() as stack:
            self._url = await stack.enter_async_context(server.served())
            app = Starlette(routes=[Route("/{path:path}", endpoint=self._callbacks)])
            self._callback_url = f"http://127.0.0.1:{await stack.enter_async_context(served(app))}"
            self._command = server.commands.add(self._team, "ask", f"{self._callback_url}/")
            yield

    def configuration(self) -> tuple[dict[str, object], dict[str, str]]:
        """The section of souffleur.yaml and the environment by which a process of its own is connected."""
        environment = {
            "SOUFFLEUR_MATTERMOST_TOKEN": TOKEN,
            "SOUFFLEUR_MATTERMOST_COMMAND_TOKEN": self._command["token"],
        }
        return {"mattermost": {"url": self._url, "callback_url": self._callback_url}}, environment

    def platform(self) -> ChatPlatform:
        from bot.platforms.mattermost.platform import MattermostPlatform

        settings = MattermostSettings(
            url=self._url,
            callback_url=self._callback_url,
            token=SecretStr(TOKEN),
            command_token=SecretStr(self._command["token"]),
        )
        platform = MattermostPlatform(settings, say=SAY, languages=DECIDER.candidates)
        self._callbacks.platform = platform
        self._command["url"] = self._callback_url + _path_of_command(platform.routes)
        return platform

    async def id_of(self, person: str) -> str:
        return self._people[person]

    async def locale(self, person: str, language: str) -> None:
        self.server.users[self._people[person]]["locale"] = language

    async def direct(self, person: str) -> str:
        return self.server.direct(self._people[person], self.server.bot)

    async def channel(self, *people: str, bot: bool = True, shared: bool = False) -> str:
        server = self.server
        channel = server.channel(self._team, f"channel-{len(server.channels)}", shared=shared or None)
        if not bot:
            server.members[channel].discard(server.bot)
        members = [self._people[person] for person in people]
        if shared:
            members.append(server.user(f"remote-{channel[:6]}", remote_id=server.id()))
        server.join(channel, *members)
        return channel

    async def enter(self, channel: str, person: str) -> None:
        self.server.join(channel, self._people[person])

    async def leave(self, channel: str, person: str) -> None:
        self.server.leave(channel, self._people[person])

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
        user = self._people[by]
        ids = [self.server.file(file.name, file.content, file.media_type, by=user, channel=channel) for file in files]
        return self.server.post(channel, user, _addressed(text, mention, to), root=thread or "", files=ids)

    async def edit(self, channel: str, message: str, text: str, *, mention: bool = False) -> None:
        self.server.edit(message, _addressed(text, mention, None))

    async def delete(self, channel: str, message: str) -> None:
        self.server.delete(message)

    async def command(self, text: str, *, by: str, channel: str) -> str:
        said = await self.server.commands.give(self._people[by], channel, f"/ask {text}")
        return str(said.get("text") or "")

    async def point(self, channel: str, message: str, *, by: str) -> None:
        self.server.react(message, self._people[by], "question")

    async def press(self, channel: str, message: str, action: str, *, by: str) -> str:
        user, told = self._people[by], {*self.server.ephemerals}
        self.server.interactivity.dialogs.pop(user, None)
        await self.server.interactivity.press(user, message, action)
        if dialog := self.server.interactivity.dialogs.get(user):
            return str(dialog["dialog"]["title"])
        new = [row for id, row in self.server.ephemerals.items() if id not in told and row["viewer"] == user]
        return text_of(new[-1]) if new else ""

    async def submit(self, remark: str, *, by: str) -> None:
        user = self._people[by]
        (element,) = self.server.interactivity.dialogs[user]["dialog"]["elements"]
        answer = await self.server.interactivity.submit(user, {element["name"]: remark})
        assert not answer, "the form was refused"

    async def stop(self, channel: str, thread: str, *, by: str) -> None:
        rows = visible(self.server, channel, viewer=self._people[by], thread=thread)
        (post,) = [row["id"] for row in rows if _has_stop(row)]
        await self.press(channel, post, "stop", by=by)

    async def seen(self, channel: str, *, by: str, thread: str | None = None) -> tuple[Shown, ...]:
        rows = visible(self.server, channel, viewer=self._people[by], thread=thread)
        return tuple(self._shown(row) for row in rows)

    async def status(self, channel: str, thread: str) -> str:
        """What stands in the message that is being written, the status until there is more; else `wordless`."""
        for row in visible(self.server, channel, viewer=self.server.bot, thread=thread):
            if _has_stop(row):
                return text_of(row)
        return self.wordless if BOT in typing(self.server, channel, thread) else ""

    async def changed(self) -> None:
        self._seen = await self.server.hub.changed(self._seen)

    async def say_as_bot(self, channel: str, text: str, *, mention: bool = True) -> str:
        helper = self._people["helper"]
        self.server.join(channel, helper)
        return self.server.post(channel, helper, _addressed(text, mention, None), props={"from_bot": "true"})

    async def redeliver(self) -> None:
        self.server.hub.redeliver()

    async def disconnect(self, *, resumable: bool = True) -> None:
        self.server.disconnect(resumable=resumable)

    async def busy(self, calls: int, *, seconds: int = 1) -> None:
        self.server.exhausted = calls, seconds

    async def expire_streams(self) -> None:
        """Posts are edited, not streamed."""

    def pass_time(self, seconds: float) -> None:
        self._ahead += seconds

    async def refused(self) -> Sequence[str]:
        return self.server.ill_formed

    def _shown(self, row: Row) -> Shown:
        notified = (self.server.users[id]["username"] for id in self.server.notified.get(row["id"], ()))
        return Shown(
            id=row["id"],
            by=self._author(row),
            text=text_of(row),
            links=links_of(row),
            buttons=tuple(action["id"] for action in actions(row)),
            private="viewer" in row,
            streaming=_has_stop(row),
            notified=tuple(sorted(notified)),
        )

    def _author(self, row: Row) -> str:
        """As clients show it: what answers a command bears the bot's mark, what answers a press is the system's."""
        if "viewer" in row and not row["props"].get("from_webhook"):
            return "System"
        return BOT if "viewer" in row else str(self.server.users[row["user_id"]]["username"])


def _has_stop(row: Row) -> bool:
    return any(action["id"] == "stop" for action in actions(row))


def _addressed(text: str, mention: bool, to: str | None) -> str:
    return " ".join([*([f"@{BOT}"] if mention else []), *([f"@{to}"] if to else []), text])


def _path_of_command(routes: Sequence[BaseRoute]) -> str:
    return next(route.path for route in routes if isinstance(route, Route) and "command" in route.path)
