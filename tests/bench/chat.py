"""Chat under load: how soon people see that they were heard, and what the bot adds to the time of the model.

200 questions within a minute, of 50 people, half in direct messages and half in ten channels, to `bot serve` in a
process of its own. The platform is its fake with the limits of the real one (as shipped, Mattermost has none); the
model is a gateway that streams 300 tokens over six seconds.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml
from starlette.responses import Response, StreamingResponse

from tests.bench import demo
from tests.bench.process import ROOT, CommandFailed, command
from tests.bench.table import Options, Table, percentile
from tests.contract.mattermost import MattermostWorkplace
from tests.contract.slack import SlackWorkplace
from tests.contract.workplace import Shown
from tests.fakes.slack.tiers import Tiers
from tests.fixtures.assistant import plan
from tests.fixtures.gateway import Gateway, Received, chat_event, chat_events, stream

PEOPLE, CHANNELS, QUESTIONS, SECONDS = 50, 10, 200, 60.0
TOKENS, MODEL_SECONDS = 300, 6.0
UNDERSTANDING_SECONDS = 0.3
"""For the call that tells what is asked for: some sixty tokens."""

PASSAGE = re.compile(r'<passage number="(\d+)"(?![^>]* language=)[^>]*>(.*?)</passage>', re.DOTALL)
"""One in the language of the question: an answer in another one would be written twice."""

LOOK_SECONDS = 0.05
"""How often the screens are looked at: figures are up to that much too high."""

READY_SECONDS = 60
PATIENCE_SECONDS = 120
"""For what is left after the last question."""

Place = SlackWorkplace | MattermostWorkplace


@dataclass(kw_only=True)
class Asked:
    """One question and when what happened, in seconds of the loop's clock."""

    channel: str
    thread: str
    by: str
    at: float
    heard: float | None = None
    answered: float | None = None


def measure(options: Options) -> Iterator[Table]:
    configuration = demo.indexed(options.folder)
    share = 0.1 if options.quick else 1.0
    rows = [asyncio.run(_under_load(name, configuration, share)) for name in ("Slack", "Mattermost")]
    yield Table(
        title=f"chat: {QUESTIONS} questions in {SECONDS:.0f} s, {TOKENS} tokens in {MODEL_SECONDS:g} s",
        columns=(
            *("platform", "answered", "twice", "sign p50 s", "sign p95 s"),
            *("added p50 s", "added p95 s", "429 %", "calls"),
        ),
        rows=rows,
        notes=(
            "A sign is the first status, typing or text in the question's thread. Added is from the question to the"
            f" finished answer without the {UNDERSTANDING_SECONDS + MODEL_SECONDS:g} s of the model; the search and the"
            " checks are in it.",
        ),
    )


async def _under_load(name: str, configuration: Path, share: float) -> tuple[object, ...]:
    people = [f"p{number}" for number in range(PEOPLE)]
    place: Place = SlackWorkplace(Tiers(), people=people) if name == "Slack" else MattermostWorkplace(people=people)
    gateway = Gateway()
    gateway.always(_streams)
    async with place.opened(), gateway.served() as base_url:
        direct = {person: await place.direct(person) for person in people}
        channels = [await place.channel(*people) for _ in range(CHANNELS)]
        async with _bot(place, configuration, base_url):
            asked: list[Asked] = []
            before = _calls(place)
            count = round(QUESTIONS * share)
            async with asyncio.timeout(SECONDS * share + PATIENCE_SECONDS), asyncio.TaskGroup() as tasks:
                tasks.create_task(_watch(place, asked, count))
                await _ask(place, asked, people, direct, channels, count, SECONDS * share)
            twice = [one for one in asked if len(await _answers(place, one)) > 1]
            calls, busy = (now - then for now, then in zip(_calls(place), before, strict=True))
    signs = [one.heard - one.at for one in asked if one.heard is not None]
    added = [one.answered - one.at - UNDERSTANDING_SECONDS - MODEL_SECONDS for one in asked if one.answered is not None]
    return (
        *(name, f"{len(added)} of {len(asked)}", len(twice)),
        *(f"{percentile(values, at):.2f}" for values in (signs, added) for at in (0.5, 0.95)),
        *(f"{100 * busy / calls:.1f}", calls),
    )


