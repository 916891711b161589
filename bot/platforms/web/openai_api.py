"""The OpenAI-compatible endpoint: the assistant as the model `souffleur` of any OpenAI client.

What differs from OpenAI's own, https://platform.openai.com/docs/api-reference/chat:

- system and developer messages are ignored: the prompt is the company's;
- sampling parameters, tools and unknown fields are ignored;
- the sources follow the answer's text as a Markdown list, and stand in `annotations` as `url_citation`;
- `usage` is estimated, at four characters a token: the gateway counts the real ones;
- the field `souffleur`, of this server alone. A request that has it (`{"thread": UUID}`) gets the sources, the answer
  as safe HTML and what happens meanwhile in the same field of the response, and no list in the text.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager, aclosing
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.model import Answer, Delta, Finished, Outcome, Question, Status, Turn
from bot.phrases import Say
from bot.platforms.web.connection import while_connected
from bot.platforms.web.conversation import events_of, question_in_thread
from bot.platforms.web.keys import identify
from bot.platforms.web.markdown import answer_html
from bot.platforms.web.refusal import BadRequest, Refusal, error_body
from bot.platforms.web.site import Site, accepted_language, language_of, site_of
from bot.platforms.web.sources import html_with_sources, markdown_list, markdown_notes, sources_of, url_citations

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/v1")

MODEL = "souffleur"
CHARACTERS_PER_TOKEN = 4
RENDERING_SHARE = 0.05
"""Share of an answer's time that goes into rendering it while it is written."""


class Part(BaseModel):
    """One part of a message; only `text` says anything here."""

    type: str
    text: str | None = None


class ChatMessage(BaseModel):
    role: str
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.text)
        return self.content or ""


class StreamOptions(BaseModel):
    include_usage: bool = False


class Extension(BaseModel):
    """The request's field `souffleur`."""

    thread: UUID | None = None


class ChatRequest(BaseModel):
    model: str = MODEL
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    souffleur: Extension | None = None

    @property
    def turns(self) -> list[Turn]:
        """Messages of the user and the assistant up to the last one of the user, which is the question."""
        last = max((index for index, message in enumerate(self.messages) if message.role == "user"), default=-1)
        return [
            Turn(role="user" if message.role == "user" else "assistant", text=message.text)
            for index, message in enumerate(self.messages[: last + 1])
            if message.role == "user" or (message.role == "assistant" and message.text)
        ]


@router.get("/models")
async def models(request: Request) -> dict[str, object]:
    identify(request, site_of(request).keys)
    return {"object": "list", "data": [_model()]}


@router.get("/models/{name}")
async def model(request: Request, name: str) -> dict[str, object]:
    identify(request, site_of(request).keys)
    _check_model(name)
    return _model()


@router.post("/chat/completions")
async def chat_completions(request: Request) -> Response:
    site = site_of(request)
    locale = accepted_language(request.headers.get("accept-language", ""), site.languages)
    asker = replace(identify(request, site.keys), locale=locale)
    chat = await _read(request)
    _check_model(chat.model)
    turns = chat.turns
    if not turns:
        raise BadRequest("messages: no message of the user to answer", code="invalid_value", param="messages")
    thread = str(chat.souffleur.thread) if chat.souffleur and chat.souffleur.thread else None
    trace_id: str = request.state.trace_id
    on_page = chat.souffleur is not None
    question = await question_in_thread(site, asker, turns, thread=thread, on_page=on_page, trace_id=trace_id)
    reply = Reply(site, chat, base_url=site.public_url or str(request.base_url).rstrip("/"), trace_id=trace_id)
    if chat.stream:
        sorry = site.say(language_of(request), "error", trace=reply.trace_id)
        return EventStream(reply.chunks(question), slot=site.slots.one(), trace_id=reply.trace_id, sorry=sorry)
    with site.slots.one():
        answer = await while_connected(request.receive, _finished(site, question))
    return Response(status_code=499) if answer is None else JSONResponse(reply.completion(answer, question))


