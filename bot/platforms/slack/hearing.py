"""What Slack delivers, by either mode: kept as an event, answered at once, acknowledged; in this order.

Bolt checks signatures, answers Slack's own questions and leaves out what the bot does itself. Its middleware runs
before anything is acknowledged, so that one middleware is all there is: an exception in it means no acknowledgement,
and Slack delivers again. What is nothing to us is acknowledged all the same, or Slack would deliver it again, too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.phrases import Say
from bot.platforms import rendering
from bot.platforms.events import Commanded, Event, Pointed, Pressed
from bot.platforms.interface import MessageGone, PlatformRefused, PlatformUnavailable, Receipt, Receive
from bot.platforms.slack import blocks, convert
from bot.platforms.slack.blocks import Page
from bot.platforms.slack.changes import Changes
from bot.platforms.slack.client import Client
from bot.platforms.slack.convert import Identity, Reading
from bot.platforms.slack.directory import MOST_MEMBERS, MOST_NAMED, Directory
from bot.platforms.slack.markup import escaped
from bot.platforms.slack.posting import Posting
from bot.platforms.slack.settings import SlackSettings

logger = logging.getLogger(__name__)

NAMING_SECONDS = 1.0
"""For the names in a message: Slack wants its acknowledgement within three seconds."""

TRIGGER_SECONDS = 3.0
"""A form can be opened so long after the press (https://docs.slack.dev/reference/methods/views.open)."""

PROMPTS = ("chat-prompt-1", "chat-prompt-2", "chat-prompt-3")

Found = TypeVar("Found", bound=Event)

Later = Callable[[Coroutine[Any, Any, None]], None]
"""Has something done after the acknowledgement."""


class NotListening(PlatformUnavailable):
    """Something was delivered while nobody listens; Slack delivers it again."""


class Hearing:
    """Takes what is delivered to one app in one workspace."""

    def __init__(
        self,
        settings: SlackSettings,
        client: Client,
        directory: Directory,
        changes: Changes,
        *,
        say: Say,
        languages: Sequence[str],
        identity: Callable[[], Awaitable[Identity]],
    ) -> None:
        self._settings = settings
        self._client = client
        self._directory = directory
        self._changes = changes
        self._posting = Posting(client)
        self._say = say
        self._languages = languages
        self._identity = identity
        self.receive: Receive | None = None
        """Set while the platform runs."""
        self.later: Later | None = None
        self.heard = 0.0
        """The latest moment of anything heard, by Slack's clock."""
        self._app: AsyncApp | None = None

    @property
    def app(self) -> AsyncApp:
        """Bolt's, made when it is first needed."""
        if self._app is None:
            secret = self._settings.signing_secret
            self._app = AsyncApp(
                name="souffleur",
                logger=logging.getLogger(f"{__name__}.bolt"),
                client=self._client.web,
                # Without a secret nothing but Socket Mode is let through.
                signing_secret=secret.get_secret_value() if secret else None,
                request_verification_enabled=secret is not None or self._settings.mode == "http",
                # After signatures, and before Bolt asks Slack anything: what came first is not to be overtaken.
                before_authorize=self._hear_changes,
            )
            self._app.use(self._hear)
            self._app.error(_not_kept)
        return self._app

    async def dispatch(self, request: AsyncBoltRequest) -> BoltResponse:
        """What Slack is answered; 200 acknowledges. Nothing that a payload holds ends the listening."""
        try:
            return await self.app.async_dispatch(request)
        except Exception as error:  # noqa: BLE001 (the platform's event loop: Bolt reads payloads before we do)
            return await _not_kept(error)

    async def _hear_changes(self, req: AsyncBoltRequest, next: Callable[[], Awaitable[None]]) -> BoltResponse | None:
        """What is said after a change is answered for those whom the change left there."""
        event = req.body.get("event")
        if req.body.get("type") == "app_rate_limited":
            logger.warning("slack: events were left out, since there were too many in an hour; all is asked again")
            self._changes.missed()
            return _acknowledged()
        if isinstance(event, Mapping):
            if self._changes.hear(event, await self._identity()):
                return _acknowledged()
            if req.body.get("is_ext_shared_channel"):
                self._changes.shared(str(event.get("channel")))
        await next()
        return None

    async def _hear(self, req: AsyncBoltRequest) -> BoltResponse:
        body = req.body
        self._client.web.session = self._client.session
        me = await self._identity()
        match body.get("type"):
            case "event_callback":
                return await self._event(body["event"], me)
            case "block_actions":
                return await self._pressed(_read(convert.of_press, body, await self._reading(body, me)), body)
            case "message_action":
                return await self._kept(_read(convert.of_shortcut, body, await self._reading(body, me)))
            case "view_submission":
                return await self._sent(body, me)
            case None if body.get("command") == self._settings.command:
                return await self._commanded(body, me)
            case _:
                return _acknowledged()

    async def reading(self, payload: Any, me: Identity, *, within: float = NAMING_SECONDS) -> Reading:
        """What is needed to read `payload`: the names in it."""
        return await self.reading_of(convert.named(payload), me, within=within, most=MOST_NAMED)

    async def reading_of(self, ids: set[str], me: Identity, *, within: float, most: int = MOST_MEMBERS) -> Reading:
        names = await self._directory.names(ids - {me.user}, me, within=within, most=most)
        return Reading(me=me, names=names, ask_reaction=self._settings.ask_reaction)

    _reading = reading

    async def keep(self, event: Event) -> Receipt:
        """Raises what a database may raise; the event is not acknowledged then."""
        if self.receive is None:
            raise NotListening("slack: the bot is not up yet, or on its way down; Slack delivers again")
        return await self.receive(event)

    async def _event(self, event: Mapping[str, Any], me: Identity) -> BoltResponse:
        if event.get("type") == "app_home_opened":
            if event.get("tab") == "messages":
                self._afterwards(self._suggest(str(event["channel"]), str(event["user"]), me))
            return _acknowledged()
        found = _read(convert.of_event, event, await self._reading({"event": event}, me))
        if isinstance(found, Pointed) and await self._directory.is_bot(found.by, me):
            return _acknowledged()
        if found is not None:
            await self.keep(found)
            self.heard = max(self.heard, found.at.timestamp())
        return _acknowledged()

    async def _kept(self, event: Event | None) -> BoltResponse:
        if event is not None:
            await self.keep(event)
        return _acknowledged()

    async def _commanded(self, body: Mapping[str, Any], me: Identity) -> BoltResponse:
        commanded: Commanded = convert.of_command(body, await self._reading(body, me), self._now())
        receipt = await self.keep(commanded)
        if not receipt.text:
            return _acknowledged()
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": escaped(receipt.text)})

    async def _pressed(self, pressed: Pressed | None, body: Mapping[str, Any]) -> BoltResponse:
        if pressed is None:
            return _acknowledged()
        receipt = await self.keep(pressed)
        if receipt.form is not None:
            metadata = convert.form_metadata(pressed, receipt.form.value)
            self._afterwards(self._open(str(body["trigger_id"]), blocks.form(receipt.form, metadata)))
        if receipt.text:
            self._afterwards(self._tell(pressed, receipt.text))
        return _acknowledged()

    async def _sent(self, body: Mapping[str, Any], me: Identity) -> BoltResponse:
        reading = await self._reading({}, me)
        pressed = _read(lambda body, reading: convert.of_form(body, reading, self._now()), body, reading)
        if pressed is not None:
            receipt = await self.keep(pressed)
            if receipt.text:
                self._afterwards(self._tell(pressed, receipt.text))
        return _acknowledged()

    async def _open(self, trigger: str, view: Mapping[str, Any]) -> None:
        await self._client.call("views.open", urgent=True, within=TRIGGER_SECONDS, trigger_id=trigger, view=view)

    async def _tell(self, pressed: Pressed, text: str) -> None:
        """To whoever pressed, alone; where that cannot be shown in place it is left out: it is but a courtesy."""
        page = Page(markdown=rendering.quiet(text))
        if pressed.respond_to:
            thread = {"thread_ts": pressed.spot.thread} if pressed.spot.thread else {}
            told = {"response_type": "ephemeral", "replace_original": False, **thread}
            await self._client.respond(pressed.respond_to, {**told, "text": page.preview, "blocks": page.blocks})
        else:
            await self._posting.ephemeral(pressed.spot, pressed.by, page)

    async def _suggest(self, channel: str, user: str, me: Identity) -> None:
        """Questions to begin with, in the language of whoever opened the messages."""
        locale = (await self._directory.person(user, me)).locale
        language = locale if locale is not None and locale in self._languages else self._languages[0]
        prompts = [
            {"title": self._say(language, f"{key}-title"), "message": self._say(language, key)} for key in PROMPTS
        ]
        await self._client.call(
            "assistant.threads.setSuggestedPrompts",
            channel_id=channel,
            title=self._say(language, "chat-prompts-title"),
            prompts=prompts,
        )

    def _afterwards(self, work: Coroutine[Any, Any, None]) -> None:
        if self.later is None:
            work.close()
            raise NotListening("slack: the bot is on its way down; Slack delivers again")
        self.later(_courtesy(work))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC)


