"""From passages and a question to a prompt that fits: `prompts/*.j2`, rendered within a token budget.

A template has two blocks: `system`, the same for every question (so that a gateway can cache it), and `user`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.llm.interface import Message, Prompt
from bot.model import ATTACHED, Passage, Turn
from ingest.chunk import estimate_tokens
from ingest.model import Chunk

NOT_FOUND = "NOT_FOUND"
"""What a writer replies, and nothing else, when its passages do not answer the question."""

ON_CONVERSATION = "CONVERSATION_TASK"
"""What a writer replies instead of a stand-alone question when the conversation itself is to be worked on."""

HISTORY_SHARE = 0.25
"""Largest part of the budget that earlier turns may take: the passages are what the answer rests on."""

CONVERSATION_SHARE = 0.65
"""The same where the conversation itself is worked on and has files; without files, the turns may take all of it."""

ROOT_SHARE = 0.25
"""Largest part of what turns may take that a thread's first message does: the rest of the thread is about it."""

TURN_CHARACTERS = 1500
"""An earlier turn is cut to this; its beginning is what a follow-up refers to."""

WHOLE_TURN_CHARACTERS = 8000
"""The same where the conversation itself is worked on: a long message, and no pasted log."""

NAME_CHARACTERS = 60
"""Of a person's name or a file's; what is longer is no name."""

FOLLOWUP_TOKENS = 120
"""Longest stand-alone question that is asked for."""

ADDRESSED_TOKENS = 5
"""Of the reply to a question of yes or no."""

FRAME_TOKENS = 40
"""What the tags and attributes around one passage or file cost, rounded up."""

TURN_TOKENS = 15
"""The same for one turn, besides the name of whoever said it."""


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
        self._templates.filters |= {"enclosed": _enclosed, "attribute": _attribute, "name": _name}
        self._templates.globals |= {"attached": ATTACHED}

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
        kept = _first_within(passages, room - sum(map(_turn_tokens, kept_turns)))
        return Prompt(
            messages=self._messages("answer", **variables, passages=kept, turns=kept_turns),
            question=question,
            passages=kept,
            language=language,
            max_tokens=self._budget.answer_tokens,
        )

    def conversation(self, request: str, turns: Sequence[Turn], attached: Sequence[Chunk], language: str) -> Prompt:
        """The prompt for a task on the conversation itself: its first message and its latest ones, and its files.

        What does not fit is left out, and the prompt says so.
        """
        variables = {
            "company": self._company,
            "request": request,
            "today": self._today().isoformat(),
            "answer_language": self._answer_language(language),
        }
        bare = self._messages("conversation", **variables, turns=(), left_out=0, files=(), cut=False)
        room = self._budget.context_tokens - self._budget.answer_tokens - _tokens(bare) - FRAME_TOKENS
        kept = _whole_within(turns, int(room * CONVERSATION_SHARE) if attached else room)
        chunks = _chunks_within(attached, room - sum(map(_turn_tokens, kept)))
        files: dict[str, list[Chunk]] = {}
        for chunk in chunks:
            files.setdefault(chunk.title, []).append(chunk)
        return Prompt(
            messages=self._messages(
                "conversation",
                **variables,
                turns=kept,
                left_out=len(turns) - len(kept),
                files=tuple(files.items()),
                cut=len(chunks) < len(attached),
            ),
            question=request,
            passages=(),
            language=language,
            max_tokens=self._budget.answer_tokens,
        )

    def followup(self, question: str, turns: Sequence[Turn], language: str, *, files: Sequence[str] = ()) -> Prompt:
        """The prompt that makes a follow-up question stand alone, or tells that it is a task on the conversation.

        `files` are the names of those in the conversation.
        """
        kept = _latest_within(turns, int(self._budget.context_tokens * HISTORY_SHARE))
        return Prompt(
            messages=self._messages(
                "followup", turns=kept, question=question, files=files, on_conversation=ON_CONVERSATION
            ),
            question=question,
            passages=(),
            language=language,
            max_tokens=FOLLOWUP_TOKENS,
        )

    def addressed(self, text: str, turns: Sequence[Turn]) -> Prompt:
        """The prompt that asks whether the last message of a thread is meant for the assistant."""
        kept = _latest_within(turns, int(self._budget.context_tokens * HISTORY_SHARE))
        return Prompt(
            messages=self._messages("addressed", turns=kept, text=text),
            question=text,
            passages=(),
            language="en",
            max_tokens=ADDRESSED_TOKENS,
        )

    def picture(self, url: str) -> Prompt:
        """The prompt that has the picture at the `data:` URL put into words."""
        system, user = self._messages("picture")
        return Prompt(
            messages=(system, replace(user, picture=url)),
            question="",
            passages=(),
            language="en",
            max_tokens=self._budget.answer_tokens,
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


def _turn_tokens(turn: Turn) -> int:
    return estimate_tokens(turn.text) + estimate_tokens(_name(turn.name)) + TURN_TOKENS


def _latest_within(turns: Sequence[Turn], tokens: int, *, characters: int = TURN_CHARACTERS) -> tuple[Turn, ...]:
    kept: list[Turn] = []
    for turn in reversed(turns):
        short = replace(turn, text=turn.text[:characters])
        tokens -= _turn_tokens(short)
        if tokens < 0:
            break
        kept.append(short)
    return tuple(reversed(kept))


def _whole_within(turns: Sequence[Turn], tokens: int) -> tuple[Turn, ...]:
    """The first turn, and as many of the latest as fit; the first and the last are cut if they must be."""
    if not turns:
        return ()
    root, *others = turns
    root = _cut(root, max(int(tokens * ROOT_SHARE), tokens - sum(map(_turn_tokens, others))))
    room = tokens - _turn_tokens(root)
    kept = _latest_within(others, room, characters=WHOLE_TURN_CHARACTERS)
    return (root, *(kept or [_cut(turn, room) for turn in others[-1:]]))


def _cut(turn: Turn, tokens: int) -> Turn:
    """The beginning of a turn that takes at most `tokens`."""
    room = max(0, tokens - TURN_TOKENS - estimate_tokens(_name(turn.name)))
    text = turn.text[:WHOLE_TURN_CHARACTERS]
    while text and (needed := estimate_tokens(text)) > room:
        text = text[: len(text) * room // needed]
    return replace(turn, text=text)


def _chunks_within(chunks: Sequence[Chunk], tokens: int) -> tuple[Chunk, ...]:
    kept: list[Chunk] = []
    for chunk in chunks:
        tokens -= estimate_tokens(chunk.indexed_text) + FRAME_TOKENS
        if tokens < 0:
            break
        kept.append(chunk)
    return tuple(kept)


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
    return re.sub(r"<(?=\s*/?\s*(?:passage|turn|attachment)\b)", "‹", text, flags=re.IGNORECASE)


def _attribute(text: str) -> str:
    return _enclosed(" ".join(text.split())).replace('"', "'").replace(">", "›")


def _name(text: str) -> str:
    """What somebody chose to be called, or to call a file, short enough to be that and nothing else."""
    return _attribute(text)[:NAME_CHARACTERS]