async def _ask(
    place: Place,
    asked: list[Asked],
    people: list[str],
    direct: dict[str, str],
    channels: list[str],
    count: int,
    seconds: float,
) -> None:
    questions = demo.questions(20)
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number in range(count):
        await asyncio.sleep(max(0.0, start + number * seconds / count - loop.time()))
        by = people[number % len(people)]
        channel = direct[by] if number % 2 else channels[number // 2 % len(channels)]
        at = loop.time()
        text = questions[number % len(questions)]
        thread = await place.say(channel, text, by=by, mention=channel != direct[by])
        asked.append(Asked(channel=channel, thread=thread, by=by, at=at))


async def _watch(place: Place, asked: list[Asked], count: int) -> None:
    """Until so many questions were asked and answered."""
    loop = asyncio.get_running_loop()
    while len(asked) < count or any(one.answered is None for one in asked):
        for one in asked:
            if one.answered is not None:
                continue
            answers = await _answers(place, one)
            if one.heard is None and (answers or await place.status(one.channel, one.thread)):
                one.heard = loop.time()
            if answers and any("up" in answer.buttons and not answer.streaming for answer in answers):
                one.answered = loop.time()
        await asyncio.sleep(LOOK_SECONDS)


async def _answers(place: Place, one: Asked) -> list[Shown]:
    seen = await place.seen(one.channel, by=one.by, thread=one.thread)
    return [shown for shown in seen if shown.by == "souffleur"]


def _calls(place: Place) -> tuple[int, int]:
    """How many calls the platform has had, and how many of them it answered with 429."""
    if isinstance(place, SlackWorkplace):
        return len(place.server.requests), place.server.too_many
    return place.server.statuses.total(), place.server.statuses[429]


async def _streams(gateway: Gateway, received: Received) -> Response:
    """What passages say, over and over: what they do not support would not be shown."""
    said = str(received.body["messages"][-1]["content"])
    if "response_format" in received.body:
        await asyncio.sleep(UNDERSTANDING_SECONDS)
        return stream(chat_events([plan("")]))
    sentences = [
        f"{sentence.strip()} [{number}]. "
        for number, text in PASSAGE.findall(said)
        for sentence in re.split(r"[.!?|\n]", text)
        if len(sentence.split()) > 5
    ]
    words = [word for sentence in sentences for word in re.findall(r"\S+\s", sentence)] or ["Nothing. "]

    async def body() -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number in range(TOKENS):
            await asyncio.sleep(max(0.0, start + (number + 1) * MODEL_SECONDS / TOKENS - loop.time()))
            yield chat_event({"content": words[number % len(words)]})
        yield chat_event({}, finish="stop")
        yield b"data: [DONE]\n\n"

    return StreamingResponse(body(), media_type="text/event-stream")


@asynccontextmanager
async def _bot(place: Place, configuration: Path, base_url: str) -> AsyncIterator[None]:
    """`bot serve`, connected to the place and to the gateway."""
    section, environment = place.configuration()
    chat = {"models": {"chat": {"base_url": base_url, "model": "assistant"}}}
    written = _configured(configuration, f"{place.name}.yaml", {**chat, **section})
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        *command("bot", "--config", written, "serve", "--port", port),
        cwd=ROOT,
        env={**os.environ, **environment},  # noqa: TID251 - of a program that a person would start so
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=sys.stderr,
    )
    try:
        await _ready(f"http://127.0.0.1:{port}/readyz", process)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _configured(configuration: Path, name: str, sections: dict[str, object]) -> Path:
    written = configuration.with_name(name)
    written.write_text(yaml.safe_dump({**yaml.safe_load(configuration.read_text()), **sections}))
    return written


async def _ready(url: str, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(READY_SECONDS):
        while process.returncode is None:
            with suppress(httpx.TransportError):
                if (await client.get(url)).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(0.1)
    raise CommandFailed("bot serve has ended; its messages are above")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
