from __future__ import annotations

import re
import tomllib
from datetime import date
from importlib import resources
from pathlib import Path

import pytest
from babel import Locale
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
    "count": 3,
    "minutes": 15,
    "name": "Ada Lovelace",
    "command": "/ask",
    "what": "OKR 2027",
}

LONGEST = {
    "chat-reason-title": 24,
    "chat-reason-label": 24,
    "chat-send": 24,
    **{f"chat-{action}": 30 for action in ("stop", "again", "up", "down", "share", "person", "resolved")},
    **{f"chat-{action}": 30 for action in ("fuller", "disclose")},
    **{f"chat-prompt-{number}-title": 75 for number in (1, 2, 3)},
    "chat-searching": 50,
    "chat-reading-files": 50,
    "note-unconfirmed": 40,
}
"""Characters that fit: a Mattermost dialog's title, its fields and button, 24 (Slack the same for titles and buttons of
forms); Slack's suggested prompts, by their documentation, 75; its status, 50; a button is cut off beyond about 30; a
mark behind a sentence is no sentence."""

SAME_AS_ENGLISH = {
    ("fr", "sources"),
    ("fr", "page"),
}
"""Phrases that happen to be written alike."""

SAME_IN_PLURAL = {"tr", "zh", "ja"}
"""Languages in which the noun after a number stays as it is."""

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


class Words(Visitor):
    """What a phrase says, without what is put into it; all of its plural forms."""

    def __init__(self) -> None:
        self.words = ""

    def visit_TextElement(self, node: ast.TextElement) -> None:
        self.words += node.value


def plain(message: ast.Message) -> str:
    visitor = Words()
    visitor.visit(message)
    return visitor.words


class Forms(Visitor):
    """The plural forms of a phrase."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_Variant(self, node: ast.Variant) -> None:
        assert isinstance(node.key, ast.Identifier)
        self.names.add(node.key.name)


def test_the_languages_are_the_files() -> None:
    names = {file.name for file in (resources.files("prompts") / "phrases").iterdir()}
    assert names - {"__pycache__"} == {f"{language}.ftl" for language in PHRASE_LANGUAGES}


@pytest.mark.parametrize("language", PHRASE_LANGUAGES)
def test_every_line_of_a_file_is_a_phrase_and_none_is_there_twice(language: str) -> None:
    text = (resources.files("prompts") / "phrases" / f"{language}.ftl").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not re.match(r" +\*?\[[a-z]+\] |\}$", line)]
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
def test_counted_things_have_the_plural_forms_of_the_language(language: str) -> None:
    rule = Locale.parse(language).plural_form
    needed = {rule(number) for number in range(201)} | {"other"}
    for key, message in PhraseFile(language).messages.items():
        if not mentions(message) & {"$count", "$minutes"}:
            continue
        forms = Forms()
        forms.visit(message)
        assert forms.names == (set() if language in SAME_IN_PLURAL else needed), key


def test_a_count_takes_its_form() -> None:
    said = {count: Phrases().say("ru", "chat-searching", count=count) for count in (1, 3, 5, 21)}
    assert said[1].endswith(" 1 источнике…")
    assert said[3].endswith(" 3 источниках…")
    assert said[21].endswith(" 21 источнике…")


@pytest.mark.parametrize("language", PHRASE_LANGUAGES)
@pytest.mark.parametrize("key", LONGEST)
def test_a_phrase_fits_where_it_is_shown(language: str, key: str) -> None:
    assert len(Phrases().say(language, key, **VALUES)) <= LONGEST[key]


@pytest.mark.parametrize("language", PHRASE_LANGUAGES)
def test_what_is_of_another_script_is_said_last(language: str) -> None:
    for key, message in PhraseFile(language).messages.items():
        for value in mentions(message) & {"$name", "$command", "$trace", "$what"}:
            said = Phrases().say(language, key, **VALUES)
            last = re.escape(str(VALUES[value.removeprefix("$")]))
            assert re.search(rf"{last}(?:[)）][.。।]?)?$", said), key


@pytest.mark.parametrize("language", PHRASE_LANGUAGES)
def test_nobody_is_shouted_at(language: str) -> None:
    assert [key for key, message in PhraseFile(language).messages.items() if re.search("[!！]", plain(message))] == []


@pytest.mark.parametrize("language", PHRASE_LANGUAGES)
def test_the_instruction_to_answer_in_a_language_is_in_that_language(language: str) -> None:
    for key in ("answer-language", "not-found", "error", "note-removed", "wrong-language"):
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


def test_what_is_said_in_chats_is_among_the_phrases() -> None:
    sources = [path.read_text() for path in (ROOT / "bot").rglob("*.py")]
    said = set(re.findall(r"""["'](chat-[a-z0-9-]+)["']""", "\n".join(sources)))
    assert said <= ENGLISH.messages.keys()


def test_the_files_are_part_of_the_package() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert "*.ftl" in settings["package-data"]["*"]
    assert "prompts*" in settings["packages"]["find"]["include"]
