"""From passages and a question to a prompt that fits: `prompts/*.j2`, rendered within a token budget.

A template has two blocks: `system`, the same for every question (so that a gateway can cache it), and `user`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.llm.interface import Message, Prompt
from bot.model import Passage, Turn
from ingest.chunk import estimate_tokens

NOT_FOUND = "NOT_FOUND"
"""What a writer replies, and nothing else, when its passages do not answer the question."""

HISTORY_SHARE = 0.25
"""Largest part of the budget that earlier turns may take: the passages are what the answer rests on."""

TURN_CHARACTERS = 1500
"""An earlier turn is cut to this; its beginning is what a follow-up refers to."""

FOLLOWUP_TOKENS = 120
"""Longest stand-alone question that is asked for."""

FRAME_TOKENS = 40
"""What the tags and attributes around one passage cost, rounded up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """Tokens that prompt and answer together may take, and the part of it that is the answer's."""

    context_tokens: int
    answer_tokens: int


class Prompts:
    """Renders the prompts of every task.

    `answer_language` gives the closing instruction of a prompt, in the language it asks for. `company` is what the
    assistant calls the company; None for none in particular.
    """

    def __init__(
        self,
        budget: Budget,
        *,
        answer_language: Callable[[str], str],
        today: Callable[[], date],
        company: str | None = None,
    ) -> None:
        self._budget = budget
        self._answer_language = answer_language
        self._today = today
        self._company = company
        # Markdown for a model, not HTML for a browser: escaping would put entities into what it quotes.
        self._templates = Environment(
            loader=PackageLoader("prompts", package_path="."),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701
            trim_blocks=True,
        )
        self._templates.filters |= {"enclosed": _enclosed, "attribute": _attribute}

    def answer(self, question: str, passages: Sequence[Passage], turns: Sequence[Turn], language: str) -> Prompt:
        """The prompt for the answer; passages that do not fit are left out, the least relevant first."""
        variables = {
            "company": self._company,
            "not_found": NOT_FOUND,
            "question": question,
            "today": self._today().isoformat(),
            "answer_language": self._answer_language(language),
        }
        bare = self._messages("answer", **variables, passages=(), turns=())
        room = self._budget.context_tokens - self._budget.answer_tokens - _tokens(bare)
        kept_turns = _latest_within(turns, int(room * HISTORY_SHARE))
        kept = _first_within(passages, room - sum(estimate_tokens(turn.text) for turn in kept_turns))
        return Prompt(
            messages=self._messages("answer", **variables, passages=kept, turns=kept_turns),
            question=question,
            passages=kept,
            language=language,
            max_tokens=self._budget.answer_tokens,
        )

    def followup(self, question: str, turns: Sequence[Turn], language: str) -> Prompt:
        """The prompt that makes a follow-up question stand alone."""
        kept = _latest_within(turns, int(self._budget.context_tokens * HISTORY_SHARE))
        return Prompt(
            messages=self._messages("followup", turns=kept, question=question),
            question=question,
            passages=(),
            language=language,
            max_tokens=FOLLOWUP_TOKENS,
        )

    def _messages(self, task: str, **variables: object) -> tuple[Message, ...]:
        template = self._templates.get_template(f"{task}.md.j2")
        context = template.new_context(variables)
        return (
            Message(role="system", content="".join(template.blocks["system"](context)).strip()),
            Message(role="user", content="".join(template.blocks["user"](context)).strip()),
        )


def _tokens(messages: Sequence[Message]) -> int:
    return sum(estimate_tokens(message.content) for message in messages)


def _latest_within(turns: Sequence[Turn], tokens: int) -> tuple[Turn, ...]:
    kept: list[Turn] = []
    for turn in reversed(turns):
        short = Turn(role=turn.role, text=turn.text[:TURN_CHARACTERS])
        tokens -= estimate_tokens(short.text)
        if tokens < 0:
            break
        kept.append(short)
    return tuple(reversed(kept))


def _first_within(passages: Sequence[Passage], tokens: int) -> tuple[Passage, ...]:
    kept: list[Passage] = []
    for passage in passages:
        tokens -= estimate_tokens(passage.chunk.indexed_text) + FRAME_TOKENS
        if tokens < 0 and kept:
            break
        kept.append(passage)
    return tuple(kept)


def _enclosed(text: str) -> str:
    """`text` without anything that looks like the end of its own enclosure."""
    return re.sub(r"<(?=\s*/?\s*passage\b)", "‹", text, flags=re.IGNORECASE)


def _attribute(text: str) -> str:
    return _enclosed(" ".join(text.split())).replace('"', "'").replace(">", "›")
