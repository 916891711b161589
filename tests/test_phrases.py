from __future__ import annotations

import re
import tomllib
from datetime import date
from importlib import resources
from pathlib import Path

import pytest
from fluent.syntax import ast
from fluent.syntax.visitor import Visitor

from bot.language import LanguageDecider
from bot.phrases import PHRASE_LANGUAGES, PhraseError, PhraseFile, Phrases, direction

ROOT = Path(__file__).parents[1]
ENGLISH = PhraseFile("en")
OTHERS = [language for language in PHRASE_LANGUAGES if language != "en"]
VALUES: dict[str, str | int | date] = {
    "trace": "9f3c2a",
    "limit": 100_000,
    "page": 1234,
    "date": date(2025, 5, 3),
    "number": 2,
    "title": "Travel policy",
    "model": "souffleur",
}

SAME_AS_ENGLISH = {
    ("fr", "sources"),
    ("fr", "page"),
}
"""Phrases that happen to be written alike."""

FOREIGN_WORDS = re.compile(r"\b(?:JavaScript|Enter|Shift|kB|KB)\b")
"""Names of keys, units and techniques that keep their Latin spelling in other scripts."""


class Mentions(Visitor):
    """The variables and the other phrases that a phrase mentions."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_VariableReference(self, node: ast.VariableReference) -> None:
        self.names.add(f"${node.id.name}")

    def visit_MessageReference(self, node: ast.MessageReference) -> None:
        self.names.add(node.id.name)


def mentions(message: ast.Message) -> set[str]:
    visitor = Mentions()
    visitor.visit(message)
    return visitor.names


def plain(message: ast.Message) -> str:
    """The words of a phrase, without what is put into them."""
    assert message.value is not None
    return "".join(part.value for part in message.value.elements if isinstance(part, ast.TextElement))


def test_the_languages_are_the_files() -> None:
    names = {file.name for file in (resources.files("prompts") / "phrases").iterdir()}
    assert names - {"__pycache__"} == {f"{language}.ftl" for language in PHRASE_LANGUAGES}


@pytest.mark.parametrize("language", PHRASE_LANGUAGES)
def test_every_line_of_a_file_is_a_phrase_and_none_is_there_twice(language: str) -> None:
    text = (resources.files("prompts") / "phrases" / f"{language}.ftl").read_text("utf-8")
    lines = [line for line in text.splitlines() if line]
    assert len(lines) == len(PhraseFile(language).messages)


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_phrases_of_english_and_no_others(language: str) -> None:
    assert PhraseFile(language).messages.keys() == ENGLISH.messages.keys()


@pytest.mark.parametrize("language", OTHERS)
def test_every_phrase_mentions_what_the_english_one_mentions(language: str) -> None:
    file = PhraseFile(language)
    assert {key: mentions(m) for key, m in file.messages.items()} == {
        key: mentions(m) for key, m in ENGLISH.messages.items()
    }


@pytest.mark.parametrize("language", OTHERS)
def test_no_phrase_was_left_in_english(language: str) -> None:
    same = {
        (language, key)
        for key, message in PhraseFile(language).messages.items()
        if plain(message).strip() and plain(message) == plain(ENGLISH.messages[key])
    }
    assert same <= SAME_AS_ENGLISH


@pytest.mark.parametrize("language", ["ru", "ar", "zh", "ja", "hi"])
def test_languages_of_other_scripts_use_no_latin_words(language: str) -> None:
    texts = {key: FOREIGN_WORDS.sub("", plain(message)) for key, message in PhraseFile(language).messages.items()}
    assert [key for key, text in texts.items() if re.search("[A-Za-z]", text)] == []


@pytest.mark.parametrize("language", PHRASE_LANGUAGES)
def test_every_phrase_can_be_said(language: str) -> None:
    for key in ENGLISH.messages:
        said = Phrases().say(language, key, **VALUES)
        assert said == said.strip() != ""
        # FSI, LRI, RLI, PDI: they would be copied along with a trace id.
        assert not re.search("[\u2066-\u2069]", said)


@pytest.mark.parametrize("language", PHRASE_LANGUAGES)
def test_a_trace_id_is_said_as_it_is_and_last(language: str) -> None:
    for key in ("model-unavailable", "interrupted", "try-again", "error"):
        said = Phrases().say(language, key, trace="9f3c2a")
        assert re.search(r"9f3c2a(?:[)）][.。।]?)?$", said)


@pytest.mark.parametrize("language", PHRASE_LANGUAGES)
def test_the_instruction_to_answer_in_a_language_is_in_that_language(language: str) -> None:
    for key in ("answer-language", "not-found", "error"):
        said = Phrases().say(language, key, trace="9f3c2a")
        assert LanguageDecider(PHRASE_LANGUAGES).decide(said).language == language


def test_numbers_and_dates_are_written_as_the_language_writes_them() -> None:
    phrases = Phrases()
    assert phrases.say("de", "updated", date=date(2025, 5, 3)) == "Stand: 3. Mai 2025"
    assert phrases.say("en", "updated", date=date(2025, 5, 3)) == "updated May 3, 2025"
    assert "100.000" in phrases.say("de", "question-too-long", limit=100_000)
    assert phrases.say("en", "page", page=1234) == "page 1234"


@pytest.mark.parametrize("tag", ["de-AT", "de_DE", "DE"])
def test_a_region_does_not_matter(tag: str) -> None:
    assert Phrases().say(tag, "sources") == "Quellen"


def test_a_language_without_a_file_is_spoken_to_in_english() -> None:
    assert Phrases().say("sv", "sources") == "Sources"


def test_an_unknown_phrase_is_an_error_that_names_it() -> None:
    with pytest.raises(PhraseError, match=r"'no-such' in prompts/phrases/fr\.ftl"):
        Phrases().say("fr", "no-such")


def test_a_missing_value_is_an_error_that_names_it() -> None:
    with pytest.raises(PhraseError, match=r"'page' in prompts/phrases/fr\.ftl cannot be said: .*page"):
        Phrases().say("fr", "page")


def test_arabic_is_written_from_right_to_left() -> None:
    assert {language for language in PHRASE_LANGUAGES if direction(language) == "rtl"} == {"ar"}
    assert direction("ar-EG") == direction("he") == "rtl"


def test_every_phrase_is_explained() -> None:
    readme = (ROOT / "prompts" / "README.md").read_text()
    assert [key for key in ENGLISH.messages if f"`{key}`" not in readme] == []


def test_the_web_page_says_the_phrases_that_there_are() -> None:
    folder = ROOT / "bot" / "platforms" / "web"
    sources = [path.read_text() for path in folder.rglob("*.*") if path.suffix in {".py", ".html"}]
    said = set(re.findall(r"""["'](web-[a-z-]+)["']""", "\n".join(sources)))
    assert said == {key for key in ENGLISH.messages if key.startswith("web-")}


def test_the_files_are_part_of_the_package() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert "*.ftl" in settings["package-data"]["*"]
    assert "prompts*" in settings["packages"]["find"]["include"]
