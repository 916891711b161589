"""A workplace on a Mattermost server that is there already, by its public API alone: `--mattermost-url`.

An administrator's token (SOUFFLEUR_TEST_MATTERMOST_ADMIN_TOKEN) makes a team, its people, the bot and its command, anew
for each case, and puts them out of use after it. People act with sessions of their own. The server must be able to call
this machine at 127.0.0.1 (`ServiceSettings.AllowedUntrustedInternalConnections`).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, NoReturn

import httpx
import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket

from bot.platforms.events import PlatformName
from bot.platforms.interface import ChatPlatform
from bot.platforms.mattermost.callbacks import COMMAND
from bot.platforms.mattermost.settings import MattermostSettings
from tests.contract.between import Between
from tests.contract.mattermost import BOT, Callbacks
from tests.contract.mattermost_screen import Screen
from tests.contract.workplace import Shown, Upload
from tests.fakes.mattermost.attachments import actions
from tests.fakes.mattermost.hub import Row
from tests.fakes.mattermost.refusals import busy
from tests.fakes.mattermost.screen import links_of, text_of
from tests.fixtures.assistant import DECIDER, SAY
from tests.fixtures.serving import served

PEOPLE = ("ada", "bob", "cleo")

POLL_SECONDS = 1.0
"""After which a screen is looked at again although no event came: a sign of typing goes away without one."""

RECEIPT_SECONDS = 1.0
"""How long after a press somebody looks whether anything comes up; nothing says that nothing will."""

PAST_MINUTES = 30
"""So far the bot's clock alone can be put on: a question that is older than an hour gets no answer."""

MISSING = frozenset({403, 404})


