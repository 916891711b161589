"""Whether answers are in the language of their questions, of a model that writes half of its replies in another one.

Half of the first replies are in the documents' language, or have a Chinese sentence among their own; of the second
replies and of the translations some are still wrong. The languages are told by another classifier than the assistant's
checks use: by scripts, and py3langid alone among fourteen languages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

from bot.llm.interface import Prompt
from bot.model import Answer, Outcome
from bot.phrases import PHRASE_LANGUAGES
from bot.writing.units import Units
from ingest.model import DocumentId
from ingest.questions import Article, Query, QuestionSet
from tests.bench.table import Table
from tests.bot.writing.answers import ANSWERS, PASSAGES, QUESTIONS
from tests.eval.asking import Chosen, answer, ready_for, sentences

LEAK = "本政策适用于所有员工，请提前申请。"
LEAST_LETTERS = 25
"""Of a sentence in Latin letters that is classified; nobody tells the language of less."""

SURE = 0.9
"""Probability from which the classifier is believed."""

SCRIPTS = {
    "zh": "[\u4e00-\u9fff]",
    "ja": "[\u3041-\u30ff\u4e00-\u9fff]",
    "ar": "[\u0620-\u064a]",
    "ru": "[\u0400-\u052f]",
    "hi": "[\u0900-\u097f]",
}
LATIN = "[A-Za-zÀ-ɏ]"


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """Questions in one language over documents in another, and what can be said in either."""

    name: str
    questions: Sequence[Query]
    corpus: Sequence[Article]
    other: str
    """Language of the documents."""
    translated: Mapping[str, str]
    """Question -> the same in the language of the documents."""
    said: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    """Title of a document -> its sentences in the language of the questions, and in its own."""


@dataclass(kw_only=True)
class Replies:
    """The scripted model: knows how often a question was asked, and what it says to each."""

    spoken: Spoken
    asked: int = 0
    attempts: int = 0
    wrong: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        self.asked += 1
        self.attempts = 0

    def translations(self, question: str) -> dict[str, str]:
        found = self.spoken.translated.get(question)
        return {self.spoken.other: found} if found else {}

    def says(self, prompt: Prompt) -> str:
        self.attempts += 1
        if not prompt.passages:  # a translation
            return self._own(prompt) if self.asked % 4 else LEAK
        number, own, foreign = self._told(prompt)
        if not own:
            return "NOT_FOUND"
        right, wrong = (" ".join(f"{s[:-1]} [{number}]{s[-1]}" for s in told) for told in (own, foreign))
        first = self.attempts == 1
        if (first and self.asked % 2) or (not first and self.asked % 3 == 0):
            self.wrong["first" if first else "second"] += 1
            return wrong if self.asked % 4 == 1 else f"{right} {LEAK}"
        return right

    def _told(self, prompt: Prompt) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
        for passage in prompt.passages:
            if told := self.spoken.said.get(passage.chunk.title):
                self._latest = told[0]
                return passage.number, *told
        return 0, (), ()

    def _own(self, prompt: Prompt) -> str:
        return " ".join(self._latest)


async def measure(chosen: Chosen) -> list[Table]:
    rows, wrong = [], list[str]()
    for spoken in _parallel(chosen) if chosen.folders else _small():
        found = Counter[str]()
        replies = Replies(spoken=spoken)
        async with ready_for(spoken.corpus, replies.says, replies.translations) as (ready, _):
            for query in spoken.questions:
                replies.begin()
                given = await answer(ready, query)
                tasks = {call.task for call in given.trace.calls} if given.trace else set()
                found.update(task for task in ("retry", "translate") if task in tasks)
                found["quoted"] += given.outcome is not Outcome.NOT_FOUND and given.written_by == "extractive"
                found[given.outcome.value] += 1
                foreign = foreign_sentence(given, given.language)
                found["decided"] += given.language == query.language
                found["right"] += not foreign
                wrong += [f"`{given.language}`, asked {query.text!r}: {foreign!r}"] if foreign else []
        asked = len(spoken.questions)
        rows.append(
            (
                spoken.name,
                asked,
                f"{replies.wrong['first'] / asked:.0%}",
                *(found[name] for name in ("retry", "translate", "quoted", "answered", "not_found")),
                f"{found['decided'] / asked:.1%}",
                f"{found['right'] / asked:.1%}",
            )
        )
    return [
        Table(
            title="language of the answer",
            columns=(
                "questions",
                "asked",
                "model wrong at first",
                "tried again",
                "translated",
                "quoted",
                "answered",
                "not found",
                "question's language decided",
                "answer in it",
            ),
            rows=rows,
            notes=tuple(wrong[:10]),
        )
    ]


def foreign_sentence(given: Answer, language: str) -> str:
    """The first of an answer's own sentences in another language; empty when there is none. Quotations are no own."""
    units = Units()
    for unit in (*units.feed(given.text), *units.close()):
        if unit.kind in ("prose", "heading") and not in_language(unit.text, language):
            return unit.text.strip()
    return ""


