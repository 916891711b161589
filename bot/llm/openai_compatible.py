"""A chat model behind any OpenAI-compatible gateway, streamed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, Any, NamedTuple, cast

import openai
import stamina
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.llm.interface import BudgetSpent, ChatRefused, ChatSettings, ChatUnavailable, Message, Prompt
from ingest.http import asked_to_wait, is_busy, pause, words
from ingest.index.endpoint import api_root, plain_key

MOST_CHARACTERS = 200_000
"""Of one answer; a gateway that ignores `max_tokens` is stopped there."""

MOST_TOKENS = 100_000_000
"""Of one call; a gateway that counts more cannot count, and its word is not taken."""

ATTEMPTS = 3
"""Tries before the first token, the first included; nothing is tried again once text has come."""

REFUSED = (400, 422)
"""Statuses by which gateways refuse a field of the request; LiteLLM and vLLM say 400."""

ADDITIONS: Mapping[str, tuple[str, str]] = {
    "response_format": ("json_schema", "replies are asked for in words; set `json_schema: false`"),
    "stream_options": ("include_usage", "tokens are estimated"),
}
"""Fields that not every gateway takes: another word by which a refusal may name each, and what follows from it."""

BUDGET_STATUSES = (400, 422, 429)
"""By which LiteLLM has told, from version to version, that a budget is spent."""

BUDGET = "budget_exceeded"
"""`error.type` of such a refusal: https://docs.litellm.ai/docs/proxy/users."""

SCHEMA_NAME = "reply"
"""Of the JSON schema; wanted of every request that has one."""

NO_KEY = "none"
"""Sent where no key is configured: the client insists on one, and gateways without keys do not look at it."""

DRAIN_SECONDS = 1.0
"""How long the end of a stream is waited for when the text is complete."""

logger = logging.getLogger(__name__)


class _Deadline(NamedTuple):
    """A moment on the loop's clock, and the limit in words that it stands for; the earlier one is the smaller."""

    at: float
    limit: str


