"""Statements hold when their passages have their figures, their names and most of their words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Passage
from bot.writing.grounding.figures import atoms, figures, supported
from bot.writing.grounding.lexical import LexicalSupport
from bot.writing.interface import Statement, Supported
from tests.fixtures.passages import passage

HANDBOOK = Path(__file__).parents[3] / "deploy" / "demo" / "handbook"

LEAVE = passage(
    1,
    "Every employee in Hamburg has 30 days of annual leave. Leave must be requested in Factorial at least two "
    "weeks ahead. Unused days expire on 31 March 2026; Ada Byron (ada@example.org) decides on exceptions. "
    "Contractors do not receive paid leave. "
    'The code is HR-204, the command `leave request --days 3`, said "ask first".',
    updated_at=None,
)
URLAUB = passage(
    2,
    "Alle Beschäftigten in Hamburg haben 30 Tage Jahresurlaub. Der Urlaub muss mindestens zwei Wochen vorher in "
    "Factorial beantragt werden. Resturlaub verfällt am 31.03.2026. Werkstudenten erhalten keinen bezahlten Urlaub.",
    language="de",
    title="Urlaub",
    headings=(),
    updated_at=None,
)


async def judged(
    text: str, *passages: Passage, language: str = "en", question: str = "", cited: tuple[int, ...] = ()
) -> Supported:
    statement = Statement(text=text, cited=cited)
    return (await LexicalSupport().check([statement], passages, question=question, language=language))[0]


@pytest.mark.parametrize(
    "text",
    [
        "Employees in Hamburg have 30 days of annual leave.",
        "- In Hamburg, every employee gets **30 days** of leave each year.",
        "2. Request leave in Factorial two weeks ahead.",
        "Unused days expire on 2026-03-31.",
        "Unused days expire on March 31, 2026.",
        "Unused leave expires at the end of March 2026.",
        "Ada Byron decides on exceptions; write to ada@example.org.",
        "Contractors do not receive paid leave.",
        "The code is HR-204, and the command is `leave request --days 3`.",
        'The rule says "ask first".',
        "Here is how it works:",
        "In short:",
    ],
)
async def test_what_the_passage_says_holds_however_it_is_put(text: str) -> None:
    verdict = await judged(text, LEAVE)
    assert verdict.holds, verdict.why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Every employee in Hamburg has 28 days of annual leave.", "the number 28 is in no cited passage"),
        ("Unused days expire on 31 May 2026.", "the number May is in no cited passage"),
        ("Unused days expire on 30.04.2026.", "the number 30.04.2026 is in no cited passage"),
        ("Every employee in Dublin has 30 days of annual leave.", "`Dublin` is in no cited passage"),
        ("Leave must be requested in Personio two weeks ahead.", "`Personio` is in no cited passage"),
        ("Write to hr@example.org for exceptions.", "`hr@example.org` is in no cited passage"),
        ("The code is HR-205.", "the number 205 is in no cited passage"),
        ("The command is `leave delete --days 3`.", "`leave delete --days 3` is in no cited passage"),
        ('The rule says "never bother your manager".', "`never bother your manager` is in no cited passage"),
        ("Contractors do receive paid leave.", "a passage says the opposite"),
        ("The cafeteria serves warm lunches and vegetarian soups daily.", "the passages hold"),
    ],
)
async def test_what_the_passage_does_not_say_is_told_with_its_reason(text: str, why: str) -> None:
    verdict = await judged(text, LEAVE)
    assert not verdict.holds
    assert verdict.why.startswith(why)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("Alle Beschäftigten haben 30 Tage Urlaub im Jahr.", True),
        ("Der Resturlaub verfällt am 31. März 2026.", True),
        ("Werkstudenten erhalten bezahlten Urlaub.", False),
        ("Der Resturlaub verfällt am 30. April 2026.", False),
        ("Der Urlaub wird in SAP beantragt.", False),
    ],
)
async def test_german_nouns_are_no_names(text: str, *, holds: bool) -> None:
    assert (await judged(text, URLAUB, language="de")).holds == holds


@pytest.mark.parametrize(
    ("text", "language", "holds"),
    [
        ("Employees have 30 days of annual leave.", "en", True),
        ("Unused days expire on 31 March 2026.", "en", True),
        ("Unused days expire on 30 April 2026.", "en", False),
        ("Les salariés de Hambourg ont 30 jours de congés par an.", "fr", True),
        ("Les salariés de Hambourg ont 25 jours de congés par an.", "fr", False),
        ("员工每年有 30 天的年假。", "zh", True),
        ("员工每年有 28 天的年假。", "zh", False),
        ("للموظفين ٣٠ يوما من الإجازة السنوية.", "ar", True),
        ("للموظفين ٢٨ يوما من الإجازة السنوية.", "ar", False),
    ],
)
async def test_in_another_language_figures_decide(text: str, language: str, *, holds: bool) -> None:
    assert (await judged(text, URLAUB, language=language)).holds == holds


async def test_what_the_question_says_needs_no_passage() -> None:
    text = "In 2031, employees at Initech have 30 days of annual leave."
    assert not (await judged(text, LEAVE)).holds
    assert (await judged(text, LEAVE, question="How much leave do we get at Initech in 2031?")).holds


async def test_the_passages_that_support_it_come_best_first() -> None:
    other = passage(3, "The Hamburg office is open on weekdays.", title="Offices", headings=())
    copy = passage(4, LEAVE.chunk.text)
    text = "Every employee in Hamburg has 30 days of annual leave."
    assert (await judged(text, other, copy, LEAVE)).by == (1, 4)
    assert (await judged(text, other, copy, LEAVE, cited=(4, 3))).by == (4,)


async def test_two_passages_can_support_one_statement() -> None:
    office = passage(3, "The Dublin office has 12 desks and a parking garage.", title="Offices", headings=())
    text = "Employees have 30 days of annual leave, and the Dublin office has 12 desks and a parking garage."
    assert set((await judged(text, LEAVE, office)).by) == {1, 3}


async def test_title_headings_surroundings_and_date_of_a_passage_count() -> None:
    dated = Passage(
        number=1,
        chunk=passage(
            1, "It has a canteen.", title="Lyon", headings=("Floor 4",), updated_at=datetime(2024, 6, 2, tzinfo=UTC)
        ).chunk,
        score=1.0,
        before="The house was built in 1987.",
        after="Bikes go to the cellar.",
    )
    text = "As of June 2024, the house in Lyon, built in 1987, has a canteen on floor 4 and bikes in the cellar."
    assert (await judged(text, dated)).holds


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("18 %", "18 percent"),
        ("1.000 €", "EUR 1,000"),
        ("1 000", "1000"),
        ("1,234.56", "1.234,56"),
        ("2.5 million", "2,5 Mio."),
        ("4000万", "40 million"),
        ("30", "thirty days"),
        ("3", "三天"),
        ("٣٠", "३०"),
        ("3. November 2025", "2025-11-03"),
        ("3.11.2025", "November 3, 2025"),
        ("3 novembre", "11月3日"),
        ("3 ноября 2025", "3/11/2025"),
        ("3 listopada", "on the 3rd of November"),
        ("17:30", "5:30 pm"),
        ("9 Uhr", "9:00"),
        ("9h30", "9:30 a.m."),
        ("5-7", "between 5 and 7"),
        ("1990s", "90er Jahre"),
        ("17", "dix-sept jours"),
        ("5 pm", "at 5 in the afternoon"),
        ("5 pm", "下午5点"),
        ("2.5 million", "in millions: 2.5"),
        ("2.5", "2.5 million"),
        ("12", "zwölf Tage"),
    ],
)
def test_one_figure_is_known_in_another_spelling(said: str, read: str) -> None:
    found = figures(said)
    assert found
    assert all(supported(figure, atoms(read)) for figure in found)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("19 %", "18 percent"),
        ("1.5", "15"),
        ("18", "18.5"),
        ("4. November", "3 November"),
        ("3 December", "3 November"),
        ("17:30", "17:00"),
        ("5 pm", "5:00"),
        ("5 pm", "5 am"),
        ("2.5 billion", "2.5 million"),
        ("1990", "1991"),
    ],
)
def test_another_figure_is_told_apart(said: str, read: str) -> None:
    assert not all(supported(figure, atoms(read)) for figure in figures(said))


@given(st.integers(0, 10**9), st.sampled_from(["{}", "{:,}", "about {} people", "({})", "№{}", "{} €", "**{}**"]))
def test_every_number_supports_itself_and_no_other(number: int, form: str) -> None:
    [figure] = figures(form.format(number))
    assert supported(figure, atoms(f"There are {number} of them."))
    assert not supported(figure, atoms(f"There are {number + 1} of them in {number + 7}."))


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(["en", "de", "zh", "ar", "xx"]))
@settings(deadline=None, max_examples=50)
async def test_any_text_gets_a_verdict_with_a_reason(text: str, asked: str, language: str) -> None:
    verdict = await judged(text, LEAVE, URLAUB, language=language, question=asked)
    assert verdict.holds != bool(verdict.why)
    assert set(verdict.by) <= {1, 2}


SENTENCE = re.compile(r"(?<=[.!?])\s+")


def sentences() -> list[tuple[str, str, str]]:
    """Sentences of the demo's texts, with the whole text and its language."""
    found = []
    for path in sorted(HANDBOOK.rglob("*.md")):
        text = path.read_text(encoding="utf-8").split("---", 2)[-1]
        language = "de" if " und " in text else "fr" if " les " in text else "en"
        lines = [line for line in text.splitlines() if line and line[0] not in "#|>-"]
        found += [
            (sentence, text, language) for line in lines for sentence in SENTENCE.split(line) if len(sentence) > 40
        ]
    return found


