"""What is measured of one answer."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Mapping, Sequence

from bot.evaluation.measures import Grades
from bot.evaluation.results import AnswerResult, Shown
from bot.model import Answer, Answerer, Asker, Finished, Outcome, Place, Question, Route, Turn
from bot.writing.spoken import Spoken
from bot.writing.units import Units
from ingest.index.lexical import UNSPACED
from ingest.questions import Query

ASKER = "eval"
"""Who asks, in the database that keeps the answers; what it was told is no candidate for a set."""

ANSWER_SECONDS = 600.0
"""Beyond every limit that the assistant sets itself: it ends each question, so reaching this is a defect."""

CITED = re.compile(r"\[(\d{1,3})\]")
WORD = re.compile(r"[^\W_]+")
TABLE_RULE = re.compile(r"[\s|:\-]+")

WITHIN_WORD = rf"[^\W_{UNSPACED}]"
"""Beside such a letter or digit, a word goes on."""


async def ask(answerer: Answerer, query: Query) -> Answer:
    """The whole answer to a question of a set, asked alone or as the next turn of its conversation."""
    question = Question(
        text=query.text,
        asker=Asker(id=ASKER, readers=query.readers),
        place=Place(platform="console"),
        history=tuple(Turn(role=turn.role, text=turn.text) for turn in query.history),
    )
    async with asyncio.timeout(ANSWER_SECONDS):
        last = [event async for event in answerer(question)][-1]
    assert isinstance(last, Finished), "an answerer ends with Finished"  # noqa: S101
    return last.answer


def kept(answer: Answer, query: Query, spoken: Spoken) -> AnswerResult:
    """What a comparison, or a person who looks for what went wrong, needs of it."""
    return AnswerResult(
        outcome=answer.outcome.value,
        language=answer.language,
        text=answer.text,
        written_by=answer.written_by,
        cited=tuple(
            Shown(number=passage.number, document=passage.chunk.document, language=passage.chunk.language)
            for passage in answer.citations
        ),
        retrieved=tuple(dict.fromkeys(passage.chunk.document for passage in answer.passages)),
        notices=answer.notices,
        wrong_language=_wrong_language(answer, query, spoken),
    )


def measures_of(answer: Answer, query: Query, grades: Grades, wrong_language: str | None) -> dict[str, float]:
    """Every measure that applies to this answer, but for the judge's (`bot.evaluation.measures.OF_ANSWERS`)."""
    answered, refused = answer.outcome is Outcome.ANSWERED, answer.outcome is Outcome.NOT_FOUND
    found: dict[str, bool | float] = {
        "failed": answer.outcome is Outcome.FAILED,
        "right language": wrong_language is None,
        "unreadable": any(
            passage.chunk.readers.isdisjoint(query.readers)
            for passage in (*answer.citations, *answer.passages, *answer.nearest)
        ),
    }
    if query.answerable:
        found |= {"answered": answered, "over-refusal": refused}
    else:
        found |= {"refused": refused, "wrongly answered": answered}
    if query.answerable and query.answers:
        found["gold answer"] = answered and contains(answer.text, query.answers)
    cited = [passage.chunk.document for passage in answer.citations]
    if query.answerable and grades:
        found["gold first"] = answered and bool(cited) and cited[0] in grades
        if answered:
            found["relevant cited"] = len(grades.keys() & set(cited)) / len(grades)
        if answered and cited:
            found["citation precision"] = sum(document in grades for document in cited) / len(cited)
    if answered and answer.route is Route.DOCUMENTS:
        found |= _of_citations(answer)
    return {name: float(value) for name, value in found.items()}


def costs_of(answer: Answer) -> dict[str, float]:
    """Seconds, and what was spent at chat models."""
    spent = {"calls": float(answer.spent.calls), "tokens": float(answer.spent.tokens)}
    timings: Mapping[str, float] = answer.timings
    if "total" not in timings:
        return spent
    waited = timings.get("models", 0.0) + timings.get("search", 0.0)
    return spent | {"seconds": timings["total"], "own seconds": max(0.0, timings["total"] - waited)}


def contains(text: str, answers: Sequence[str]) -> bool:
    """Whether one of `answers` stands in `text`, whatever its case, punctuation and markup."""
    words = _words(text)
    return any(_holds(words, wanted) for answer in answers if (wanted := _words(answer)))


def _holds(words: str, wanted: str) -> bool:
    start = rf"(?<!{WITHIN_WORD})" if re.match(WITHIN_WORD, wanted) else ""
    end = rf"(?!{WITHIN_WORD})" if re.match(WITHIN_WORD, wanted[-1]) else ""
    return re.search(start + re.escape(wanted) + end, words) is not None


def _words(text: str) -> str:
    folded = unicodedata.normalize("NFKC", CITED.sub(" ", text)).casefold()
    # Marks of Arabic and Indic scripts are no word characters of Python's, but part of the word.
    return " ".join(WORD.findall("".join(c for c in folded if unicodedata.category(c) not in ("Mn", "Mc", "Cf"))))


def _of_citations(answer: Answer) -> dict[str, float]:
    known = {passage.number for passage in answer.citations}
    claims = statements(answer.text)
    numbers = [int(number) for text in claims for number in CITED.findall(text)]
    found = {"cites": float(bool(known))}
    if numbers:
        found["citations exist"] = sum(number in known for number in numbers) / len(numbers)
    if claims:
        found["sentences cited"] = sum(CITED.search(text) is not None for text in claims) / len(claims)
    return found


def statements(text: str) -> list[str]:
    """What of an answer should have a citation: its sentences, rows of tables, and each block quotation as one.

    What introduces others states nothing: a line that ends with a colon, one above a quotation, the header of a table.
    """
    units = Units()
    blocks: list[tuple[str, str]] = []
    for unit in (*units.feed(text), *units.close()):
        if unit.kind == "quote" and blocks and blocks[-1][0] == "quote" and not blocks[-1][1].endswith("\n\n"):
            blocks[-1] = ("quote", blocks[-1][1] + unit.text)
        else:
            blocks.append((unit.kind, unit.text))
    return [
        text
        for (kind, text), (next_kind, following) in zip(blocks, [*blocks[1:], ("blank", "")], strict=False)
        if kind == "quote"
        or (kind == "prose" and not _introduces(text, next_kind))
        or (kind == "row" and not _rule(text) and not _rule(following))
    ]


def _introduces(text: str, next_kind: str) -> bool:
    return text.rstrip().endswith((":", "：")) or (next_kind == "quote" and CITED.search(text) is None)


def _rule(line: str) -> bool:
    return "-" in line and TABLE_RULE.fullmatch(line) is not None


def _wrong_language(answer: Answer, query: Query, spoken: Spoken) -> str | None:
    wanted = query.language or answer.language
    if answer.language != wanted:
        return f"answered in {answer.language}, asked in {wanted}"
    given = "\n".join(
        [
            query.text,
            *(turn.text for turn in query.history),
            *(f"{passage.chunk.heading}\n{passage.text}" for passage in (*answer.passages, *answer.citations)),
        ]
    )
    return spoken.wrong(answer.text, wanted, given=given)