class _Delta(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    content: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None


class _Choice(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(BaseModel):
    """What is read of a chunk; the client itself does not check what it receives."""

    model_config = ConfigDict(from_attributes=True)

    choices: list[_Choice] | None = None
    usage: Any = None


Count = Annotated[int, Field(ge=0, le=MOST_TOKENS)]


class _Usage(BaseModel):
    """What the gateway counted: with the last chunk, behind the end of the text, where it is asked for."""

    model_config = ConfigDict(from_attributes=True)

    prompt_tokens: Count
    completion_tokens: Count


class OpenAIWriter:
    """Writes with `POST {base_url}/chat/completions`, streamed. `section` is where its settings stand, for messages.

    `first_token_seconds` runs until the model says or thinks something, retries included; `between_tokens_seconds` from
    one piece to the next; `total_seconds` over all. What a model thinks (`reasoning_content`, or a `<think>` block at
    the beginning) is not part of the text. A text cut at `max_tokens` is complete, and logged.

    A gateway that refuses a field which not all of them take is asked again without it, and never sent it again.
    """

    def __init__(self, settings: ChatSettings, *, section: str = "models.chat") -> None:
        self._settings = settings
        self._section = section
        self._key_name = f"SOUFFLEUR_{section.rpartition('.')[2].upper()}_API_KEY"
        self._left_out: set[str] = set()
        self.name = settings.model
        try:
            root = api_root(settings.base_url)
            key = plain_key(settings.api_key)
        except ValueError as error:
            raise ChatRefused(f"{section}: {error}") from error
        self._who = f"{section}: {settings.model!r} at {root!r}"
        self._key = key
        # A redirect would take the passages to a place that nobody configured.
        transport = openai.DefaultAsyncHttpxClient(follow_redirects=False)
        self._client = openai.AsyncOpenAI(
            base_url=root, api_key=key or NO_KEY, max_retries=0, timeout=None, http_client=transport
        )

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        settings, clock = self._settings, asyncio.get_running_loop().time
        end = _Deadline(clock() + settings.total_seconds, f"{settings.total_seconds:g} s for the whole answer")
        first = _Deadline(
            clock() + settings.first_token_seconds, f"{settings.first_token_seconds:g} s to the first token"
        )
        prompt.usage.prompt_tokens = prompt.usage.reply_tokens = None
        stream = await self._open(prompt, min(end, first))
        try:
            text, heard, finished = _Spoken(), False, None
            room = MOST_CHARACTERS
            while finished is None:
                between = _Deadline(
                    clock() + settings.between_tokens_seconds, f"{settings.between_tokens_seconds:g} s between tokens"
                )
                choice = await self._next(stream, prompt, min(end, between if heard else first))
                finished, delta = choice.finish_reason, choice.delta or _Delta()
                heard = heard or bool(delta.content or delta.reasoning_content or delta.reasoning)
                room -= len(delta.content or "")
                if room < 0:
                    raise ChatUnavailable(
                        f"{self._who} wrote on beyond its {prompt.max_tokens} tokens; look at its log"
                    )
                if piece := text.add(delta.content or ""):
                    yield piece
            if piece := text.rest():
                yield piece
            self._check_end(finished, prompt, spoken=text.began)
            await _drain(stream, prompt)
        finally:
            await stream.close()

    async def close(self) -> None:
        await self._client.close()

    async def _open(self, prompt: Prompt, deadline: _Deadline) -> openai.AsyncStream[ChatCompletionChunk]:
        try:
            async with asyncio.timeout_at(deadline.at):
                return await self._opened(prompt)
        except TimeoutError as error:
            raise self._too_late(deadline) from error
        except openai.APIStatusError as error:
            raise self._refusal(error) from error
        except openai.OpenAIError as error:
            raise ChatUnavailable(
                f"{self._who} cannot be reached ({self._reason(error)}); is the gateway up?"
            ) from error

    async def _opened(self, prompt: Prompt) -> openai.AsyncStream[ChatCompletionChunk]:
        """The stream; without a field that the gateway refuses by its name, where one is no must."""
        while True:
            sent = {name: value for name, value in self._additions(prompt).items() if name not in self._left_out}
            try:
                return await self._requested(prompt, sent)
            except openai.APIStatusError as error:
                refused = _refused(error, sent)
                if not refused:
                    raise
                for name in refused - self._left_out:
                    logger.warning("%s does not take `%s`: %s", self._who, name, ADDITIONS[name][1])
                self._left_out |= refused

    async def _requested(self, prompt: Prompt, additions: Mapping[str, Any]) -> openai.AsyncStream[ChatCompletionChunk]:
        messages = [{"role": message.role, "content": _content(message)} for message in prompt.messages]
        async for attempt in stamina.retry_context(on=self._wait, attempts=ATTEMPTS, timeout=None):
            with attempt:
                stream = await self._client.chat.completions.create(
                    model=self._settings.model,
                    messages=cast(list[ChatCompletionMessageParam], messages),
                    temperature=self._settings.temperature,
                    max_tokens=prompt.max_tokens,
                    stream=True,
                    # No field to be left out where it is refused: budgets would then hold for nobody.
                    user=prompt.user if prompt.user and self._settings.send_user else openai.omit,
                    **additions,
                )
        return cast(openai.AsyncStream[ChatCompletionChunk], stream)

    def _additions(self, prompt: Prompt) -> dict[str, Any]:
        """The fields of `ADDITIONS` that go with `prompt`."""
        additions: dict[str, Any] = {"stream_options": {"include_usage": True}}
        if prompt.schema is not None and self._settings.json_schema:
            schema = {"name": SCHEMA_NAME, "schema": prompt.schema, "strict": True}
            additions["response_format"] = {"type": "json_schema", "json_schema": schema}
        return additions

    async def _next(
        self, stream: openai.AsyncStream[ChatCompletionChunk], prompt: Prompt, deadline: _Deadline
    ) -> _Choice:
        """The next choice of the stream; an empty one for a chunk without any."""
        try:
            async with asyncio.timeout_at(deadline.at):
                raw: Any = await anext(stream, None)
            chunk = None if raw is None else _Chunk.model_validate(raw)
        except TimeoutError as error:
            raise self._too_late(deadline) from error
        except openai.OpenAIError as error:
            raise ChatUnavailable(
                f"{self._who} broke off its answer ({self._reason(error)}); look at its log"
            ) from error
        except (ValueError, RecursionError) as error:
            raise ChatUnavailable(f"{self._who} sent something that is no chat completion; look at its log") from error
        if chunk is None:
            kind = stream.response.headers.get("content-type")
            raise ChatUnavailable(
                f"{self._who} ended its answer ({kind}) before it was complete; look at its log, and whether "
                "`base_url` is the address of an OpenAI-compatible server"
            )
        _count(chunk, prompt)
        return chunk.choices[0] if chunk.choices else _Choice()

    def _check_end(self, finished: str | None, prompt: Prompt, *, spoken: bool) -> None:
        if finished == "content_filter":
            raise ChatRefused(f"{self._who} stopped at its content filter; loosen the filter, or ask otherwise")
        if not spoken:
            raise ChatUnavailable(
                f"{self._who} ended ({finished!r}) without a text; look at its log; raise "
                f"{self._section}.answer_tokens for a model that thinks (it had {prompt.max_tokens})"
            )
        if finished == "length":
            logger.warning(
                "%s was cut at %d tokens; raise %s.answer_tokens", self._who, prompt.max_tokens, self._section
            )

    def _wait(self, error: Exception) -> bool | float:
        if isinstance(error, openai.APIStatusError):
            limit = self._settings.first_token_seconds
            if _is_budget(error):
                return False
            return pause(error.status_code, error.response.headers, limit=limit)
        return isinstance(error, openai.APIConnectionError)

    def _too_late(self, deadline: _Deadline) -> ChatUnavailable:
        return ChatUnavailable(
            f"{self._who} was slower than {deadline.limit}; is it overloaded? See {self._section}'s limits"
        )

    def _refusal(self, error: openai.APIStatusError) -> ChatUnavailable | ChatRefused:
        status, said = error.status_code, f"{self._who} answered {error.status_code}"
        if _is_budget(error):
            return BudgetSpent(
                f"{said}: {self._words(error.response.text)!r}; raise the budget at the gateway, or wait"
            )
        if is_busy(status):
            later = asked_to_wait(error.response.headers)
            return ChatUnavailable(f"{said}{later}: {self._words(error.response.text)!r}; try again later")
        if status in (401, 403):
            # The gateway's words are left out: some repeat a part of the key in them.
            return ChatRefused(f"{said}: the key is wrong or may not use this model; set {self._key_name}")
        return ChatRefused(
            f"{said}: {self._words(error.response.text)!r}; check `base_url`, `model` and `context_tokens` in "
            f"{self._section}, and {self._key_name}"
        )

    def _reason(self, error: openai.OpenAIError) -> str:
        """What happened to the connection, which the client keeps in the cause, or the gateway's own words."""
        cause = error.__cause__
        return self._words(str(error)) if cause is None else f"{type(cause).__name__}: {cause}"

    def _words(self, text: str) -> str:
        """The gateway's own words, without the key that some repeat in them."""
        return words(text.replace(self._key, "…") if self._key else text)


class _Spoken:
    """What a model says aloud: its pieces without the white space and the `<think>` block at the beginning."""

    _OPEN, _CLOSE = "<think>", "</think>"

    def __init__(self) -> None:
        self.began = False
        """Whether any of the text has been passed on."""
        self._held = ""
        self._half = ""

    def add(self, piece: str) -> str:
        """What can be passed on after `piece`; empty while that cannot be told."""
        piece = self._whole(piece)
        if self.began:
            return piece
        self._held = (self._held + piece).lstrip()
        if self._held.startswith(self._OPEN):
            _, closed, rest = self._held.partition(self._CLOSE)
            if not closed:
                self._held = self._OPEN + self._held[len(self._OPEN) :][1 - len(self._CLOSE) :]
                return ""
            self._held = rest.lstrip()
        return "" if self._OPEN.startswith(self._held) else self.rest()

    def _whole(self, piece: str) -> str:
        """`piece` in whole characters: halves of one in two pieces are joined, half of one becomes `\ufffd`."""
        piece, self._half = self._half + piece, ""
        if piece and "\ud800" <= piece[-1] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        return piece.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def rest(self) -> str:
        """What is still held back at the end; a thought that never ended is none of the text."""
        held, self._held = self._held, ""
        if held.startswith(self._OPEN):
            return ""
        self.began = self.began or bool(held)
        return held


async def _drain(stream: openai.AsyncStream[ChatCompletionChunk], prompt: Prompt) -> None:
    """Reads on to the end of the stream: a gateway that is left before it may not book the request.

    What it counted stands there too.
    """
    with contextlib.suppress(TimeoutError, openai.OpenAIError, ValueError, RecursionError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for chunk in stream:
                _count(_Chunk.model_validate(chunk), prompt)


def _count(chunk: _Chunk, prompt: Prompt) -> None:
    """Note what the gateway has counted so far; what is no count is none."""
    if chunk.usage is None:
        return
    with contextlib.suppress(ValidationError):
        usage = _Usage.model_validate(chunk.usage)
        prompt.usage.prompt_tokens, prompt.usage.reply_tokens = usage.prompt_tokens, usage.completion_tokens


def _refused(error: openai.APIStatusError, sent: Mapping[str, Any]) -> set[str]:
    """Those fields of `sent` that a gateway names in its refusal."""
    if error.status_code not in REFUSED or _is_budget(error):
        return set()
    said = error.response.text
    return {name for name in sent if name in said or ADDITIONS[name][0] in said}


def _is_budget(error: openai.APIStatusError) -> bool:
    """Whether a budget is spent: that of whoever asks, of the key, or of its team."""
    return error.status_code in BUDGET_STATUSES and error.type == BUDGET


def _content(message: Message) -> str | list[dict[str, object]]:
    # Lone surrogates, which UTF-8 cannot carry, become question marks.
    text = message.content.encode("utf-8", "replace").decode()
    if not message.picture:
        return text
    return [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": message.picture}}]
