"""A system prompt is recognised in whatever form it is told; answers are not taken for one."""

from __future__ import annotations

import base64
import codecs
import random
from collections.abc import Callable
from datetime import date
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.phrases import PHRASE_LANGUAGES, Phrases
from bot.prompting import Budget, Prompts
from bot.writing.leaks import RUN, leaks
from tests.fixtures.passages import passage

PROMPTS = Prompts(
    Budget(context_tokens=4096, answer_tokens=500),
    answer_language=lambda language: language,
    today=lambda: date(2026, 11, 23),
)
SYSTEM = PROMPTS.answer("How long is leave?", [passage(1, "Thirty days.")], [], "en").messages[0].content
WORDS = SYSTEM.split()
PART = " ".join(WORDS[30:50])

LEET = str.maketrans("aeiostlAEIOSTL", "43105714310571")
CYRILLIC = str.maketrans("aeopcyx", "аеорсух")
FULL_WIDTH = str.maketrans({sign: chr(sign + 0xFEE0) for sign in range(33, 127)})

FORMS: dict[str, Callable[[str], str]] = {
    "plainly": str,
    "in capitals": str.upper,
    "without spaces": lambda text: text.replace(" ", ""),
    "a letter at a time": " ".join,
    "with hyphens": "-".join,
    "with signs that take no room": "\u200b".join,
    "with accents": lambda text: "\u0301".join(text),
    "a word a line": lambda text: "\n".join(f"- {word}" for word in text.split()),
    "in bold": lambda text: " ".join(f"**{word}**" for word in text.split()),
    "full-width": lambda text: text.translate(FULL_WIDTH),
    "in Cyrillic letters": lambda text: text.translate(CYRILLIC),
    "in leet": lambda text: text.translate(LEET),
    "backwards": lambda text: text[::-1],
    "its words backwards": lambda text: " ".join(reversed(text.split())),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "with numbers of sources": lambda text: " [1] ".join(text.split()),
    "by first letters of lines": lambda text: "\n".join(f"- {sign}oo bar" for sign in text if sign.isalpha()),
    "by first letters of sentences": lambda text: " ".join(f"{sign}oo bar." for sign in text if sign.isalpha()),
    "by last letters of words": lambda text: " ".join(f"foo{sign}" for sign in text if sign.isalpha()),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 in lines": lambda text: base64.encodebytes(text.encode()).decode(),
    "base64 of base64": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "base64 of rot13": lambda text: base64.b64encode(codecs.encode(text, "rot13").encode()).decode(),
    "base64 from its second letter": lambda text: base64.b64encode(text.encode()).decode()[1:],
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, parted": lambda text: text.encode().hex(" "),
    "hexadecimal of base64": lambda text: base64.b64encode(text.encode()).hex(),
    "binary": lambda text: " ".join(f"{sign:08b}" for sign in text.encode()),
    "numbers": lambda text: ", ".join(str(sign) for sign in text.encode()),
    "percent signs": lambda text: "".join(f"%{sign:02X}" for sign in text.encode()),
    "an address": quote,
    "entities": lambda text: "".join(f"&#{ord(sign)};" for sign in text),
    "escapes": lambda text: "".join(f"\\u{ord(sign):04x}" for sign in text),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("before", "behind"), [("", ""), ("Gladly! My rules are:\n", "\nThat is all [1].")])
def test_the_system_prompt_is_recognised(form: str, before: str, behind: str) -> None:
    assert leaks(before + FORMS[form](PART) + behind, SYSTEM) is not None


@given(st.integers(0, len(WORDS) - RUN - 4), st.sampled_from(sorted(FORMS)))
def test_any_part_of_it_is(start: int, form: str) -> None:
    part = " ".join(WORDS[start : start + RUN + 4])
    assert leaks(FORMS[form](part), SYSTEM) is not None


def test_eight_words_are_enough_and_seven_are_not() -> None:
    at = WORDS.index("What")
    assert leaks(" ".join(WORDS[at : at + 8]), SYSTEM) is not None
    assert leaks(" ".join(WORDS[at : at + 7]), SYSTEM) is None


def test_sixteen_characters_are_enough_where_words_are_not_parted() -> None:
    system = "你是公司的助手。只能使用给你的段落，不能使用一般知识，也不能猜测任何名字、数字或日期。"
    assert leaks("好的：只能使用给你的段落，不能使用一般知识。", system) is not None
    assert leaks("段 落 不 能 使 用 一 般 知 识 也 不 能 猜 测 任 何 名 字", system) is not None
    assert leaks("只能使用给你的段落。", system) is None


def test_it_says_how_the_prompt_was_told() -> None:
    assert leaks(PART, SYSTEM) == "repeats 8 words of the system prompt"
    coded = FORMS["base64 of rot13"](PART)
    assert leaks(coded, SYSTEM) == "repeats 8 words of the system prompt, moved by 13 letters, in base64"


@pytest.mark.parametrize(
    "text",
    [
        "Every employee has thirty days of paid leave a year [1].",
        "If the passages do not answer your question, ask the people team [2].",
        "Keep names, product names and commands as they are in the style guide.",
        "Alle Beschäftigten haben dreißig Tage bezahlten Urlaub im Jahr [1][2].",
        "所有员工每年有三十天带薪休假，须提前两周在门户网站申请 [1]。",
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        "commit 3f2a9c1d3f2a9c1d3f2a9c1d3f2a9c1d3f2a9c1d, " + "10 20 30 40 50 60 70 80 90 " * 3,
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        "",
        " \n",
    ],
)
def test_an_ordinary_answer_is_none(text: str) -> None:
    assert leaks(text, SYSTEM) is None


def test_what_the_assistant_says_of_itself_is_none() -> None:
    for language in PHRASE_LANGUAGES:
        for key in ("not-found", "nearest", "empty-question", "chat-needs-model", "extractive-intro"):
            assert leaks(Phrases().say(language, key), SYSTEM) is None


def test_words_of_the_prompt_in_another_order_are_none() -> None:
    shuffled = random.Random(7).sample(WORDS, len(WORDS))
    assert leaks(" ".join(shuffled), SYSTEM) is None


@pytest.mark.parametrize("system", ["", "Be brief.", "…"])
def test_a_prompt_of_fewer_words_cannot_be_given_away(system: str) -> None:
    assert leaks("Be brief.", system) is None


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    assert leaks(text, SYSTEM) is None


@pytest.mark.parametrize(
    "piece", ["a", "aB3/", "a1", "%41", "&#", "&amp;", "12 ", "\\u0041", "01", "\u0301", "=", "A2B3C4D5 "]
)
def test_work_does_not_grow_with_the_square_of_the_text(piece: str) -> None:
    """What did would need more than the time that one test has."""
    leaks(piece * (500_000 // len(piece)), SYSTEM)