class Access(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SOUFFLEUR_TEST_MATTERMOST_")

    admin_token: SecretStr


class BetweenMattermost(Between):
    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.forgets = False
        """Whether the server is to know nothing of the connections that were cut last."""

    def writes(self, method: str, path: str) -> bool:
        return method != "GET" and path.startswith("/api/v4/posts")

    def too_busy(self, seconds: int) -> Response:
        return busy(seconds)

    def address(self, socket: WebSocket) -> str:
        query = "" if self.forgets else f"?{socket.url.query}"
        self.forgets = False
        return f"{self.upstream.replace('http', 'ws', 1)}{socket.url.path}{query}".rstrip("?")


class MattermostServerWorkplace:
    name: PlatformName = "mattermost"
    wordless = "souffleur is typing…"
    keeps_history = True

    def __init__(self, url: str, admin_token: SecretStr) -> None:
        self._url = url.rstrip("/")
        self._admin = admin_token.get_secret_value()
        self._suffix = secrets.token_hex(4)
        self._between = BetweenMattermost(self._url)
        self._callbacks = Callbacks()
        self._screens: dict[str, Screen] = {}
        self._authors: dict[str, str] = {}
        """Who wrote which post: they alone can change it."""
        self._stirred = asyncio.Event()
        self._gone: list[tuple[str, str]] = []
        """What is put out of use at the end: method and path, last made first."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            self._client = await stack.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))
            stack.push_async_callback(self._put_away)
            self._tasks = await stack.enter_async_context(asyncio.TaskGroup())
            stack.push_async_callback(self._close_screens)
            app = Starlette(routes=[Route("/{path:path}", endpoint=self._callbacks)])
            self._callback_url = f"http://127.0.0.1:{await stack.enter_async_context(served(app))}"
            await stack.enter_async_context(self._between.opened())
            await self._set_up()
            yield

    async def _set_up(self) -> None:
        name = f"souffleur-{self._suffix}"
        self._owner = str((await self._ask("GET", "/users/me"))["id"])
        team = await self._ask("POST", "/teams", json={"name": name, "display_name": name, "type": "O"})
        self._team = str(team["id"])
        self._gone.insert(0, ("DELETE", f"/teams/{self._team}"))
        self._bot, self._bot_token = await self._made_bot(BOT)
        command = {"team_id": self._team, "trigger": "ask", "method": "P", "url": f"{self._callback_url}{COMMAND}"}
        self._command_token = str((await self._ask("POST", "/commands", json=command))["token"])
        for person in PEOPLE:
            await self._screen(person)

    def platform(self) -> ChatPlatform:
        from bot.platforms.mattermost.platform import MattermostPlatform

        settings = MattermostSettings(
            url=self._between.url,
            callback_url=self._callback_url,
            token=SecretStr(self._bot_token),
            command_token=SecretStr(self._command_token),
        )
        self._callbacks.platform = MattermostPlatform(settings, say=SAY, languages=DECIDER.candidates)
        return self._callbacks.platform

    async def id_of(self, person: str) -> str:
        return (await self._screen(person)).user

    async def locale(self, person: str, language: str) -> None:
        await self._ask("PUT", "/users/me/patch", by=await self._screen(person), json={"locale": language})

    async def direct(self, person: str) -> str:
        screen = await self._screen(person)
        return str((await self._ask("POST", "/channels/direct", by=screen, json=[screen.user, self._bot]))["id"])

    async def channel(self, *people: str, bot: bool = True, shared: bool = False) -> str:
        if shared:
            cannot("a channel is shared by two servers, and there is one")
        name = f"channel-{secrets.token_hex(4)}"
        body = {"team_id": self._team, "name": name, "display_name": name, "type": "O"}
        channel = str((await self._ask("POST", "/channels", json=body))["id"])
        members = [await self.id_of(person) for person in people] + ([self._bot] if bot else [])
        for member in members:
            await self._ask("POST", f"/channels/{channel}/members", json={"user_id": member})
        return channel

    async def enter(self, channel: str, person: str) -> None:
        body = {"user_id": await self.id_of(person)}
        await self._ask("POST", f"/channels/{channel}/members", json=body)

    async def leave(self, channel: str, person: str) -> None:
        await self._ask("DELETE", f"/channels/{channel}/members/{await self.id_of(person)}")

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
        screen = await self._screen(by)
        ids = [await self._uploaded(channel, file, screen) for file in files]
        message = self._addressed(text, mention=mention, to=to)
        body = {"channel_id": channel, "root_id": thread or "", "message": message, "file_ids": ids}
        post = str((await self._ask("POST", "/posts", by=screen, json=body))["id"])
        self._authors[post] = by
        return post

    async def edit(self, channel: str, message: str, text: str, *, mention: bool = False) -> None:
        body = {"message": self._addressed(text, mention=mention)}
        await self._ask("PUT", f"/posts/{message}/patch", by=self._screens[self._authors[message]], json=body)

    async def delete(self, channel: str, message: str) -> None:
        await self._ask("DELETE", f"/posts/{message}", by=self._screens[self._authors[message]])

    async def command(self, text: str, *, by: str, channel: str) -> str:
        body = {"channel_id": channel, "team_id": self._team, "command": f"/ask {text}"}
        said = await self._ask("POST", "/commands/execute", by=await self._screen(by), json=body)
        return str(said.get("text") or "")

    async def point(self, channel: str, message: str, *, by: str) -> None:
        screen = await self._screen(by)
        body = {"user_id": screen.user, "post_id": message, "emoji_name": "question"}
        await self._ask("POST", "/reactions", by=screen, json=body)

    async def press(self, channel: str, message: str, action: str, *, by: str) -> str:
        screen = await self._screen(by)
        cookie = next((one["cookie"] for one in screen.actions_of(message) if one["id"] == action), "")
        screen.receipts.clear()
        screen.pressed_in = channel
        path = f"/posts/{message}/actions/{action}"
        await self._ask("POST", path, by=screen, json={"cookie": cookie} if cookie else {})
        with suppress(TimeoutError):
            async with asyncio.timeout(RECEIPT_SECONDS):
                while not screen.receipts:
                    screen.stirred.clear()
                    await screen.stirred.wait()
        return screen.receipts[0] if screen.receipts else ""

    async def submit(self, remark: str, *, by: str) -> None:
        screen = await self._screen(by)
        form, body = screen.forms[-1]["dialog"], screen.forms[-1]
        (element,) = form["elements"]
        known = {"callback_id": form.get("callback_id", ""), "state": form.get("state", "")}
        place = {"user_id": screen.user, "team_id": self._team, "channel_id": screen.pressed_in}
        filled = {"type": "dialog_submission", "submission": {element["name"]: remark}, "cancelled": False}
        answer = await self._ask(
            "POST", "/actions/dialogs/submit", by=screen, json={"url": body["url"], **known, **place, **filled}
        )
        assert not (answer or {}).get("errors"), "the form was refused"

    async def stop(self, channel: str, thread: str, *, by: str) -> None:
        rows = await self._rows(channel, thread, by=await self._screen(by))
        (post,) = [row["id"] for row in rows if _has_stop(row)]
        await self.press(channel, post, "stop", by=by)

    async def seen(self, channel: str, *, by: str, thread: str | None = None) -> tuple[Shown, ...]:
        screen = await self._screen(by)
        rows = [*await self._rows(channel, thread, by=screen), *screen.alone(channel, thread)]
        rows.sort(key=lambda row: (row["create_at"], row["id"]))
        return tuple(self._shown(row, private=row["type"] == "system_ephemeral") for row in rows)

    async def status(self, channel: str, thread: str) -> str:
        """Read as the bot: it is there wherever it writes."""
        for row in await self._rows(channel, thread, by=self._bot_token):
            if _has_stop(row):
                return text_of(row)
        now = time.monotonic()
        shows = any(screen.sees_typing(self._bot, channel, thread, now=now) for screen in self._screens.values())
        return self.wordless if shows else ""

    async def changed(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._stirred.wait()
        self._stirred.clear()

    async def say_as_bot(self, channel: str, text: str, *, mention: bool = True) -> str:
        helper, token = await self._made_bot("helper")
        await self._ask("POST", f"/channels/{channel}/members", json={"user_id": helper})
        body = {"channel_id": channel, "message": self._addressed(text, mention=mention)}
        return str((await self._ask("POST", "/posts", by=token, json=body))["id"])

    async def redeliver(self) -> None:
        cannot("a server sends no event again to a connection that had it")

    async def disconnect(self, *, resumable: bool = True) -> None:
        self._between.forgets = not resumable
        self._between.disconnect()

    async def busy(self, calls: int, *, seconds: int = 1) -> None:
        self._between.busy(calls, seconds=seconds)

    async def expire_streams(self) -> None:
        """Posts are edited, not streamed."""

    def pass_time(self, seconds: float) -> None:
        """The server's clock stays as it is: by the bot's own, all that was said so far is older."""
        if seconds > PAST_MINUTES * 60:
            cannot("the server's clock cannot be put on")

    async def refused(self) -> Sequence[str]:
        return ()

    # Inside

    async def _screen(self, person: str) -> Screen:
        """Somebody who has logged in; their account is made when they are first needed."""
        if person not in self._screens:
            username, password = f"{person}-{self._suffix}", f"Aa1!{secrets.token_urlsafe(16)}"
            body = {"username": username, "password": password, "email": f"{username}@example.org", "nickname": person}
            user = str((await self._ask("POST", "/users", json=body))["id"])
            self._gone.insert(0, ("DELETE", f"/users/{user}"))
            await self._ask("POST", f"/teams/{self._team}/members", json={"team_id": self._team, "user_id": user})
            if person == "gast":
                await self._make_guest(user)
            session = await self._call("POST", "/users/login", json={"login_id": username, "password": password})
            screen = Screen(user=user, token=session.headers["token"], name=person, told=self._stirred)
            self._screens[person] = screen
            screen.task = self._tasks.create_task(screen.watch(self._url))
            async with asyncio.timeout(30):
                await screen.watching.wait()
        return self._screens[person]

    async def _make_guest(self, user: str) -> None:
        answer = await self._call("POST", f"/users/{user}/demote", refusable=True)
        if answer.is_error:
            cannot(f"the server has no guests: {answer.json().get('message')}")

    async def _made_bot(self, name: str) -> tuple[str, str]:
        """The id and the token of a bot that is in the team."""
        body = {"username": f"{name}-{self._suffix}", "display_name": name}
        bot = str((await self._ask("POST", "/bots", json=body))["user_id"])
        self._gone.insert(0, ("POST", f"/bots/{bot}/disable"))
        token = (await self._ask("POST", f"/users/{bot}/tokens", json={"description": "contract suite"}))["token"]
        await self._ask("POST", f"/teams/{self._team}/members", json={"team_id": self._team, "user_id": bot})
        return bot, str(token)

    async def _uploaded(self, channel: str, file: Upload, screen: Screen) -> str:
        form = {"files": (file.name, file.content, file.media_type)}
        answer = await self._ask("POST", "/files", by=screen, data={"channel_id": channel}, files=form)
        return str(answer["file_infos"][0]["id"])

    async def _rows(self, channel: str, thread: str | None, *, by: Screen | str) -> list[Row]:
        """Live posts of a thread, or of the channel's top level, as they see it; but for what the server says."""
        path = f"/posts/{thread}/thread" if thread else f"/channels/{channel}/posts?per_page=200"
        answer = await self._call("GET", path, by=by, refusable=True)
        if answer.status_code in MISSING:
            return []
        rows: Iterable[Row] = (answer.raise_for_status().json()["posts"] or {}).values()
        return [
            row | {"props": row.get("props") or {}}
            for row in rows
            if not row["delete_at"] and not row["type"] and (thread or not row["root_id"])
        ]

    def _shown(self, row: Row, *, private: bool) -> Shown:
        notified = [name for name, screen in self._screens.items() if row["id"] in screen.mentioned_in]
        return Shown(
            id=row["id"],
            by=self._author(row, private=private),
            text=text_of(row),
            links=links_of(row),
            buttons=tuple(action["id"] for action in actions(row)),
            private=private,
            streaming=_has_stop(row),
            notified=tuple(sorted(notified)),
        )

    def _author(self, row: Row, *, private: bool) -> str:
        if private:
            return BOT if row["props"].get("from_webhook") else "System"
        if row["user_id"] == self._bot:
            return BOT
        return next((name for name, screen in self._screens.items() if screen.user == row["user_id"]), row["user_id"])

    def _addressed(self, text: str, *, mention: bool, to: str | None = None) -> str:
        names = ([BOT] if mention else []) + ([to] if to else [])
        return " ".join([*(f"@{name}-{self._suffix}" for name in names), text])

    async def _ask(self, method: str, path: str, *, by: Screen | str = "", **content: Any) -> Any:
        answer = await self._call(method, path, by=by, **content)
        return answer.json() if answer.content else None

    async def _call(
        self, method: str, path: str, *, by: Screen | str = "", refusable: bool = False, **content: Any
    ) -> httpx.Response:
        """As the administrator, unless it says by whom. A server that is too busy is waited for."""
        token = (by.token if isinstance(by, Screen) else by) or self._admin
        headers = {} if path == "/users/login" else {"Authorization": f"Bearer {token}"}
        while True:
            answer = await self._client.request(method, f"{self._url}/api/v4{path}", headers=headers, **content)
            if answer.status_code != 429:
                assert refusable or answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
                return answer
            await asyncio.sleep(float(answer.headers.get("retry-after", 1)))

    async def _close_screens(self) -> None:
        for screen in self._screens.values():
            if screen.task is not None:
                screen.task.cancel()

    async def _put_away(self) -> None:
        for method, path in self._gone:
            await self._call(method, path, refusable=True)


def cannot(reason: str) -> NoReturn:
    """Leave the case out."""
    pytest.skip(reason)


def _has_stop(row: Row) -> bool:
    return any(action["id"] == "stop" for action in actions(row))
