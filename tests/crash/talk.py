"""What people ask in the harness, what the model writes to it, and what must then be on their screens."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import islice
from string import ascii_lowercase

from starlette.responses import Response, StreamingResponse

from tests.contract.mattermost import MattermostWorkplace
from tests.contract.slack import SlackWorkplace
from tests.contract.workplace import Shown
from tests.fixtures.assistant import plan
from tests.fixtures.gateway import DONE, Gateway, Received, chat_event, chat_events, pieces, stream

Place = SlackWorkplace | MattermostWorkplace

POINTS = "Every point is what the page says of the house and its rules."
"""In every document: what the model writes is held against them, and left out where they do not support it."""

DOCUMENTS = {
    name: f"# Page on {title}\n\n{text} {POINTS}\n"
    for name, title, text in (
        ("leave", "leave", "Every employee has thirty days of paid leave a year. The portal takes requests."),
        ("canteen", "the canteen", "The canteen opens at half past eleven and closes at two. Guests pay cash."),
        ("parking", "parking", "The garage opens at six. A badge opens the gate, and visitors ring the bell."),
    )
}

TOPICS = (
    "How many days of paid leave does an employee have?",
    "When does the canteen open and close?",
    "Who opens the gate of the garage for visitors?",
)

MARK = re.compile(r"QA\d+v\d+")

END = "That was all on "

LONG = 1 / 10
"""How likely an answer is one of several messages."""


@dataclass(kw_only=True)
class Asked:
    """One question, as it is now."""

    number: int
    channel: str
    by: str
    mention: bool
    thread: str = ""
    message: str = ""
    version: int = 1
    deleted: bool = False

    @property
    def mark(self) -> str:
        """A word that stands in the question and in every sentence of its answer."""
        return f"QA{self.number}v{self.version}"

    @property
    def text(self) -> str:
        return f"{TOPICS[(self.number + self.version) % len(TOPICS)]} This is case {self.mark}."


def answer_to(mark: str) -> str:
    """What the model writes."""
    chance = random.Random(mark)
    count = chance.randint(180, 240) if chance.random() < LONG else chance.randint(2, 12)
    names = (f"{first}{second}" for first in ascii_lowercase for second in ascii_lowercase)
    points = [
        f"Point {name} of {mark} is what the page says of the house and its rules [1]." for name in islice(names, count)
    ]
    return "\n\n".join([f"This is what there is on {mark} [1].", *points, f"{END}{mark} [1]."])


async def writes(gateway: Gateway, received: Received) -> Response:
    """The model: it is slow enough to be struck at any word."""
    said = [str(message["content"]) for message in received.body["messages"]]
    if "YES or NO" in said[0]:
        return stream(chat_events(["YES"]))
    if "response_format" in received.body:
        return stream(chat_events([plan("")]))
    marks = MARK.findall(said[-1].rpartition("Question: ")[2])
    if not marks:
        return stream(chat_events(["This question has no mark [1]."]))
    words = pieces(answer_to(marks[-1]))
    seconds = random.Random(f"pace of {marks[-1]}").choice((0.1, 0.5, 1.5, 3.0))

    async def body() -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number, word in enumerate(words):
            if (wait := start + number * seconds / len(words) - loop.time()) > 0.01:
                await asyncio.sleep(wait)
            yield chat_event({"content": word})
        yield chat_event({}, finish="stop")
        yield DONE

    return StreamingResponse(body(), media_type="text/event-stream")


async def wrong(place: Place, asked: list[Asked]) -> list[str]:
    """What is not as it must be on the screens, a line each."""
    found: list[str] = []
    threads: dict[tuple[str, str], list[Asked]] = {}
    for one in asked:
        threads.setdefault((one.channel, one.thread), []).append(one)
    for (channel, thread), questions in threads.items():
        by = questions[0].by
        shown = [one for one in await place.seen(channel, by=by, thread=thread) if one.by == "souffleur"]
        found += _wrong_in_thread(questions, shown)
        if all(question.deleted for question in questions):
            continue  # nobody has the thread open
        if status := await place.status(channel, thread):
            found.append(f"{questions[0].mark}: the thread still says {status!r}")
        if isinstance(place, SlackWorkplace):
            session = place.server.sessions.get((channel, thread))
            if session is not None and session.stoppable:
                found.append(f"{questions[0].mark}: the thread still has its Stop button")
    for channel in {one.channel for one in asked}:
        by = next(one.by for one in asked if one.channel == channel)
        top = await place.seen(channel, by=by)
        found += [f"at the top of {channel}: {shown.text[:200]!r}" for shown in top if shown.by == "souffleur"]
    return found


def _wrong_in_thread(questions: list[Asked], shown: list[Shown]) -> Iterator[str]:
    left = list(_with_marks(shown))
    for question in questions:
        mark = question.mark
        mine = [one for marks, one in left if marks == {mark}]
        left = [(marks, one) for marks, one in left if one not in mine]
        if question.deleted:
            if mine:
                yield f"{mark} was deleted, and has an answer: {mine[0].text[:100]!r}"
            continue
        if not mine:
            yield f"{mark} has no answer"
            continue
        text, whole = _plain("\n".join(one.text for one in mine)), _plain(answer_to(mark))
        if text.count(whole) != 1 or text.count(_plain(f"{END}{mark}")) != 1:
            sizes = f"{len(mine)} messages, {len(text)} for {len(whole)} characters"
            yield f"{mark} is not answered once and in full: {sizes}"
        if "Page on " not in mine[-1].text:
            yield f"{mark} has no sources"
        for number, one in enumerate(mine):
            last = number == len(mine) - 1
            if one.streaming or "stop" in one.buttons:
                yield f"{mark} is still being written"
            if last != ("again" in one.buttons):
                yield f"{mark}: message {number + 1} of {len(mine)} has the buttons {one.buttons}"
    for _, one in left:
        yield f"an orphan below {questions[0].mark}: {'private, ' if one.private else ''}{one.text[:200]!r}"


def _with_marks(shown: list[Shown]) -> Iterator[tuple[set[str], Shown]]:
    """Each message with the marks in it; sources that found no room in the answer's last message have its mark."""
    marks: set[str] = set()
    for one in shown:
        marks = set(MARK.findall(one.text)) or (marks if one.text.startswith("1. Page on ") else set())
        yield marks, one


def twice(question: Asked, shown: list[Shown]) -> bool:
    """Whether two answers to it can be read at once."""
    beginning = _plain("This is what there is on")
    return sum(_plain(one.text).count(f"{beginning} QA{question.number}v") for one in shown) > 1


def _plain(text: str) -> str:
    return " ".join(re.sub(r"\s*\[\d+\]", "", text).split())