def _read(
    convert_to: Callable[[Mapping[str, Any], Reading], Found | None],
    payload: Mapping[str, Any],
    reading: Reading,
) -> Found | None:
    """What is in a payload; one that is not as documented is dropped, as it would be no better when it comes again."""
    try:
        return convert_to(payload, reading)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        logger.error(
            "slack: a payload of type %r is not as documented (%s: %s), and is dropped",
            payload.get("type"),
            type(error).__name__,
            error,
        )
        return None


async def _courtesy(work: Coroutine[Any, Any, None]) -> None:
    try:
        async with asyncio.timeout(30):
            await work
    except (PlatformUnavailable, PlatformRefused, MessageGone, TimeoutError) as error:
        logger.warning("not shown: %s", str(error) or "no answer in time")
    except Exception as error:  # the platform's event loop: no courtesy may end it
        logger.error("not shown: %s", type(error).__name__, exc_info=error)


async def _not_kept(error: Exception) -> BoltResponse:
    """Whatever happened, the payload is not kept: Slack delivers it again."""
    if isinstance(error, PlatformUnavailable | PlatformRefused):
        logger.warning("not kept, and so delivered again: %s", error)
    else:
        logger.error("not kept, and so delivered again: %s: %s", type(error).__name__, error, exc_info=error)
    return BoltResponse(status=503, body="")


def _acknowledged() -> BoltResponse:
    return BoltResponse(status=200, body="")
