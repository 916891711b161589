"""What a message asks for: one call of the chat model that makes it stand alone, translates it and routes it.

The model's reply is JSON by a schema. Whatever is unclear, late or refused is a question to the documents, searched for
as asked. Thread messages are data that may try to steer the reply; what they can reach is bounded: a route that the
message itself does not support is not taken, nor a query that has nothing of a message that stands alone, nor a
language that it does not name.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from json import JSONDecoder
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.language import DETECTABLE
from bot.language_evidence import fold
from bot.language_wish import LANGUAGES as NAMED_LANGUAGES
from bot.language_wish import WORDINGS, wished_language
from bot.llm.calls import Calls
from bot.llm.interface import ChatRefused, ChatUnavailable, Prompt, Writer
from bot.llm.writers import Skill
from bot.model import Route, Turn
from bot.prompting import Prompts
from bot.routing import is_question, supports
from ingest.function_words import FUNCTION_WORDS
from ingest.index.lexical import encode_query
from ingest.model import UNSTORABLE

PATIENCE = 8.0
"""Seconds to wait for the model; the search runs on the message as asked when it takes longer."""

LONGEST = 500
"""Characters of a query or of its translation; a longer one is not a question but an answer, and is not used."""

LONGEST_REPLY = 8000
"""Characters that are looked at: a gateway that ignores `max_tokens` sends more."""

MOST_VARIANTS = 3
"""Other wordings that are kept; a union of four rankings is what helped hard questions (arXiv 2609.05637)."""

REMEMBERED = 512
"""Latest replies that are kept: the same message in the same conversation is not asked about again."""

ALONE_FROM, QUESTION_ALONE_FROM = 3, 2
"""Words of a message (of a question), function words aside, from which on its query must have something of it."""

LEAST_SHARE = 0.15
"""Of the words and 4-grams of such a message that its query has, or of the query's that the message has."""

WORD: Final = re.compile(r"[^\W_]+")
WORD_OR_PIECE: Final = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]{3}|\w+")
"""A word, or about as many characters as make one where words are not spaced."""
THOUGHT: Final = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
CODE_OF_LANGUAGE: Final = re.compile(r"([a-z]{2})(?:[-_].*)?", re.IGNORECASE)

AS_ASKED = "searched as asked"
"""What the notice of a message begins with that no model made sense of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Understood:
    """What a message asks for."""

    query: str
    """To search for: the message, such that it is understood without the conversation, in the language it came in."""
    route: Route = Route.DOCUMENTS
    skill: Skill = "chat"
    """Which model writes best what is asked for."""
    broad: bool = False
    """Whether it asks to list, compare or sum up what several documents say."""
    language: str | None = None
    """ISO 639-1 code of the language that the message names for what is to be written; None when it names none."""
    translations: Mapping[str, str] = field(default_factory=dict)
    """The query in other main languages of the documents, by ISO 639-1 code."""
    variants: tuple[str, ...] = ()
    """Other wordings of a broad or vague query."""
    notice: str | None = None
    """What was done otherwise than configured."""


class _Reply(BaseModel):
    """What the model says, before any of it is believed. Models without a schema leave fields out or null."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    query: str | None = None
    route: Literal["documents", "conversation", "general"] | None = None
    skill: Skill | None = None
    broad: bool | None = None
    language: str | None = None
    translations: dict[str, str | None] | None = None
    variants: list[str] | None = None


class Understanding:
    """Asks a chat model what messages ask for.

    `languages` are those that the assistant answers in, `main_languages` tells those of most documents.
    """

    def __init__(
        self,
        writer: Writer,
        prompts: Prompts,
        *,
        languages: Sequence[str],
        main_languages: Callable[[], Awaitable[Sequence[str]]],
    ) -> None:
        self._writer = writer
        self._prompts = prompts
        self._known = DETECTABLE | frozenset(languages)
        self._main_languages = main_languages
        self._remembered: OrderedDict[bytes, _Reply] = OrderedDict()

    async def understand(
        self, question: str, turns: Sequence[Turn], *, language: str, files: Sequence[str], calls: Calls
    ) -> Understood:
        """What `question` asks for after `turns`, in a conversation with `files` of these names.

        `language` is the one to answer in. Raises nothing but what `main_languages` raises.
        """
        main = await self._main_languages()
        # Whoever wishes for an answer in another language has hardly written in that one.
        others = main if wished_language(question) else [code for code in main if code != language]
        prompt = self._prompts.understand(question, turns, files=files, translate_into=others)
        key = _key(prompt)
        try:
            reply = self._remembered.get(key) or parsed(
                await calls.text(self._writer, prompt, task="understand", seconds=PATIENCE)
            )
        except (ChatUnavailable, ChatRefused) as error:
            return _as_asked(question, str(error))
        if isinstance(reply, str):
            return _as_asked(question, reply)
        believed = self._believed(question, reply, language=language, at_hand=bool(turns or files), others=others)
        if not (believed.notice or "").startswith(AS_ASKED):
            self._remember(key, reply)
        return believed

    def _remember(self, key: bytes, reply: _Reply) -> None:
        self._remembered[key] = reply
        self._remembered.move_to_end(key)
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    def _believed(
        self, question: str, reply: _Reply, *, language: str, at_hand: bool, others: Sequence[str]
    ) -> Understood:
        """What of `reply` the message supports."""
        route, notice = Route(reply.route or Route.DOCUMENTS), None
        if not supports(route, question, at_hand=at_hand):
            notice = f"taken as a question to the documents: {_missing(route, at_hand=at_hand)}"
            route = Route.DOCUMENTS
        named = self._named(question, reply.language)
        understood = Understood(query=question, route=route, skill=reply.skill or "chat", language=named, notice=notice)
        if route is not Route.DOCUMENTS:
            return understood
        query = _line(reply.query or "")
        if why := _unusable(question, query, language):
            return replace(understood, notice=notice or f"{AS_ASKED}: {why}")
        said = {query.casefold()}
        translations = {code: _line((reply.translations or {}).get(code) or "") for code in others}
        return replace(
            understood,
            query=query,
            broad=bool(reply.broad),
            translations={code: text for code, text in translations.items() if _fresh(text, said)},
            variants=tuple(text for text in map(_line, reply.variants or ()) if _fresh(text, said))[:MOST_VARIANTS],
        )

    def _named(self, question: str, said: str | None) -> str | None:
        """The language `said`, if it is one, and if `question` names it as far as its name is known here."""
        found = CODE_OF_LANGUAGE.fullmatch((said or "").strip())
        code = found[1].lower() if found else ""
        if code not in self._known or (code in NAMED_LANGUAGES and not _names(question, code)):
            return None
        return code