def in_language(sentence: str, language: str) -> bool:
    """Whether a sentence is in the language, or too short to tell."""
    text = re.sub(r"\[\d+\]|[\"„“«「][^\"“”»」]*[\"“”»」]", " ", sentence)
    own = len(re.findall(SCRIPTS.get(language, LATIN), text))
    foreign = sum(len(re.findall(p, text)) for key, p in SCRIPTS.items() if key != language) if language != "ja" else 0
    foreign -= own if language == "zh" else 0  # which Japanese shares
    if foreign > max(own, 4):
        return False
    if language in SCRIPTS:
        return own >= sum(map(len, re.findall(r"(?<!\w)[a-zß-ɏ]{3,}", text)))
    if own < LEAST_LETTERS:
        return True
    best, probability = _identifier().classify(text)
    return bool(best == language or probability < SURE)


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(PHRASE_LANGUAGES))
    return identifier


def _small() -> list[Spoken]:
    """Fourteen languages over three English sentences, each asked a few times."""
    document = Article(id=DocumentId("home.md"), title="Working from home", text="\n\n".join(PASSAGES))
    return [
        Spoken(
            name=f"{language} over en",
            questions=[Query(id=f"{language}-{n}", text=QUESTIONS[language], language=language) for n in range(6)],
            corpus=[document],
            other="en",
            translated={QUESTIONS[language]: QUESTIONS["en"]} if language != "en" else {},
            said={document.title: (ANSWERS[language], ANSWERS["en"] if language != "en" else ANSWERS["fr"])},
        )
        for language in PHRASE_LANGUAGES
    ]


def _parallel(chosen: Chosen) -> list[Spoken]:
    """The questions of every set over the paragraphs of the first one, told by those of the same id in its own."""
    searched, *_ = sets = chosen.sets()
    other = _language(searched)
    corpus = [replace(article, title=str(article.id)) for article in searched.corpus or ()]
    theirs = {str(article.id): article.text for article in corpus}
    spoken = []
    asked_there = {query.id: query.text for query in searched.queries}
    for questions in sets:
        language = _language(questions)
        if language == other and len(sets) > 1:
            questions_corpus, foreign = questions.corpus, sets[1].corpus
        else:
            questions_corpus, foreign = questions.corpus, searched.corpus
        abroad = {str(article.id): article.text for article in foreign or ()}
        said = {
            str(article.id): (tuple(sentences(article.text)[:2]), tuple(sentences(abroad[str(article.id)])[:2]))
            for article in questions_corpus or ()
            if str(article.id) in theirs
        }
        spoken.append(
            Spoken(
                name=f"{language} over {other}",
                questions=[replace(query, language=language) for query in questions.queries],
                corpus=corpus,
                other=other,
                translated={
                    q.text: asked_there[q.id] for q in questions.queries if language != other and q.id in asked_there
                },
                said={title: told for title, told in said.items() if all(told)},
            )
        )
    return spoken


def _language(questions: QuestionSet) -> str:
    return questions.name.rpartition("-")[2]
