"""The web surface, the pages of documents, `bot explain` and the export of feedback: each for whoever looks there."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.access.interface import Act
from bot.documents import Documents
from bot.evaluation.feedback import export_feedback
from bot.explain import Found, explained
from bot.platforms.web import Keys, create_app
from bot.settings import BotSettings
from tests.bot.platforms.web import client, entry
from tests.canaries.asking import Asked, above, questions
from tests.canaries.bot import Bot
from tests.canaries.company import company, direct_of
from tests.canaries.day import day, says, somebody
from tests.canaries.house import url_of
from tests.canaries.library import SHAPES, Paper, library
from tests.canaries.lookout import FOUND, Heard, check, check_nobodys
from tests.canaries.test_shapes import MODEL, PICK, TOPIC
from tests.canaries.words import seen
from tests.fixtures.assistant import LANGUAGES, SAY

SETTINGS = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])

KEYS = st.sampled_from(sorted(company().keys))
PAPER = st.integers(0, len(library()) - 1).map(lambda number: library()[number])
PAPERS = st.lists(PAPER, min_size=15, max_size=25, unique_by=lambda paper: paper.key)


def browser(bot: Bot, name: str) -> httpx.AsyncClient:
    """Somebody with the key of that name; the web surface is the bot's own."""
    entries = [
        entry(key, f"sk-{key}", per_minute=1000).model_copy(update={"readers": readers})
        for key, readers in bot.platform.company.keys.items()
    ]
    app = create_app(
        answerer=bot.answering.answer,
        keys=Keys(entries, keyless_here=False),
        say=SAY,
        languages=LANGUAGES,
        documents=Documents(bot.house.ledger).read,
        registry=bot.house.metrics.registry,
        threads=bot.conversations.history,
        allows=bot.house.ledger.allows,
    )
    return client(app, Authorization=f"Bearer sk-{name}")


def asked_on_the_web(asked: Asked, thread: str, *, stream: bool) -> dict[str, Any]:
    return {
        "model": "souffleur",
        "stream": stream,
        "messages": [{"role": "user", "content": asked.text}],
        "souffleur": {"thread": thread},
    }


@SETTINGS
@given(model=MODEL, name=KEYS, other=KEYS, asked=questions, stream=st.booleans())
async def test_a_key_is_shown_what_its_own_tokens_open(
    template: Path, heard: Heard, model: bool, name: str, other: str, asked: Asked, stream: bool
) -> None:
    """Answers, threads that go on after documents were taken away, and threads of others."""
    async with day(template, model=model) as bot:
        of, thread, who = bot.platform.company, str(uuid.uuid4()), f"key:{name}"
        async with browser(bot, name) as web, browser(bot, other) as stranger:
            with of.knowing(asked.known, who, f"key:{other}"):
                for each in (asked, above):
                    answer = await web.post("/v1/chat/completions", json=asked_on_the_web(each, thread, stream=stream))
                    assert answer.status_code == 200
                    check(of, "web", answer.text, [who])
                lost = [paper for paper in of.papers.values() if paper.words & seen(answer.text)]
                for paper in lost[:2]:
                    await bot.house.revoke(paper)
                for place, reader in ((web, who), (stranger, f"key:{other}")):
                    for answer in (
                        await place.get(f"/threads/{thread}"),
                        await place.post("/v1/chat/completions", json=asked_on_the_web(above, thread, stream=False)),
                    ):
                        check(of, "web", answer.text, [reader])
            check_nobodys("metrics", (await web.get("/metrics")).text)
            check_nobodys("probes", (await web.get("/readyz")).text)
    heard.check()


@SETTINGS
@given(name=KEYS, papers=PAPERS)
async def test_the_page_of_a_document_is_there_for_its_readers_and_else_as_if_it_were_not(
    template: Path, heard: Heard, name: str, papers: list[Paper]
) -> None:
    async with day(template, model=False) as bot:
        of, who = bot.platform.company, f"key:{name}"
        await bot.house.revoke(papers[0])
        async with browser(bot, name) as web:
            missing = (await web.get("/documents/handbook/no-such-page.md")).text
            for paper in papers:
                page = await web.get(f"/documents/{quote(paper.source)}/{quote(paper.id)}")
                assert page.status_code == (200 if of.may_read(who, paper.key) else 404)
                check(of, "page", page.text, [who])
                if page.status_code == 404:
                    assert page.text == missing
    heard.check()


@SETTINGS
@given(model=MODEL, channel=st.sampled_from(["C1", "C2", "C6"]), pick=PICK, asked=TOPIC, held=st.sampled_from(SHAPES))
async def test_explanations_and_exports_hold_what_whoever_looks_may_read(
    template: Path, heard: Heard, model: bool, channel: str, pick: int, asked: Asked, held: frozenset[str]
) -> None:
    async with day(template, model=model) as bot:
        of, acts = bot.platform.company, list[Act]()
        of.keys = of.keys | {"looks": frozenset({"everyone"}) | held, "member": frozenset({"everyone"})}
        who = somebody(bot, channel, pick)
        for place in (channel, direct_of(who)):
            thread = await says(bot, place, who, asked)
            await says(bot, place, who, above, thread)
            for button, where, message in bot.buttons("up"):
                pressed = bot.platform.press(button, by=who, channel=where, message=message)
                await bot.happens(pressed, of.readers_in(place))

        async def note(act: Act) -> None:
            acts.append(act)

        traces = [act.answer for act in bot.house.noted if act.deed == "asked"]
        assert traces
        for name in ("looks", "member"):
            holds = of.holds(f"key:{name}")
            for trace in traces:
                data = await explained(
                    Found(trace=trace), bot.conversations, bot.house.ledger, readers=holds, note=note
                )
                check(of, "explained", data, [f"key:{name}"])
            out = bot.folder / f"export-{name}"
            settings = BotSettings.model_validate({"home": bot.folder, "state": {"url": url_of(bot.folder)}})
            await export_feedback(settings, tokens=holds - {"public", "everyone"}, out=out)
            for file in out.glob("**/*"):
                if file.is_file():
                    check(of, "export", file.read_text(encoding="utf-8"), [f"key:{name}"])
        assert {act.deed for act in acts} == {"explained"}
        assert FOUND["explained"]
    heard.check()
