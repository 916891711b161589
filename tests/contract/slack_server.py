"""A workplace in a Slack workspace that is there already, by the Web API alone: `--slack-url`.

The app's tokens and those of three test people are in the environment (SOUFFLEUR_TEST_SLACK_BOT_TOKEN, _APP_TOKEN and
_ADA_TOKEN, _BOB_TOKEN, _CLEO_TOKEN). People give theirs by installing the app with the user scopes chat:write,
channels:write, channels:history, im:write, im:history, reactions:write, files:write and files:read. What no method does
is left out: pressing a button, giving a command, choosing Stop.

Slack marks what is posted with a user's token as the app's, and the bot answers no app. So the bot is connected through
`BetweenSlack`, which takes that mark off what the test people wrote.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket

from bot.phrases import Phrases
from bot.platforms.events import PlatformName
from bot.platforms.interface import ChatPlatform
from bot.platforms.slack.settings import SlackSettings
from tests.contract.between import Between
from tests.contract.mattermost_server import PAST_MINUTES, cannot
from tests.contract.slack import LANGUAGES, action_of
from tests.contract.workplace import Shown, Upload
from tests.fakes.slack import typed
from tests.fakes.slack.blocks import BROADCAST, MENTION, buttons, from_mrkdwn, readable, strings
from tests.fakes.slack.screen import WORD_JOINER

BOT = "souffleur"
PEOPLE = ("ada", "bob", "cleo")

POLL_SECONDS = 2.0
"""After which a screen is looked at again although the bot did nothing: reading is granted fifty times a minute."""

AGAIN_SECONDS = 60.0
WRITES = ("chat.", "assistant.", "agents.", "views.", "reactions.")
MISSING = frozenset({"channel_not_found", "not_in_channel", "thread_not_found"})
MARK = ("bot_id", "app_id", "bot_profile")


class Access(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SOUFFLEUR_TEST_SLACK_")

    bot_token: SecretStr
    app_token: SecretStr
    ada_token: SecretStr
    bob_token: SecretStr
    cleo_token: SecretStr


class BetweenSlack(Between):
    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.people: set[str] = set()
        """Whose messages are to look as if they had been typed."""
        self._since = time.time()
        self._links: list[str] = []
        self._past: list[tuple[float, dict[str, Any]]] = []
        self._made: set[str] = set()

    def writes(self, method: str, path: str) -> bool:
        return path.removeprefix("/api/").startswith(WRITES)

    def too_busy(self, seconds: int) -> Response:
        answer = {"ok": False, "error": "ratelimited"}
        return JSONResponse(answer, status_code=429, headers={"Retry-After": str(seconds)})

    def address(self, socket: WebSocket) -> str:
        return self._links[int(socket.url.path.rpartition("/")[2])]

    def answer(self, path: str, content: bytes) -> bytes:
        if not path.startswith("/api/") or not content.startswith(b"{"):
            return content
        told = self._typed(json.loads(content))
        if path.endswith("apps.connections.open") and told.get("url"):
            self._links.append(told["url"])
            told["url"] = f"{self.url.replace('http', 'ws', 1)}/link/{len(self._links) - 1}"
        return json.dumps(told).encode()

    def frame(self, text: str | bytes) -> str | bytes | None:
        told = self._typed(json.loads(text))
        if told.get("type") == "events_api":
            if float(told["payload"]["event"].get("event_ts") or self._since) < self._since:
                return None  # of a case before, whose bot ended without acknowledging it: Slack delivers it again
            self._past.append((time.monotonic(), told))
        return json.dumps(told)

    def reply(self, text: str) -> str | None:
        """What was delivered again from here is nothing that Slack waits for."""
        return None if json.loads(text).get("envelope_id") in self._made else text

    async def redeliver(self) -> None:
        """As after acknowledgements that got lost (docs.slack.dev/apis/events-api/#retries)."""
        for at, told in [*self._past]:
            if at > time.monotonic() - AGAIN_SECONDS:
                envelope = secrets.token_hex(8)
                self._made.add(envelope)
                again = {"envelope_id": envelope, "retry_attempt": 1, "retry_reason": "timeout"}
                await self.send(json.dumps(told | again))

    def _typed(self, told: Any) -> Any:
        if isinstance(told, list):
            return [self._typed(one) for one in told]
        if isinstance(told, str):
            return told.replace(f"{self.upstream}/", f"{self.url}/") if "//127.0.0.1" in self.upstream else told
        if not isinstance(told, Mapping):
            return told
        by_hand = "bot_id" in told and told.get("user") in self.people
        return {key: self._typed(value) for key, value in told.items() if not (by_hand and key in MARK)}


class SlackServerWorkplace:
    name: PlatformName = "slack"
    wordless = ""
    keeps_history = False

    def __init__(self, url: str, access: Access) -> None:
        self._api = url.rstrip("/") + "/"
        self._access = access
        parts = urlsplit(self._api)
        self._between = BetweenSlack(f"{parts.scheme}://{parts.netloc}")
        self._path = parts.path
        self._tokens = {person: getattr(access, f"{person}_token") for person in PEOPLE}
        self._ids: dict[str, str] = {}
        self._authors: dict[tuple[str, str], str] = {}
        """Who wrote which message: they alone can change it."""
        self._channels: dict[str, str] = {}
        """Who made which channel."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            self._session = await stack.enter_async_context(aiohttp.ClientSession())
            self._clients = {person: self._client(token) for person, token in self._tokens.items()}
            for person, client in self._clients.items():
                self._ids[person] = str((await client.auth_test())["user_id"])
            self._bot = str((await self._client(self._access.bot_token).auth_test())["user_id"])
            self._between.people = {*self._ids.values()}
            await stack.enter_async_context(self._between.opened())
            stack.push_async_callback(self._put_away)
            yield

    def _client(self, token: SecretStr) -> AsyncWebClient:
        patient = [AsyncRateLimitErrorRetryHandler(max_retry_count=10), AsyncConnectionErrorRetryHandler()]
        return AsyncWebClient(token.get_secret_value(), self._api, session=self._session, retry_handlers=patient)

    def platform(self) -> ChatPlatform:
        from bot.platforms.slack.platform import SlackPlatform

        settings = SlackSettings(
            base_url=f"{self._between.url}{self._path}",
            bot_token=self._access.bot_token,
            app_token=self._access.app_token,
        )
        return SlackPlatform(settings, say=Phrases().say, languages=LANGUAGES)

    async def id_of(self, person: str) -> str:
        return self._ids[self._person(person)]

    async def locale(self, person: str, language: str) -> None:
        cannot("no method sets somebody's language in Slack")

    async def direct(self, person: str) -> str:
        opened = await self._clients[self._person(person)].conversations_open(users=self._bot)
        return str(opened["channel"]["id"])

    async def channel(self, *people: str, bot: bool = True, shared: bool = False) -> str:
        if shared:
            cannot("a channel is shared by two workspaces, and there is one")
        first, *others = [self._person(person) for person in people]
        client = self._clients[first]
        channel = str((await client.conversations_create(name=f"souffleur-{secrets.token_hex(4)}"))["channel"]["id"])
        self._channels[channel] = first
        if invited := [self._ids[person] for person in others] + ([self._bot] if bot else []):
            await client.conversations_invite(channel=channel, users=",".join(invited))
        return channel

    async def enter(self, channel: str, person: str) -> None:
        client = self._clients[self._channels[channel]]
        await client.conversations_invite(channel=channel, users=self._ids[self._person(person)])

    async def leave(self, channel: str, person: str) -> None:
        await self._clients[self._person(person)].conversations_leave(channel=channel)

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
        client = self._clients[self._person(by)]
        words = self._addressed(text, mention=mention, to=to)
        if files:
            message = await self._sent_with(client, channel, words, files, thread)
        else:
            posted = await client.chat_postMessage(
                channel=channel, text=words, thread_ts=thread, unfurl_links=False, unfurl_media=False
            )
            message = str(posted["ts"])
        self._authors[(channel, message)] = by
        return message

    async def edit(self, channel: str, message: str, text: str, *, mention: bool = False) -> None:
        client = self._clients[self._authors[(channel, message)]]
        await client.chat_update(channel=channel, ts=message, text=self._addressed(text, mention=mention))

    async def delete(self, channel: str, message: str) -> None:
        await self._clients[self._authors[(channel, message)]].chat_delete(channel=channel, ts=message)

    async def command(self, text: str, *, by: str, channel: str) -> str:
        cannot("no method gives a slash command in Slack")

    async def point(self, channel: str, message: str, *, by: str) -> None:
        """By reaction; no method chooses a shortcut."""
        await self._clients[self._person(by)].reactions_add(channel=channel, timestamp=message, name="question")

    async def press(self, channel: str, message: str, action: str, *, by: str) -> str:
        cannot("no method presses a button in Slack")

    async def submit(self, remark: str, *, by: str) -> None:
        cannot("no method sends a form in Slack")

    async def stop(self, channel: str, thread: str, *, by: str) -> None:
        cannot("no method presses Stop in Slack")

    async def seen(self, channel: str, *, by: str, thread: str | None = None) -> tuple[Shown, ...]:
        client = self._clients[self._person(by)]
        try:
            if thread:
                found = await client.api_call("conversations.replies", params={"channel": channel, "ts": thread})
            else:
                found = await client.conversations_history(channel=channel)
        except SlackApiError as error:
            if error.response.get("error") in MISSING:
                return ()
            raise
        messages = [one for one in found["messages"] if one.get("subtype") in (None, "file_share")]
        return tuple(self._shown(one) for one in sorted(messages, key=lambda one: float(one["ts"])))

    async def status(self, channel: str, thread: str) -> str:
        cannot("no method reads the status of a thread in Slack")

    async def changed(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._between.stirred.wait()
        self._between.stirred.clear()

    async def say_as_bot(self, channel: str, text: str, *, mention: bool = True) -> str:
        cannot("there is no other bot in the workspace whose token is known")

    async def redeliver(self) -> None:
        await self._between.redeliver()

    async def disconnect(self, *, resumable: bool = True) -> None:
        if not resumable:
            cannot("Slack delivers again what was not acknowledged, and nothing makes it forget")
        self._between.disconnect()

    async def busy(self, calls: int, *, seconds: int = 1) -> None:
        self._between.busy(calls, seconds=seconds)

    async def expire_streams(self) -> None:
        cannot("a stream ends after five minutes, and nothing else makes Slack end it")

    def pass_time(self, seconds: float) -> None:
        """Slack's clock stays as it is: by the bot's own, all that was said so far is older."""
        if seconds > PAST_MINUTES * 60:
            cannot("Slack's clock cannot be put on")

    async def refused(self) -> Sequence[str]:
        return ()

    # Inside

    def _person(self, name: str) -> str:
        return name if name in self._tokens else cannot(f"there is no token of {name!r}, who is a guest")

    def _addressed(self, text: str, *, mention: bool, to: str | None = None) -> str:
        whom = ([self._bot] if mention else []) + ([self._ids[to]] if to else [])
        return " ".join([*(f"<@{id}>" for id in whom), typed(text)])

    async def _sent_with(
        self, client: AsyncWebClient, channel: str, words: str, files: Sequence[Upload], thread: str | None
    ) -> str:
        """A message with files; Slack tells the message by each file's shares, a moment later."""
        sent = []
        for file in files:
            address = await client.files_getUploadURLExternal(filename=file.name, length=len(file.content))
            async with self._session.post(address["upload_url"], data=file.content) as answer:
                assert answer.status == 200, f"the upload of {file.name} was answered with {answer.status}"
            sent.append({"id": address["file_id"], "title": file.name})
        await client.files_completeUploadExternal(
            files=sent, channel_id=channel, initial_comment=words, thread_ts=thread or None
        )
        while True:
            shares = (await client.files_info(file=sent[0]["id"]))["file"].get("shares") or {}
            for places in shares.values():
                if channel in places:
                    return str(places[channel][0]["ts"])
            await asyncio.sleep(POLL_SECONDS)

    def _shown(self, message: Mapping[str, Any]) -> Shown:
        user = str(message.get("user") or "")
        names = {id: person for person, id in self._ids.items()} | {self._bot: BOT}
        blocks = message.get("blocks") or []
        text, links = _read(message) if user == self._bot else from_mrkdwn(str(message.get("text") or ""))
        pressable = (action_of(element) for _, element in buttons(blocks))
        said = [str(message.get("text") or ""), *(part for block in blocks for part in strings(block))]
        notified = {names[id] for part in said for id in MENTION.findall(part) if id in names}
        notified |= {*PEOPLE} if any(BROADCAST.search(part) for part in said) else set()
        for id, person in names.items():
            text = text.replace(f"@{id}", f"@{person}")
        return Shown(
            id=str(message["ts"]),
            by=names.get(user, user),
            text=text.replace(WORD_JOINER, ""),
            links=tuple(dict.fromkeys(links)),
            buttons=tuple(filter(None, pressable)),
            streaming=message.get("streaming_state") == "in_progress",
            notified=tuple(sorted(notified)),
        )

    async def _put_away(self) -> None:
        """Leave nothing that the bot of the next case would look at: direct messages are the same in every case."""
        for (channel, message), person in self._authors.items():
            if channel not in self._channels:
                with suppress(SlackApiError):  # somebody has deleted it in the case itself
                    await self._thread_deleted(channel, message, self._clients[person])
        for channel, person in self._channels.items():
            await self._clients[person].conversations_archive(channel=channel)

    async def _thread_deleted(self, channel: str, message: str, client: AsyncWebClient) -> None:
        found = await client.api_call("conversations.replies", params={"channel": channel, "ts": message})
        bot = self._client(self._access.bot_token)
        for reply in found["messages"]:
            if reply.get("user") == self._bot:
                await bot.chat_delete(channel=channel, ts=reply["ts"])
        await client.chat_delete(channel=channel, ts=message)


def _read(message: Mapping[str, Any]) -> tuple[str, list[str]]:
    """All that is readable in a message of the app, as the API hands it out: Markdown comes back as rich text."""
    texts: list[str] = []
    links: list[str] = []
    for block in message.get("blocks") or ():
        if block["type"] == "rich_text":
            parts = [{**block, "elements": [element]} for element in block["elements"]]
        else:
            parts = [block]
        for part in parts:
            text, found = readable(part)
            texts += [f"```\n{text}\n```" if _is_code(part) else text] if text else []
            links += found
    if not texts:
        return from_mrkdwn(str(message.get("text") or ""))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(texts)), links


def _is_code(block: Mapping[str, Any]) -> bool:
    elements = block.get("elements") or [{}]
    return block["type"] == "rich_text" and elements[0].get("type") == "rich_text_preformatted"
