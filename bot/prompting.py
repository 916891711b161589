"""From passages and a question to a prompt that fits: `prompts/*.j2`, rendered within a token budget.

A template has two blocks: `system`, the same for every question (so that a gateway can cache it), and `user`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.llm.interface import Message, Prompt, Usage
from bot.llm.writers import Skill
from bot.model import ATTACHED, Passage, Route, Turn
from ingest.chunk import estimate_tokens
from ingest.model import Chunk

NOT_FOUND = "NOT_FOUND"
"""What a writer replies, and nothing else, when its passages do not answer the question."""

MISSING = "MISSING:"
"""What a line of an answer begins with that says what the passages do not tell."""

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

UNDERSTAND_TOKENS = 300
"""Of a message that is understood: a question in up to four languages, and other wordings of it."""

ADDRESSED_TOKENS = 5
"""Of the reply to a question of yes or no."""

FRAME_TOKENS = 70
"""What the tags and attributes around one passage or file cost at most, its title and headings aside."""

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

    def answer(
        self,
        question: str,
        passages: Sequence[Passage],
        turns: Sequence[Turn],
        language: str,
        *,
        asked: str | None = None,
    ) -> Prompt:
        """The prompt for the answer; `asked` as in `Prompt`.

        Of passages that do not fit, what stands around them goes first, then they themselves, the least relevant first.
        """
        variables = {
            "company": self._company,
            "not_found": NOT_FOUND,
            "missing": MISSING,
            "question": question,
            "language": language,
            "today": self._today().isoformat(),
            "answer_language": self._answer_language(language),
        }
        bare = self._messages("answer", **variables, passages=(), turns=(), numbers={})
        room = self._budget.context_tokens - self._budget.answer_tokens - _tokens(bare)
        kept_turns = _latest_within(turns, int(room * HISTORY_SHARE))
        kept = _first_within(passages, room - sum(map(_turn_tokens, kept_turns)))
        return Prompt(
            messages=self._messages(
                "answer",
                **variables,
                passages=kept,
                turns=kept_turns,
                numbers={passage.chunk.id: passage.number for passage in kept},
            ),
            question=question,
            asked=asked,
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

    def general(self, request: str, turns: Sequence[Turn], language: str) -> Prompt:
        """The prompt for work on what the request itself holds; of the conversation, the latest turns are told."""
        variables = {
            "company": self._company,
            "request": request,
            "today": self._today().isoformat(),
            "answer_language": self._answer_language(language),
        }
        bare = self._messages("general", **variables, turns=())
        room = self._budget.context_tokens - self._budget.answer_tokens - _tokens(bare)
        kept = _latest_within(turns, int(room * HISTORY_SHARE))
        return Prompt(
            messages=self._messages("general", **variables, turns=kept),
            question=request,
            passages=(),
            language=language,
            max_tokens=self._budget.answer_tokens,
        )

    def understand(
        self, question: str, turns: Sequence[Turn], *, files: Sequence[str], translate_into: Sequence[str]
    ) -> Prompt:
        """The prompt that asks, as JSON, what a message asks for: its stand-alone form, its translations, its route.

        `files` are the names of those in the conversation, `translate_into` ISO 639-1 codes.
        """
        kept = _latest_within(turns, int(self._budget.context_tokens * HISTORY_SHARE))
        return Prompt(
            messages=self._messages(
                "understand", turns=kept, question=question, files=files, translate_into=translate_into
            ),
            question=question,
            passages=(),
            language="en",
            max_tokens=UNDERSTAND_TOKENS,
            schema=_understood(translate_into),
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

    def again(self, prompt: Prompt, why: str) -> Prompt:
        """`prompt`, for another attempt: what was wrong with the last one, and the language at the very end."""
        *others, last = prompt.messages
        template = self._templates.get_template("again.md.j2")
        context = template.new_context({"why": why, "answer_language": self._answer_language(prompt.language)})
        addition = "".join(template.blocks["user"](context)).strip()
        messages = (*others, replace(last, content=f"{last.content}\n\n{addition}"))
        return replace(prompt, messages=messages, usage=Usage())

    def translation(self, text: str, language: str) -> Prompt:
        """The prompt that puts a finished text into `language`, its citations kept."""
        return Prompt(
            messages=self._messages("translate", text=text, answer_language=self._answer_language(language)),
            question="",
            passages=(),
            language=language,
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
    """The first passages that fit; what stands around a passage is left out before the passage is."""
    kept: list[Passage] = []
    for passage in passages:
        bare = replace(passage, before="", after="")
        fitting = [(form, cost) for form in (passage, bare) if (cost := _passage_tokens(form)) <= tokens]
        if not fitting and kept:
            break
        form, cost = fitting[0] if fitting else (bare, _passage_tokens(bare))
        kept.append(form)
        tokens -= cost
    return tuple(kept)


def _passage_tokens(passage: Passage) -> int:
    names = " ".join((passage.chunk.title, *passage.chunk.headings))
    return estimate_tokens(passage.text) + estimate_tokens(names) + FRAME_TOKENS


def _understood(translate_into: Sequence[str]) -> dict[str, Any]:
    """JSON schema of what a message asks for, as strict modes take it: every field required, nothing else allowed.

    https://platform.openai.com/docs/guides/structured-outputs lists what they take; lengths are not among it.
    """
    text = {"type": "string"}
    return _object(
        query=text,
        route={"type": "string", "enum": [route.value for route in Route]},
        skill={"type": "string", "enum": list(get_args(Skill))},
        broad={"type": "boolean"},
        language=text,
        translations=_object(**dict.fromkeys(translate_into, text)),
        variants={"type": "array", "items": text},
    )


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _enclosed(text: str) -> str:
    """`text` without anything that looks like the end of its own enclosure."""
    return re.sub(r"<(?=\s*/?\s*(?:passage|turn|attachment|message)\b)", "‹", text, flags=re.IGNORECASE)


def _attribute(text: str) -> str:
    return _enclosed(" ".join(text.split())).replace('"', "'").replace(">", "›")


def _name(text: str) -> str:
    """What somebody chose to be called, or to call a file, short enough to be that and nothing else."""
    return _attribute(text)[:NAME_CHARACTERS]
