"""The language of a question within its conversation: what `bot.language` decides from, and what is done in doubt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from bot.language import LanguageDecider
from bot.model import Passage, Turn
from bot.trace import LanguageDecided
from bot.walk import Walk

PEOPLE_TURNS = 5
"""Latest turns of a conversation among several people that tell its language."""

UNSURE_BELOW = 0.5
"""Confidence under which a guessed language is no better than the language of what was found: "vpn" is any. Guesses of
at least so much are right for 96 of 100 single words and for 98 of 100 rows of three."""

TELLING_CHARACTERS = 60
"""A shorter passage does not tell its language either."""


def decide_language(walk: Walk, text: str, languages: LanguageDecider) -> None:
    """Settle the language that the asker of `text` is spoken to in, and the one that is searched in."""
    locale = walk.question.asker.locale
    thread = language_of_thread(walk.question.history, locale, languages)
    decision = languages.decide(text, thread=thread, locale=locale)
    walk.trace.decided = LanguageDecided(language=decision.language, confidence=decision.confidence, how=decision.how)
    walk.searched_in = decision.language
    walk.unsure = decision.how == "guess" and decision.confidence < UNSURE_BELOW
    walk.language = languages.candidates[0] if walk.unsure else decision.language


def language_of_thread(history: Sequence[Turn], locale: str | None, languages: LanguageDecider) -> str | None:
    """That of the person's latest turn. Among several people: the one that all of them write, if there is one.

    Where they write several, the profile knows the asker better than what others wrote; without one, most decide.
    """
    people = [turn for turn in reversed(history) if turn.role == "user"]
    if not any(turn.name for turn in people):
        return languages.decide(people[0].text, locale=locale).language if people else None
    decisions = [languages.decide(turn.text) for turn in people[:PEOPLE_TURNS]]
    written = Counter(decision.language for decision in decisions if decision.how != "guess")
    if not written or (len(written) > 1 and locale):
        return None
    return written.most_common(1)[0][0]


def language_found(passages: Iterable[Passage], candidates: Sequence[str]) -> str | None:
    """The language of the best passage that is long enough to have one; None where none is."""
    for passage in passages:
        if len(passage.chunk.text) >= TELLING_CHARACTERS and passage.chunk.language in candidates:
            return passage.chunk.language
    return None
