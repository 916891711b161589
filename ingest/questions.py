"""Question sets in BEIR layout: questions, and the documents that answer them.

A set is a folder with `queries.jsonl` (`_id`, `text`, `metadata`), `qrels/test.tsv` (`query-id`, `corpus-id`, `score`)
and, unless it is about documents that are indexed already, `corpus.jsonl` (`_id`, `title`, `text`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import ConfigurationError
from ingest.model import EVERYONE, PUBLIC, DocumentId, Readers

DEPTH = 100
"""Documents kept of each ranking; the deepest measure needs 10."""


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


def by_document(chunks: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """A ranking of documents from one of their chunks: the first place counts."""
    first: dict[str, float] = {}
    for document, score in chunks:
        first.setdefault(document, score)
    return list(first.items())[:DEPTH]
