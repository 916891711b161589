"""What the server posts here: the slash command, buttons that were pressed, forms that were sent.

A slash command comes with its token, which is compared in constant time. Presses and forms come with nothing that
proves who sent them; what they are about is signed by whoever made the button, and checked in `receive`. The post is
looked up for where it is and whether it is the bot's own, and so is whether that person is there at all.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.platforms.events import Commanded, Event, Pressed, Spot
from bot.platforms.interface import Form, MessageGone, PlatformRefused, Receipt, Receive
from bot.platforms.mattermost.client import Client
from bot.platforms.mattermost.convert import REMARK_RUNES, addressed_to, dialog, digest
from bot.platforms.mattermost.directory import ID, Directory
from bot.platforms.mattermost.hearing import Hearing
from bot.platforms.mattermost.payloads import Action, Payload, SlashCommand, Submission
from bot.platforms.mattermost.settings import MattermostSettings
from ingest.errors import SouffleurError

logger = logging.getLogger(__name__)

COMMAND, ACTION, FORM = "/mattermost/command", "/mattermost/action", "/mattermost/form"

LONGEST_BODY = 256 * 1024
"""Bytes; the longest message has 64 KiB, and form encoding makes up to three of one."""

BODY_SECONDS = 10.0
"""For all of a body to come."""

LOOKED_UP_AT_ONCE = 16
"""Presses and forms; thirty people press at once without one of them waiting long."""

LONGEST_VALUE = 2_000
"""Characters of what a button carries; more is none of ours."""

_Kind = TypeVar("_Kind", bound=Payload)


class _Refusal(Exception):
    """Answered so, and nothing reported."""

    def __init__(self, status: int, says: str) -> None:
        super().__init__(says)
        self.status = status


class Callbacks:
    """The routes; what comes by them is reported once `receive` is there."""

    def __init__(
        self,
        settings: MattermostSettings,
        client: Client,
        directory: Directory,
        hearing: Hearing,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._directory = directory
        self._hearing = hearing
        self._now = now
        self._tokens = [
            token.strip().encode()
            for token in (settings.command_token.get_secret_value() if settings.command_token else "").split(",")
            if token.strip()
        ]
        base = settings.callback_url.rstrip("/") if settings.callback_url else None
        self.action_url = base + ACTION if base else None
        self._form_url = base + FORM if base else None
        self.receive: Receive | None = None
        self._looked_up = 0

    @property
    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route(path, self._answering(answer), methods=["POST"])
            for path, answer in ((COMMAND, self._command), (ACTION, self._action), (FORM, self._form))
        ]

    def _answering(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return await answer(request)
            except _Refusal as refusal:
                logger.warning("mattermost: %s was refused: %s", request.url.path, refusal)
                return PlainTextResponse(str(refusal), refusal.status)
            except ClientDisconnect:
                return Response(status_code=400)
            except SouffleurError as error:
                logger.error("mattermost: %s was not handled: %s", request.url.path, error)
                return PlainTextResponse("Not now; try again in a moment.", 503)

        return endpoint

    async def _command(self, request: Request) -> Response:
        fields = dict(parse_qsl((await _body(request)).decode("utf-8", "replace"), keep_blank_values=True))
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not self._is_ours(token if scheme.lower() == "token" else fields.get("token", "")):
            raise _Refusal(
                403, "the command's token is not one of SOUFFLEUR_MATTERMOST_COMMAND_TOKEN (`bot setup mattermost`)"
            )
        command = _read(SlashCommand, fields)
        me = await self._directory.me()
        spot = self._hearing.place(
            command.channel_id, thread=command.root_id, direct=me.id in command.channel_name.split("__")
        )
        event = Commanded(
            spot=spot,
            id=digest(command.trigger_id),
            by=command.user_id,
            at=self._now(),
            text=command.text.replace("\x00", "").strip(),
            respond_to=addressed_to(command.user_id, command.response_url),
        )
        receipt = await self._received(event)
        if receipt.form is not None:
            await self._open(receipt.form, command.trigger_id, message="")
        return JSONResponse({"response_type": "ephemeral", "text": receipt.text, "skip_slack_parsing": True})

    async def _action(self, request: Request) -> Response:
        action = _read_json(Action, await _body(request))
        value = action.context.get("value")
        if not isinstance(value, str) or not 0 < len(value) <= LONGEST_VALUE:
            raise _Refusal(400, "a press without what a button of ours carries")
        spot, message = await self._place(action.post_id, claimed=action.channel_id, user=action.user_id)
        event = Pressed(
            spot=spot,
            message=message,
            id=digest(action.trigger_id, action.user_id, action.post_id, value),
            by=action.user_id,
            at=self._now(),
            value=value,
        )
        receipt = await self._received(event)
        if receipt.form is not None:
            await self._open(receipt.form, action.trigger_id, message=action.post_id)
        return JSONResponse({"ephemeral_text": receipt.text, "skip_slack_parsing": True} if receipt.text else {})

    async def _form(self, request: Request) -> Response:
        """Once a form is sent it closes; Mattermost shows no text after it, and so the receipt's is not shown."""
        form = _read_json(Submission, await _body(request))
        if form.cancelled:
            return JSONResponse({})
        if not 0 < len(form.state) <= LONGEST_VALUE:
            raise _Refusal(400, "a form without what ours carries")
        remark = str(form.submission.get("remark") or "").replace("\x00", "")[:REMARK_RUNES]
        spot, message = await self._place(form.callback_id, claimed=form.channel_id, user=form.user_id)
        await self._received(
            Pressed(
                spot=spot,
                message=message,
                id=digest(form.callback_id, form.state, form.user_id, remark),
                by=form.user_id,
                at=self._now(),
                value=form.state,
                remark=remark,
            )
        )
        return JSONResponse({})

    async def _place(self, post_id: str, *, claimed: str, user: str) -> tuple[Spot, str]:
        """Where the button is, and under which message: "" for a private one, which is kept nowhere.

        Anybody may post here: how many of them are looked up at once is bounded, so that they do not use up the calls
        that answers need.
        """
        if self._looked_up >= LOOKED_UP_AT_ONCE:
            raise _Refusal(503, "too many presses at once; try again in a moment")
        self._looked_up += 1
        try:
            return await self._found(post_id, claimed=claimed, user=user)
        finally:
            self._looked_up -= 1

    async def _found(self, post_id: str, *, claimed: str, user: str) -> tuple[Spot, str]:
        if not ID.fullmatch(user):
            raise _Refusal(400, "whoever is said to have pressed has no id as Mattermost's are")
        try:
            post = await self._client.post(post_id) if ID.fullmatch(post_id) else None
        except (MessageGone, PlatformRefused):
            post = None
        if post is None:
            if not ID.fullmatch(claimed):
                raise _Refusal(400, "where somebody is said to have pressed has no id as Mattermost's are")
            return self._hearing.place(claimed, thread="", direct=False), ""
        me = (await self._directory.me()).id
        if post.user_id != me:
            raise _Refusal(403, "the message is none of the bot's")
        if user == me:
            raise _Refusal(403, "the bot is said to have pressed, which presses nothing")
        if not await self._client.is_member(post.channel_id, user):
            raise _Refusal(403, "whoever is said to have pressed is not in the channel")
        return await self._hearing.spot(post), post.id

    async def _received(self, event: Event) -> Receipt:
        if self.receive is None:
            raise _Refusal(503, "the bot does not listen yet; try again in a moment")
        try:
            return await self.receive(event)
        except Exception as error:
            # Whatever the database raised: not kept, and so not acknowledged.
            logger.error("mattermost: %s could not be kept (%s: %s)", event.kind, type(error).__name__, error)
            raise _Refusal(503, "it could not be kept; try again in a moment") from error

    async def _open(self, form: Form, trigger: str, *, message: str) -> None:
        if self._form_url is None:
            return
        try:
            await self._client.open_form(trigger, self._form_url, dialog(form, message=message))
        except SouffleurError as error:
            # What was pressed is kept; it is the reason for it that will be missing.
            logger.warning("mattermost: the form could not be opened: %s", error)

    def _is_ours(self, token: str) -> bool:
        given = token.strip().encode()
        return any(hmac.compare_digest(given, own) for own in self._tokens)


async def _body(request: Request) -> bytes:
    found = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                found += piece
                if len(found) > LONGEST_BODY:
                    raise _Refusal(413, "the body is too large")
    except TimeoutError as error:
        raise _Refusal(408, "the body did not come in time") from error
    return bytes(found)


def _read(kind: type[_Kind], fields: Any) -> _Kind:
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise _Refusal(400, f"not a {kind.__name__.lower()} as Mattermost sends it") from error


def _read_json(kind: type[_Kind], body: bytes) -> _Kind:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise _Refusal(400, f"not a {kind.__name__.lower()} as Mattermost sends it") from error