class Reply:
    """Writes the answer to one request in OpenAI's shapes."""

    def __init__(self, site: Site, chat: ChatRequest, *, base_url: str, trace_id: str) -> None:
        self._site = site
        self._say: Say = site.say
        self._chat = chat
        self._base_url = "" if chat.souffleur else base_url
        self._with_usage = bool(chat.stream_options and chat.stream_options.include_usage)
        self._written = ""
        self._next_rendering = 0.0
        self.trace_id = trace_id
        self._head = {"id": f"chatcmpl-{self.trace_id}", "created": int(time.time()), "model": MODEL}

    async def chunks(self, question: Question) -> AsyncGenerator[dict[str, Any], None]:
        """The chunks of a streamed answer, in order: role, text, the sources, how it ended, usage if asked for."""
        yield self._chunk({"role": "assistant", "content": ""})
        async with aclosing(events_of(self._site, question)) as events:
            async for event in events:
                match event:
                    case Status(text=text):
                        if self._chat.souffleur:
                            yield self._chunk({}, souffleur={"status": text})
                    case Delta(text=text):
                        yield self._chunk({"content": text}, souffleur=self._so_far(text))
                    case Finished(answer=answer):
                        for chunk in self._last_chunks(answer, question):
                            yield chunk

    def _so_far(self, piece: str) -> dict[str, object] | None:
        """For the page, HTML of what is written; now and then only, as each rendering begins at the beginning."""
        self._written += piece
        started = time.perf_counter()
        if self._chat.souffleur is None or started < self._next_rendering:
            return None
        html = answer_html(self._written, None)
        self._next_rendering = started + (time.perf_counter() - started) / RENDERING_SHARE
        return {"html": html}

    def completion(self, answer: Answer, question: Question) -> dict[str, Any]:
        """The whole answer at once."""
        listing, marks, extension = self._apparatus(answer)
        message = {"role": "assistant", "content": answer.text + listing, "refusal": None, "annotations": marks}
        return {
            **self._head,
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": self._usage(question, answer.text + listing),
            "souffleur": extension,
        }

    def _last_chunks(self, answer: Answer, question: Question) -> list[dict[str, Any]]:
        listing, marks, extension = self._apparatus(answer)
        if answer.outcome is Outcome.WITHDRAWN:
            # What was sent cannot be taken back: the page puts this in its place, other clients show it below.
            if self._chat.souffleur:
                extension |= {"text": answer.text}
            else:
                listing = "\n\n" + answer.text
        chunks = [self._chunk({"content": listing})] if listing else []
        chunks.append(self._chunk({"annotations": marks}, finish="stop", souffleur=extension))
        if self._with_usage:
            usage = self._usage(question, answer.text + listing)
            chunks.append({**self._head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
        return chunks

    def _apparatus(self, answer: Answer) -> tuple[str, list[dict[str, object]], dict[str, object]]:
        """What goes with the text: the sources as Markdown, as annotations, and the field `souffleur`."""
        language = answer.language
        sources = sources_of(answer.citations, language=language, say=self._say, base_url=self._base_url)
        nearest = sources_of(answer.nearest, language=language, say=self._say, base_url=self._base_url)
        extension: dict[str, object] = {
            "outcome": answer.outcome,
            "language": language,
            "route": answer.route,
            "trace_id": answer.trace_id,
            "spent": asdict(answer.spent),
            "sources": [source.as_json() for source in sources],
            "nearest": [source.as_json() for source in nearest],
        }
        marks = url_citations(answer.text, sources)
        notes = markdown_notes(answer.notes)
        if self._chat.souffleur is None:
            listing = markdown_list(sources, label=self._say(language, "web-sources"))
            if nearest:
                listing += markdown_list(nearest, label=self._say(language, "nearest"), numbered=False)
            return notes + listing, marks, extension
        extension["html"] = html_with_sources(answer.text + notes, sources, language=language, say=self._say)
        return "", marks, extension

    def _chunk(
        self, delta: Mapping[str, object], *, finish: str | None = None, souffleur: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        usage = {"usage": None} if self._with_usage else {}
        extension = {"souffleur": souffleur} if souffleur else {}
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice], **usage, **extension}

    def _usage(self, question: Question, content: str) -> dict[str, int]:
        asked = sum(len(turn.text) for turn in question.history) + len(question.text)
        prompt, completion = -(-asked // CHARACTERS_PER_TOKEN), -(-len(content) // CHARACTERS_PER_TOKEN)
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


class EventStream(Response):
    """Server-sent events, one a chunk, ended by `[DONE]`; stops the answer when the client goes away."""

    media_type = "text/event-stream"

    def __init__(
        self,
        chunks: AsyncGenerator[dict[str, Any], None],
        *,
        slot: AbstractContextManager[None],
        trace_id: str,
        sorry: str,
    ) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._chunks = chunks
        self._slot = slot
        self._trace_id = trace_id
        self._sorry = sorry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._slot:
            await while_connected(receive, self._sent(send))

    async def _sent(self, send: Send) -> None:
        async with aclosing(self._chunks):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            try:
                async for chunk in self._chunks:
                    await _send_event(send, json.dumps(chunk))
            except Exception:  # the platform's event loop: the status is sent, so the stream must say that it failed
                logger.exception("answer failed while it was streamed", extra={"trace_id": self._trace_id})
                body = error_body(500, self._sorry, code="internal_error")
                await _send_event(send, json.dumps(body))
            await _send_event(send, "[DONE]")
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_event(send: Send, data: str) -> None:
    """`data` must be ASCII: some clients cut lines at U+2028 and the like, which JSON may hold unescaped."""
    await send({"type": "http.response.body", "body": f"data: {data}\n\n".encode("ascii"), "more_body": True})


async def _finished(site: Site, question: Question) -> Answer:
    async with aclosing(events_of(site, question)) as events:
        async for event in events:
            if isinstance(event, Finished):
                return event.answer
    raise AssertionError("events_of ends with `Finished` or raises")


async def _read(request: Request) -> ChatRequest:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise BadRequest("send the request as application/json", code="unsupported_media_type", status=415)
    body = await request.body()
    try:
        return ChatRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadRequest(f"{place}: {first['msg']}", code="invalid_value", param=place) from None


def _check_model(name: str) -> None:
    """Clients write the name in their own ways: `souffleur`, `openai/souffleur`, `Souffleur:latest`."""
    if name.rpartition("/")[2].partition(":")[0].strip().lower() not in {MODEL, ""}:
        raise Refusal(404, "web-unknown-model", code="model_not_found", param="model", values={"model": MODEL})


def _model() -> dict[str, object]:
    return {"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}
