"""The real client against a gateway on loopback that misbehaves in every way seen in the field."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.responses import Response, StreamingResponse

from bot.errors import phrase_for
from bot.llm.interface import BudgetSpent, ChatRefused, ChatSettings, ChatUnavailable, Message, Prompt, Usage
from bot.llm.openai_compatible import OpenAIWriter, _Spoken
from tests.fixtures.gateway import (
    DONE,
    Behaviour,
    Gateway,
    answers,
    budget_spent,
    chat_event,
    cut,
    garbage,
    hangs,
    says,
    stalls,
    status,
    stream,
    trickles,
)

pytestmark = pytest.mark.usefixtures("without_waits")

KEY = "sk-very-secret"
PROMPT = Prompt(
    messages=(Message(role="system", content="Answer."), Message(role="user", content="How many days of leave?")),
    question="How many days of leave?",
    passages=(),
    language="en",
    max_tokens=123,
)


def writer(base_url: str, **settings: Any) -> OpenAIWriter:
    return OpenAIWriter(ChatSettings(base_url=base_url, model="assistant", **settings))


async def written(writer: OpenAIWriter) -> str:
    try:
        return "".join([piece async for piece in writer.write(PROMPT)])
    finally:
        await writer.close()


async def failure(writer: OpenAIWriter) -> tuple[str, Exception]:
    """What was written before it failed, and how it failed."""
    pieces: list[str] = []

    async def write() -> None:
        async for piece in writer.write(PROMPT):
            pieces.append(piece)  # noqa: PERF401 - a comprehension would lose what came before the error

    with pytest.raises((ChatUnavailable, ChatRefused)) as raised:
        await write()
    await writer.close()
    assert "\n" not in str(raised.value)
    assert KEY not in str(raised.value)
    assert "'assistant'" in str(raised.value)
    return "".join(pieces), raised.value


async def test_the_request_carries_the_prompt_and_the_settings(gateway: Gateway, base_url: str) -> None:
    await written(writer(base_url, temperature=0.7, api_key=SecretStr(f"{KEY}\n")))
    (request,) = gateway.requests
    assert request.path == "/v1/chat/completions"
    assert request.authorization == f"Bearer {KEY}"
    assert request.body == {
        "model": "assistant",
        "messages": [
            {"role": "system", "content": "Answer."},
            {"role": "user", "content": "How many days of leave?"},
        ],
        "temperature": 0.7,
        "max_tokens": 123,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_a_key_in_the_environment_of_the_client_is_not_sent(
    gateway: Gateway, base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    await written(writer(base_url))
    assert KEY not in str(gateway.requests[0].authorization)


async def test_pieces_arrive_while_the_answer_is_still_being_written(gateway: Gateway, base_url: str) -> None:
    gateway.script(stalls("You have ", "thirty "))
    chat = writer(base_url)
    async with asyncio.timeout(10), aclosing(chat.write(PROMPT)) as pieces:  # type: ignore[type-var]
        assert [await anext(pieces), await anext(pieces)] == ["You have ", "thirty "]
    await chat.close()


async def test_leaving_in_the_middle_hangs_up_on_the_gateway(gateway: Gateway, base_url: str) -> None:
    gateway.script(stalls("You have "))
    chat = writer(base_url)
    async with asyncio.timeout(10):
        async with aclosing(chat.write(PROMPT)) as pieces:  # type: ignore[type-var]
            await anext(pieces)
        await gateway.left.wait()
    assert await written(chat) == gateway.reply


async def test_cancelling_the_reader_hangs_up_on_the_gateway(gateway: Gateway, base_url: str) -> None:
    gateway.script(stalls("You have "))
    chat, started = writer(base_url), asyncio.Event()

    async def read() -> None:
        async for _ in chat.write(PROMPT):
            started.set()

    async with asyncio.timeout(10):
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(read())
            await started.wait()
            reader.cancel()
        await gateway.left.wait()
    assert reader.cancelled()
    await chat.close()


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503])
async def test_a_busy_gateway_is_asked_again(gateway: Gateway, base_url: str, code: int) -> None:
    gateway.script(status(code, retry_after=0), status(code))
    assert await written(writer(base_url)) == gateway.reply
    assert len(gateway.requests) == 3


async def test_a_gateway_that_stays_busy_is_unavailable_in_its_own_words(gateway: Gateway, base_url: str) -> None:
    gateway.always(status(429, "budget of the team is spent"))
    text, error = await failure(writer(base_url))
    assert text == ""
    assert isinstance(error, ChatUnavailable)
    assert "budget of the team is spent" in str(error)
    assert len(gateway.requests) == 3


async def test_a_gateway_that_asks_for_more_patience_than_there_is_is_not_waited_for(
    gateway: Gateway, base_url: str
) -> None:
    gateway.always(status(429, retry_after=60))
    _, error = await failure(writer(base_url, first_token_seconds=30))
    assert isinstance(error, ChatUnavailable)
    assert "60 s" in str(error)
    assert len(gateway.requests) == 1


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        (400, "context_tokens"),
        (401, "SOUFFLEUR_CHAT_API_KEY"),
        (403, "SOUFFLEUR_CHAT_API_KEY"),
        (404, "`model`"),
        (422, "models.chat"),
    ],
)
async def test_a_refusal_is_final_and_says_what_to_change(
    gateway: Gateway, base_url: str, code: int, way_out: str
) -> None:
    gateway.always(status(code))
    _, error = await failure(writer(base_url))
    assert isinstance(error, ChatRefused)
    assert str(code) in str(error)
    assert way_out in str(error)
    assert len(gateway.requests) == 1


async def test_a_wrong_key_is_neither_repeated_nor_logged(
    gateway: Gateway, base_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway.key = "another"
    _, error = await failure(writer(base_url, api_key=SecretStr(KEY)))
    assert isinstance(error, ChatRefused)
    assert KEY not in caplog.text


async def test_the_gateway_is_told_whose_question_it_is(gateway: Gateway, base_url: str) -> None:
    for user, send_user in (("slack:U042", True), ("", True), ("slack:U042", False)):
        chat = writer(base_url, send_user=send_user)
        assert [piece async for piece in chat.write(replace(PROMPT, user=user))]
        await chat.close()
    assert [request.body.get("user", "-") for request in gateway.requests] == ["slack:U042", "-", "-"]


@pytest.mark.parametrize("code", [400, 422, 429])
async def test_a_budget_that_is_spent_is_told_at_once_as_what_it_is(gateway: Gateway, base_url: str, code: int) -> None:
    # A name that holds the name of a field takes no field away, and no budget with it.
    gateway.always(budget_spent(code, user="key:stream_options"))
    chat = writer(base_url)
    _, error = await failure(chat)
    assert isinstance(error, BudgetSpent)
    assert phrase_for(error) == "budget-spent"
    assert "End User=key:stream_options over budget" in str(error)
    assert len(gateway.requests) == 1
    assert chat._left_out == set()


@pytest.mark.parametrize("behaviour", [status(400, f"no {KEY}"), status(500, f"no {KEY}")])
async def test_a_key_that_the_gateway_repeats_is_left_out_of_its_words(
    gateway: Gateway, base_url: str, behaviour: Behaviour
) -> None:
    gateway.always(behaviour)
    _, error = await failure(writer(base_url, api_key=SecretStr(KEY)))
    assert "'no …'" in str(error)


@pytest.mark.parametrize("code", [302, 307])
async def test_no_redirect_takes_the_passages_elsewhere(gateway: Gateway, base_url: str, code: int) -> None:
    moved = Response(status_code=code, headers={"Location": f"{base_url}/chat/completions"})
    gateway.always(answers(lambda: moved))
    _, error = await failure(writer(base_url))
    assert isinstance(error, ChatRefused)
    assert len(gateway.requests) == 1


async def test_halves_of_a_character_in_two_pieces_are_joined(gateway: Gateway, base_url: str) -> None:
    gateway.script(says("Yes \ud83d", "\ude00, half \ud83d", " is none."))
    assert await written(writer(base_url)) == "Yes \U0001f600, half \ufffd is none."


async def test_an_unknown_model_is_refused_by_name(gateway: Gateway, base_url: str) -> None:
    gateway.model = "another"
    _, error = await failure(writer(base_url))
    assert isinstance(error, ChatRefused)
    assert "does not exist" in str(error)


async def test_a_gateway_that_never_answers_is_unavailable(gateway: Gateway, base_url: str) -> None:
    gateway.script(hangs)
    _, error = await failure(writer(base_url, first_token_seconds=0.1))
    assert isinstance(error, ChatUnavailable)
    assert "0.1 s to the first token" in str(error)
    async with asyncio.timeout(10):
        await gateway.left.wait()


async def test_a_role_without_a_word_does_not_count_as_the_first_token(gateway: Gateway, base_url: str) -> None:
    gateway.script(stalls())
    _, error = await failure(writer(base_url, first_token_seconds=0.1))
    assert "first token" in str(error)


async def test_a_gateway_that_falls_silent_is_unavailable_after_what_it_said(gateway: Gateway, base_url: str) -> None:
    gateway.script(stalls("You have ", "thirty"))
    text, error = await failure(writer(base_url, between_tokens_seconds=0.1))
    assert text == "You have thirty"
    assert isinstance(error, ChatUnavailable)
    assert "between tokens" in str(error)


async def test_an_answer_without_end_is_ended_at_the_total_limit(gateway: Gateway, base_url: str) -> None:
    gateway.script(trickles)
    text, error = await failure(writer(base_url, total_seconds=0.3))
    assert text.startswith("and and ")
    assert isinstance(error, ChatUnavailable)
    assert "0.3 s for the whole answer" in str(error)
    async with asyncio.timeout(10):
        await gateway.left.wait()


async def test_a_connection_that_breaks_in_the_middle_is_unavailable_and_not_tried_again(
    gateway: Gateway, base_url: str
) -> None:
    gateway.always(cut)
    text, error = await failure(writer(base_url))
    assert text == "You have "
    assert isinstance(error, ChatUnavailable)
    assert len(gateway.requests) == 1


@pytest.mark.parametrize("done", [True, False])
async def test_a_stream_that_ends_without_saying_why_is_unavailable(
    gateway: Gateway, base_url: str, done: bool
) -> None:
    gateway.script(says("You have ", finish=None, done=done))
    text, error = await failure(writer(base_url))
    assert text == "You have "
    assert isinstance(error, ChatUnavailable)
    assert "before it was complete" in str(error)


async def test_an_answer_without_a_word_is_unavailable(gateway: Gateway, base_url: str) -> None:
    gateway.script(says(" ", "\n"))
    text, error = await failure(writer(base_url))
    assert text == ""
    assert isinstance(error, ChatUnavailable)


async def test_an_error_in_the_middle_of_the_stream_is_unavailable_in_its_own_words(
    gateway: Gateway, base_url: str
) -> None:
    events = [chat_event({"content": "You "}), b'data: {"error": {"message": "engine died", "code": 500}}\n\n']
    gateway.script(answers(lambda: stream(events)))
    text, error = await failure(writer(base_url))
    assert text == "You "
    assert isinstance(error, ChatUnavailable)
    assert "engine died" in str(error)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x00\xff\xfe not \x80 text", "application/json"),
        (b"<html>log in first</html>", "text/html"),
        (b'{"choices": [{"message": {"content": "not streamed"}}]}', "application/json"),
        (b"", "text/event-stream"),
        (b"data: \xff\xfe\n\n", "text/event-stream"),
        (b"data: {not json\n\n", "text/event-stream"),
        (b"data: 42\n\n", "text/event-stream"),
        (b"data: " + b"[" * 100_000 + b"\n\n", "text/event-stream"),
        (b'data: {"choices": ' + b"[" * 5000 + b"]" * 5000 + b"}\n\n", "text/event-stream"),
        (b'data: {"choices": 7}\n\n', "text/event-stream"),
        (b'data: {"choices": [{"delta": {"content": ["a list"]}}]}\n\n', "text/event-stream"),
        (b'data: {"choices": [{"delta": "text"}]}\n\n', "text/event-stream"),
        (b"data: [DONE]\n\n", "text/event-stream"),
    ],
)
async def test_something_else_than_a_completion_is_unavailable(
    gateway: Gateway, base_url: str, content: bytes, kind: str
) -> None:
    gateway.script(garbage(content, kind))
    text, error = await failure(writer(base_url))
    assert text == ""
    assert isinstance(error, ChatUnavailable)


async def test_chunks_without_choices_are_passed_over(gateway: Gateway, base_url: str) -> None:
    usage = b'data: {"id": "1", "choices": [], "usage": {"prompt_tokens": 3}}\n\n'
    events = [usage, chat_event({"content": "Thirty."}), usage, chat_event({}, "stop"), usage, DONE]
    gateway.script(answers(lambda: stream(events)))
    assert await written(writer(base_url)) == "Thirty."


SCHEMA = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}


def prompt_of(schema: dict[str, Any] | None = None) -> Prompt:
    return replace(PROMPT, schema=schema, usage=Usage())


async def write_to_the_end(chat: OpenAIWriter, prompt: Prompt) -> str:
    return "".join([piece async for piece in chat.write(prompt)])


async def test_what_the_gateway_counted_stands_in_the_prompt_when_the_text_has_ended(
    gateway: Gateway, base_url: str
) -> None:
    chat, prompt = writer(base_url), prompt_of()
    assert await write_to_the_end(chat, prompt) == gateway.reply
    assert prompt.usage == Usage(prompt_tokens=21, reply_tokens=len(gateway.reply.split()))
    await chat.close()


@pytest.mark.parametrize(
    "events",
    [
        [chat_event({"content": "Thirty."}, "stop"), DONE],
        [b'data: {"choices": [], "usage": {"prompt_tokens": "many"}}\n\n', chat_event({"content": "Thirty."}, "stop")],
        [chat_event({"content": "Thirty."}, "stop"), b'data: {"choices": [], "usage": 7}\n\n', DONE],
        [
            chat_event({"content": "Thirty."}, "stop"),
            b'data: {"choices": [], "usage": {"prompt_tokens": 1%b, "completion_tokens": 2}}\n\n' % (b"0" * 400),
        ],
        [
            chat_event({"content": "Thirty."}, "stop"),
            b'data: {"choices": [], "usage": {"prompt_tokens": NaN, "completion_tokens": 1e400}}\n\n',
        ],
        [chat_event({"content": "Thirty."}, "stop"), b"data: {not json\n\n"],
    ],
)
async def test_without_a_count_that_is_one_the_text_is_whole_and_nothing_is_counted(
    gateway: Gateway, base_url: str, events: list[bytes]
) -> None:
    gateway.script(answers(lambda: stream(events)))
    chat, prompt = writer(base_url), prompt_of()
    prompt.usage.prompt_tokens = prompt.usage.reply_tokens = 99  # of an earlier attempt with the same prompt
    assert await write_to_the_end(chat, prompt) == "Thirty."
    assert prompt.usage == Usage()
    await chat.close()


async def test_a_schema_goes_along_as_the_format_of_the_reply(gateway: Gateway, base_url: str) -> None:
    chat = writer(base_url)
    await write_to_the_end(chat, prompt_of(SCHEMA))
    wanted = {"type": "json_schema", "json_schema": {"name": "reply", "schema": SCHEMA, "strict": True}}
    assert gateway.requests[0].body["response_format"] == wanted
    await chat.close()


async def test_a_schema_stays_at_home_where_the_settings_say_so(gateway: Gateway, base_url: str) -> None:
    chat = writer(base_url, json_schema=False)
    await write_to_the_end(chat, prompt_of(SCHEMA))
    assert "response_format" not in gateway.requests[0].body
    await chat.close()


@pytest.mark.parametrize("code", [400, 422])
async def test_a_gateway_that_refuses_a_schema_is_asked_once_without_it_and_the_log_says_what_to_set(
    gateway: Gateway, base_url: str, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    gateway.refuses, gateway.refuses_with = frozenset({"response_format"}), code
    chat = writer(base_url)
    assert [await write_to_the_end(chat, prompt_of(SCHEMA)) for _ in range(2)] == [gateway.reply] * 2
    assert ["response_format" in request.body for request in gateway.requests] == [True, False, False]
    assert caplog.text.count("json_schema: false") == 1
    await chat.close()


async def test_a_gateway_that_takes_neither_addition_writes_all_the_same(gateway: Gateway, base_url: str) -> None:
    gateway.refuses = frozenset({"response_format", "stream_options"})
    chat, prompt = writer(base_url), prompt_of(SCHEMA)
    assert await write_to_the_end(chat, prompt) == gateway.reply
    assert prompt.usage == Usage()
    assert len(gateway.requests) == 3
    await chat.close()


async def test_a_refusal_that_names_a_field_that_was_not_sent_is_final(gateway: Gateway, base_url: str) -> None:
    gateway.always(status(400, "response_format is not supported"))
    _, error = await failure(writer(base_url))
    assert isinstance(error, ChatRefused)
    assert len(gateway.requests) == 1


async def test_messages_name_the_section_and_the_key_of_their_own_settings(gateway: Gateway, base_url: str) -> None:
    gateway.key = "another"
    chat = OpenAIWriter(ChatSettings(base_url=base_url, model="assistant"), section="models.code")
    with pytest.raises(ChatRefused, match=r"models\.code: .*SOUFFLEUR_CODE_API_KEY"):
        await write_to_the_end(chat, prompt_of())
    await chat.close()


async def test_a_text_cut_at_its_length_is_complete_and_logged(
    gateway: Gateway, base_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.script(says("Thirty", finish="length"))
    assert await written(writer(base_url)) == "Thirty"
    assert "123 tokens" in caplog.text
    assert "answer_tokens" in caplog.text


async def test_a_text_stopped_by_a_content_filter_is_refused(gateway: Gateway, base_url: str) -> None:
    gateway.script(says("Thirty", finish="content_filter"))
    text, error = await failure(writer(base_url))
    assert text == "Thirty"
    assert isinstance(error, ChatRefused)


async def test_what_a_model_thinks_in_a_field_of_its_own_is_not_text(gateway: Gateway, base_url: str) -> None:
    thoughts = [chat_event({"reasoning_content": "leave…"}), chat_event({"reasoning": "days…", "content": None})]
    gateway.script(
        answers(lambda: stream([*thoughts, chat_event({"content": "Thirty."}), chat_event({}, "stop"), DONE]))
    )
    assert await written(writer(base_url)) == "Thirty."


@pytest.mark.parametrize(
    "thinking",
    [stalls("<think>", "leave"), stalls(reasoning_content="leave"), stalls(reasoning="leave")],
    ids=["in the text", "reasoning_content", "reasoning"],
)
async def test_thinking_counts_as_the_first_token(gateway: Gateway, base_url: str, thinking: Behaviour) -> None:
    gateway.script(thinking)
    _, error = await failure(writer(base_url, first_token_seconds=30, between_tokens_seconds=0.1))
    assert "between tokens" in str(error)


async def test_a_thought_that_takes_the_whole_length_says_what_to_raise(gateway: Gateway, base_url: str) -> None:
    gateway.script(says("<think>", "leave, leave", finish="length"))
    text, error = await failure(writer(base_url))
    assert text == ""
    assert isinstance(error, ChatUnavailable)
    assert "answer_tokens" in str(error)


async def test_a_gateway_that_is_not_there_is_unavailable() -> None:
    async with Gateway().served() as base_url:
        pass
    _, error = await failure(writer(base_url))
    assert isinstance(error, ChatUnavailable)
    assert base_url in str(error)


async def test_the_end_of_the_stream_is_read_so_that_the_gateway_can_book_the_request(
    gateway: Gateway, base_url: str
) -> None:
    ended = asyncio.Event()

    async def events() -> AsyncIterator[bytes]:
        yield chat_event({"content": "Thirty."}, "stop")
        for _ in range(200):  # Long enough for a client that hangs up to be noticed, which ends this generator.
            await asyncio.sleep(0)
        yield DONE
        ended.set()

    gateway.script(answers(lambda: StreamingResponse(events(), media_type="text/event-stream")))
    assert await written(writer(base_url)) == "Thirty."
    assert ended.is_set()


async def test_an_end_of_the_stream_that_does_not_come_does_not_spoil_the_text(
    gateway: Gateway, base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.llm.openai_compatible.DRAIN_SECONDS", 0.05)

    async def events() -> AsyncIterator[bytes]:
        yield chat_event({"content": "Thirty."}, "stop")
        await gateway.hang()

    gateway.script(answers(lambda: StreamingResponse(events(), media_type="text/event-stream")))
    assert await written(writer(base_url)) == "Thirty."


async def test_lone_surrogates_reach_the_gateway_as_question_marks(gateway: Gateway, base_url: str) -> None:
    chat = writer(base_url)
    prompt = Prompt(
        messages=(Message(role="user", content="caf\ud800é"),), question="?", passages=(), language="en", max_tokens=9
    )
    assert [piece async for piece in chat.write(prompt)]
    assert gateway.requests[0].body["messages"][0]["content"] == "caf?é"
    await chat.close()


async def test_a_picture_goes_along_as_part_of_its_message(gateway: Gateway, base_url: str) -> None:
    message = Message(role="user", content="The picture:", picture="data:image/png;base64,iVBORw==")
    prompt = Prompt(messages=(message,), question="", passages=(), language="en", max_tokens=9)
    chat = writer(base_url)
    assert [piece async for piece in chat.write(prompt)]
    assert gateway.requests[0].body["messages"][0]["content"] == [
        {"type": "text", "text": "The picture:"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
    ]
    await chat.close()


@pytest.mark.parametrize("address", ["gateway:4000/v1", "http://gateway:99999/v1", f"http://me:{KEY}@gateway/v1"])
def test_an_address_that_is_none_is_refused_before_anything_is_sent(address: str) -> None:
    with pytest.raises(ChatRefused, match="base_url") as raised:
        writer(address)
    assert KEY not in str(raised.value)


def spoken(text: str, cuts: list[int]) -> str:
    """`text`, added in pieces that end at `cuts`."""
    ends = sorted({min(cut, len(text)) for cut in cuts} | {len(text)})
    said = _Spoken()
    pieces = [said.add(text[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
    return "".join([*pieces, said.rest()])


@pytest.mark.parametrize(
    ("text", "aloud"),
    [
        ("Thirty days.", "Thirty days."),
        ("\n<think>\nleave…\n</think>\n\nThirty days.\n", "Thirty days.\n"),
        ("<think></think>Thirty", "Thirty"),
        ("<think>leave", ""),
        ("<th", "<th"),
        ("<table>", "<table>"),
        ("It says <think>hm</think> there", "It says <think>hm</think> there"),
    ],
)
@given(cuts=st.lists(st.integers(0, 40), max_size=8))
def test_a_thought_at_the_beginning_is_left_out_however_the_text_is_cut(text: str, aloud: str, cuts: list[int]) -> None:
    assert spoken(text, cuts) == aloud