def parsed(reply: str) -> _Reply | str:
    """The one JSON object of a reply, whatever is written around it; or why there is none."""
    text, decoder = THOUGHT.sub("", reply[:LONGEST_REPLY]), JSONDecoder()
    found: list[Any] = []
    start = text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            if value.keys() & {"query", "route"} and value not in found:
                found.append(value)
        start = text.find("{", end)
    if len(found) != 1:
        return "the chat model did not return one JSON object"
    try:
        return _Reply.model_validate(found[0])
    except ValidationError as error:
        wrong = ", ".join(sorted({".".join(map(str, problem["loc"])) for problem in error.errors()}))
        return f"the chat model returned JSON that is none of what was asked for ({wrong[:LONGEST]})"


def _as_asked(question: str, why: str) -> Understood:
    return Understood(query=question, notice=f"{AS_ASKED}: {why}")


def _key(prompt: Prompt) -> bytes:
    """Of all that the model is told."""
    digest = blake2b(digest_size=16)
    for message in prompt.messages:
        digest.update(f"{len(message.content)} {message.content}".encode("utf-8", "surrogatepass"))
    return digest.digest()


def _missing(route: Route, *, at_hand: bool) -> str:
    """What a message lacks that a model sends on `route`."""
    if route is Route.CONVERSATION and not at_hand:
        return "there is no conversation before it and no file in it to work on"
    return f"the message itself does not say that it is {route.value!r}"


def _line(text: str) -> str:
    """On one line, without what no database can hold."""
    return " ".join(UNSTORABLE.sub("", text).split())


def _fresh(text: str, said: set[str]) -> bool:
    """Whether `text` can be searched for and was not `said` yet; it is then."""
    if not text or len(text) > LONGEST or text.casefold() in said:
        return False
    said.add(text.casefold())
    return True


def _unusable(question: str, query: str, language: str) -> str:
    """Why `query` is no form of `question`; empty when it may be one."""
    if not query:
        return "the chat model did not return a question"
    if len(query) > LONGEST:
        return "the chat model returned more than a question"
    asked, sought = _content(question, language), _content(query, language)
    alone_from = QUESTION_ALONE_FROM if is_question(question) else ALONE_FROM
    if len(WORD_OR_PIECE.findall(asked)) >= alone_from and _shared(asked, sought, language) < LEAST_SHARE:
        return "the chat model returned a question that has nothing of what was asked"
    return ""


def _content(text: str, language: str) -> str:
    functional = FUNCTION_WORDS.get(language, frozenset())
    return " ".join(word for word in WORD.findall(text) if word.lower() not in functional)


def _shared(one: str, other: str, language: str) -> float:
    """How much of the weight of the shorter of two texts, in words and 4-grams, the other one has."""
    vectors = [encode_query(text, language) for text in (one, other)]
    weights = [dict(zip(vector.indices, vector.values, strict=True)) for vector in vectors]
    common = weights[0].keys() & weights[1].keys()
    return max(sum(side[term] for term in common) / (sum(side.values()) or 1.0) for side in weights)


def _names(question: str, code: str) -> bool:
    """Whether a word for the language stands in `question`, in any of the languages that it is known in.

    Words are inflected: their beginnings count.
    """
    told, place = fold(question), NAMED_LANGUAGES.index(code)
    return any(
        name[: max(4, len(name) - 3)] in told
        for wording in WORDINGS.values()
        for name in fold(wording.names).split()[place].split("|")
    )
