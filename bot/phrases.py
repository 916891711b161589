"""What the assistant itself says, in the asker's language: `Phrases().say("de", "page", page=3)`.

The texts are Fluent files, `prompts/phrases/<language>.ftl`; `prompts/README.md` says what each one is for. A language
without a file is spoken to in English.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib import resources
from typing import Final, Literal, Protocol

from fluent.runtime import FluentBundle, FluentResource
from fluent.syntax import ast

from ingest.errors import Terminal

PHRASE_LANGUAGES: Final = ("en", "fr", "de", "es", "it", "pt", "nl", "pl", "tr", "ru", "ar", "zh", "ja", "hi")
"""The languages that have a file; the first one stands in for those that have none."""

RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ps", "ug", "ur"})


class PhraseError(Terminal):
    """A phrase that does not exist, or that lacks one of its values; a mistake in the program, not in a setting."""


class Say(Protocol):
    """`Phrases.say`, for those who are handed it."""

    def __call__(self, language: str, key: str, /, **values: str | int | date) -> str: ...


class Phrases:
    """The phrases of every language, each file read when its language is first spoken."""

    languages: tuple[str, ...] = PHRASE_LANGUAGES

    def say(self, language: str, key: str, /, **values: str | int | date) -> str:
        """The phrase `key` in `language` (`de` and `de-AT` are the same), English where that has none.

        Numbers and dates are written as the language writes them.

        Raises:
            PhraseError: there is no such phrase, or a value that it names is missing.
        """
        primary = _primary(language)
        return _file(primary if primary in self.languages else self.languages[0]).say(key, values)


def direction(language: str) -> Literal["ltr", "rtl"]:
    """Which way `language` is written, as HTML's `dir` says it."""
    return "rtl" if _primary(language) in RIGHT_TO_LEFT else "ltr"


class PhraseFile:
    """The phrases of one language."""

    def __init__(self, language: str) -> None:
        self._name = f"prompts/phrases/{language}.ftl"
        resource = FluentResource((resources.files("prompts") / "phrases" / f"{language}.ftl").read_text("utf-8"))
        self.messages = {entry.id.name: entry for entry in resource.body if isinstance(entry, ast.Message)}
        # Isolating marks would be copied along with trace ids; the phrases put such values last instead.
        self._bundle = FluentBundle([language], use_isolating=False)
        self._bundle.add_resource(resource)

    def say(self, key: str, values: dict[str, str | int | date]) -> str:
        if key not in self.messages:
            raise PhraseError(f"no phrase {key!r} in {self._name}; add it there and in every other language")
        pattern = self._bundle.get_message(key).value
        text, errors = self._bundle.format_pattern(pattern, values) if pattern else ("", ["it has no text"])
        if errors:
            raise PhraseError(f"phrase {key!r} in {self._name} cannot be said: {'; '.join(map(str, errors))}")
        return str(text)


_file = cache(PhraseFile)


def _primary(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].lower()
