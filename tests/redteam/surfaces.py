"""An answer as each surface shows it: by the real renderers, and as it would be shown without them."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

from markdown_it import MarkdownIt
from rich.console import Console as Terminal

from bot.model import Answer, AnswerEvent, Asker, Finished, Question
from bot.platforms.console import Console
from bot.platforms.interface import Post, sources
from bot.platforms.mattermost.convert import messages_of
from bot.platforms.places import opened_at
from bot.platforms.slack import blocks
from bot.platforms.web.sources import html_with_sources, markdown_list, markdown_notes, sources_of
from tests.fixtures.assistant import SAY
from tests.redteam.leaked import Shown

careless = MarkdownIt("commonmark", {"html": True}).enable("table")


async def shown(answer: Answer) -> Shown:
    """By the real renderers."""
    post = _post(answer)
    listed = sources_of(answer.citations or answer.nearest, language=answer.language, say=SAY)
    html = html_with_sources(answer.text + markdown_notes(answer.notes), listed, language=answer.language, say=SAY)
    below = markdown_list(listed, label=SAY(answer.language, "web-sources"), numbered=bool(answer.citations))
    return Shown(
        texts={
            "slack": "\n\n".join(text for page in blocks.pages(post) for text in _texts(page)),
            "mattermost": "\n\n".join(messages_of(post)),
            "web": html + careless.render(below),
            "console": await _on_terminal(answer),
        },
        sources={source.number: source.url for source in (*post.sources, *listed)},
    )


def carelessly(text: str) -> Shown:
    """As it was written."""
    return Shown(texts={"slack": text, "mattermost": text, "web": careless.render(text), "console": text})


def _post(answer: Answer) -> Post:
    listed = sources(
        answer.citations or answer.nearest,
        language=answer.language,
        say=SAY,
        address_of=lambda passage: opened_at(passage) or "",
    )
    return Post(
        text=answer.text,
        language=answer.language,
        sources=listed,
        sources_label=SAY(answer.language, "sources") if listed else "",
        notes=answer.notes,
    )


def _texts(page: blocks.Page) -> list[str]:
    """What Slack reads as markup, Markdown or its own; then what it shows as it is."""
    texts = [page.preview]
    for block in page.blocks:
        if block["type"] == "markdown":
            texts.append(block["text"])
        elif block["type"] == "context":
            texts += [element["text"] for element in block["elements"] if element["type"] != "plain_text"]
    return texts


async def _on_terminal(answer: Answer) -> str:
    async def answered(_: Question) -> AsyncIterator[AnswerEvent]:
        yield Finished(answer=answer)

    out = io.StringIO()
    terminal = Terminal(file=out, force_terminal=True, width=300, color_system="truecolor", legacy_windows=False)
    console = Console(answerer=answered, asker=Asker(id="ada", readers=frozenset()), say=SAY, terminal=terminal)
    await console.ask("?")
    return out.getvalue()
