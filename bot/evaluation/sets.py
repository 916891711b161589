"""Question sets in BEIR layout, and rankings as TREC runs.

A set is a folder with `queries.jsonl` (`_id`, `text`, `metadata`), `qrels/test.tsv` (`query-id`, `corpus-id`, `score`)
and, unless it is about documents that are indexed already, `corpus.jsonl` (`_id`, `title`, `text`).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from ingest.errors import ConfigurationError
from ingest.model import EVERYONE, PUBLIC, DocumentId, Readers

DEPTH = 100
"""Documents kept of each ranking; the deepest measure needs 10."""

Run = dict[str, list[tuple[str, float]]]
"""Query id -> documents with scores, best first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """One question of a set."""

    id: str
    text: str
    language: str | None = None
    """Language that people asked it in, where the set says so."""
    readers: Readers = frozenset({EVERYONE, PUBLIC})
    """Reader tokens of who asks it."""
    answerable: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Article:
    """One document of a set's own corpus."""

    id: DocumentId
    title: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionSet:
    """A folder in BEIR layout, read."""

    name: str
    queries: tuple[Query, ...]
    relevant: Mapping[str, Mapping[str, int]]
    """Query id -> document id -> grade; only grades above 0."""
    corpus: tuple[Article, ...] | None
    """None: the documents are those of the index in use."""


def read_set(folder: Path) -> QuestionSet:
    """Raises `ConfigurationError` when the folder is not in BEIR layout."""
    for needed in (folder / "queries.jsonl", folder / "qrels" / "test.tsv"):
        if not needed.is_file():
            raise ConfigurationError(
                f"{folder}: no question set in BEIR layout, {needed.relative_to(folder)} is missing"
            )
    corpus = folder / "corpus.jsonl"
    return QuestionSet(
        name=folder.name,
        queries=tuple(_query(row) for row in _rows(folder / "queries.jsonl")),
        relevant=_relevant(folder / "qrels" / "test.tsv"),
        corpus=tuple(_article(row) for row in _rows(corpus)) if corpus.is_file() else None,
    )


def _rows(path: Path) -> Iterator[dict[str, object]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigurationError(f"{path}, line {number}: not JSON ({error})") from error
        if not isinstance(row, dict) or "_id" not in row:
            raise ConfigurationError(f"{path}, line {number}: needs an object with `_id` and `text`")
        yield row


def _query(row: Mapping[str, object]) -> Query:
    metadata = row.get("metadata")
    said = metadata if isinstance(metadata, dict) else {}
    readers = said.get("readers")
    return Query(
        id=str(row["_id"]),
        text=str(row.get("text", "")),
        language=said.get("language"),
        readers=frozenset(readers) | {PUBLIC} if readers else frozenset({EVERYONE, PUBLIC}),
        answerable=bool(said.get("answerable", True)),
    )


def _article(row: Mapping[str, object]) -> Article:
    return Article(id=DocumentId(str(row["_id"])), title=str(row.get("title") or ""), text=str(row.get("text") or ""))


def _relevant(path: Path) -> dict[str, dict[str, int]]:
    relevant: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        for row in rows:
            try:
                query, document, grade = row["query-id"], row["corpus-id"], int(row["score"])
            except (KeyError, TypeError, ValueError) as error:
                raise ConfigurationError(
                    f"{path}, line {rows.line_num}: needs the columns `query-id`, `corpus-id` and `score` (a number)"
                ) from error
            if grade > 0:
                relevant.setdefault(query, {})[document] = grade
    return relevant


def write_set(questions: QuestionSet, folder: Path) -> None:
    """The set in BEIR layout, for other tools; `read_set` reads back the same."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    _write_rows(folder / "queries.jsonl", (_query_row(query) for query in questions.queries))
    if questions.corpus is not None:
        _write_rows(
            folder / "corpus.jsonl",
            ({"_id": article.id, "title": article.title, "text": article.text} for article in questions.corpus),
        )
    with (folder / "qrels" / "test.tsv").open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines, delimiter="\t", lineterminator="\n")
        table.writerow(("query-id", "corpus-id", "score"))
        table.writerows((query, *row) for query, grades in questions.relevant.items() for row in grades.items())


def _write_rows(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _query_row(query: Query) -> dict[str, object]:
    said = {"language": query.language} if query.language else {}
    metadata = {**said, "readers": sorted(query.readers), "answerable": query.answerable}
    return {"_id": query.id, "text": query.text, "metadata": metadata}


def by_document(chunks: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """A ranking of documents from one of their chunks: the first place counts."""
    first: dict[str, float] = {}
    for document, score in chunks:
        first.setdefault(document, score)
    return list(first.items())[:DEPTH]


def write_run(run: Run, path: Path, tag: str) -> None:
    """A TREC run: `query Q0 document rank score tag` a line. White space in an id is percent-encoded, as in a URL."""
    lines = [
        f"{_word(query)} Q0 {_word(document)} {rank} {score:.6f} {_word(tag)}\n"
        for query, ranking in run.items()
        for rank, (document, score) in enumerate(ranking, start=1)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")


def read_run(path: Path) -> Run:
    """A TREC run, ordered by rank. Raises `ConfigurationError` on a line that is none."""
    ranked: dict[str, list[tuple[int, str, float]]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            query, _, document, rank, score, _ = line.split()
            ranked.setdefault(unquote(query), []).append((int(rank), unquote(document), float(score)))
        except ValueError as error:
            raise ConfigurationError(
                f"{path}, line {number}: a TREC run line is `query Q0 document rank score tag`"
            ) from error
    return {query: [(document, score) for _, document, score in sorted(rows)] for query, rows in ranked.items()}


def _word(text: str) -> str:
    return re.sub(r"[\s%]", lambda found: quote(found[0], safe=""), text)