async def test_the_sentences_of_the_handbook_hold_by_their_page_and_not_with_another_number() -> None:
    own, swapped = [], []
    for sentence, text, language in sentences():
        page = passage(1, text, language=language, updated_at=None)
        own.append((await judged(sentence, page, language=language)).holds)
        if number := re.search(r"(?<![\w.,:/-])\d{1,4}(?![\w.,:/-])", sentence):
            other = next(n for n in range(int(number[0]) + 1, 99999) if not supported(figures(str(n))[0], atoms(text)))
            changed = f"{sentence[: number.start()]}{other}{sentence[number.end() :]}"
            swapped.append((await judged(changed, page, language=language)).holds)
    assert len(own) > 40
    assert sum(own) / len(own) >= 0.99
    assert len(swapped) > 15
    assert sum(swapped) / len(swapped) <= 0.05


async def test_what_stands_word_for_word_in_one_passage_is_not_taken_from_another_that_is_much_like_it() -> None:
    said = "The FNCI is a file that the Banque de France keeps, and it is not public."
    passages = [
        passage(1, "The FCC is a file that the Banque de France keeps, and it is public.", document="fcc.md"),
        passage(2, f"About files. {said} It is not kept for ever.", document="fnci.md"),
    ]
    checker = LexicalSupport()
    [wrongly, rightly] = await checker.check(
        [Statement(text=said, cited=(1,)), Statement(text=said, cited=(2,))], passages, question="", language="en"
    )
    assert (wrongly.holds, rightly.holds, rightly.by) == (False, True, (2,))
