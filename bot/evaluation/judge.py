"""A model that grades answers. Its grades are an opinion: a report that has them names it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.llm.interface import ChatUnavailable, Message, Prompt, Writer
from bot.model import Answer
from ingest.questions import Query

logger = logging.getLogger(__name__)

ATTEMPTS = 2
"""Replies asked for until one is a verdict."""

SECONDS = 180.0
"""For one reply."""

REPLY_TOKENS = 400

PASSAGE_CHARACTERS = 3000
"""Of one passage; the longest that is indexed has about 2,000."""


class Verdict(BaseModel):
    """What the judge says of one answer."""

    model_config = ConfigDict(frozen=True)

    why: str
    """First, so that it is thought of before the grades are given."""
    correct: bool
    complete: float = Field(ge=0, le=1)
    invented: bool


class Judge:
    """Grades with `writer`, which should write at temperature 0."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.name = writer.name
        templates = Environment(
            loader=PackageLoader("prompts", package_path="."),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701 text for a model; every value goes through `tojson`
            trim_blocks=True,
        )
        templates.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
        self._template = templates.get_template("judge.md.j2")

    async def verdict(self, query: Query, answer: Answer) -> Verdict | None:
        """What it says of an answer; None when it was away, or its replies were no verdict. Raises `ChatRefused`."""
        prompt, why = self._prompt(query, answer), ""
        for _ in range(ATTEMPTS):
            try:
                async with asyncio.timeout(SECONDS), aclosing(self._writer.write(prompt)) as pieces:
                    reply = "".join([piece async for piece in pieces])
                return Verdict.model_validate_json(reply[reply.find("{") : reply.rfind("}") + 1])
            except (ChatUnavailable, TimeoutError) as error:
                why = str(error) or f"no reply within {SECONDS:.0f} s"
            except ValidationError as error:
                why = f"what it replied is no verdict ({error.errors()[0]['msg']})"
        logger.warning("%s did not grade the answer to %r: %s", self.name, query.text, why)
        return None

    def _prompt(self, query: Query, answer: Answer) -> Prompt:
        passages: Sequence[str] = [
            f"{passage.chunk.heading}\n{passage.text}"[:PASSAGE_CHARACTERS] for passage in answer.passages
        ]
        context = self._template.new_context(
            {
                "earlier": [f"{turn.role}: {turn.text}" for turn in query.history],
                "question": query.text,
                "gold": query.answers,
                "passages": passages,
                "answer": answer.text,
            }
        )
        blocks = self._template.blocks
        return Prompt(
            messages=(
                Message(role="system", content="".join(blocks["system"](context)).strip()),
                Message(role="user", content="".join(blocks["user"](context)).strip()),
            ),
            question=query.text,
            passages=(),
            language="en",
            max_tokens=REPLY_TOKENS,
            schema=Verdict.model_json_schema(),
        )


def grades(query: Query, *, answered: bool, verdict: Verdict | None) -> dict[str, float]:
    """The judge's measures. What was not answered is neither correct nor complete, and nobody has to be asked."""
    found: dict[str, float] = {}
    if query.answerable and not answered:
        found = {"judged correct": 0.0, "judged complete": 0.0}
    elif query.answerable and verdict is not None:
        found = {"judged correct": float(verdict.correct), "judged complete": verdict.complete}
    return found | ({"judged invented": float(verdict.invented)} if answered and verdict is not None else {})
